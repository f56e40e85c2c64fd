-- name: counts
SELECT department, count(*)::int AS live, count(*) FILTER (WHERE due_at < %(now)s)::int AS late
FROM work_order_step WHERE live AND shop_id = ANY(%(shop_ids)s::int[]) GROUP BY department

-- name: cards
SELECT s.shop_id, s.work_order_id AS id, s.code, s.template, s.department, s.state, s.owner, s.started_at, s.due_at, s.done_at,
  s.live, o.subject, o.urgent, o.important, o.version, o.changed_by, o.changed_at, (
    SELECT p.note FROM work_order_step p
    WHERE p.shop_id = s.shop_id AND p.work_order_id = s.work_order_id AND p.stage < s.stage AND p.note IS NOT NULL
    ORDER BY p.stage DESC, p.place LIMIT 1) AS note
FROM work_order_step s JOIN work_order o ON o.shop_id = s.shop_id AND o.id = s.work_order_id
WHERE s.live AND s.shop_id = ANY(%(shop_ids)s::int[]) AND s.department = %(department)s
  AND (%(owner)s::text = '' OR s.owner = %(owner)s) IS TRUE
  AND (NOT %(late)s::bool OR s.due_at < %(now)s) IS TRUE
ORDER BY CASE WHEN %(sort)s::text = 'due' THEN 0 WHEN o.urgent AND o.important THEN 1 WHEN o.important THEN 2
  WHEN o.urgent THEN 3 ELSE 4 END, s.due_at, s.work_order_id, s.code
LIMIT %(rows)s

-- name: done
SELECT s.shop_id, s.work_order_id AS id, s.code, s.template, s.department, s.state, s.owner, s.started_at, s.due_at, s.done_at,
  s.live, o.subject, o.urgent, o.important, o.version, o.changed_by, o.changed_at, s.note
FROM work_order_step s JOIN work_order o ON o.shop_id = s.shop_id AND o.id = s.work_order_id
WHERE s.state = 'done' AND s.done_at > %(since)s AND s.shop_id = ANY(%(shop_ids)s::int[]) AND s.department = %(department)s
  AND (%(owner)s::text = '' OR s.owner = %(owner)s) IS TRUE
ORDER BY s.done_at DESC LIMIT %(rows)s

-- name: seen
SELECT s.shop_id, s.work_order_id AS id, s.code, s.template, s.department, s.state, s.owner, s.started_at, s.due_at, s.done_at,
  s.live, o.subject, o.urgent, o.important, o.version, o.changed_by, o.changed_at, s.note
FROM unnest(%(shops)s::int[], %(ids)s::bigint[], %(codes)s::text[]) AS w (shop_id, id, code)
JOIN work_order_step s ON s.shop_id = w.shop_id AND s.work_order_id = w.id AND s.code = w.code
JOIN work_order o ON o.shop_id = s.shop_id AND o.id = s.work_order_id
WHERE s.shop_id = ANY(%(shop_ids)s::int[])

-- name: newer
SELECT count(*)::int AS steps FROM work_order_step
WHERE live AND shop_id = ANY(%(shop_ids)s::int[]) AND department = %(department)s AND started_at > %(since)s

-- name: times
SELECT s.template, s.code, count(*)::int AS steps, avg(s.worked_s)::bigint AS worked_s,
  count(*) FILTER (WHERE s.done_at > s.due_at)::int AS late
FROM work_order_step s
WHERE s.state = 'done' AND s.done_at > %(since)s AND s.shop_id = ANY(%(shop_ids)s::int[]) AND s.department = %(department)s
GROUP BY s.template, s.code ORDER BY avg(s.worked_s) DESC, s.template, s.code LIMIT 50

-- name: order
SELECT shop_id, id, template, state, source, subject, urgent, important, fields::text AS fields, version, created_by,
  created_at, changed_by, changed_at, ended_at
FROM work_order WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: steps
SELECT code, stage, department, hours, state, owner, started_at, due_at, done_at, worked_s, note, fields::text AS fields, live
FROM work_order_step WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s ORDER BY stage, place

-- name: remarks
SELECT at, who, kind, step, text, evidence_id FROM work_order_remark
WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s ORDER BY id DESC LIMIT 200

-- name: cases_of
SELECT case_id FROM work_order_case WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s ORDER BY case_id

-- name: of_case
SELECT o.id, o.template, o.state, o.subject, o.created_by, o.created_at, s.code, s.department, s.owner, s.due_at
FROM work_order_case c JOIN work_order o ON o.shop_id = c.shop_id AND o.id = c.work_order_id
LEFT JOIN work_order_step s ON s.shop_id = o.shop_id AND s.work_order_id = o.id AND s.live
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s ORDER BY o.id DESC, s.stage, s.place LIMIT 40

-- name: rounds
SELECT count(*)::int AS steps FROM work_order_case c JOIN work_order o ON o.shop_id = c.shop_id AND o.id = c.work_order_id
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s AND o.template = %(template)s AND o.state <> 'open'

-- name: known
SELECT o.tracking_no, c.return_tracking_no, o.item_value_fen, c.title
FROM cases c LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s

-- name: settings
SELECT id, platform, settings::text AS settings FROM shop WHERE id = ANY (%(shop_ids)s::int[])
