-- name: rows
SELECT id, at, who, shop_id, what, target, why, more::text AS more FROM audit a
WHERE (a.shop_id = ANY(%(shop_ids)s::int[]) OR %(whole)s AND a.shop_id IS NULL) IS TRUE
  AND (%(who)s::text IS NULL OR a.who = %(who)s) IS TRUE
  AND (%(what)s::text IS NULL OR a.what = %(what)s) IS TRUE
  AND (%(since)s::timestamptz IS NULL OR a.at >= %(since)s) IS TRUE
  AND (%(until)s::timestamptz IS NULL OR a.at < %(until)s) IS TRUE
  AND (%(before)s::bigint IS NULL OR a.id < %(before)s) IS TRUE
ORDER BY a.id DESC LIMIT %(rows)s

-- name: shops
SELECT count(*)::int AS shops FROM shop
