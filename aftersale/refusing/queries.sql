-- What a refusal is about, and what the book `refusing` reads of it. `wired`: the shop has a door to its platform.
-- name: seen
SELECT c.application_version AS version, c.state, c.order_id, c.amount_fen, c.operation_limit, c.fault, c.goods_problem,
  c.reason, c.courier_checked, c.contact_count, f.inbound_success, f.return_tracking_state, s.settings::text AS settings,
  s.platform IN ('taobao', 'tmall') AND s.base_url IS NOT NULL AS wired, p.allowed AS permitted
FROM cases c JOIN shop s ON s.id = c.shop_id
JOIN case_facts f ON f.shop_id = c.shop_id AND f.case_id = c.case_id
LEFT JOIN LATERAL person_permitted(c.shop_id, %(by)s, 'refuse', 0, %(channel)s, c.order_id, c.case_id) p ON true
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s

-- name: pictures
SELECT e.id, e.kind, e.name, e.at, f.bytes FROM evidence e
JOIN evidence_file f ON f.shop_id = e.shop_id AND f.sha256 = e.sha256
WHERE e.shop_id = %(shop_id)s AND e.case_id = %(case_id)s AND e.removed_at IS NULL AND f.mime = 'image/jpeg' ORDER BY e.id DESC

-- name: video
SELECT count(*) > 0 AS held FROM evidence e JOIN evidence_file f ON f.shop_id = e.shop_id AND f.sha256 = e.sha256
WHERE e.shop_id = %(shop_id)s AND e.case_id = %(case_id)s AND e.removed_at IS NULL AND f.mime = 'video/mp4'
