-- name: hold
SELECT id, settings::text FROM shop WHERE code = %(code)s FOR UPDATE

-- name: keep
UPDATE shop SET settings = %(settings)s::jsonb WHERE id = %(shop)s

-- name: log
INSERT INTO setting_log (shop_id, name, before, after, by_whom, at)
VALUES (%(shop)s, %(name)s, %(before)s::jsonb, %(after)s::jsonb, %(by)s, %(now)s)

-- Every open case is decided anew: a setting is a part of what it was decided on.
-- name: look_again
INSERT INTO look AS l (shop_id, case_id, at)
SELECT shop_id, case_id, %(now)s FROM cases WHERE shop_id = %(shop)s AND (state IN ('refunded', 'closed')) IS NOT TRUE
ORDER BY shop_id, case_id
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(l.at, excluded.at)
