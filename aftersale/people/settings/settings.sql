-- name: own
SELECT s.settings::text AS settings, s.platform FROM shop s WHERE s.id = %(shop_id)s

-- name: changed
SELECT DISTINCT ON (name) name, before::text AS before, after::text AS after, by_whom, at
FROM setting_log WHERE shop_id = %(shop_id)s ORDER BY name, id DESC

-- name: history
SELECT name, before::text AS before, after::text AS after, by_whom, at
FROM setting_log WHERE shop_id = %(shop_id)s AND name = %(name)s ORDER BY id DESC LIMIT 20

-- name: open_cases
SELECT c.case_id, to_jsonb(f)::text AS facts
FROM cases c JOIN case_facts f ON f.shop_id = c.shop_id AND f.case_id = c.case_id
WHERE c.shop_id = %(shop_id)s AND (c.state IN ('refunded', 'closed')) IS NOT TRUE
LIMIT %(rows)s

-- name: shops
SELECT s.id, s.code, s.name, s.platform, s.base_url IS NOT NULL AS connected, s.courier_url IS NOT NULL AS courier,
  push_sources(s.id) AS pushes, s.authorised_until,
  (SELECT w.at FROM switch w WHERE w.shop_id = s.id AND w.action = '' AND w.stopped
    AND w.by_whom = 'breaker:authorisation') AS refused_at,
  (SELECT max(p.since) FROM pull_cursor p WHERE p.shop_id = s.id) AS pulled_until
FROM shop s WHERE s.id = ANY(%(shop_ids)s::int[]) ORDER BY s.name, s.id
