-- The queue is read place by place (shop, queue), each along an index and cut, and the cuts are merged. `first` is the
-- sort's number, ascending.

-- name: counts
SELECT shop_id, queue, sum(cases)::int AS cases FROM queue_total
WHERE shop_id = ANY(%(shop_ids)s::int[]) GROUP BY shop_id, queue HAVING sum(cases) > 0

-- name: alike
SELECT shop_id, queue, sum(cases)::int AS cases FROM queue_count
WHERE shop_id = ANY(%(shop_ids)s::int[])
  AND (%(reason)s = '' OR reason = %(reason)s) AND (%(action)s = '' OR action = %(action)s)
  AND (%(state)s = '' OR state = %(state)s)
GROUP BY shop_id, queue HAVING sum(cases) > 0

-- name: kinds
SELECT shop_id, queue, reason, action, state, sum(cases)::int AS cases FROM queue_count
WHERE (shop_id, queue) IN (SELECT * FROM unnest(%(shop_ids)s::int[], %(queues)s::text[]))
  AND (%(reason)s = '' OR reason = %(reason)s) AND (%(action)s = '' OR action = %(action)s)
  AND (%(state)s = '' OR state = %(state)s)
GROUP BY shop_id, queue, reason, action, state HAVING sum(cases) > 0

-- Rows of whole places in the order of the sort, what does not match left out.
-- name: scan
SELECT q.*, p.no AS place, row_number() OVER (PARTITION BY p.no ORDER BY q.first, q.case_id) AS nth
FROM unnest(%(shop_ids)s::int[], %(queues)s::text[]) WITH ORDINALITY AS p (shop_id, queue, no)
CROSS JOIN LATERAL (
  SELECT i.shop_id, i.case_id, /*first*/ AS first FROM queue_item i
  WHERE i.shop_id = p.shop_id AND i.queue = p.queue /*where*/
  ORDER BY /*order*/ LIMIT %(cut)s) q

-- Rows of kinds, each place's kinds apart.
-- name: few
SELECT q.*, -p.no AS place, row_number() OVER (PARTITION BY p.no ORDER BY q.first, q.case_id) AS nth
FROM unnest(%(k_shop_ids)s::int[], %(k_queues)s::text[], %(k_reasons)s::text[], %(k_actions)s::text[], %(k_states)s::text[])
  WITH ORDINALITY AS p (shop_id, queue, reason, action, state, no)
CROSS JOIN LATERAL (
  SELECT i.shop_id, i.case_id, /*first*/ AS first FROM queue_item i
  WHERE i.shop_id = p.shop_id AND i.queue = p.queue AND i.reason = p.reason AND i.action = p.action
    AND i.state = p.state /*where*/
  ORDER BY /*order*/ LIMIT %(cut)s) q

-- Rows of one owner: a person has few enough to sort them.
-- name: owned
SELECT i.shop_id, i.case_id, /*first*/ AS first, 0 AS place, 0 AS nth FROM queue_item i
WHERE i.shop_id = ANY(%(all_shop_ids)s::int[]) AND i.queue = ANY(%(all_queues)s::text[])
  AND (%(reason)s = '' OR i.reason = %(reason)s) AND (%(action)s = '' OR i.action = %(action)s)
  AND (%(state)s = '' OR i.state = %(state)s) /*where*/

-- A place whose cut ends before the page does is read deeper; of these there are at most top / cut.
-- name: merged
WITH cuts AS MATERIALIZED (/*cuts*/),
last AS (SELECT first, case_id FROM cuts ORDER BY first, case_id OFFSET %(top)s - 1 LIMIT 1),
deep AS MATERIALIZED (
  SELECT place FROM cuts WHERE nth = %(cut)s
    AND (NOT EXISTS (SELECT FROM last) OR (first, case_id) < (SELECT l.first, l.case_id FROM last l)))
SELECT c.shop_id, c.case_id FROM (
  SELECT shop_id, case_id, first FROM cuts WHERE place <> ALL (ARRAY(SELECT place FROM deep))
  /*deeper*/) c
ORDER BY c.first, c.case_id OFFSET %(skip)s LIMIT %(rows)s

-- name: matches
SELECT count(*)::int AS cases FROM (
  SELECT FROM (/*cuts*/) c LIMIT %(most)s) m

-- How many of a place fall into a range, as far as it matters.
-- name: ranged
SELECT p.shop_id, p.queue, (SELECT count(*) FROM (
  SELECT FROM queue_item i WHERE i.shop_id = p.shop_id AND i.queue = p.queue /*range*/ LIMIT p.most) r)::int AS cases
FROM unnest(%(shop_ids)s::int[], %(queues)s::text[], %(most)s::int[]) AS p (shop_id, queue, most)

-- Rows of places by a range that few fall into, whatever the sort.
-- name: in_range
SELECT q.shop_id, q.case_id, q.first, 0 AS place, 0 AS nth
FROM unnest(%(r_shop_ids)s::int[], %(r_queues)s::text[]) AS p (shop_id, queue)
CROSS JOIN LATERAL (
  SELECT i.shop_id, i.case_id, /*first*/ AS first, i.reason, i.action, i.state FROM queue_item i
  WHERE i.shop_id = p.shop_id AND i.queue = p.queue /*where*/ OFFSET 0) q
WHERE (%(reason)s = '' OR q.reason = %(reason)s) AND (%(action)s = '' OR q.action = %(action)s)
  AND (%(state)s = '' OR q.state = %(state)s)

-- name: fold
WITH old AS (DELETE FROM queue_count RETURNING shop_id, queue, reason, action, state, cases)
INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
SELECT shop_id, queue, reason, action, state, sum(cases) FROM old GROUP BY 1, 2, 3, 4, 5 HAVING sum(cases) <> 0

-- name: fold_totals
WITH old AS (DELETE FROM queue_total RETURNING shop_id, queue, cases)
INSERT INTO queue_total (shop_id, queue, cases)
SELECT shop_id, queue, sum(cases) FROM old GROUP BY 1, 2 HAVING sum(cases) <> 0

-- name: fold_alone
SELECT pg_try_advisory_xact_lock(hashtext('queue_count'))

-- name: lines
SELECT count(*), count(DISTINCT (shop_id, queue, reason, action, state)) FROM queue_count
