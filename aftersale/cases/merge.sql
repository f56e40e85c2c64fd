-- A staged batch becomes the record. Newest version of a thing wins, repeats change nothing. Every batch takes its
-- locks in one order (parcels, orders, cases, money; sorted within), so two workers can wait but never deadlock.

-- name: inbox
INSERT INTO inbox (shop_id, key, kind, external_id, version)
SELECT shop_id, key, kind, external_id, version FROM stage_inbox ORDER BY shop_id, key
ON CONFLICT DO NOTHING

-- name: notices
INSERT INTO to_fetch (shop_id, kind, external_id) SELECT DISTINCT shop_id, kind, external_id FROM stage_notice
ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET due_at = least(to_fetch.due_at, excluded.due_at)

-- A batch of several kinds comes to the same rows by several ways: they are taken at once, sorted, before any is written.
-- name: lock_parcels
SELECT FROM parcel p WHERE (p.shop_id, p.tracking_no) IN (
  SELECT shop_id, tracking_no FROM stage_parcel UNION SELECT shop_id, tracking_no FROM stage_interception
  UNION SELECT shop_id, tracking_no FROM stage_inbound UNION SELECT shop_id, tracking_no FROM stage_order
  UNION SELECT shop_id, return_tracking_no FROM stage_application)
ORDER BY p.shop_id, p.tracking_no FOR UPDATE

-- name: lock_orders
SELECT FROM orders o WHERE (o.shop_id, o.order_id) IN (SELECT shop_id, order_id FROM stage_order
  UNION SELECT shop_id, order_id FROM stage_warehouse UNION SELECT shop_id, order_id FROM stage_application)
ORDER BY o.shop_id, o.order_id FOR UPDATE

-- name: parcels
WITH newest AS (SELECT DISTINCT ON (shop_id, tracking_no) * FROM stage_parcel ORDER BY shop_id, tracking_no, parcel_version DESC)
INSERT INTO parcel AS p (shop_id, tracking_no, courier, parcel_version,
  tracking_state, tracking_events, last_tracking_at, signed_at, signed_by, tracking_doubt)
SELECT shop_id, tracking_no, courier, parcel_version,
  tracking_state, tracking_events, last_tracking_at, signed_at, signed_by, left(tracking_doubt, 500)
FROM newest ORDER BY shop_id, tracking_no
ON CONFLICT (shop_id, tracking_no) DO UPDATE SET courier = coalesce(excluded.courier, p.courier),
  parcel_version = excluded.parcel_version, tracking_state = excluded.tracking_state,
  tracking_events = excluded.tracking_events, last_tracking_at = excluded.last_tracking_at,
  signed_at = excluded.signed_at, signed_by = excluded.signed_by, tracking_doubt = excluded.tracking_doubt
WHERE excluded.parcel_version > p.parcel_version

-- name: tracking_events
INSERT INTO tracking_event (shop_id, tracking_no, at, text, code)
SELECT DISTINCT ON (1, 2, 3, 4) shop_id, tracking_no, at, left(text, 500), code FROM stage_event ORDER BY 1, 2, 3, 4
ON CONFLICT DO NOTHING

-- name: interceptions
WITH newest AS (SELECT DISTINCT ON (shop_id, tracking_no) shop_id, tracking_no, intercept_version, interception,
    min(intercept_requested_at) OVER (PARTITION BY shop_id, tracking_no) AS intercept_requested_at
  FROM stage_interception ORDER BY shop_id, tracking_no, intercept_version DESC)
INSERT INTO parcel AS p (shop_id, tracking_no, intercept_version, interception, intercept_requested_at)
SELECT shop_id, tracking_no, intercept_version, interception, intercept_requested_at
FROM newest ORDER BY shop_id, tracking_no
ON CONFLICT (shop_id, tracking_no) DO UPDATE SET intercept_version = greatest(excluded.intercept_version, p.intercept_version),
  interception = CASE WHEN excluded.intercept_version > p.intercept_version THEN excluded.interception ELSE p.interception END,
  intercept_requested_at = least(excluded.intercept_requested_at, p.intercept_requested_at)
WHERE excluded.intercept_version > p.intercept_version
  OR least(excluded.intercept_requested_at, p.intercept_requested_at) IS DISTINCT FROM p.intercept_requested_at

-- name: inbounds
WITH named AS (
  SELECT i.*, coalesce(i.tracking_no, c.return_tracking_no) AS waybill FROM stage_inbound i
  LEFT JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id),
newest AS (SELECT DISTINCT ON (shop_id, waybill) * FROM named WHERE waybill IS NOT NULL
  ORDER BY shop_id, waybill, inbound_version DESC)
INSERT INTO parcel AS p (shop_id, tracking_no, inbound_version, inbound_success, inbound_at, inbound_condition, warehouse_kind)
SELECT shop_id, waybill, inbound_version, inbound_success, inbound_at, inbound_condition, warehouse_kind
FROM newest ORDER BY shop_id, waybill
ON CONFLICT (shop_id, tracking_no) DO UPDATE SET inbound_version = excluded.inbound_version,
  inbound_success = excluded.inbound_success, inbound_at = excluded.inbound_at,
  inbound_condition = excluded.inbound_condition, warehouse_kind = excluded.warehouse_kind
WHERE excluded.inbound_version > p.inbound_version

-- name: inbounds_unowned
INSERT INTO parked (shop_id, source, place, why, raw)
SELECT i.shop_id, 'warehouse', coalesce(i.case_id, '?'), '入库没有运单号，也找不到这张售后单的退货单号', convert_to(to_jsonb(i)::text, 'UTF8')
FROM stage_inbound i LEFT JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id
WHERE i.tracking_no IS NULL AND c.return_tracking_no IS NULL
ON CONFLICT DO NOTHING

-- A parcel that an order or a case names gets its row (and is held still) before the namer is written, so that a
-- trace that arrives at the same moment finds its owner.
-- name: named_parcels
WITH named AS (
  SELECT o.shop_id, o.tracking_no, o.courier FROM stage_order o WHERE o.tracking_no IS NOT NULL
  UNION SELECT a.shop_id, a.return_tracking_no, a.return_courier FROM stage_application a
  WHERE a.return_tracking_no IS NOT NULL AND NOT EXISTS (SELECT FROM cases c WHERE c.shop_id = a.shop_id
    AND c.case_id = a.case_id AND c.return_tracking_no = a.return_tracking_no)),
made AS (INSERT INTO parcel (shop_id, tracking_no, courier) SELECT DISTINCT ON (1, 2) * FROM named ORDER BY 1, 2
  ON CONFLICT DO NOTHING)
SELECT FROM parcel p WHERE (p.shop_id, p.tracking_no) IN (SELECT shop_id, tracking_no FROM named)
ORDER BY p.shop_id, p.tracking_no FOR SHARE

-- name: orders
WITH newest AS (SELECT DISTINCT ON (shop_id, order_id) * FROM stage_order
  ORDER BY shop_id, order_id, order_version DESC, asked IS NULL, CASE WHEN asked IS NOT NULL THEN ctid END DESC, ctid)
INSERT INTO orders AS o (shop_id, {columns}) SELECT shop_id, {columns} FROM newest ORDER BY shop_id, order_id
ON CONFLICT (shop_id, order_id) DO UPDATE SET {updates}
WHERE excluded.order_version > o.order_version OR excluded.order_version = o.order_version AND ({differs}) IS TRUE
  AND EXISTS (SELECT FROM stage_order a WHERE a.asked IS NOT NULL AND a.shop_id = excluded.shop_id
    AND a.order_id = excluded.order_id AND a.order_version = excluded.order_version)
RETURNING o.order_id, (o.xmax = 0) AS inserted

-- After the cases are locked: whoever holds a case goes on to its order's money, never the other way round.
-- name: order_money
-- What the platform paid back before we knew the order is part of what was paid.
WITH left_before AS (
  SELECT c.shop_id, c.order_id, sum(l.amount_fen) AS left_fen FROM (SELECT DISTINCT shop_id, order_id FROM stage_order) s
  JOIN cases c USING (shop_id, order_id) JOIN ledger l ON l.shop_id = c.shop_id AND l.case_id = c.case_id GROUP BY 1, 2)
INSERT INTO order_money AS m (shop_id, order_id, paid_fen, held_fen)
SELECT o.shop_id, o.order_id, o.paid_fen, least(o.paid_fen, coalesce(b.left_fen, 0))
FROM orders o LEFT JOIN left_before b ON b.shop_id = o.shop_id AND b.order_id = o.order_id
WHERE (o.shop_id, o.order_id) IN (SELECT shop_id, order_id FROM stage_order) AND o.paid_fen IS NOT NULL ORDER BY 1, 2
ON CONFLICT (shop_id, order_id) DO UPDATE SET paid_fen = greatest(excluded.paid_fen, m.held_fen)
WHERE m.paid_fen <> greatest(excluded.paid_fen, m.held_fen)

-- name: order_lines
INSERT INTO order_line (shop_id, order_id, line_id, product_id, title, sku, quantity, paid_fen)
SELECT DISTINCT ON (shop_id, order_id, line_id) shop_id, order_id, line_id, product_id, title, sku, quantity, paid_fen
FROM stage_line ORDER BY shop_id, order_id, line_id
ON CONFLICT DO NOTHING

-- A discount is split over a line's units by largest remainder: with equal weights the first units carry the rest.
-- The funders of a line follow one another along its units, so that no unit gets every remainder: what one leaves
-- off the next takes up, and a unit's discounts never exceed its share of all of them by more than a fen.
-- name: order_shares
INSERT INTO order_share (shop_id, order_id, line_id, unit_no, funder, amount_fen)
SELECT s.shop_id, s.order_id, s.line_id, u.unit_no, s.funder,
  (s.upto_fen + l.quantity - u.unit_no) / l.quantity - (s.upto_fen - s.amount_fen + l.quantity - u.unit_no) / l.quantity
FROM (SELECT *, sum(amount_fen) OVER (PARTITION BY shop_id, order_id, line_id ORDER BY funder)::bigint AS upto_fen
  FROM (SELECT DISTINCT ON (shop_id, order_id, line_id, funder) * FROM stage_share ORDER BY 1, 2, 3, 4) one) s
JOIN order_line l ON l.shop_id = s.shop_id AND l.order_id = s.order_id AND l.line_id = s.line_id
CROSS JOIN LATERAL generate_series(1, l.quantity) AS u(unit_no)
ORDER BY 1, 2, 3, 4, 5
ON CONFLICT DO NOTHING

-- name: warehouse
WITH newest AS (SELECT DISTINCT ON (shop_id, order_id) * FROM stage_warehouse ORDER BY shop_id, order_id, warehouse_version DESC)
INSERT INTO orders AS o (shop_id, order_id, warehouse_version, warehouse_state, erp_cancel_confirmed, erp_intercept_result, handed_over_at)
SELECT shop_id, order_id, warehouse_version, warehouse_state, erp_cancel_confirmed, erp_intercept_result, handed_over_at
FROM newest ORDER BY shop_id, order_id
ON CONFLICT (shop_id, order_id) DO UPDATE SET warehouse_version = excluded.warehouse_version,
  warehouse_state = excluded.warehouse_state, erp_cancel_confirmed = excluded.erp_cancel_confirmed,
  erp_intercept_result = excluded.erp_intercept_result, handed_over_at = excluded.handed_over_at
WHERE excluded.warehouse_version > o.warehouse_version

-- An order that a new case names exists (empty, to be fetched) and is held still before the case is written.
-- name: named_orders
WITH fresh AS (
  SELECT a.shop_id, a.order_id FROM stage_application a
  WHERE NOT EXISTS (SELECT FROM cases c WHERE c.shop_id = a.shop_id AND c.case_id = a.case_id)),
made AS (INSERT INTO orders (shop_id, order_id) SELECT DISTINCT shop_id, order_id FROM fresh ORDER BY 1, 2
  ON CONFLICT DO NOTHING RETURNING shop_id, order_id),
wanted AS (INSERT INTO to_fetch (shop_id, kind, external_id, version) SELECT shop_id, 'order', order_id, 1 FROM made ON CONFLICT DO NOTHING)
SELECT FROM orders o WHERE (o.shop_id, o.order_id) IN (SELECT shop_id, order_id FROM fresh)
ORDER BY o.shop_id, o.order_id FOR SHARE

-- Cases reached through their order or parcel.
-- name: reached
INSERT INTO touched (shop_id, case_id)
WITH waybill AS (SELECT shop_id, tracking_no FROM stage_parcel UNION SELECT shop_id, tracking_no FROM stage_interception
  UNION SELECT i.shop_id, coalesce(i.tracking_no, c.return_tracking_no) FROM stage_inbound i
    LEFT JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id),
changed AS (SELECT shop_id, order_id FROM stage_order UNION SELECT shop_id, order_id FROM stage_warehouse
  UNION SELECT o.shop_id, o.order_id FROM waybill w JOIN orders o USING (shop_id, tracking_no))
SELECT c.shop_id, c.case_id FROM changed JOIN cases c USING (shop_id, order_id)
UNION SELECT c.shop_id, c.case_id FROM waybill w JOIN cases c ON c.shop_id = w.shop_id AND c.return_tracking_no = w.tracking_no

-- name: lock_cases
SELECT FROM cases c WHERE (c.shop_id, c.case_id) IN
  (SELECT shop_id, case_id FROM touched UNION SELECT shop_id, case_id FROM stage_application)
ORDER BY c.shop_id, c.case_id FOR UPDATE

-- name: applications
WITH newest AS (SELECT DISTINCT ON (shop_id, case_id) * FROM stage_application
  ORDER BY shop_id, case_id, application_version DESC, asked IS NULL, CASE WHEN asked IS NOT NULL THEN ctid END DESC, ctid),
merged AS (
  INSERT INTO cases AS c (shop_id, platform, first_seen_at, {columns})
  SELECT a.shop_id, s.platform, %(now)s, {selected} FROM newest a JOIN shop s ON s.id = a.shop_id
  ORDER BY a.shop_id, a.case_id
  ON CONFLICT (shop_id, case_id) DO UPDATE SET {updates}
  WHERE excluded.application_version > c.application_version
    OR excluded.application_version = c.application_version AND ({differs}) IS TRUE
      AND EXISTS (SELECT FROM stage_application a WHERE a.asked IS NOT NULL AND a.shop_id = excluded.shop_id
        AND a.case_id = excluded.case_id AND a.application_version = excluded.application_version)
  RETURNING c.shop_id, c.case_id, (c.xmax = 0) AS inserted),
noted AS (INSERT INTO touched (shop_id, case_id) SELECT shop_id, case_id FROM merged)
SELECT case_id, inserted FROM merged

-- One version with two contents (F31): of what was pushed the first counts, and the platform is asked which is true. An
-- order's version is a whole second, in which it may well change twice; an application's contradiction is parked too (odd),
-- and an order's that nobody can be asked about.
-- name: contradictions
WITH other AS (
  SELECT a.shop_id, 'application' AS kind, a.case_id AS id, a.application_version AS version, to_jsonb(a) - 'asked' AS told,
    ({application_contradicts}) IS TRUE AS odd
  FROM stage_application a JOIN cases c ON c.shop_id = a.shop_id AND c.case_id = a.case_id
    AND c.application_version = a.application_version
  WHERE a.asked IS NULL AND ({application_differs}) IS TRUE
  UNION ALL
  SELECT a.shop_id, 'order', a.order_id, a.order_version, to_jsonb(a) - 'asked', s.base_url IS NULL
  FROM stage_order a JOIN orders o ON o.shop_id = a.shop_id AND o.order_id = a.order_id AND o.order_version = a.order_version
  JOIN shop s ON s.id = a.shop_id
  WHERE a.asked IS NULL AND ({order_differs}) IS TRUE),
again AS (
  INSERT INTO to_fetch (shop_id, kind, external_id) SELECT DISTINCT shop_id, kind, id FROM other ORDER BY 1, 2, 3
  ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET version = excluded.version,
    due_at = least(to_fetch.due_at, excluded.due_at))
INSERT INTO parked (shop_id, source, place, why, raw)
SELECT DISTINCT o.shop_id, 'merge', concat_ws(' ', o.kind, o.id, o.version),
  '同一版本来了两份不同的内容：以平台再次查询的回答为准，请人核对', convert_to(o.told::text, 'UTF8')
FROM other o WHERE o.odd
ON CONFLICT DO NOTHING RETURNING shop_id, place

-- Before anything is merged: a platform's answer that differs from what we hold of the same version will replace it. It
-- may have been under way for long, so it is asked for once more; a platform that then differs from itself is told to people.
-- name: answers
WITH other AS (
  SELECT a.shop_id, 'application' AS kind, a.case_id AS id, a.application_version AS version, a.asked, to_jsonb(a) - 'asked' AS told,
    ({application_contradicts}) IS TRUE AS odd
  FROM stage_application a JOIN cases c ON c.shop_id = a.shop_id AND c.case_id = a.case_id
    AND c.application_version = a.application_version
  WHERE a.asked IS NOT NULL AND ({application_differs}) IS TRUE
  UNION ALL
  SELECT a.shop_id, 'order', a.order_id, a.order_version, a.asked, to_jsonb(a) - 'asked', true
  FROM stage_order a JOIN orders o ON o.shop_id = a.shop_id AND o.order_id = a.order_id AND o.order_version = a.order_version
  WHERE a.asked IS NOT NULL AND ({order_differs}) IS TRUE),
judged AS (SELECT o.*, EXISTS (SELECT FROM inbox i WHERE i.shop_id = o.shop_id AND i.key = o.asked) AS twice FROM other o),
again AS (
  INSERT INTO to_fetch (shop_id, kind, external_id) SELECT DISTINCT shop_id, kind, id FROM judged WHERE NOT twice ORDER BY 1, 2, 3
  ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET version = excluded.version,
    due_at = least(to_fetch.due_at, excluded.due_at))
INSERT INTO parked (shop_id, source, place, why, raw)
SELECT DISTINCT shop_id, 'merge', concat_ws(' ', kind, id, version),
  '平台对同一版本给了两个不同的回答：后一个有效，请人核对', convert_to(told::text, 'UTF8')
FROM judged WHERE twice AND odd
ON CONFLICT DO NOTHING RETURNING shop_id, place

-- What a file does not tell stays as it was.
-- name: keep_untold
UPDATE stage_application a SET {kept} FROM cases c WHERE c.shop_id = a.shop_id AND c.case_id = a.case_id

-- name: keep_untold_orders
UPDATE stage_order a SET {kept} FROM orders c WHERE c.shop_id = a.shop_id AND c.order_id = a.order_id

-- name: messages
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT DISTINCT ON (m.shop_id, m.key) m.shop_id, m.case_id, m.at, 'message', m.role, m.text
FROM stage_message m WHERE NOT EXISTS (SELECT FROM inbox i WHERE i.shop_id = m.shop_id AND i.key = m.key)

-- Cases that are merged without being decided in the same transaction are looked at next.
-- name: look_now
INSERT INTO look (shop_id, case_id, at) SELECT DISTINCT shop_id, case_id, %(now)s::timestamptz FROM touched
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(look.at, excluded.at)
