-- Second opinions on money, and what only a person can resolve.

-- An approval that has run out makes room for a new request of the same.
-- name: lapse
UPDATE approval SET state = 'void', why = '已经过期'
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND state = 'approved' AND expires_at <= %(now)s

-- name: request
INSERT INTO approval (shop_id, case_id, kind, platform_version, amount_fen, channel, requested_by, requested_at,
  expires_at, why)
VALUES (%(shop_id)s, %(case_id)s, %(kind)s, %(version)s, %(amount_fen)s, %(channel)s, %(by)s, %(now)s,
  %(now)s::timestamptz + make_interval(hours => (setting_of(%(shop_id)s, 'approval_hours') #>> '{}')::int), %(why)s)

-- name: case_of
SELECT case_id FROM approval WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: lock_case
SELECT application_version, state, order_id FROM cases WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s FOR UPDATE

-- name: lock
SELECT kind, platform_version, amount_fen, channel, requested_by, expires_at, state, decided_by, decided_at
FROM approval WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE

-- name: stay
SELECT FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.shop_id = %(shop_id)s AND u.username = %(by)s FOR KEY SHARE OF m

-- name: may
SELECT allowed, why, limit_of(%(shop_id)s, why) AS limit_fen
FROM person_permitted(%(shop_id)s, %(by)s, %(kind)s, %(amount_fen)s, %(channel)s, %(order_id)s, %(case_id)s)

-- name: impossible
SELECT why, said FROM impossible(%(shop_id)s, %(case_id)s, %(kind)s)

-- name: decide
UPDATE approval SET state = %(state)s, decided_by = %(by)s, decided_at = %(now)s, why = coalesce(%(why)s, why)
WHERE shop_id = %(shop_id)s AND id = %(id)s AND state = 'requested'

-- name: approve
UPDATE intent SET state = 'approved', approved_by = %(by)s, outcome = NULL, changed_at = %(now)s,
  due_at = undo_until(shop_id, %(now)s, %(undo_s)s, deadline_at)
WHERE (shop_id, case_id, kind, platform_version, amount_fen, state)
  = (%(shop_id)s, %(case_id)s, %(kind)s, %(platform_version)s, %(amount_fen)s, 'planned')

-- name: take_back
WITH back AS (
  UPDATE intent SET state = 'cancelled', outcome = %(why)s, changed_at = %(now)s
  WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND kind = %(kind)s AND state = %(from)s
  RETURNING shop_id, order_id, amount_fen, money),
freed AS (UPDATE order_money m SET held_fen = m.held_fen - b.amount_fen FROM back b
  WHERE b.money AND m.shop_id = b.shop_id AND m.order_id = b.order_id)
SELECT amount_fen FROM back

-- name: undecide
UPDATE handling SET decided_version = -1 WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: look
INSERT INTO look (shop_id, case_id, at) VALUES (%(shop_id)s, %(case_id)s, %(now)s)
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(look.at, excluded.at)

-- name: note
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
VALUES (%(shop_id)s, %(case_id)s, %(now)s, 'approval', %(by)s, %(text)s)

-- name: run_out
UPDATE approval SET state = 'void', why = '没有人在期限内复核'
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND kind = %(kind)s AND state = 'requested' AND expires_at <= %(now)s

-- name: expired
SELECT shop_id, case_id, kind FROM approval WHERE state = 'requested' AND expires_at <= %(now)s
ORDER BY shop_id, case_id LIMIT %(limit)s

-- name: resolvable
SELECT platform_version, amount_fen, in_doubt(money OR kind = 'refuse', sent_at, asked_at, nones) FROM intent
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND kind = %(kind)s AND state = 'with_person'
ORDER BY platform_version DESC LIMIT 1

-- name: again
UPDATE intent SET state = 'approved', approved_by = %(by)s, outcome = NULL, due_at = %(now)s, changed_at = %(now)s,
  asked_at = CASE WHEN sent_at IS NOT NULL THEN asked_at END  -- after a restore it is asked about before it is sent
WHERE (shop_id, case_id, kind, platform_version, amount_fen, state)
  = (%(shop_id)s, %(case_id)s, %(kind)s, %(platform_version)s, %(amount_fen)s, 'with_person')

-- It may have been done: the platform is asked again first.
-- name: ask_again
UPDATE intent SET state = 'unknown', outcome = '再问一次：' || %(by)s, due_at = %(now)s, changed_at = %(now)s
WHERE (shop_id, case_id, kind, platform_version, amount_fen, state)
  = (%(shop_id)s, %(case_id)s, %(kind)s, %(platform_version)s, %(amount_fen)s, 'with_person')

-- name: unqueue
DELETE FROM queue_item WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- The platform is asked now, whatever it had when it was last asked.
-- name: fetch
INSERT INTO to_fetch (shop_id, kind, external_id, due_at) VALUES (%(shop_id)s, 'application', %(case_id)s, now())
ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET version = excluded.version, due_at = excluded.due_at, tries = 0
