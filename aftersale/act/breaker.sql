-- What rulebooks/facts/breaker.yaml names, of one shop (`shop_id`) or of all whose automatic money is not stopped.
-- Errors count from the hour's beginning, or from the last release by a person. How long an outcome has been unknown is
-- real time: it is the platform that keeps us waiting.
-- name: facts
WITH busy AS (
  SELECT shop_id FROM money_window WHERE starts_at > moment() - interval '2 hours' AND %(shop_id)s::int IS NULL
  UNION SELECT shop_id FROM difference WHERE resolved_at IS NULL AND %(shop_id)s::int IS NULL
  UNION SELECT %(shop_id)s::int WHERE %(shop_id)s::int IS NOT NULL)
SELECT s.id, s.settings::text, s.platform, h.refunds AS hour_refunds, h.fen AS hour_fen, d.refunds AS day_refunds,
  d.fen AS day_fen, d.times AS limit_times, h.refunds + e.errors AS recent_sent, e.errors AS recent_errors,
  u.minutes AS unknown_minutes, x.differences
FROM busy b JOIN shop s ON s.id = b.shop_id
JOIN LATERAL money_used(s.id) h ON h.span = 'hour'
JOIN LATERAL money_used(s.id) d ON d.span = 'day'
CROSS JOIN LATERAL (
  SELECT count(*)::int AS errors FROM intent i JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id
  WHERE i.shop_id = s.id AND i.money AND i.state IN ('refused', 'with_person') AND i.approved_by LIKE 'rule:%%'
    AND c.application_version = i.platform_version  -- what the buyer changed meanwhile is no error
    AND i.changed_at >= greatest(h.starts_at, (SELECT max(w.at) FROM switch w
      WHERE w.shop_id = s.id AND w.action = 'automatic_money'))) e
CROSS JOIN LATERAL (
  SELECT (extract(epoch FROM clock_timestamp() - min(i.sent_at)) / 60)::int AS minutes FROM intent i
  WHERE i.shop_id = s.id AND i.money AND i.state = 'unknown') u
CROSS JOIN LATERAL (
  SELECT count(*)::int AS differences FROM difference f WHERE f.shop_id = s.id AND f.resolved_at IS NULL) x
WHERE held_back(s.id, 'agree_refund', true, 'rule:') IS NOT TRUE

-- One at a time may open a shop's breaker.
-- name: lock
SELECT pg_advisory_xact_lock(hashtext('breaker'), %(shop_id)s)

-- Does automatic money of this amount still wait to be sent, with none of the shop's just being sent? Another worker may
-- have sent it meanwhile, and what was claimed fits into the budget: it goes first, and may make room if it is refused.
-- name: waits
SELECT EXISTS (SELECT FROM intent i WHERE i.shop_id = %(shop_id)s AND i.state = 'approved' AND i.due_at <= %(now)s AND i.money
    AND (i.approved_by NOT LIKE 'rule:%%') IS NOT TRUE AND i.amount_fen = %(amount_fen)s)
  AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = %(shop_id)s AND i.state = 'sending' AND i.money
    AND (i.approved_by NOT LIKE 'rule:%%') IS NOT TRUE)
