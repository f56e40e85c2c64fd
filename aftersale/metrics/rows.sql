-- The record as the sets of rows that rulebooks/metric_definitions.yaml counts, one block a set, of the shops given.
-- Columns that the record does not have yet (`lacks`) are NULL here.

-- name: order_row
SELECT o.shop_id, o.order_id, o.paid_at, p.tracking_state, NULL::boolean AS malicious_won
FROM orders o LEFT JOIN parcel p ON p.shop_id = o.shop_id AND p.tracking_no = o.tracking_no
WHERE o.shop_id = ANY(%(shop_ids)s::int[])

-- name: line_row
SELECT l.shop_id, l.order_id, l.product_id, o.paid_at
FROM order_line l JOIN orders o ON o.shop_id = l.shop_id AND o.order_id = l.order_id
WHERE l.shop_id = ANY(%(shop_ids)s::int[])

-- name: case_row
SELECT c.shop_id, c.case_id, c.order_id, l.product_id, c.aftersale_type, c.reason, c.applied_at, m.at AS finished_at,
  floor(extract(epoch FROM m.at - c.applied_at))::bigint AS duration_s, c.intervened, c.fault,
  NULL::timestamptz AS decided_at, NULL::bigint AS decided_day,
  NULL::boolean AS fault_appeal_won, NULL::boolean AS malicious_won, c.goods_problem,
  CASE WHEN h.case_id IS NOT NULL THEN h.queue IS NULL END AS automatic, c.first_seen_at AS seen_at
FROM cases c
LEFT JOIN ledger m ON m.shop_id = c.shop_id AND m.case_id = c.case_id AND m.amount_fen > 0
  AND NOT EXISTS (SELECT FROM ledger r WHERE r.entry > 1 AND r.shop_id = m.shop_id AND r.case_id = m.case_id AND r.entry = m.entry + 1)
LEFT JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
LEFT JOIN order_line l ON l.shop_id = c.shop_id AND l.order_id = c.order_id AND l.line_id = c.line_id
WHERE c.shop_id = ANY(%(shop_ids)s::int[])
