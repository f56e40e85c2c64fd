-- name: new
INSERT INTO bulk (by_whom, act, value, address, made_at)
VALUES (%(by)s, %(act)s, %(value)s, %(address)s, %(now)s) RETURNING id

-- What each case is now, and what will become of it; the same checks stand again in the act itself.
-- name: preview
-- Alike are cases of a shop with one amount and no sister on the order: whether it is permitted is asked once for them.
-- Both sides of the FULL JOIN have their partner; it is one because no plan can make a loop in a loop of it.
WITH s AS MATERIALIZED (
  SELECT w.no, c.shop_id, c.case_id, c.application_version, c.person_version, c.reason,
    c.amount_fen, c.order_id, i.queue, i.owner, m.role,
    CASE WHEN %(money)s THEN coalesce(c.amount_fen, 0) ELSE 0 END AS fen,
    coalesce((SELECT o.presale_deposit::text FROM orders o WHERE o.shop_id = c.shop_id AND o.order_id = c.order_id), '') AS deposit,
    CASE WHEN EXISTS (SELECT FROM cases k WHERE k.shop_id = c.shop_id AND k.order_id = c.order_id AND k.case_id <> c.case_id)
      THEN c.case_id ELSE '' END AS alone,
    sum(c.amount_fen) OVER (PARTITION BY c.shop_id, c.order_id ORDER BY w.no) AS running_fen
  FROM unnest(%(shop_ids)s::int[], %(case_ids)s::text[]) WITH ORDINALITY AS w (shop_id, case_id, no)
  JOIN cases c ON c.shop_id = w.shop_id AND c.case_id = w.case_id
  JOIN membership m ON m.shop_id = c.shop_id AND m.user_id = %(user_id)s
  LEFT JOIN queue_item i ON i.shop_id = c.shop_id AND i.case_id = c.case_id),
p AS MATERIALIZED (
  SELECT a.shop_id, a.fen, a.deposit, a.alone, may.allowed, may.needs_approval,
    may.why || coalesce(':' || limit_of(a.shop_id, may.why), '') AS why
  FROM (SELECT DISTINCT ON (shop_id, fen, deposit, alone) shop_id, fen, deposit, alone, order_id, case_id FROM s
    WHERE %(effect)s ORDER BY shop_id, fen, deposit, alone) a
  CROSS JOIN LATERAL person_permitted_each(a.shop_id, %(by)s, %(act)s, a.fen, 'bulk', a.order_id, a.case_id) may)
INSERT INTO bulk_case (bulk_id, no, shop_id, case_id, version, person_version, queue, owner, reason, amount_fen, fate, code)
SELECT %(id)s, s.no, s.shop_id, s.case_id, s.application_version, s.person_version, s.queue, s.owner, s.reason,
  s.fen,
  CASE WHEN f.code = '' THEN 'will' WHEN f.code = 'needs_approval' THEN 'ask' ELSE 'skip' END, f.code
FROM (SELECT s.*, p.allowed, p.needs_approval, p.why FROM s
  FULL JOIN p ON p.shop_id = s.shop_id AND p.fen = s.fen AND p.deposit = s.deposit AND p.alone = s.alone) s
LEFT JOIN LATERAL (
  SELECT least(om.paid_fen, o.paid_fen) - om.held_fen + coalesce((SELECT sum(r.amount_fen) FROM intent r
    WHERE r.shop_id = s.shop_id AND r.case_id = s.case_id AND r.money AND r.state = 'approved' AND r.sends = 0
      AND r.planned_by LIKE 'rule:%%'), 0) AS left_fen
  FROM order_money om JOIN orders o ON o.shop_id = om.shop_id AND o.order_id = om.order_id
  WHERE %(money)s AND om.shop_id = s.shop_id AND om.order_id = s.order_id) l ON true
-- By key for each of them: no plan shall read all cases for it.
LEFT JOIN LATERAL (SELECT i.why FROM impossible(s.shop_id, s.case_id, %(act)s) i LIMIT 1) n ON %(effect)s
CROSS JOIN LATERAL (SELECT CASE
  WHEN s.queue IS NULL THEN 'not_waiting'
  WHEN (s.role = ANY (%(roles)s::text[])) IS NOT TRUE THEN 'role'
  WHEN %(act)s = 'give' AND NOT EXISTS (SELECT FROM membership t JOIN auth_user u ON u.id = t.user_id AND u.is_active
    WHERE t.shop_id = s.shop_id AND u.username = %(value)s AND (t.access_ends_at <= moment()) IS NOT TRUE) THEN 'not_member'
  WHEN %(act)s = 'give' AND s.owner = %(value)s OR %(act)s = 'move' AND s.queue = %(value)s THEN 'same'
  WHEN NOT %(effect)s THEN ''
  WHEN n.why IS NOT NULL THEN n.why
  WHEN %(money)s AND (s.amount_fen > 0) IS NOT TRUE THEN 'amount'
  WHEN EXISTS (SELECT FROM intent i WHERE i.shop_id = s.shop_id AND i.case_id = s.case_id
    AND i.state NOT IN ('cancelled', 'refused')
    AND (%(money)s AND i.money AND NOT (i.state = 'approved' AND i.sends = 0 AND i.planned_by LIKE 'rule:%%')
      OR NOT %(money)s AND i.kind = %(act)s AND i.platform_version = s.application_version)) THEN 'already'
  WHEN %(money)s AND (s.running_fen <= l.left_fen) IS NOT TRUE THEN 'over_paid'
  WHEN s.allowed THEN ''
  WHEN s.needs_approval AND %(money)s THEN 'needs_approval'
  ELSE coalesce(s.why, 'role') END AS code) f

-- name: bulk
SELECT id, act, value, address, made_at, job_id FROM bulk WHERE id = %(id)s AND by_whom = %(by)s

-- name: sums
SELECT fate, code, coalesce(reason, '') AS reason, count(*)::int AS cases, sum(amount_fen)::bigint AS amount_fen
FROM bulk_case WHERE bulk_id = %(id)s GROUP BY 1, 2, 3

-- name: examples
SELECT s.code AS shop_code, b.case_id, b.code, b.said, b.amount_fen FROM (
  SELECT *, row_number() OVER (PARTITION BY code ORDER BY no) AS nth FROM bulk_case
  WHERE bulk_id = %(id)s AND fate IN ('skip', 'skipped', 'failed')) b
JOIN shop s ON s.id = b.shop_id WHERE b.nth <= 3 ORDER BY b.code, b.no

-- name: begin
UPDATE bulk SET job_id = %(job_id)s WHERE id = %(id)s AND job_id IS NULL RETURNING id

-- name: open_bulk
SELECT id, act, value FROM bulk WHERE id = %(id)s AND by_whom = %(by)s FOR UPDATE

-- name: members
SELECT DISTINCT u.username AS name FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.shop_id = ANY(%(shop_ids)s::int[]) AND u.is_active AND m.role = ANY(%(roles)s::text[])
  AND (m.access_ends_at <= moment()) IS NOT TRUE ORDER BY 1 LIMIT 200

-- name: pending
SELECT no, shop_id, case_id, version, person_version, queue, owner, amount_fen FROM bulk_case
WHERE bulk_id = %(id)s AND fate IN ('will', 'ask') ORDER BY no

-- What another did since the preview, if anything; holds the case still.
-- name: seen_now
SELECT c.application_version, c.person_version, q.queue, q.owner
FROM cases c LEFT JOIN queue_item q ON q.shop_id = c.shop_id AND q.case_id = c.case_id
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s FOR UPDATE OF c

-- name: last_person
SELECT actor FROM timeline WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND at >= %(since)s
  AND kind IN ('person', 'assign', 'fact') AND actor <> %(by)s ORDER BY at DESC LIMIT 1

-- name: may_there
SELECT EXISTS (SELECT FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
  WHERE m.shop_id = %(shop_id)s AND u.username = %(by)s AND m.role = ANY(%(roles)s::text[])
    AND (m.access_ends_at <= moment()) IS NOT TRUE)

-- name: settle
UPDATE bulk_case SET fate = %(fate)s, code = %(code)s, said = %(said)s, at = %(now)s WHERE bulk_id = %(id)s AND no = %(no)s

-- name: file
SELECT b.no, s.name AS shop, b.case_id, b.amount_fen, b.reason, b.fate, b.code, b.said FROM bulk_case b
JOIN shop s ON s.id = b.shop_id WHERE b.bulk_id = %(id)s ORDER BY b.no

-- name: undoable
SELECT b.shop_id, b.case_id FROM bulk_case b
JOIN intent i ON i.shop_id = b.shop_id AND i.case_id = b.case_id AND i.kind = %(act)s AND i.state IN ('planned', 'approved')
  AND i.planned_by = %(by)s AND i.platform_version = b.version AND (i.state = 'planned' OR i.due_at > %(now)s)
WHERE b.bulk_id = %(id)s AND b.fate = 'done' ORDER BY b.no
