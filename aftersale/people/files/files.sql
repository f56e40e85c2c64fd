-- name: add
INSERT INTO upload (shop_id, by_whom, name, body) VALUES (%(shop_id)s, %(by)s, %(name)s, %(body)s) RETURNING id

-- name: forget
DELETE FROM upload WHERE id IN (SELECT id FROM upload WHERE at < clock_timestamp() - interval '7 days' LIMIT 20)

-- name: mine
SELECT u.id, u.shop_id, u.name, octet_length(u.body)::bigint AS bytes, u.at FROM upload u
WHERE u.by_whom = %(by)s AND u.shop_id = ANY (%(shop_ids)s) AND (%(id)s::bigint IS NULL OR u.id = %(id)s)
ORDER BY u.id DESC LIMIT 20

-- The newest job of each kind about an upload.
-- name: jobs
SELECT DISTINCT ON (kind) id, kind FROM job WHERE by_whom = %(by)s AND shop_id = %(shop_id)s AND asked->>'upload' = %(upload)s::text
ORDER BY kind, id DESC

-- The newest reading of an upload that went well.
-- name: looked
SELECT id, kind FROM job WHERE by_whom = %(by)s AND shop_id = %(shop_id)s AND asked->>'upload' = %(upload)s::text
  AND kind = 'file_look' AND state = 'done'
ORDER BY id DESC LIMIT 1

-- name: remember
INSERT INTO column_mapping (shop_id, header, mapping, by_whom, at)
VALUES (%(shop_id)s, %(header)s, %(mapping)s, %(by)s, %(now)s)
ON CONFLICT (header, shop_id) DO UPDATE SET mapping = excluded.mapping, by_whom = excluded.by_whom, at = excluded.at
