-- name: unsent
SELECT case_id, kind FROM intent WHERE shop_id = %(shop_id)s AND state = 'approved' AND planned_by NOT LIKE 'rule:%%'
  AND %(owner)s IN (planned_by, approved_by) ORDER BY case_id, kind

-- name: hand_back
WITH back AS (
  UPDATE queue_item SET owner = NULL WHERE shop_id = %(shop_id)s AND owner = %(owner)s RETURNING case_id)
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT %(shop_id)s, case_id, %(now)s, 'assign', %(by)s, '→ -' FROM back

-- Whoever changes an order locks it first.
-- name: lock_orders
SELECT FROM work_order o WHERE o.shop_id = %(shop_id)s AND o.state = 'open' AND EXISTS (SELECT FROM work_order_step s
  WHERE s.shop_id = o.shop_id AND s.work_order_id = o.id AND s.live AND s.owner = %(owner)s) ORDER BY o.id FOR UPDATE

-- name: steps_back
WITH freed AS (
  UPDATE work_order_step SET state = 'open', owner = NULL
  WHERE shop_id = %(shop_id)s AND live AND state = 'taken' AND owner = %(owner)s RETURNING work_order_id, code),
changed AS (
  UPDATE work_order SET version = version + 1, changed_by = %(by)s, changed_at = %(now)s
  WHERE shop_id = %(shop_id)s AND id IN (SELECT work_order_id FROM freed) RETURNING id, template),
told AS (
  INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
  SELECT k.shop_id, k.case_id, %(now)s, 'work_order', %(by)s, 'given_back ' || c.id || ' ' || c.template
  FROM changed c JOIN work_order_case k ON k.shop_id = %(shop_id)s AND k.work_order_id = c.id ORDER BY k.case_id, c.id)
INSERT INTO work_order_remark (shop_id, work_order_id, at, who, kind, step, text)
SELECT %(shop_id)s, work_order_id, %(now)s, %(by)s, 'given_back', code, '' FROM freed ORDER BY 2, 6

-- What was promised and is open is the department's to keep, one note a case; what is told is what they will read there.
-- name: promises_back
WITH held AS (
  SELECT p.case_id, count(*) AS many, left(string_agg(p.text, '；' ORDER BY p.due_at, p.id), 500) AS promised,
    to_char(min(p.due_at) AT TIME ZONE 'Asia/Shanghai', 'MM-DD HH24:MI') AS due
  FROM promise p WHERE p.shop_id = %(shop_id)s AND p.by_whom = %(owner)s AND p.state = 'open' GROUP BY 1),
given AS (
  INSERT INTO handover (shop_id, case_id, from_whom, department, found, promised, next_step, due, at)
  SELECT %(shop_id)s, case_id, %(owner)s, %(department)s, '', promised, '', due, %(now)s FROM held ORDER BY case_id),
told AS (
  INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
  SELECT %(shop_id)s, case_id, %(now)s, 'handover', %(by)s,
    json_build_object('to', NULL, 'department', %(department)s::text, 'promised', promised, 'due', due)::text
  FROM held ORDER BY case_id)
SELECT coalesce(sum(many), 0)::int FROM held

-- What was handed to them and they have not read yet is their department's.
-- name: handovers_back
UPDATE handover SET to_whom = NULL, department = %(department)s
WHERE shop_id = %(shop_id)s AND to_whom = %(owner)s AND seen_at IS NULL
