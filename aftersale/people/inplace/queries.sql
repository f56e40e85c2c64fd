-- What people decided, the latest of each kind of act.
-- name: fates
SELECT DISTINCT ON (i.shop_id, i.case_id, i.kind) i.shop_id, i.case_id, i.kind, i.amount_fen, i.state, i.outcome, i.due_at,
  i.state = 'approved' AND held_back(i.shop_id, i.kind, i.money, i.approved_by) AS held,
  i.kind = 'refuse' AND i.sends > 0 AND num_nulls(i.asked_at, i.outcome) = 0 AS perhaps_said
FROM unnest(%(shop_ids)s::int[], %(case_ids)s::text[]) AS wanted (shop_id, case_id)
JOIN intent i ON i.shop_id = wanted.shop_id AND i.case_id = wanted.case_id
WHERE i.planned_by NOT LIKE 'rule:%%'
ORDER BY i.shop_id, i.case_id, i.kind, i.changed_at DESC
