-- name: views
SELECT v.id, v.title, v.address, s.name AS shop_name, v.by_whom FROM saved_view v LEFT JOIN shop s ON s.id = v.shop_id
WHERE v.shop_id IS NULL AND v.by_whom = %(by)s OR v.shop_id = ANY(%(shop_ids)s::int[])
ORDER BY v.shop_id IS NOT NULL, v.title LIMIT 60

-- name: save_own
INSERT INTO saved_view (by_whom, title, address, created_at) VALUES (%(by)s, %(title)s, %(address)s, %(now)s)
ON CONFLICT (by_whom, title) WHERE shop_id IS NULL DO UPDATE SET address = excluded.address

-- name: save_shared
INSERT INTO saved_view (by_whom, shop_id, title, address, created_at)
VALUES (%(by)s, %(shop_id)s, %(title)s, %(address)s, %(now)s)
ON CONFLICT (shop_id, title) WHERE shop_id IS NOT NULL DO UPDATE SET address = excluded.address, by_whom = excluded.by_whom

-- name: drop
DELETE FROM saved_view WHERE id = %(id)s AND (shop_id IS NULL AND by_whom = %(by)s OR shop_id = ANY(%(shop_ids)s::int[]))
