-- Ways through the queue over all shops at once, along one index. `first` is the sort's number, ascending.

-- How many wait in all shops, about: nobody reads it.
-- name: waiting
SELECT greatest(reltuples, 1)::int AS cases FROM pg_class WHERE oid = 'queue_item'::regclass

-- name: in_range
SELECT count(*)::int AS cases FROM (SELECT FROM queue_item i WHERE /*range*/ LIMIT %(most)s) r

-- In the order of the sort, so many steps; of those that share the last number not all may have been seen.
-- name: walk
WITH seen AS MATERIALIZED (
  SELECT /*columns*/ FROM queue_item i WHERE /*range*/ ORDER BY /*along*/ LIMIT %(steps)s)
SELECT i.shop_id, i.case_id FROM seen i
WHERE i.first < (SELECT max(first) FROM seen) AND /*where*/
ORDER BY i.first, i.case_id OFFSET %(skip)s LIMIT %(rows)s

-- All that fall into a range, then those that match.
-- name: rare
WITH seen AS MATERIALIZED (SELECT /*columns*/ FROM queue_item i WHERE /*range*/)
SELECT i.shop_id, i.case_id FROM seen i WHERE /*where*/
ORDER BY i.first, i.case_id OFFSET %(skip)s LIMIT %(rows)s

-- How many of so many rows match.
-- name: matches
SELECT count(*)::int AS cases FROM (
  SELECT FROM (SELECT /*columns*/ FROM queue_item i WHERE /*range*/ LIMIT %(steps)s) i WHERE /*where*/ LIMIT %(most)s) m

-- name: columns
i.shop_id, i.queue, i.case_id, i.reason, i.action, i.state, i.owner, i.due_at, i.asked_fen, /*first*/ AS first

-- name: places
(i.shop_id, i.queue) IN (SELECT * FROM unnest(%(shop_ids)s::int[], %(queues)s::text[]))
