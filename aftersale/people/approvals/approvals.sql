-- name: waiting
SELECT a.id, a.shop_id, a.case_id, a.kind, a.amount_fen, a.platform_version, a.requested_by, a.requested_at,
  a.expires_at, a.why, c.order_id, c.aftersale_type, c.reason, c.due_at, c.title, c.amount_fen AS asked_fen, o.paid_fen,
  coalesce((SELECT sum(l.amount_fen) FROM cases s JOIN ledger l ON l.shop_id = s.shop_id AND l.case_id = s.case_id
    WHERE s.shop_id = c.shop_id AND s.order_id = c.order_id), 0)::bigint AS order_left_fen,
  (SELECT count(*) FROM cases s WHERE s.shop_id = c.shop_id AND s.order_id = c.order_id AND s.case_id <> c.case_id)::int
    AS others, d.rule, p.allowed, p.why AS why_not
FROM approval a
JOIN cases c ON c.shop_id = a.shop_id AND c.case_id = a.case_id
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
LEFT JOIN handling d ON d.shop_id = c.shop_id AND d.case_id = c.case_id
CROSS JOIN LATERAL person_permitted(a.shop_id, %(by)s, a.kind, a.amount_fen, a.channel, c.order_id, c.case_id) p
WHERE a.state = 'requested' AND a.shop_id = ANY(%(shop_ids)s::int[])
ORDER BY c.due_at NULLS LAST, a.shop_id, a.id LIMIT 200

-- name: with_person
SELECT i.shop_id, i.case_id, i.kind, i.amount_fen, i.outcome, i.changed_at, i.order_id, i.planned_by, c.aftersale_type,
  c.reason, c.due_at, c.title, p.allowed, p.why AS why_not
FROM intent i
JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id
CROSS JOIN LATERAL person_permitted(i.shop_id, %(by)s, i.kind, i.amount_fen, i.channel, i.order_id, i.case_id) p
WHERE i.state = 'with_person' AND i.shop_id = ANY(%(shop_ids)s::int[])
ORDER BY c.due_at NULLS LAST, i.shop_id, i.case_id LIMIT 200

-- name: rules
SELECT a.id, e.shop_id, a.asked_by, a.asked_at, a.why, (a.asked_by = %(by)s OR %(by)s = ANY (e.authors)) AS own
FROM book_approval a JOIN book_edit e ON e.id = a.edit_id
WHERE e.ended IS NULL AND e.shop_id = ANY(%(shop_ids)s::int[]) AND a.sha256 = e.sha256
  AND a.answered_at IS NULL AND a.voided_at IS NULL
ORDER BY a.asked_at, a.id LIMIT 200

-- name: count
SELECT ((SELECT count(*) FROM approval a WHERE a.state = 'requested' AND a.shop_id = ANY(%(shop_ids)s::int[]))
  + (SELECT count(*) FROM book_approval a JOIN book_edit e ON e.id = a.edit_id
    WHERE e.ended IS NULL AND e.shop_id = ANY(%(rule_shop_ids)s::int[]) AND a.sha256 = e.sha256
      AND a.answered_at IS NULL AND a.voided_at IS NULL)
  + (SELECT count(*) FROM intent i WHERE i.state = 'with_person' AND i.shop_id = ANY(%(shop_ids)s::int[])))::int AS cases

-- Does a switch hold back what was just approved?
-- name: held
SELECT coalesce(bool_or(held_back(i.shop_id, i.kind, i.money, i.approved_by)), false) AS held
FROM approval a JOIN intent i ON (i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen)
  = (a.shop_id, a.case_id, a.kind, a.platform_version, a.amount_fen)
WHERE a.shop_id = %(shop_id)s AND a.id = %(id)s AND i.state = 'approved'
