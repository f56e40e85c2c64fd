-- name: keep
INSERT INTO api_token (user_id, name, digest, made_at) VALUES (%(user)s, %(name)s, %(digest)s, %(now)s)

-- name: owner
UPDATE api_token SET used_at = %(now)s WHERE digest = %(digest)s AND (revoked_at IS NULL)
RETURNING user_id

-- name: revoke
UPDATE api_token SET revoked_at = %(now)s WHERE user_id = %(user)s AND name = %(name)s AND revoked_at IS NULL

-- name: shop
SELECT s.settings::text, s.platform FROM shop s JOIN membership m ON m.shop_id = s.id
WHERE m.user_id = %(user)s AND s.code = %(code)s AND (m.access_ends_at <= moment()) IS NOT TRUE
