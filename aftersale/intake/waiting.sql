-- name: last
SELECT coalesce(max(id), 0) FROM arrival

-- Unread bodies, oldest first, nobody else's, about `bytes` long together; gone from the queue when this commits.
-- They are deleted by an array of their numbers: a join may walk over every dead entry of a table thought empty (P30).
-- name: claim
WITH next AS (
  SELECT arrival_id FROM arrival_todo WHERE arrival_id >= %(floor)s
  ORDER BY arrival_id LIMIT %(bodies)s FOR UPDATE SKIP LOCKED),
sized AS (
  SELECT n.arrival_id, sum(octet_length(a.body)) OVER (ORDER BY n.arrival_id) - octet_length(a.body) AS before
  FROM next n JOIN arrival a ON a.id = n.arrival_id),
taken AS (
  DELETE FROM arrival_todo WHERE arrival_id = ANY (ARRAY(SELECT arrival_id FROM sized WHERE before < %(bytes)s))
  RETURNING arrival_id, tries)
SELECT a.id, a.shop_id, a.source, a.body, t.tries FROM taken t JOIN arrival a ON a.id = t.arrival_id ORDER BY a.id

-- Bodies of other shops among the next `ahead` ones, and how far was looked.
-- name: others
WITH seen AS MATERIALIZED (
  SELECT arrival_id FROM arrival_todo WHERE arrival_id > %(after)s ORDER BY arrival_id LIMIT %(ahead)s),
other AS (
  SELECT s.arrival_id FROM seen s JOIN arrival a ON a.id = s.arrival_id WHERE a.shop_id <> %(shop_id)s
  ORDER BY s.arrival_id LIMIT %(bodies)s)
SELECT ARRAY(SELECT arrival_id FROM other ORDER BY 1), (SELECT max(arrival_id) FROM seen)

-- name: claim_these
WITH next AS (
  SELECT arrival_id FROM arrival_todo WHERE arrival_id = ANY (%(ids)s) ORDER BY arrival_id FOR UPDATE SKIP LOCKED),
sized AS (
  SELECT n.arrival_id, sum(octet_length(a.body)) OVER (ORDER BY n.arrival_id) - octet_length(a.body) AS before
  FROM next n JOIN arrival a ON a.id = n.arrival_id),
taken AS (
  DELETE FROM arrival_todo WHERE arrival_id = ANY (ARRAY(SELECT arrival_id FROM sized WHERE before < %(bytes)s))
  RETURNING arrival_id, tries)
SELECT a.id, a.shop_id, a.source, a.body, t.tries FROM taken t JOIN arrival a ON a.id = t.arrival_id ORDER BY a.id

-- name: count
UPDATE arrival_todo SET tries = tries + 1 WHERE arrival_id = ANY (ARRAY(
  SELECT arrival_id FROM arrival_todo WHERE arrival_id >= %(floor)s ORDER BY arrival_id LIMIT %(bodies)s FOR UPDATE SKIP LOCKED))
  AND tries < %(tries)s AND arrival_id <> ALL (%(counted)s)
RETURNING arrival_id

-- name: try_one
UPDATE arrival_todo SET tries = tries + 1 WHERE arrival_id = %(arrival_id)s RETURNING tries

-- name: forgive
UPDATE arrival_todo SET tries = tries - 1 WHERE tries > 0 AND arrival_id = ANY (ARRAY(
  SELECT arrival_id FROM arrival_todo WHERE arrival_id = ANY (%(ids)s) ORDER BY arrival_id FOR UPDATE))

-- name: claim_one
WITH taken AS (DELETE FROM arrival_todo WHERE arrival_id = (
  SELECT arrival_id FROM arrival_todo WHERE arrival_id = %(arrival_id)s FOR UPDATE SKIP LOCKED)
  RETURNING arrival_id, tries)
SELECT a.id, a.shop_id, a.source, a.body, t.tries FROM taken t JOIN arrival a ON a.id = t.arrival_id

-- name: peek
SELECT a.id, a.shop_id, a.source, a.body, t.tries FROM arrival_todo t JOIN arrival a ON a.id = t.arrival_id
WHERE t.arrival_id = %(arrival_id)s
