-- Parcels that came back, as the warehouse scanned them.

-- name: receive
INSERT INTO return_scan (shop_id, key, waybill, found, by_whom, at, phone_tail, weight_g, goods, remark, due_at)
VALUES (%(shop_id)s, %(key)s, %(waybill)s, %(found)s, %(by)s, %(now)s, %(phone_tail)s, %(weight_g)s, %(goods)s, %(remark)s,
  %(due_at)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: same_form
SELECT id FROM return_scan WHERE shop_id = %(shop_id)s AND key = %(key)s AND waybill = %(waybill)s

-- name: first_there
SELECT by_whom, at FROM return_scan WHERE shop_id = %(shop_id)s AND waybill = %(waybill)s AND undone_at IS NULL

-- name: add_case
INSERT INTO return_scan_case (shop_id, scan_id, case_id, order_id)
VALUES (%(shop_id)s, %(id)s, %(case_id)s, %(order_id)s) ON CONFLICT DO NOTHING

-- name: add_unit
INSERT INTO return_scan_unit (shop_id, scan_id, no, case_id, order_id, line_id, title, sku, condition)
VALUES (%(shop_id)s, %(id)s, %(no)s, %(case_id)s, %(order_id)s, %(line_id)s, %(title)s, %(sku)s, %(condition)s)

-- name: lock_scan
SELECT waybill, found, told_at, undone_at, undone_by FROM return_scan WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE

-- What was told already is told again, without this parcel; what was not needs no telling.
-- name: undo
UPDATE return_scan SET undone_at = %(now)s, undone_by = %(by)s, undone_why = %(why)s,
  due_at = CASE WHEN told_at IS NOT NULL THEN %(now)s::timestamptz END
WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: move
UPDATE return_scan SET shop_id = %(to_shop)s WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: named
UPDATE return_scan SET found = 'linked', due_at = %(due_at)s WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: money_left
SELECT coalesce(sum(i.amount_fen), 0)::bigint FROM return_scan_case r
JOIN intent i ON i.shop_id = r.shop_id AND i.case_id = r.case_id
WHERE r.shop_id = %(shop_id)s AND r.scan_id = %(id)s AND i.money AND i.state IN ('sending', 'unknown', 'done')

-- Whoever tells comes one after the other: each sees what the other told.
-- name: due
SELECT shop_id, id, waybill FROM return_scan WHERE due_at <= %(now)s ORDER BY due_at, shop_id, id LIMIT %(limit)s FOR UPDATE

-- name: told
UPDATE return_scan SET due_at = NULL, told_at = CASE WHEN undone_at IS NULL THEN coalesce(told_at, %(now)s) ELSE told_at END
WHERE shop_id = %(shop_id)s AND id = %(id)s

-- What its own goods in a parcel mean for a case is decided anew, also where the receipt itself says nothing new.
-- name: look
INSERT INTO look (shop_id, case_id, at)
SELECT shop_id, case_id, %(now)s FROM return_scan_case WHERE shop_id = %(shop_id)s AND scan_id = %(id)s ORDER BY case_id
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(look.at, excluded.at)

-- The waybills under which the record knows what these parcels bring: their own, and their cases' return numbers.
-- name: reaches
SELECT s.waybill FROM return_scan s WHERE s.shop_id = %(shop_id)s AND s.id = %(id)s
UNION SELECT c.return_tracking_no FROM return_scan_case r JOIN cases c ON c.shop_id = r.shop_id AND c.case_id = r.case_id
WHERE r.shop_id = %(shop_id)s AND r.scan_id = %(id)s AND c.return_tracking_no IS NOT NULL

-- Everything that counts for a waybill: the cases that name it, and those whose goods came in it.
-- name: for_waybill
SELECT c.case_id, c.order_id, c.line_id, c.amount_fen, c.title FROM cases c
WHERE c.shop_id = %(shop_id)s AND c.return_tracking_no = %(waybill)s
UNION SELECT c.case_id, c.order_id, c.line_id, c.amount_fen, c.title
FROM return_scan s JOIN return_scan_case r ON r.shop_id = s.shop_id AND r.scan_id = s.id
JOIN cases c ON c.shop_id = r.shop_id AND c.case_id = r.case_id
WHERE s.shop_id = %(shop_id)s AND s.waybill = %(waybill)s AND s.undone_at IS NULL

-- name: lines
SELECT order_id, line_id, title, sku, quantity, paid_fen FROM order_line
WHERE shop_id = %(shop_id)s AND order_id = ANY(%(order_ids)s::text[]) ORDER BY order_id, line_id

-- name: units_told
SELECT u.case_id, u.line_id, u.condition FROM return_scan_unit u
JOIN return_scan s ON s.shop_id = u.shop_id AND s.id = u.scan_id
WHERE u.shop_id = %(shop_id)s AND u.case_id = ANY(%(case_ids)s::text[]) AND s.undone_at IS NULL AND s.told_at IS NOT NULL

-- name: units_unasked
SELECT u.condition FROM return_scan_unit u JOIN return_scan s ON s.shop_id = u.shop_id AND s.id = u.scan_id
WHERE s.shop_id = %(shop_id)s AND s.waybill = %(waybill)s AND u.case_id IS NULL AND s.undone_at IS NULL AND s.told_at IS NOT NULL

-- Newer than whatever the record or we ourselves said before; nothing when it was said already.
-- name: tell
INSERT INTO return_told AS t (shop_id, waybill, version, success, condition, at)
SELECT %(shop_id)s, %(waybill)s, greatest(%(now_ms)s, coalesce(p.inbound_version, 0) + 1), %(success)s, %(condition)s, %(now)s
FROM (SELECT) one LEFT JOIN parcel p ON p.shop_id = %(shop_id)s AND p.tracking_no = %(waybill)s
ON CONFLICT (shop_id, waybill) DO UPDATE SET version = greatest(excluded.version, t.version + 1), success = excluded.success,
  condition = excluded.condition, at = excluded.at
WHERE (t.success, t.condition) IS DISTINCT FROM (excluded.success, excluded.condition)
  OR EXISTS (SELECT FROM parcel p WHERE p.shop_id = t.shop_id AND p.tracking_no = t.waybill AND p.inbound_version > t.version)
RETURNING t.version

-- name: arrive
WITH came AS (INSERT INTO arrival (shop_id, source, body) VALUES (%(shop_id)s, 'warehouse', %(body)s) RETURNING id)
INSERT INTO arrival_todo (arrival_id) SELECT id FROM came

-- name: warehouse_kind
SELECT warehouse_kind FROM parcel WHERE shop_id = %(shop_id)s AND tracking_no = %(waybill)s

-- name: note
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT shop_id, case_id, %(now)s, 'note', %(by)s, %(text)s FROM return_scan_case
WHERE shop_id = %(shop_id)s AND scan_id = %(id)s ORDER BY case_id

-- name: keep_file
INSERT INTO evidence_file (shop_id, sha256, mime, bytes, width, height, content)
VALUES (%(shop_id)s, %(sha256)s, %(mime)s, %(bytes)s, %(width)s, %(height)s, %(content)s) ON CONFLICT DO NOTHING

-- name: photos
SELECT count(*) FROM return_scan_photo WHERE shop_id = %(shop_id)s AND scan_id = %(id)s

-- name: add_photo
INSERT INTO return_scan_photo (shop_id, scan_id, sha256, kept_in, by_whom, at)
VALUES (%(shop_id)s, %(id)s, %(sha256)s, %(shop_id)s, %(by)s, %(now)s) ON CONFLICT DO NOTHING

-- The case's own evidence: what was found when the parcel was opened.
-- name: as_evidence
INSERT INTO evidence (shop_id, case_id, kind, sha256, name, by_whom, at)
SELECT r.shop_id, r.case_id, 'onsite_inspection_proof', p.sha256, s.waybill || '.jpg', p.by_whom, p.at
FROM return_scan s JOIN return_scan_case r ON r.shop_id = s.shop_id AND r.scan_id = s.id
JOIN return_scan_photo p ON p.shop_id = s.shop_id AND p.scan_id = s.id AND p.kept_in = s.shop_id
WHERE s.shop_id = %(shop_id)s AND s.id = %(id)s ON CONFLICT DO NOTHING
