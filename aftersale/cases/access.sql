-- name: shops_of
SELECT s.id, s.code, s.name, s.platform, m.role
FROM membership m JOIN shop s ON s.id = m.shop_id
WHERE m.user_id = %(user_id)s
ORDER BY s.name, s.id

-- name: case
SELECT shop_id, case_id FROM cases WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: search
SELECT shop_id, case_id FROM cases WHERE shop_id = ANY(%(shop_ids)s::int[]) AND case_id = %(text)s
UNION
SELECT shop_id, case_id FROM cases WHERE shop_id = ANY(%(shop_ids)s::int[]) AND order_id = %(text)s
UNION
SELECT shop_id, case_id FROM cases WHERE shop_id = ANY(%(shop_ids)s::int[]) AND return_tracking_no = %(text)s
UNION
SELECT c.shop_id, c.case_id FROM orders o JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id
WHERE o.shop_id = ANY(%(shop_ids)s::int[]) AND o.tracking_no = %(text)s
ORDER BY case_id LIMIT 50

-- name: counts
SELECT shop_id, queue, count(*)::int AS cases FROM queue_item
WHERE shop_id = ANY(%(shop_ids)s::int[])
GROUP BY shop_id, queue

-- name: queue
-- Each (shop, queue) is read along its own index and cut, then the cuts are merged: the cost does not grow with the queue.
SELECT q.shop_id, q.case_id
FROM unnest(%(shop_ids)s::int[], %(queues)s::text[]) AS place (shop_id, queue)
CROSS JOIN LATERAL (
  SELECT i.shop_id, i.case_id, i.due_at, i.amount_fen, i.since FROM queue_item i
  WHERE i.shop_id = place.shop_id AND i.queue = place.queue
    /*due*/
    AND (%(owner)s::text IS NULL OR i.owner = %(owner)s) IS TRUE
    AND (%(reason)s::text IS NULL OR EXISTS (
      SELECT FROM cases c WHERE c.shop_id = i.shop_id AND c.case_id = i.case_id AND c.reason = %(reason)s)) IS TRUE
    AND (%(action)s::text IS NULL OR EXISTS (
      SELECT FROM handling h WHERE h.shop_id = i.shop_id AND h.case_id = i.case_id AND h.action = %(action)s)) IS TRUE
  ORDER BY /*order*/ LIMIT %(top)s
) AS q
ORDER BY /*order*/ OFFSET %(skip)s LIMIT %(rows)s

-- name: matches
SELECT i.shop_id, i.case_id
FROM unnest(%(shop_ids)s::int[], %(queues)s::text[]) AS place (shop_id, queue)
JOIN queue_item i ON i.shop_id = place.shop_id AND i.queue = place.queue
WHERE true /*due*/
  AND (%(since)s::timestamptz IS NULL OR i.since > %(since)s) IS TRUE
  AND (%(owner)s::text IS NULL OR i.owner = %(owner)s) IS TRUE
  AND (%(reason)s::text IS NULL OR EXISTS (
    SELECT FROM cases c WHERE c.shop_id = i.shop_id AND c.case_id = i.case_id AND c.reason = %(reason)s)) IS TRUE
  AND (%(action)s::text IS NULL OR EXISTS (
    SELECT FROM handling h WHERE h.shop_id = i.shop_id AND h.case_id = i.case_id AND h.action = %(action)s)) IS TRUE
LIMIT %(rows)s
