-- Whose a parcel is. `waybills`: one waybill in the ways in which it may have been written.

-- name: expecting
SELECT c.shop_id, c.case_id, c.order_id, c.state, c.aftersale_type, c.line_id, c.title, c.amount_fen, 'return' AS how
FROM cases c WHERE c.shop_id = ANY(%(shop_ids)s::int[]) AND c.return_tracking_no = ANY(%(waybills)s::text[])
UNION ALL
SELECT c.shop_id, c.case_id, c.order_id, c.state, c.aftersale_type, c.line_id, c.title, c.amount_fen, 'outgoing'
FROM orders o JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id
WHERE o.shop_id = ANY(%(shop_ids)s::int[]) AND o.tracking_no = ANY(%(waybills)s::text[]) AND c.state IS DISTINCT FROM 'closed'
ORDER BY 1, 9 DESC, 2

-- name: one
SELECT c.shop_id, c.case_id, c.order_id, c.state, c.aftersale_type, c.line_id, c.title, c.amount_fen, 'linked' AS how
FROM cases c WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s

-- name: outgoing
SELECT shop_id, order_id FROM orders
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND tracking_no = ANY(%(waybills)s::text[]) ORDER BY 1, 2

-- name: lines
SELECT shop_id, order_id, line_id, title, sku, quantity, paid_fen FROM order_line
WHERE (shop_id, order_id) IN (SELECT * FROM unnest(%(shops)s::int[], %(order_ids)s::text[])) ORDER BY 1, 2, 3

-- name: here
SELECT u.shop_id, u.case_id, u.line_id, u.condition FROM return_scan_unit u
JOIN return_scan s ON s.shop_id = u.shop_id AND s.id = u.scan_id
WHERE s.undone_at IS NULL AND (u.shop_id, u.case_id) IN (SELECT * FROM unnest(%(shops)s::int[], %(case_ids)s::text[]))

-- name: parcels
SELECT s.shop_id, s.id, s.waybill, s.found, s.by_whom, s.at, s.phone_tail, s.weight_g, s.goods, s.remark, s.due_at, s.told_at,
  s.undone_at, s.undone_by, s.undone_why,
  ARRAY(SELECT r.case_id FROM return_scan_case r WHERE r.shop_id = s.shop_id AND r.scan_id = s.id ORDER BY 1) AS case_ids,
  ARRAY(SELECT u.condition FROM return_scan_unit u WHERE u.shop_id = s.shop_id AND u.scan_id = s.id ORDER BY u.no) AS conditions,
  (SELECT string_agg(DISTINCT u.title, '、') FROM return_scan_unit u WHERE u.shop_id = s.shop_id AND u.scan_id = s.id) AS titles
FROM return_scan s WHERE s.shop_id = ANY(%(shop_ids)s::int[])
  AND (%(id)s::bigint IS NULL OR s.id = %(id)s) IS TRUE
  AND (%(waybill)s::text IS NULL OR s.waybill = %(waybill)s AND s.undone_at IS NULL) IS TRUE
  AND (%(since)s::timestamptz IS NULL OR s.at >= %(since)s AND s.at < %(until)s) IS TRUE
  AND (%(found)s::text IS NULL OR s.found = %(found)s) IS TRUE
  AND (%(nameless)s::bool IS NULL OR s.found = 'anonymous' AND s.undone_at IS NULL) IS TRUE
  AND (%(condition)s::text IS NULL OR EXISTS (SELECT FROM return_scan_unit u WHERE u.shop_id = s.shop_id AND u.scan_id = s.id
    AND u.condition = %(condition)s)) IS TRUE
ORDER BY CASE WHEN %(nameless)s THEN s.at END, s.at DESC, s.id DESC OFFSET %(skip)s LIMIT %(rows)s

-- name: units
SELECT no, case_id, order_id, line_id, title, sku, condition FROM return_scan_unit
WHERE shop_id = %(shop_id)s AND scan_id = %(id)s ORDER BY no

-- What a day brought: parcels by how they were found, pieces by condition. Taken back scans do not count.
-- name: day
SELECT what, code, count(*)::int AS many FROM (
  SELECT 'found' AS what, s.found AS code FROM return_scan s
  WHERE s.shop_id = ANY(%(shop_ids)s::int[]) AND s.at >= %(since)s AND s.at < %(until)s AND s.undone_at IS NULL
  UNION ALL
  SELECT 'condition', u.condition FROM return_scan s JOIN return_scan_unit u ON u.shop_id = s.shop_id AND u.scan_id = s.id
  WHERE s.shop_id = ANY(%(shop_ids)s::int[]) AND s.at >= %(since)s AND s.at < %(until)s AND s.undone_at IS NULL) one
GROUP BY 1, 2

-- name: nameless
SELECT count(*)::int AS many, min(at) AS oldest FROM return_scan
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND found = 'anonymous' AND undone_at IS NULL

-- What became of the cases of a parcel since it was scanned.
-- name: became
SELECT r.case_id, c.state, h.action, h.rule, h.queue, h.decided_at,
  (SELECT i.state FROM intent i WHERE i.shop_id = r.shop_id AND i.case_id = r.case_id AND i.money
   ORDER BY i.changed_at DESC LIMIT 1) AS money_state
FROM return_scan_case r JOIN cases c ON c.shop_id = r.shop_id AND c.case_id = r.case_id
LEFT JOIN handling h ON h.shop_id = r.shop_id AND h.case_id = r.case_id
WHERE r.shop_id = %(shop_id)s AND r.scan_id = %(id)s ORDER BY 1

-- name: photos
SELECT sha256 FROM return_scan_photo WHERE shop_id = %(shop_id)s AND scan_id = %(id)s ORDER BY at, sha256

-- name: photo
SELECT f.mime, f.content FROM return_scan_photo p JOIN evidence_file f ON f.shop_id = p.kept_in AND f.sha256 = p.sha256
WHERE p.shop_id = %(shop_id)s AND p.scan_id = %(id)s AND p.sha256 = %(sha256)s

-- name: work_orders
SELECT id, version, state FROM work_order WHERE shop_id = %(shop_id)s AND key = %(key)s
