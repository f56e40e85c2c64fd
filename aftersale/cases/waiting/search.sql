-- name: numbers
SELECT shop_id, case_id FROM cases WHERE shop_id = ANY(%(shop_ids)s::int[]) AND case_id = %(text)s
UNION
SELECT shop_id, case_id FROM cases WHERE shop_id = ANY(%(shop_ids)s::int[]) AND order_id = %(text)s
UNION
SELECT shop_id, case_id FROM cases WHERE shop_id = ANY(%(shop_ids)s::int[]) AND return_tracking_no = %(text)s
UNION
SELECT c.shop_id, c.case_id FROM orders o JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id
WHERE o.shop_id = ANY(%(shop_ids)s::int[]) AND o.tracking_no = %(text)s
ORDER BY case_id LIMIT %(rows)s

-- Of the newest orders only so many are read as it takes to fill the list.
-- name: phone
SELECT c.shop_id, c.case_id FROM (
  SELECT o.shop_id, o.order_id, o.paid_at FROM orders o
  WHERE o.shop_id = ANY(%(shop_ids)s::int[]) AND o.phone_tail = %(text)s
  ORDER BY o.paid_at DESC NULLS LAST, o.order_id DESC LIMIT 1000) o
JOIN cases c ON c.shop_id = o.shop_id AND c.order_id = o.order_id
ORDER BY o.paid_at DESC NULLS LAST, o.order_id DESC, c.case_id LIMIT %(rows)s

-- All words must stand in the title; of each title the newest cases are read along the key.
-- name: words
SELECT c.shop_id, c.case_id FROM (
  SELECT t.id FROM goods_title t
  WHERE t.shop_id = ANY(%(shop_ids)s::int[]) AND t.title ILIKE ALL (%(patterns)s::text[]) LIMIT 300) t
CROSS JOIN LATERAL (
  SELECT k.shop_id, k.case_id, k.seen_at FROM titled_case k WHERE k.title_id = t.id
  ORDER BY k.seen_at DESC LIMIT %(rows)s) c
ORDER BY c.seen_at DESC, c.case_id LIMIT %(rows)s

-- Of what is looked for, the rarest two characters of each shop lead to its newest notes; these are then read. Whatever
-- the number of notes, so many of them are read and no more.
-- name: notes
WITH since AS MATERIALIZED (SELECT moment() - interval '90 days' AS at),
sized AS (
  SELECT s.id AS shop_id, g.gram, (SELECT count(*) FROM (
    SELECT FROM note_gram n WHERE n.shop_id = s.id AND n.gram = g.gram AND n.at > (SELECT at FROM since) LIMIT %(deep)s) AS k) AS notes
  FROM unnest(%(shop_ids)s::int[]) AS s (id)
  CROSS JOIN (SELECT DISTINCT unnest(note_grams(w)) AS gram FROM unnest(%(words)s::text[]) w) g),
rarest AS (SELECT DISTINCT ON (shop_id) shop_id, gram, notes FROM sized ORDER BY shop_id, notes, gram),
newest AS MATERIALIZED (
  SELECT n.shop_id, n.case_id, n.at FROM rarest r CROSS JOIN LATERAL (
    SELECT k.shop_id, k.case_id, k.at FROM note_gram k
    WHERE k.shop_id = r.shop_id AND k.gram = r.gram AND k.at > (SELECT at FROM since) ORDER BY k.at DESC LIMIT %(deep)s) n
  WHERE r.notes > 0 ORDER BY n.at DESC LIMIT 1000)
SELECT n.shop_id, n.case_id FROM newest n WHERE EXISTS (
  SELECT FROM happening h WHERE h.shop_id = n.shop_id AND h.case_id = n.case_id AND h.at = n.at AND h.kind = 'note'
    AND h.what ILIKE ALL (%(patterns)s::text[]))
GROUP BY n.shop_id, n.case_id ORDER BY max(n.at) DESC, n.case_id LIMIT %(rows)s

-- name: forget_notes
DELETE FROM note_gram WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM note_gram WHERE at < moment() - interval '90 days' LIMIT 5000))

-- name: shown
SELECT c.shop_id, c.case_id, c.order_id, c.aftersale_type, c.reason, c.state, c.title, c.amount_fen, c.applied_at,
  i.queue, i.due_at
FROM unnest(%(shop_ids)s::int[], %(case_ids)s::text[]) WITH ORDINALITY AS w (shop_id, case_id, no)
JOIN cases c ON c.shop_id = w.shop_id AND c.case_id = w.case_id
LEFT JOIN queue_item i ON i.shop_id = c.shop_id AND i.case_id = c.case_id
ORDER BY w.no

-- What came since is titled a little later; what was committed late is found again by reading back a while.
-- name: until
SELECT coalesce((SELECT at FROM titled_until), timestamptz '1970-01-01 00:00:00+00')

-- name: span
SELECT min(first_seen_at), least(max(first_seen_at), min(first_seen_at) + interval '1 hour') FROM cases
WHERE first_seen_at > %(since)s

-- name: title_new
INSERT INTO goods_title (shop_id, title)
SELECT DISTINCT c.shop_id, left(c.title, 500) FROM cases c
WHERE c.first_seen_at BETWEEN %(since)s AND %(until)s AND c.title <> ''
ON CONFLICT DO NOTHING

-- name: case_new
INSERT INTO titled_case (title_id, shop_id, seen_at, case_id)
SELECT t.id, c.shop_id, c.first_seen_at, c.case_id FROM cases c
JOIN goods_title t ON t.shop_id = c.shop_id AND t.title = left(c.title, 500)
WHERE c.first_seen_at BETWEEN %(since)s AND %(until)s AND c.title <> ''
ON CONFLICT DO NOTHING

-- name: note_until
INSERT INTO titled_until (at) VALUES (%(until)s) ON CONFLICT (single) DO UPDATE SET at = excluded.at

-- name: alone
SELECT pg_try_advisory_xact_lock(hashtext('titled_until'))
