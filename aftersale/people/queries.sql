-- name: rows
SELECT i.shop_id, i.case_id, i.queue, i.due_at, c.due_at AS platform_due_at, i.amount_fen AS queue_fen, i.since, i.owner,
  c.order_id, c.aftersale_type, c.reason, c.state, c.title, coalesce(i.amount_fen, c.amount_fen) AS amount_fen,
  h.action, h.rule, /*goods_state*/ AS goods,
  t.text AS tracking_text, t.at AS tracking_at
FROM unnest(%(shop_ids)s::int[], %(case_ids)s::text[]) WITH ORDINALITY AS wanted (shop_id, case_id, place)
JOIN queue_item i ON i.shop_id = wanted.shop_id AND i.case_id = wanted.case_id
JOIN cases c ON c.shop_id = wanted.shop_id AND c.case_id = wanted.case_id
JOIN case_facts f ON f.shop_id = wanted.shop_id AND f.case_id = wanted.case_id
LEFT JOIN handling h ON h.shop_id = wanted.shop_id AND h.case_id = wanted.case_id
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
LEFT JOIN LATERAL (
  SELECT e.text, e.at FROM tracking_event e
  WHERE e.shop_id = c.shop_id -- behind the wall of rows coalesce() would keep the index from being used
    AND e.tracking_no = CASE WHEN c.return_tracking_no IS NULL THEN o.tracking_no ELSE c.return_tracking_no END
  ORDER BY e.at DESC LIMIT 1) AS t ON true
ORDER BY wanted.place

-- name: head
SELECT c.shop_id, c.case_id, c.order_id, c.application_version, c.aftersale_type, c.state, c.phase, c.reason,
  c.reason_text, c.amount_fen, c.applied_at, c.title, c.buyer_ref, c.return_tracking_no, c.return_courier,
  c.contact_count, c.person_version,
  o.paid_fen, o.freight_fen, o.refunded_fen, o.paid_at, o.shipped_at, o.tracking_no, o.courier, o.region, o.promo,
  m.paid_fen - m.held_fen AS refundable_fen,
  i.queue, coalesce(i.due_at, c.due_at) AS due_at, c.due_at AS platform_due_at, i.owner, to_jsonb(f)::text AS facts,
  h.target_at, s.settings::text AS settings, s.platform IN ('taobao', 'tmall') AND s.base_url IS NOT NULL AS wired
FROM cases c
JOIN shop s ON s.id = c.shop_id
LEFT JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
JOIN case_facts f ON f.shop_id = c.shop_id AND f.case_id = c.case_id
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
LEFT JOIN order_money m ON m.shop_id = c.shop_id AND m.order_id = c.order_id
LEFT JOIN queue_item i ON i.shop_id = c.shop_id AND i.case_id = c.case_id
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s

-- name: lines
SELECT line_id, title, sku, quantity, paid_fen FROM order_line
WHERE shop_id = %(shop_id)s AND order_id = %(order_id)s ORDER BY line_id

-- name: shares
SELECT line_id, funder, sum(amount_fen)::bigint AS amount_fen FROM order_share
WHERE shop_id = %(shop_id)s AND order_id = %(order_id)s GROUP BY line_id, funder ORDER BY line_id, funder

-- name: others
SELECT case_id, aftersale_type, state, amount_fen, applied_at FROM cases
WHERE shop_id = %(shop_id)s AND order_id = %(order_id)s AND case_id <> %(case_id)s
ORDER BY applied_at DESC NULLS LAST LIMIT 20

-- Money that left or came back without an intent of ours is told here; an intent tells its own.
-- name: timeline
SELECT at, kind, actor, what FROM timeline
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND kind <> 'intent'
UNION ALL SELECT applied_at, 'application', 'buyer', concat_ws(' ', amount_fen, reason_text) FROM cases
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND applied_at IS NOT NULL
UNION ALL SELECT at, 'money', origin, amount_fen::text FROM ledger l
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND origin = 'platform' AND (amount_fen < 0 OR NOT EXISTS (SELECT FROM intent i
  WHERE i.shop_id = l.shop_id AND i.case_id = l.case_id AND i.money AND i.state = 'done'))
ORDER BY at DESC LIMIT 300

-- name: tracking
SELECT at, tracking_no, text FROM tracking_event
WHERE shop_id = %(shop_id)s AND tracking_no = ANY(%(numbers)s::text[]) ORDER BY at DESC LIMIT 200

-- name: intents
SELECT kind, platform_version, amount_fen, state, due_at, planned_by, outcome, sends, created_at, changed_at,
  state = 'approved' AND held_back(shop_id, kind, money, approved_by) AS held,
  kind = 'refuse' AND sends > 0 AND num_nulls(asked_at, outcome) = 0 AS perhaps_said
FROM intent WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s ORDER BY changed_at DESC LIMIT 50

-- name: decision
SELECT d.id, d.decided_at, d.application_version, d.book_version, d.rule, d.action, d.queue, d.amount_fen, d.facts,
  d.settings::text AS settings, b.text AS book_text, b.book, b.reads
FROM decision d LEFT JOIN book_version b ON b.version = d.book_version
WHERE d.shop_id = %(shop_id)s AND d.case_id = %(case_id)s ORDER BY d.id DESC LIMIT 1

-- name: may
SELECT k.kind, p.allowed, p.needs_approval
FROM unnest(%(kinds)s::text[], %(amounts)s::bigint[]) AS k (kind, amount_fen)
JOIN cases c ON c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s
CROSS JOIN LATERAL person_permitted(c.shop_id, %(by)s, k.kind, k.amount_fen, 'web', c.order_id, c.case_id) p
WHERE NOT EXISTS (SELECT FROM impossible(c.shop_id, c.case_id, k.kind))

-- name: switches
SELECT shop_id, action, stopped, why, by_whom, at FROM switch WHERE shop_id = 0 OR shop_id = ANY(%(shop_ids)s::int[])

-- name: stopped
SELECT shop_id, action, by_whom, at FROM switch
WHERE stopped AND (shop_id = 0 OR shop_id = ANY(%(shop_ids)s::int[]))
ORDER BY shop_id > 0, action <> '', action <> 'automatic_money', at, shop_id, action

-- name: switch_log
SELECT shop_id, action, stopped, why, by_whom, at FROM switch_log
WHERE shop_id = 0 OR shop_id = ANY(%(shop_ids)s::int[]) ORDER BY id DESC LIMIT 20

-- name: members
SELECT u.username AS name, m.role FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.shop_id = %(shop_id)s AND u.is_active AND (m.access_ends_at <= moment()) IS NOT TRUE
ORDER BY (m.role = 'lead') DESC, u.username
