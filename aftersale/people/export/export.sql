-- name: most
SELECT coalesce(min((setting_of(s.id, 'export_rows_max') #>> '{}')::int), 0) AS rows FROM unnest(%(shop_ids)s::int[]) AS s (id)

-- name: work_orders
SELECT s.shop_id, s.work_order_id AS id, s.template, s.code, s.department, s.state, s.owner, s.started_at, s.due_at, s.done_at,
  s.worked_s, o.subject, o.created_by, o.created_at
FROM work_order_step s JOIN work_order o ON o.shop_id = s.shop_id AND o.id = s.work_order_id
WHERE s.shop_id = ANY (%(shop_ids)s::int[]) AND s.department = ANY (%(departments)s::text[])
  AND (s.live OR s.done_at > %(since)s) AND coalesce(s.owner = %(owner)s::text, %(owner)s::text IS NULL) AND (NOT %(late)s::bool OR (s.live AND s.due_at < %(now)s)) IS TRUE
ORDER BY s.due_at NULLS LAST, s.work_order_id, s.code LIMIT %(rows)s
