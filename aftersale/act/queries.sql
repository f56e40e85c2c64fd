-- The kinds that this session's worker knows, for as long as it lasts: of others the trigger intent_claimed gives it none.
-- name: kinds
SELECT set_config('aftersale.kinds', %s, false)

-- What may be sent now, the nearest deadline first, at most `per_shop` of a shop; `lowest` is the least due_at of all
-- that may, where the next listing can begin.
-- name: due
WITH open AS MATERIALIZED (
  SELECT i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.money, i.deadline_at, i.due_at,
    coalesce(i.approved_by, 'rule:') AS approved_by FROM intent i
  WHERE i.state = 'approved' AND i.due_at BETWEEN %(since)s AND %(now)s
    -- Money waits until the shipment is known to be stopped.
    AND NOT (i.money AND EXISTS (SELECT FROM intent f WHERE f.shop_id = i.shop_id AND f.case_id = i.case_id
      AND f.kind = 'cancel_shipment' AND f.state IN ('approved', 'sending', 'unknown', 'with_person')))
    -- After a restore only what the platform was asked about since.
    AND NOT EXISTS (SELECT FROM instance n WHERE n.reconcile_since IS NOT NULL AND (i.asked_at > n.reconcile_since) IS NOT TRUE)),
-- A shop whose data comes as files has no door to its platform: its intents wait until it has one.
free AS MATERIALIZED (
  SELECT k.* FROM (SELECT DISTINCT shop_id, kind, money, approved_by FROM open) k JOIN shop s ON s.id = k.shop_id
  WHERE s.platform IN ('taobao', 'tmall') AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0
    AND held_back(k.shop_id, k.kind, k.money, k.approved_by) IS NOT TRUE AND kind_known(k.kind)),
placed AS (
  SELECT o.*, min(o.due_at) OVER () AS lowest,
    row_number() OVER (PARTITION BY o.shop_id ORDER BY o.deadline_at NULLS LAST, o.due_at, o.case_id, o.kind) AS place
  FROM open o JOIN free USING (shop_id, kind, money, approved_by))
SELECT shop_id, case_id, kind, platform_version, amount_fen, money AND approved_by LIKE 'rule:%%', deadline_at, lowest
FROM placed WHERE place <= %(per_shop)s ORDER BY shop_id, place

-- Those of a list that are still to be sent, now ours to send. They are found by their key alone and judged once they
-- are locked. `due_at` moves on with what happens to an intent, so that old entries of its index need not be searched.
-- name: claim
WITH mine AS MATERIALIZED (
  SELECT i.* FROM unnest(%(case_ids)s::text[], %(kinds)s::text[], %(versions)s::bigint[], %(amounts_fen)s::bigint[])
    AS k(case_id, kind, platform_version, amount_fen)
  JOIN intent i USING (case_id, kind, platform_version, amount_fen)
  WHERE i.shop_id = %(shop_id)s ORDER BY i.case_id, i.kind FOR UPDATE OF i SKIP LOCKED)
UPDATE intent i SET state = 'sending', outcome = NULL, changed_at = %(now)s, due_at = %(now)s FROM mine m
JOIN cases c ON c.shop_id = m.shop_id AND c.case_id = m.case_id
WHERE i.shop_id = m.shop_id AND i.case_id = m.case_id AND i.kind = m.kind AND i.platform_version = m.platform_version
  AND i.amount_fen = m.amount_fen AND m.state = 'approved' AND m.due_at <= %(now)s
  AND held_back(m.shop_id, m.kind, m.money, m.approved_by) IS NOT TRUE
  AND NOT (m.money AND EXISTS (SELECT FROM intent f WHERE f.shop_id = m.shop_id AND f.case_id = m.case_id
    AND f.kind = 'cancel_shipment' AND f.state IN ('approved', 'sending', 'unknown', 'with_person')))
  AND NOT EXISTS (SELECT FROM instance n WHERE n.reconcile_since IS NOT NULL AND (m.asked_at > n.reconcile_since) IS NOT TRUE)
RETURNING i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.epoch, i.order_id, c.phase, c.line_id,
  c.return_tracking_no, c.title, i.sends

-- Which of a batch may still go: claimed by us and by nobody since, held back by no switch.
-- name: may_go
SELECT i.case_id FROM unnest(%(case_ids)s::text[], %(versions)s::bigint[], %(amounts_fen)s::bigint[], %(epochs)s::bigint[])
  AS k(case_id, platform_version, amount_fen, epoch)
JOIN intent i USING (case_id, platform_version, amount_fen, epoch)
WHERE i.shop_id = %(shop_id)s AND i.kind = %(kind)s AND i.state = 'sending'
  AND held_back(i.shop_id, i.kind, i.money, i.approved_by) IS NOT TRUE

-- name: door_closed
SELECT EXISTS (SELECT FROM switch WHERE stopped AND shop_id = %s AND action = '')

-- Sent long ago and never settled: its worker is gone, so what happened is unknown, and the worker's word counts no more.
-- name: abandon
UPDATE intent SET state = 'unknown', epoch = epoch + 1, outcome = '发送的进程没有回来', changed_at = %(now)s, due_at = %(now)s
WHERE state = 'sending' AND due_at >= %(since)s AND sent_at < clock_timestamp() - make_interval(secs => %(lease_s)s)

-- Unknown ones whose question is due; the next question is put off, so that no two workers ask at once.
-- name: claim_unknown
WITH mine AS (
  SELECT i.* FROM intent i WHERE i.state = 'unknown' AND i.due_at >= %(since)s AND kind_known(i.kind)
    AND i.sent_at < clock_timestamp() - make_interval(secs => %(wait_s)s)
    AND (i.asked_at IS NULL OR i.asked_at < clock_timestamp() - make_interval(secs => %(wait_s)s))
  ORDER BY i.deadline_at NULLS LAST, i.asked_at NULLS FIRST LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE intent i SET epoch = i.epoch + 1, asked_at = clock_timestamp(), due_at = %(now)s FROM mine m
JOIN cases c ON c.shop_id = m.shop_id AND c.case_id = m.case_id
WHERE i.shop_id = m.shop_id AND i.case_id = m.case_id AND i.kind = m.kind AND i.platform_version = m.platform_version
  AND i.amount_fen = m.amount_fen
RETURNING i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.epoch, i.order_id, c.phase, c.line_id,
  c.return_tracking_no, c.title, i.sends

-- name: asks_first
SELECT EXISTS (SELECT FROM instance WHERE reconcile_since IS NOT NULL)

-- After a restore the record may not know what was sent: what is approved is asked about, too.
-- name: claim_unasked
WITH mine AS (
  SELECT i.* FROM intent i JOIN instance n ON n.reconcile_since IS NOT NULL JOIN shop s ON s.id = i.shop_id
  WHERE i.state = 'approved' AND (i.asked_at > n.reconcile_since) IS NOT TRUE AND kind_known(i.kind)
    AND s.platform IN ('taobao', 'tmall') AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0
  ORDER BY i.deadline_at NULLS LAST, i.epoch LIMIT %(limit)s FOR UPDATE OF i SKIP LOCKED)
UPDATE intent i SET epoch = i.epoch + 1 FROM mine m
JOIN cases c ON c.shop_id = m.shop_id AND c.case_id = m.case_id
WHERE i.shop_id = m.shop_id AND i.case_id = m.case_id AND i.kind = m.kind AND i.platform_version = m.platform_version
  AND i.amount_fen = m.amount_fen
RETURNING i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.epoch, i.order_id, c.phase, c.line_id,
  c.return_tracking_no, c.title, i.sends

-- name: money_left
SELECT refunds, fen FROM money_left(%s)

-- name: shop
SELECT id, code, platform, base_url, app_key, app_secret, session_key, courier_url, courier_key, courier_secret FROM shop WHERE id = %s

-- name: parcel
SELECT o.tracking_no, p.courier, p.interception FROM orders o
LEFT JOIN parcel p ON p.shop_id = o.shop_id AND p.tracking_no = o.tracking_no
WHERE o.shop_id = %s AND o.order_id = %s

-- What a person wrote to the buyer.
-- name: said
SELECT text FROM said WHERE shop_id = %s AND case_id = %s AND key = %s

-- What a refusal carries.
-- name: refusing
SELECT r.reason_id, r.message, f.content FROM refusing r
LEFT JOIN evidence_file f ON f.shop_id = r.shop_id AND f.sha256 = r.sha256
WHERE r.shop_id = %s AND r.case_id = %s AND r.platform_version = %s
