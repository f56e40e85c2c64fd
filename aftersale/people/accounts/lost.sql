-- name: reset
INSERT INTO step_reset (user_id, by_whom, why, at) VALUES (%(user_id)s, %(by)s, %(why)s, %(now)s)

-- name: unseen
SELECT by_whom, why, at FROM step_reset WHERE user_id = %(user_id)s AND seen_at IS NULL ORDER BY id DESC

-- name: see
UPDATE step_reset SET seen_at = %(now)s WHERE user_id = %(user_id)s AND seen_at IS NULL

-- name: shops
SELECT shop_id AS n FROM membership WHERE user_id = %(user_id)s ORDER BY shop_id
