-- The next whose reasons are wanted, in shops that have a door to their platform; no two workers ask at once.
-- name: lease
UPDATE refuse_reasons r SET asked_at = clock_timestamp() FROM (
  SELECT w.shop_id, w.case_id, c.phase FROM refuse_reasons w
  JOIN shop s ON s.id = w.shop_id AND s.platform IN ('taobao', 'tmall')
    AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0
  JOIN cases c ON c.shop_id = w.shop_id AND c.case_id = w.case_id
  WHERE w.answered_at IS NULL AND (w.asked_at IS NULL OR w.asked_at < clock_timestamp() - interval '10 seconds')
    AND w.wanted_at > clock_timestamp() - interval '2 minutes'
  ORDER BY w.wanted_at LIMIT 10 FOR UPDATE OF w SKIP LOCKED) n
WHERE r.shop_id = n.shop_id AND r.case_id = n.case_id
RETURNING r.shop_id, r.case_id, r.platform_version, n.phase
