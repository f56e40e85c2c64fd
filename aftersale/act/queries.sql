-- Due intents that no switch holds back, those with the nearest deadline first, all of one shop, now ours to send.
-- name: claim
WITH open AS (
  SELECT i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.deadline_at FROM intent i
  WHERE i.state = 'approved' AND i.due_at <= %(now)s
    -- A shop whose data comes as files has no door to its platform: its intents wait until it has one.
    AND EXISTS (SELECT FROM shop s WHERE s.id = i.shop_id AND s.platform IN ('taobao', 'tmall')
      AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0)
    AND NOT EXISTS (SELECT FROM switch w WHERE w.stopped AND w.shop_id IN (0, i.shop_id)
      AND w.action IN ('', split_part(i.kind, ':', 1)))
    -- Money waits until the shipment is known to be stopped.
    AND NOT (i.money AND EXISTS (SELECT FROM intent f WHERE f.shop_id = i.shop_id AND f.case_id = i.case_id
      AND f.kind = 'cancel_shipment' AND f.state IN ('approved', 'sending', 'unknown', 'with_person')))),
most_urgent AS (SELECT shop_id FROM open ORDER BY deadline_at NULLS LAST, shop_id LIMIT 1),
mine AS (
  SELECT i.* FROM intent i WHERE i.state = 'approved' AND i.due_at <= %(now)s
    AND (i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen) IN (
      SELECT o.shop_id, o.case_id, o.kind, o.platform_version, o.amount_fen FROM open o JOIN most_urgent USING (shop_id)
      ORDER BY o.deadline_at NULLS LAST LIMIT %(limit)s)
  FOR UPDATE SKIP LOCKED)
UPDATE intent i SET state = 'sending', outcome = NULL, changed_at = %(now)s FROM mine m
JOIN cases c ON c.shop_id = m.shop_id AND c.case_id = m.case_id
WHERE i.shop_id = m.shop_id AND i.case_id = m.case_id AND i.kind = m.kind AND i.platform_version = m.platform_version
  AND i.amount_fen = m.amount_fen AND i.state = 'approved'
RETURNING i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.epoch, i.order_id, c.phase, c.line_id,
  c.return_tracking_no, c.title

-- name: stopped
SELECT EXISTS (SELECT FROM switch WHERE stopped AND shop_id IN (0, %s) AND action IN ('', split_part(%s, ':', 1)))

-- Sent long ago and never settled: its worker is gone, so what happened is unknown.
-- name: abandon
UPDATE intent SET state = 'unknown', outcome = '发送的进程没有回来', changed_at = %(now)s, due_at = %(now)s
WHERE state = 'sending' AND sent_at < clock_timestamp() - make_interval(secs => %(lease_s)s)

-- Unknown ones whose question is due; the next question is put off, so that no two workers ask at once.
-- name: claim_unknown
WITH mine AS (
  SELECT i.* FROM intent i WHERE i.state = 'unknown' AND i.sent_at < clock_timestamp() - make_interval(secs => %(wait_s)s)
    AND (i.asked_at IS NULL OR i.asked_at < clock_timestamp() - make_interval(secs => %(wait_s)s))
  ORDER BY i.due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE intent i SET epoch = i.epoch + 1, asked_at = clock_timestamp() FROM mine m
JOIN cases c ON c.shop_id = m.shop_id AND c.case_id = m.case_id
WHERE i.shop_id = m.shop_id AND i.case_id = m.case_id AND i.kind = m.kind AND i.platform_version = m.platform_version
  AND i.amount_fen = m.amount_fen
RETURNING i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.epoch, i.order_id, c.phase, c.line_id,
  c.return_tracking_no, c.title

-- name: shop
SELECT id, code, platform, base_url, app_key, app_secret, session_key, courier_url, courier_key, courier_secret FROM shop WHERE id = %s

-- name: parcel
SELECT o.tracking_no, p.courier, p.interception FROM orders o
LEFT JOIN parcel p ON p.shop_id = o.shop_id AND p.tracking_no = o.tracking_no
WHERE o.shop_id = %s AND o.order_id = %s
