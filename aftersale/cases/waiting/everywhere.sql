-- Ways through the queue over all shops at once, along one index. `first` is the sort's number, ascending.

-- name: expected
SELECT FROM queue_item i WHERE /*range*/

-- In the order of the sort, so many steps and on to the end of those that share the last number (many may share one
-- deadline), but never more than `most`; where these ran out, of the last number not all may have been seen.
-- name: walk
WITH seen AS MATERIALIZED (
  SELECT * FROM (SELECT /*columns*/ FROM queue_item i WHERE /*range*/ ORDER BY /*along*/ LIMIT %(most)s) i
  ORDER BY /*along*/ FETCH FIRST %(steps)s ROWS WITH TIES)
SELECT i.shop_id, i.case_id FROM seen i
WHERE ((SELECT count(*) FROM seen) < %(most)s OR i.first < (SELECT max(first) FROM seen)) AND /*where*/
ORDER BY i.first, i.case_id OFFSET %(skip)s LIMIT %(rows)s

-- All that fall into a range, then those that match.
-- name: rare
WITH seen AS MATERIALIZED (SELECT /*columns*/ FROM queue_item i WHERE /*range*/)
SELECT i.shop_id, i.case_id FROM seen i WHERE /*where*/
ORDER BY i.first, i.case_id OFFSET %(skip)s LIMIT %(rows)s

-- How many of so many rows match.
-- name: matches
SELECT count(*) FILTER (WHERE /*where*/)::int AS cases, count(*)::int AS all
FROM (SELECT /*columns*/ FROM queue_item i WHERE /*range*/ LIMIT %(steps)s) i

-- name: columns
i.shop_id, i.queue, i.case_id, i.reason, i.action, i.state, i.owner, i.due_at, i.asked_fen, i.since, /*first*/ AS first

-- name: places
(i.shop_id, i.queue) IN (SELECT * FROM unnest(%(shop_ids)s::int[], %(queues)s::text[]))
