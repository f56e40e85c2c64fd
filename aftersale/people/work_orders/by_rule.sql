-- name: asked_for
-- Parcels on their way back whose case was decided by a rule that asks for a work order which the case does not have.
SELECT c.shop_id, c.case_id, w.template, w.rule, o.tracking_no, c.return_tracking_no, o.item_value_fen, c.title,
  s.platform, s.settings
FROM parcel_back b
JOIN orders o ON o.shop_id = b.shop_id AND o.tracking_no = b.tracking_no
JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id
JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
JOIN unnest(%(rules)s::text[], %(templates)s::text[]) AS w (rule, template) ON w.rule = h.rule
JOIN shop s ON s.id = c.shop_id
WHERE b.ended IS NULL AND c.state IS DISTINCT FROM 'closed' AND NOT EXISTS (
  SELECT FROM work_order_case k JOIN work_order t ON t.shop_id = k.shop_id AND t.id = k.work_order_id
  WHERE k.shop_id = c.shop_id AND k.case_id = c.case_id AND t.template = w.template)
ORDER BY c.shop_id, c.case_id LIMIT %(most)s

-- name: now
SELECT moment()
