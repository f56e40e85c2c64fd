-- name: open
INSERT INTO work_order (shop_id, key, template, source, subject, urgent, important, fields, created_by, created_at,
  changed_by, changed_at)
VALUES (%(shop_id)s, %(key)s, %(template)s, %(source)s, %(subject)s, %(urgent)s, %(important)s, %(fields)s, %(by)s,
  %(now)s, %(by)s, %(now)s)
ON CONFLICT (shop_id, key) DO NOTHING RETURNING id

-- name: opened
SELECT created_by, created_at FROM work_order WHERE shop_id = %(shop_id)s AND key = %(key)s

-- name: of_cases
INSERT INTO work_order_case (shop_id, work_order_id, case_id)
SELECT shop_id, %(id)s, case_id FROM cases WHERE shop_id = %(shop_id)s AND case_id = ANY(%(case_ids)s::text[])

-- name: tell_cases
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT shop_id, case_id, %(now)s, 'work_order', %(by)s, %(what)s FROM work_order_case
WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s ORDER BY case_id

-- name: step
INSERT INTO work_order_step (shop_id, work_order_id, code, stage, place, template, department, hours, state, live,
  started_at, due_at)
VALUES (%(shop_id)s, %(id)s, %(code)s, %(stage)s, %(place)s, %(template)s, %(department)s, %(hours)s, %(state)s, %(live)s,
  %(started_at)s, %(due_at)s)

-- name: lock
SELECT state, version, changed_by, changed_at, template FROM work_order
WHERE shop_id = %(shop_id)s AND id = %(id)s FOR UPDATE

-- name: steps
SELECT code, stage, state, owner, hours, started_at, due_at FROM work_order_step
WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s ORDER BY stage, place

-- name: move
UPDATE work_order_step SET state = %(state)s, owner = %(owner)s, started_at = %(started_at)s, due_at = %(due_at)s,
  done_at = %(done_at)s, worked_s = %(worked_s)s, live = %(live)s
WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s AND code = %(code)s

-- name: leave
UPDATE work_order_step SET note = %(note)s, fields = %(fields)s
WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s AND code = %(code)s

-- name: keep
UPDATE work_order_step SET note = coalesce(%(note)s, note), fields = coalesce(%(fields)s, fields)
WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s AND code = %(code)s AND (%(note)s::text IS NOT NULL OR %(fields)s::jsonb IS NOT NULL)

-- name: rest
UPDATE work_order_step SET live = false WHERE shop_id = %(shop_id)s AND work_order_id = %(id)s AND live

-- name: change
UPDATE work_order SET version = version + 1, state = %(state)s, changed_by = %(by)s, changed_at = %(now)s,
  ended_at = CASE WHEN %(state)s <> 'open' THEN %(now)s::timestamptz END
WHERE shop_id = %(shop_id)s AND id = %(id)s

-- name: remark
INSERT INTO work_order_remark (shop_id, work_order_id, at, who, kind, step, text, evidence_id)
SELECT shop_id, id, %(now)s, %(by)s, %(kind)s, %(step)s, %(text)s, %(evidence_id)s FROM work_order
WHERE shop_id = %(shop_id)s AND id = %(id)s
