-- name: shops_of
SELECT s.id, s.code, s.name, s.platform, m.role
FROM membership m JOIN shop s ON s.id = m.shop_id
WHERE m.user_id = %(user_id)s AND (m.access_ends_at <= moment()) IS NOT TRUE
ORDER BY s.name, s.id

-- name: case
SELECT shop_id, case_id FROM cases WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s
