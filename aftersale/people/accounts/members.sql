-- name: members
SELECT m.user_id, m.shop_id, u.username AS name, m.role, m.refund_right, m.max_amount_fen, m.helper_job,
  m.access_ends_at, m.account, m.department, m.skills, u.is_active AS active, u.last_login,
  EXISTS (SELECT FROM mfa_authenticator a WHERE a.user_id = m.user_id AND a.type IN ('totp', 'webauthn')) AS second_step,
  (SELECT max(t.ends_at) FROM temporary_right t WHERE t.user_id = m.user_id AND t.shop_id = m.shop_id
    AND t.ended_at IS NULL AND t.ends_at > %(now)s AND t.starts_at <= %(now)s) AS more_until
FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.shop_id = ANY(%(shop_ids)s::int[]) AND (%(user_id)s::int IS NULL OR m.user_id = %(user_id)s) IS TRUE
ORDER BY m.shop_id, array_position(ARRAY['owner', 'lead', 'finance', 'agent', 'warehouse', 'helper'], m.role), u.username

-- name: hold
SELECT m.user_id, u.username AS name, m.role, m.refund_right, m.max_amount_fen, m.helper_job, m.access_ends_at,
  m.account, m.department, m.skills
FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.shop_id = %(shop_id)s AND m.user_id = %(user_id)s FOR UPDATE OF m

-- name: change
UPDATE membership SET role = %(role)s, refund_right = %(refund_right)s, max_amount_fen = %(max_amount_fen)s,
  helper_job = %(helper_job)s, access_ends_at = %(access_ends_at)s, account = %(account)s,
  department = %(department)s, skills = %(skills)s
WHERE shop_id = %(shop_id)s AND user_id = %(user_id)s

-- name: add
INSERT INTO membership (user_id, shop_id, role, refund_right, max_amount_fen, helper_job, access_ends_at, account,
  department, skills)
VALUES (%(user_id)s, %(shop_id)s, %(role)s, %(refund_right)s, %(max_amount_fen)s, %(helper_job)s, %(access_ends_at)s,
  %(account)s, %(department)s, %(skills)s)
ON CONFLICT (user_id, shop_id) DO NOTHING

-- name: remove
DELETE FROM membership WHERE shop_id = %(shop_id)s AND user_id = %(user_id)s

-- name: others
SELECT count(*)::int AS n FROM membership WHERE user_id = %(user_id)s AND shop_id <> %(shop_id)s

-- name: foreign_shops
-- Shops of the person in which the other one is no owner.
SELECT count(*)::int AS n FROM membership m WHERE m.user_id = %(user_id)s AND NOT EXISTS (
  SELECT FROM membership o WHERE o.shop_id = m.shop_id AND o.user_id = %(giver_id)s AND o.role = 'owner'
    AND (o.access_ends_at <= moment()) IS NOT TRUE)

-- name: more
SELECT id, max_amount_fen, refund_right, starts_at, ends_at, why, by_whom, ended_at, ended_by FROM temporary_right
WHERE shop_id = %(shop_id)s AND user_id = %(user_id)s ORDER BY id DESC LIMIT 20

-- name: give_more
INSERT INTO temporary_right (user_id, shop_id, max_amount_fen, refund_right, starts_at, ends_at, why, by_whom, at)
VALUES (%(user_id)s, %(shop_id)s, %(max_amount_fen)s, %(refund_right)s, %(starts_at)s, %(ends_at)s, %(why)s, %(by)s, %(now)s)

-- name: end_more
UPDATE temporary_right SET ended_at = %(now)s, ended_by = %(by)s
WHERE id = %(id)s AND shop_id = %(shop_id)s AND user_id = %(user_id)s AND ended_at IS NULL AND ends_at > %(now)s
