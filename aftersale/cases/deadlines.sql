-- Deadlines that passed with the case still ours (P5). `since` bounds how far back is looked. A shop that had access to
-- its platform and has none now (a demo that ended) is nobody's to handle.

-- Where it waited tells who kept it: people, a switch, the question after a restore, no worker (for less than half an hour
-- of the last two, or of the case's life), the platform, or we.
-- name: notice
WITH waiting AS (
  SELECT shop_id, case_id FROM queue_item WHERE due_at > %(since)s AND due_at <= %(now)s
  UNION SELECT shop_id, case_id FROM intent
  WHERE state IN ('approved', 'sending', 'unknown') AND deadline_at > %(since)s AND deadline_at <= %(now)s),
passed AS (
  SELECT c.shop_id, c.case_id, d.kind, d.due_at, c.first_seen_at FROM waiting w
  JOIN cases c ON c.shop_id = w.shop_id AND c.case_id = w.case_id
  JOIN shop s ON s.id = w.shop_id AND (s.base_url IS NULL AND s.app_key IS NOT NULL) IS NOT TRUE
  LEFT JOIN handling h ON h.shop_id = w.shop_id AND h.case_id = w.case_id
  CROSS JOIN LATERAL (VALUES ('platform', c.due_at), ('target', CASE WHEN h.queue IS NOT NULL THEN h.target_at END)) AS d(kind, due_at)
  WHERE (c.state IN ('refunded', 'closed')) IS NOT TRUE AND d.due_at > %(since)s AND d.due_at <= %(now)s
    AND NOT EXISTS (SELECT FROM missed_deadline m WHERE m.shop_id = c.shop_id AND m.case_id = c.case_id
      AND m.kind = d.kind AND m.due_at = d.due_at)
  ORDER BY d.due_at LIMIT 1000),
told AS (
  INSERT INTO missed_deadline (shop_id, case_id, kind, due_at, noticed_at, cause)
  SELECT p.shop_id, p.case_id, p.kind, p.due_at, %(now)s, CASE
    WHEN p.first_seen_at >= p.due_at THEN 'arrived_late'
    WHEN EXISTS (SELECT FROM queue_item q WHERE q.shop_id = p.shop_id AND q.case_id = p.case_id AND q.since < p.due_at) THEN 'person'
    WHEN i.held IS TRUE THEN 'stopped'
    WHEN EXISTS (SELECT FROM instance WHERE reconcile_since IS NOT NULL) THEN 'restored'
    WHEN ((SELECT max(least(w.seen_at, r.at) - greatest(w.started_at, r.start)) FROM worker w WHERE w.seen_at >= r.start)
      >= least(interval '30 minutes', 0.9 * (r.at - r.start))) IS NOT TRUE THEN 'down'
    WHEN i.tried IS TRUE THEN 'platform'
    ELSE 'slow' END
  FROM passed p CROSS JOIN LATERAL (SELECT real_time(p.due_at) AS at,
    greatest(real_time(p.due_at) - interval '2 hours', real_time(p.first_seen_at)) AS start) r
  LEFT JOIN LATERAL (
    SELECT bool_or(held_back(i.shop_id, i.kind, i.money, i.approved_by)) AS held,
      bool_or(i.state = 'unknown' OR i.sends > 0 OR i.outcome LIKE 'later:%%') AS tried
    FROM intent i WHERE i.shop_id = p.shop_id AND i.case_id = p.case_id AND i.state IN ('approved', 'sending', 'unknown')) i ON true
  ON CONFLICT DO NOTHING RETURNING *)
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT shop_id, case_id, noticed_at, 'deadline', CASE kind WHEN 'platform' THEN 'platform' ELSE 'seller' END,
  kind || ' ' || cause
FROM told
