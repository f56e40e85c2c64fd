-- name: kinds
SELECT DISTINCT kind FROM evidence
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND removed_at IS NULL

-- name: pieces
SELECT e.id, e.kind, e.name, e.sha256, f.mime, f.bytes, f.width, f.height, f.duration_ms, f.pages, e.taken_at, e.by_whom, e.at,
  e.removed_by, e.removed_at, e.used_by, e.used_at
FROM evidence e JOIN evidence_file f ON f.shop_id = e.shop_id AND f.sha256 = e.sha256
WHERE e.shop_id = %(shop_id)s AND e.case_id = %(case_id)s ORDER BY e.id

-- name: content
SELECT e.id, e.name, f.mime, f.content FROM evidence e
JOIN evidence_file f ON f.shop_id = e.shop_id AND f.sha256 = e.sha256
WHERE e.shop_id = %(shop_id)s AND e.case_id = %(case_id)s AND e.id = %(id)s

-- name: pictures
SELECT e.id, e.name, f.mime, f.content FROM evidence e
JOIN evidence_file f ON f.shop_id = e.shop_id AND f.sha256 = e.sha256
WHERE e.shop_id = %(shop_id)s AND e.case_id = %(case_id)s AND e.id = ANY(%(ids)s::bigint[]) AND e.removed_at IS NULL
  AND f.mime = 'image/jpeg' ORDER BY e.id
