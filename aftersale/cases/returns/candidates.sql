-- Open cases that a nameless parcel may belong to, found along indexes: by near waybills, phone tail, words of the goods.

-- name: candidates
WITH found AS (
  (SELECT c.shop_id, c.case_id FROM cases c
   WHERE c.shop_id = ANY(%(shop_ids)s::int[]) AND c.return_tracking_no = ANY(%(near)s::text[]) LIMIT 50)
  UNION
  (SELECT c.shop_id, c.case_id FROM orders o JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id
   WHERE o.shop_id = ANY(%(shop_ids)s::int[]) AND o.tracking_no = ANY(%(near)s::text[]) LIMIT 50)
  UNION
  (SELECT c.shop_id, c.case_id FROM (SELECT o.shop_id, o.order_id FROM orders o WHERE o.shop_id = ANY(%(shop_ids)s::int[])
     AND o.phone_tail = %(phone_tail)s LIMIT 500) o
   JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id LIMIT 200)
  UNION
  (SELECT k.shop_id, k.case_id FROM (SELECT t.id FROM goods_title t WHERE t.shop_id = ANY(%(shop_ids)s::int[])
     AND t.title ILIKE %(goods)s LIMIT 50) t
   CROSS JOIN LATERAL (SELECT k.shop_id, k.case_id FROM titled_case k WHERE k.title_id = t.id
     ORDER BY k.seen_at DESC LIMIT 100) k LIMIT 500))
SELECT c.shop_id, c.case_id, c.order_id, c.state, c.aftersale_type, c.title, c.applied_at,
  array_remove(ARRAY[c.return_tracking_no, CASE WHEN c.return_tracking_no IS NULL THEN o.tracking_no END], NULL) AS waybills,
  o.phone_tail,
  coalesce((SELECT array_agg(l.title ORDER BY l.line_id) FROM order_line l
    WHERE l.shop_id = c.shop_id AND l.order_id = c.order_id), ARRAY[]::text[]) AS titles,
  coalesce((SELECT array_agg(l.sku ORDER BY l.line_id) FROM order_line l
    WHERE l.shop_id = c.shop_id AND l.order_id = c.order_id AND l.sku IS NOT NULL), ARRAY[]::text[]) AS skus,
  (SELECT avg(s.weight_g)::int FROM return_scan s JOIN return_scan_unit u ON u.shop_id = s.shop_id AND u.scan_id = s.id
    WHERE s.shop_id = c.shop_id AND s.weight_g IS NOT NULL AND s.found = 'linked' AND s.undone_at IS NULL
      AND u.no = 1 AND u.title = c.title) AS weight_g
FROM found f JOIN cases c ON c.shop_id = f.shop_id AND c.case_id = f.case_id
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
WHERE c.state IN ('applied', 'return_agreed', 'return_shipped', 'seller_refused')
  AND NOT EXISTS (SELECT FROM return_scan_case r JOIN return_scan s ON s.shop_id = r.shop_id AND s.id = r.scan_id
    WHERE r.shop_id = c.shop_id AND r.case_id = c.case_id AND s.undone_at IS NULL
      AND NOT EXISTS (SELECT FROM return_scan_unit u WHERE u.shop_id = s.shop_id AND u.scan_id = s.id
        AND u.case_id = c.case_id AND u.condition = 'missing_item'))
