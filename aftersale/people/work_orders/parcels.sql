-- name: parcels
WITH page AS (
  SELECT b.shop_id, b.tracking_no, b.way, b.since, b.followed_at, b.followed_by, b.note, b.version,
    p.courier, p.tracking_state, p.last_tracking_at, p.interception,
    least(b.since + w.hours * interval '1 hour', p.last_tracking_at + w.silent_hours * interval '1 hour') AS due_at,
    coalesce(p.last_tracking_at < %(now)s::timestamptz - w.silent_hours * interval '1 hour', false) AS silent
  FROM unnest(%(shop_ids)s::int[], %(ways)s::text[], %(hours)s::int[], %(silent_hours)s::int[]) AS w (shop_id, way, hours, silent_hours)
  JOIN parcel_back b ON b.shop_id = w.shop_id AND b.way = w.way AND b.ended IS NULL
  JOIN parcel p ON p.shop_id = b.shop_id AND p.tracking_no = b.tracking_no
  WHERE (NOT %(silent)s::bool OR p.last_tracking_at < %(now)s::timestamptz - w.silent_hours * interval '1 hour') IS TRUE
    AND (NOT %(unfollowed)s::bool OR b.followed_at IS NULL OR b.followed_at < %(today)s) IS TRUE
    AND (%(tracking_no)s::text IS NULL OR b.tracking_no = %(tracking_no)s)
  ORDER BY due_at NULLS LAST, b.shop_id, b.tracking_no OFFSET %(skip)s LIMIT %(rows)s)
SELECT page.*, o.order_id, o.item_value_fen, c.case_id, c.title,
  (SELECT e.text FROM tracking_event e WHERE e.shop_id = page.shop_id AND e.tracking_no = page.tracking_no
    ORDER BY e.at DESC LIMIT 1) AS told,
  (SELECT min(l.at) FROM ledger l WHERE l.shop_id = page.shop_id AND l.case_id = c.case_id) AS refunded_at,
  EXISTS (SELECT FROM carrier_claim k WHERE k.shop_id = page.shop_id AND k.tracking_no = page.tracking_no
    AND k.state IN ('filed', 'accepted', 'paid')) AS claimed,
  (SELECT row_to_json(f)::text FROM case_facts f WHERE f.shop_id = page.shop_id AND f.case_id = c.case_id) AS facts
FROM page
LEFT JOIN LATERAL (SELECT order_id, item_value_fen FROM orders o
  WHERE o.shop_id = page.shop_id AND o.tracking_no = page.tracking_no ORDER BY order_id LIMIT 1) o ON true
LEFT JOIN LATERAL (SELECT case_id, title FROM cases c
  WHERE c.shop_id = page.shop_id AND c.order_id = o.order_id ORDER BY applied_at DESC NULLS LAST, case_id LIMIT 1) c ON true
ORDER BY due_at NULLS LAST, page.shop_id, page.tracking_no

-- name: tallies
SELECT b.way, count(*)::int AS parcels,
  count(*) FILTER (WHERE p.last_tracking_at < %(now)s::timestamptz - w.silent_hours * interval '1 hour')::int AS silent,
  count(*) FILTER (WHERE b.followed_at IS NULL OR b.followed_at < %(today)s)::int AS unfollowed
FROM unnest(%(shop_ids)s::int[], %(ways)s::text[], %(silent_hours)s::int[]) AS w (shop_id, way, silent_hours)
JOIN parcel_back b ON b.shop_id = w.shop_id AND b.way = w.way AND b.ended IS NULL
JOIN parcel p ON p.shop_id = b.shop_id AND p.tracking_no = b.tracking_no
GROUP BY b.way

-- name: lost_parcel
SELECT p.tracking_no, p.courier, o.item_value_fen, c.case_id,
  (SELECT min(l.at) FROM ledger l WHERE l.shop_id = p.shop_id AND l.case_id = c.case_id) AS refunded_at,
  EXISTS (SELECT FROM carrier_claim k WHERE k.shop_id = p.shop_id AND k.tracking_no = p.tracking_no
    AND k.state IN ('filed', 'accepted', 'paid')) AS claimed,
  b.followed_at AS noticed_at, coalesce(b.ended = 'lost', false) AS declared_lost,
  (SELECT row_to_json(f)::text FROM case_facts f WHERE f.shop_id = p.shop_id AND f.case_id = c.case_id) AS facts
FROM parcel p
LEFT JOIN parcel_back b ON b.shop_id = p.shop_id AND b.tracking_no = p.tracking_no
LEFT JOIN LATERAL (SELECT order_id, item_value_fen FROM orders o
  WHERE o.shop_id = p.shop_id AND o.tracking_no = p.tracking_no ORDER BY order_id LIMIT 1) o ON true
LEFT JOIN LATERAL (SELECT case_id FROM cases c
  WHERE c.shop_id = p.shop_id AND c.order_id = o.order_id ORDER BY applied_at DESC NULLS LAST, case_id LIMIT 1) c ON true
WHERE p.shop_id = %(shop_id)s AND p.tracking_no = %(tracking_no)s

-- name: claims
SELECT shop_id, id, tracking_no, courier, case_id, kind, state, rule, most_fen, asked_fen, accepted_fen, paid_fen, filed_by,
  filed_at, due_at, paid_at, note, version, changed_by, changed_at
FROM carrier_claim
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND (%(state)s::text = '' OR state = %(state)s) IS TRUE
  AND (%(courier)s::text = '' OR courier = %(courier)s) IS TRUE
  AND (%(month)s::date IS NULL OR paid_at >= %(month)s::date::timestamp AT TIME ZONE 'Asia/Shanghai'
    AND paid_at < (%(month)s::date + interval '1 month') AT TIME ZONE 'Asia/Shanghai') IS TRUE
ORDER BY due_at NULLS LAST, changed_at DESC, id DESC OFFSET %(skip)s LIMIT %(rows)s

-- name: claim
SELECT shop_id, id, tracking_no, courier, case_id, kind, state, rule, most_fen, asked_fen, accepted_fen, paid_fen, filed_by,
  filed_at, due_at, paid_at, note, version, changed_by, changed_at
FROM carrier_claim WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: claim_states
SELECT state, count(*)::int AS claims, sum(asked_fen)::bigint AS fen,
  count(*) FILTER (WHERE due_at < %(now)s)::int AS late
FROM carrier_claim WHERE shop_id = ANY(%(shop_ids)s::int[]) GROUP BY state

-- name: recovered
SELECT courier, date_trunc('month', paid_at AT TIME ZONE 'Asia/Shanghai')::date AS month, count(*)::int AS claims,
  sum(asked_fen)::bigint AS asked_fen, sum(paid_fen)::bigint AS paid_fen
FROM carrier_claim WHERE state = 'paid' AND shop_id = ANY(%(shop_ids)s::int[])
  AND paid_at >= %(since)s
GROUP BY 1, 2 ORDER BY 2 DESC, 5 DESC, 1 LIMIT 60
