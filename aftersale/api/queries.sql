-- name: over
-- What has ended leaves its name to another.
UPDATE api_token SET revoked_at = ends_at
WHERE user_id = %(user)s AND name = %(name)s AND revoked_at IS NULL AND (ends_at <= %(now)s) IS TRUE

-- name: keep
INSERT INTO api_token (user_id, name, digest, made_at, ends_at, acts)
VALUES (%(user)s, %(name)s, %(digest)s, %(now)s, %(ends_at)s, %(acts)s)

-- name: owner
-- A day's first request says that the token was used; the others only read.
WITH used AS (
  UPDATE api_token SET used_at = date_trunc('day', %(now)s, 'Asia/Shanghai')
  WHERE digest = %(digest)s AND revoked_at IS NULL AND (ends_at <= %(now)s) IS NOT TRUE
    AND (used_at >= date_trunc('day', %(now)s, 'Asia/Shanghai')) IS NOT TRUE
)
SELECT user_id, acts, CASE WHEN (ends_at <= %(now)s) IS TRUE THEN ends_at END AS ended_at FROM api_token
WHERE digest = %(digest)s AND revoked_at IS NULL

-- name: revoke
UPDATE api_token SET revoked_at = %(now)s WHERE user_id = %(user)s AND name = %(name)s AND revoked_at IS NULL

-- name: shop
SELECT s.settings::text, s.platform FROM shop s JOIN membership m ON m.shop_id = s.id
WHERE m.user_id = %(user)s AND s.code = %(code)s AND (m.access_ends_at <= moment()) IS NOT TRUE

-- name: kept
SELECT name, made_at, ends_at, used_at, acts, (ends_at <= %(now)s) IS TRUE AS over FROM api_token
WHERE user_id = %(user)s AND revoked_at IS NULL ORDER BY made_at DESC, name
