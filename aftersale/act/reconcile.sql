-- Shops with a door to their platform whose ledger is to be compared: once a day of theirs, and again after
-- `again_after_s` while anything waits or differs.
-- name: due
SELECT s.id FROM shop s LEFT JOIN LATERAL (SELECT r.at, r.waiting FROM reconciliation r WHERE r.shop_id = s.id
  ORDER BY r.at DESC LIMIT 1) AS last ON true
WHERE s.platform IN ('taobao', 'tmall') AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0
  AND NOT s.id = ANY(%(failed)s::int[])
  AND ((last.at >= date_trunc('day', %(now)s AT TIME ZONE s.zone) AT TIME ZONE s.zone) IS NOT TRUE
    OR last.at < %(now)s - make_interval(secs => %(again_after_s)s) AND (last.waiting > 0
      OR EXISTS (SELECT FROM difference d WHERE d.shop_id = s.id AND d.resolved_at IS NULL)))
ORDER BY last.at NULLS FIRST, s.id LIMIT 1

-- From yesterday's midnight of the shop, or from where our last comparison ended, or began when something waited.
-- name: shop
SELECT base_url, app_key, app_secret, session_key,
  least((date_trunc('day', %(now)s AT TIME ZONE zone) - interval '1 day') AT TIME ZONE zone,
    (SELECT CASE WHEN r.waiting > 0 THEN r.since ELSE r.until - interval '10 minutes' END FROM reconciliation r
      WHERE r.shop_id = shop.id AND r.by_whom = 'worker' ORDER BY r.at DESC, r.id DESC LIMIT 1)), clock_timestamp()
FROM shop WHERE id = %(shop_id)s

-- What must be confirmed by the platform: paid in the window as we say, and every open difference.
-- name: claimed
SELECT case_id FROM ledger WHERE shop_id = %(shop_id)s AND (at >= %(since)s AND at <= %(until)s) IS TRUE
GROUP BY case_id
UNION SELECT case_id FROM difference WHERE shop_id = %(shop_id)s AND resolved_at IS NULL

-- name: lock
SELECT pg_try_advisory_lock(hashtext('reconcile'), %(shop_id)s)

-- name: unlock
SELECT pg_advisory_unlock(hashtext('reconcile'), %(shop_id)s)
