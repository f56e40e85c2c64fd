-- name: file
SELECT u.shop_id, u.name, u.body FROM upload u WHERE u.id = %(id)s AND u.shop_id = %(shop_id)s AND u.by_whom = %(by)s

-- How this shop explained a file with this very header before.
-- name: remembered
SELECT mapping FROM column_mapping WHERE shop_id = %(shop_id)s AND header = %(header)s

-- name: moment
SELECT moment()
