-- name: file
INSERT INTO carrier_claim (shop_id, tracking_no, courier, case_id, kind, rule, most_fen, asked_fen, filed_by, filed_at, due_at,
  pay_days, note, changed_by, changed_at)
VALUES (%(shop_id)s, %(tracking_no)s, %(courier)s, %(case_id)s, %(kind)s, %(rule)s, %(most_fen)s, %(asked_fen)s, %(by)s,
  %(now)s, %(due_at)s, %(pay_days)s, %(note)s, %(by)s, %(now)s)
ON CONFLICT DO NOTHING RETURNING id

-- name: filed
SELECT filed_by, filed_at FROM carrier_claim
WHERE shop_id = %(shop_id)s AND tracking_no = %(tracking_no)s AND state IN ('filed', 'accepted', 'paid')

-- name: lock
SELECT state, version, asked_fen, accepted_fen, pay_days, changed_by, changed_at FROM carrier_claim
WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE

-- name: answer
UPDATE carrier_claim SET state = %(state)s, accepted_fen = %(accepted_fen)s, paid_fen = %(paid_fen)s, paid_at = %(paid_at)s,
  due_at = %(due_at)s, note = %(note)s, version = version + 1, changed_by = %(by)s, changed_at = %(now)s
WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: followed
UPDATE parcel_back SET followed_at = %(now)s, followed_by = %(by)s, note = %(note)s, version = version + 1
WHERE shop_id = %(shop_id)s AND tracking_no = %(tracking_no)s AND version = %(version)s AND ended IS NULL

-- name: end
UPDATE parcel_back SET ended = %(ended)s, ended_at = %(now)s, followed_at = %(now)s, followed_by = %(by)s, note = %(note)s,
  version = version + 1
WHERE shop_id = %(shop_id)s AND tracking_no = %(tracking_no)s AND version = %(version)s AND ended IS NULL

-- name: followed_by
SELECT followed_by, followed_at FROM parcel_back WHERE shop_id = %(shop_id)s AND tracking_no = %(tracking_no)s
