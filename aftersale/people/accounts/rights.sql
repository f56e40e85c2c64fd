-- What somebody may do up to which amount, asked of the compiled book `permissions` itself: at each threshold, one fen
-- above it, and at an amount above them all.

-- name: person_rights
WITH thresholds AS (
  SELECT (setting_of(%(shop_id)s, name) #>> '{}')::bigint AS fen FROM unnest(%(thresholds)s::text[]) AS name
  UNION SELECT m.max_amount_fen FROM membership m WHERE m.shop_id = %(shop_id)s AND m.user_id = %(user_id)s
  UNION SELECT t.max_amount_fen FROM temporary_right t WHERE t.shop_id = %(shop_id)s AND t.user_id = %(user_id)s),
amounts AS (
  SELECT fen FROM thresholds WHERE fen > 0 UNION SELECT fen + 1 FROM thresholds WHERE fen >= 0 UNION SELECT %(above_all)s::bigint),
asked AS (
  SELECT a.action, a.money, a.place, CASE WHEN a.money THEN m.fen ELSE 0 END AS fen
  FROM unnest(%(actions)s::text[], %(moves_money)s::bool[]) WITH ORDINALITY AS a (action, money, place)
  JOIN amounts m ON (a.money OR m.fen = %(above_all)s::bigint) IS TRUE)
SELECT a.action, a.money, max(a.fen) FILTER (WHERE p.allowed) AS up_to_fen,
  max(a.fen) FILTER (WHERE p.needs_approval) AS asked_fen,
  (array_agg(p.why ORDER BY a.fen) FILTER (WHERE p.allowed IS NOT TRUE))[1] AS why
FROM asked a CROSS JOIN LATERAL person_permitted(%(shop_id)s, %(name)s, a.action, a.fen, 'web', NULL, NULL) p
GROUP BY a.place, a.action, a.money ORDER BY a.place

-- name: grant_rights
WITH thresholds AS (
  SELECT (setting_of(%(shop_id)s, name) #>> '{}')::bigint AS fen FROM unnest(%(thresholds)s::text[]) AS name
  UNION SELECT %(max_amount_fen)s::bigint),
amounts AS (
  SELECT fen FROM thresholds WHERE fen > 0 UNION SELECT fen + 1 FROM thresholds WHERE fen >= 0 UNION SELECT %(above_all)s::bigint),
asked AS (
  SELECT a.action, a.money, a.place, CASE WHEN a.money THEN m.fen ELSE 0 END AS fen
  FROM unnest(%(actions)s::text[], %(moves_money)s::bool[]) WITH ORDINALITY AS a (action, money, place)
  JOIN amounts m ON (a.money OR m.fen = %(above_all)s::bigint) IS TRUE)
SELECT a.action, a.money, max(a.fen) FILTER (WHERE p.allowed) AS up_to_fen,
  max(a.fen) FILTER (WHERE p.needs_approval) AS asked_fen,
  (array_agg(p.why ORDER BY a.fen) FILTER (WHERE p.allowed IS NOT TRUE))[1] AS why
FROM asked a CROSS JOIN LATERAL permitted(%(shop_id)s, %(role)s, a.action, a.fen, 'web',
  max_amount_fen => %(max_amount_fen)s, reviewed => true, refund_right => %(refund_right)s,
  helper_job => %(helper_job)s, access_ends_at => %(access_ends_at)s, account => %(account)s) p
GROUP BY a.place, a.action, a.money ORDER BY a.place

-- What the giver may not do by their own lasting rights, and somebody with these rights might.
-- name: beyond
WITH giver AS (SELECT m.* FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
    WHERE m.shop_id = %(shop_id)s AND m.user_id = %(giver_id)s AND (m.access_ends_at <= moment()) IS NOT TRUE),
thresholds AS (
  SELECT (setting_of(%(shop_id)s, name) #>> '{}')::bigint AS fen FROM unnest(%(thresholds)s::text[]) AS name
  UNION SELECT %(max_amount_fen)s::bigint UNION SELECT g.max_amount_fen FROM giver g),
amounts AS (
  SELECT fen FROM thresholds WHERE fen > 0 UNION SELECT fen + 1 FROM thresholds WHERE fen >= 0 UNION SELECT %(above_all)s::bigint),
asked AS (
  SELECT a.action, CASE WHEN a.money THEN m.fen ELSE 0 END AS fen, d.deposit
  FROM unnest(%(actions)s::text[], %(moves_money)s::bool[]) AS a (action, money)
  JOIN amounts m ON (a.money OR m.fen = %(above_all)s::bigint) IS TRUE
  CROSS JOIN (VALUES (false), (true)) AS d (deposit))
SELECT DISTINCT a.action FROM asked a
CROSS JOIN LATERAL permitted(%(shop_id)s, %(role)s, a.action, a.fen, 'web', max_amount_fen => %(max_amount_fen)s,
  presale_deposit => a.deposit, reviewed => true, refund_right => %(refund_right)s, helper_job => %(helper_job)s,
  access_ends_at => %(access_ends_at)s, account => %(account)s) theirs
WHERE theirs.allowed AND NOT EXISTS (
  SELECT FROM giver g CROSS JOIN LATERAL permitted(g.shop_id, g.role, a.action, a.fen, 'web',
    max_amount_fen => g.max_amount_fen, presale_deposit => a.deposit, reviewed => true,
    refund_right => g.refund_right, helper_job => g.helper_job, access_ends_at => g.access_ends_at,
    account => g.account) p
  WHERE p.allowed)
ORDER BY 1
