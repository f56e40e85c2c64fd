-- Both lists are read for each shop in its order, so that what others did, however much, is not passed over; the acts also
-- for each kind of act, so that a rare one is found at once. Of one person or case there is little: it is read in its order.

-- name: acts
SELECT n.id, n.at, n.actor AS who, n.shop_id, n.case_id, n.kind, n.act AS what, n.what AS said, (
    SELECT i.amount_fen FROM intent i WHERE i.shop_id = n.shop_id AND i.case_id = n.case_id AND i.money
      AND (i.kind = replace(n.what, 'undo ', '') OR n.act = 'approval' AND n.what ~ '^(requested|approved|refused|expired)\M')
      AND i.created_at <= n.at AND i.changed_at >= n.at
    ORDER BY i.created_at DESC, i.changed_at DESC LIMIT 1) AS amount_fen
FROM (
  SELECT h.* FROM unnest(%(acts)s::text[]) AS a (act) CROSS JOIN unnest(%(shop_ids)s::int[]) AS s (id) CROSS JOIN LATERAL (
    SELECT * FROM act h WHERE h.act = a.act AND h.shop_id = s.id AND h.at >= coalesce(%(since)s::timestamptz, '-infinity')
      AND (h.at, h.id) < (coalesce(%(until)s::timestamptz, 'infinity'), %(below)s::bigint)
    ORDER BY h.at DESC, h.id DESC LIMIT %(rows)s) h
  WHERE num_nulls(%(who)s::text, %(case_id)s::text) = 2
  UNION ALL (
  SELECT * FROM act h WHERE num_nulls(%(who)s::text, %(case_id)s::text) < 2 AND h.shop_id = ANY(%(shop_ids)s::int[])
    AND (%(who)s::text IS NULL OR h.actor = %(who)s) AND (%(case_id)s::text IS NULL OR h.case_id = %(case_id)s)
    AND coalesce(h.act = %(what)s::text, true) AND h.at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND (h.at, h.id) < (coalesce(%(until)s::timestamptz, 'infinity'), %(below)s::bigint)
  ORDER BY h.at DESC, h.id DESC LIMIT %(rows)s)
  ORDER BY at DESC, id DESC LIMIT %(rows)s) n
ORDER BY n.at DESC, n.id DESC

-- name: rows
-- Shop 0: what concerns no single shop.
SELECT a.id, a.at, a.who, a.shop_id, a.what, a.target, a.why, a.more::text AS more FROM (
  SELECT a.* FROM unnest(%(shop_ids)s::int[]) AS s (id) CROSS JOIN LATERAL (
    SELECT * FROM audit a WHERE CASE WHEN a.shop_id IS NULL THEN 0 ELSE a.shop_id END = s.id
      AND (%(what)s::text IS NULL OR a.what = %(what)s) AND a.at >= coalesce(%(since)s::timestamptz, '-infinity')
      AND (a.at, a.id) < (coalesce(%(until)s::timestamptz, 'infinity'), %(below)s::bigint)
    ORDER BY a.at DESC, a.id DESC LIMIT %(rows)s) a
  WHERE num_nulls(%(who)s::text, %(targets)s::text[]) = 2
  UNION ALL (
  SELECT * FROM audit a WHERE num_nulls(%(who)s::text, %(targets)s::text[]) < 2
    AND (CASE WHEN a.shop_id IS NULL THEN 0 ELSE a.shop_id END = ANY(%(shop_ids)s::int[])) IS TRUE
    AND (%(who)s::text IS NULL OR a.who = %(who)s) AND (%(targets)s::text[] IS NULL OR a.target = ANY(%(targets)s))
    AND (%(what)s::text IS NULL OR a.what = %(what)s) AND a.at >= coalesce(%(since)s::timestamptz, '-infinity')
    AND (a.at, a.id) < (coalesce(%(until)s::timestamptz, 'infinity'), %(below)s::bigint)
  ORDER BY a.at DESC, a.id DESC LIMIT %(rows)s)
  ORDER BY at DESC, id DESC LIMIT %(rows)s) a
ORDER BY a.at DESC, a.id DESC

-- name: shops
SELECT count(*)::int AS shops FROM shop
