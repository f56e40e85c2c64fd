-- name: keep
INSERT INTO book_version (version, book, text, reads) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING

-- name: start
INSERT INTO draft (shop_id, book_version, settings, share_percent, budget_fen, started_by, started_at,
  edit_id)
SELECT id, %(version)s, %(settings)s::jsonb, %(share)s, %(budget)s, %(by)s, %(now)s, %(edit)s FROM shop WHERE code = %(shop)s
ON CONFLICT (shop_id) WHERE ended_at IS NULL DO NOTHING RETURNING id

-- name: stop
UPDATE draft d SET ended_by = %(by)s, ended_at = %(now)s FROM shop s
WHERE s.id = d.shop_id AND s.code = %(shop)s AND d.ended_at IS NULL RETURNING d.id

-- name: drafts
SELECT d.id, s.code, d.book_version, d.share_percent, d.budget_fen, d.spent_fen, d.started_by, d.started_at, d.ended_at,
  d.edit_id
FROM draft d JOIN shop s ON s.id = d.shop_id WHERE (%(shop)s::text IS NULL OR s.code = %(shop)s) ORDER BY d.id DESC LIMIT 50

-- name: moves
SELECT live_rule, rule, live_queue, queue, count(*), sum(CASE WHEN live_money THEN live_amount_fen ELSE 0 END)::bigint,
  sum(CASE WHEN money THEN amount_fen ELSE 0 END)::bigint, (array_agg(case_id ORDER BY case_id))[1:5]
FROM shadow WHERE draft_id = %(draft)s GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2
