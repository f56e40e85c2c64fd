-- name: invite
INSERT INTO invitation (kind, token_hash, shop_id, user_id, role, refund_right, max_amount_fen, helper_job,
  access_ends_at, account, department, skills, note, by_whom, at, ends_at)
VALUES (%(kind)s, %(hash)s, %(shop_id)s, %(user_id)s, %(role)s, %(refund_right)s, %(max_amount_fen)s, %(helper_job)s,
  %(access_ends_at)s, %(account)s, %(department)s, %(skills)s, %(note)s, %(by)s, statement_timestamp(),
  statement_timestamp() + least(coalesce((setting_of(%(shop_id)s, 'invitation_hours') #>> '{}')::int, 72), 72) * interval '1 hour')

-- name: open
SELECT i.id, i.kind, i.shop_id, s.code, s.name, s.platform, i.user_id, i.role, i.refund_right, i.max_amount_fen,
  i.helper_job, i.access_ends_at, i.account, i.department, i.skills, i.by_whom, i.ends_at
FROM invitation i JOIN shop s ON s.id = i.shop_id
WHERE i.token_hash = %(hash)s AND i.used_at IS NULL AND i.withdrawn_at IS NULL AND i.ends_at > clock_timestamp()

-- name: use
UPDATE invitation SET used_at = clock_timestamp(), used_by = %(by)s
WHERE id = %(id)s AND used_at IS NULL AND withdrawn_at IS NULL AND ends_at > clock_timestamp()

-- name: waiting
SELECT i.id, i.kind, i.role, coalesce(u.username, i.note) AS whom, i.by_whom, i.at, i.ends_at
FROM invitation i LEFT JOIN auth_user u ON u.id = i.user_id
WHERE i.shop_id = %(shop_id)s AND i.used_at IS NULL AND i.withdrawn_at IS NULL AND i.ends_at > clock_timestamp()
ORDER BY i.id DESC LIMIT 50

-- name: withdraw
UPDATE invitation SET withdrawn_at = clock_timestamp(), withdrawn_by = %(by)s
WHERE id = %(id)s AND shop_id = %(shop_id)s AND used_at IS NULL AND withdrawn_at IS NULL

-- name: withdraw_of
-- A new link for a password ends the earlier ones.
UPDATE invitation SET withdrawn_at = clock_timestamp(), withdrawn_by = %(by)s
WHERE user_id = %(user_id)s AND used_at IS NULL AND withdrawn_at IS NULL

-- name: giver
SELECT m.user_id, m.role FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
WHERE m.shop_id = %(shop_id)s AND u.username = %(by)s AND (m.access_ends_at <= moment()) IS NOT TRUE
