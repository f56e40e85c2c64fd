-- name: used
SELECT s.id AS shop_id, u.span, u.refunds, u.fen, u.refunds_max, u.fen_max,
  held_back(s.id, 'agree_refund', true, 'rule:') AS stopped
FROM unnest(%(shop_ids)s::int[]) AS s(id) CROSS JOIN LATERAL money_used(s.id) AS u ORDER BY s.id, u.span

-- A reversal takes its case back out of the count.
-- name: sums
SELECT origin, sum(sign(amount_fen))::int AS refunds, sum(amount_fen)::bigint AS fen FROM ledger
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND (at >= %(since)s AND at < %(until)s) IS TRUE GROUP BY origin

-- name: rows
SELECT shop_id, case_id, order_id, entry, amount_fen, origin, at FROM ledger
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND (at >= %(since)s AND at < %(until)s) IS TRUE
  AND (%(origin)s::text = '' OR origin = %(origin)s)
ORDER BY at DESC, shop_id, case_id, entry DESC LIMIT %(rows)s OFFSET %(skip)s

-- name: differences
SELECT shop_id, case_id, kind, ours_fen, theirs_fen, found_at FROM difference
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND resolved_at IS NULL ORDER BY found_at, shop_id, case_id LIMIT 200

-- name: resolved
SELECT shop_id, case_id, kind, ours_fen, theirs_fen, resolved_at, resolved_by, note FROM difference
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND resolved_at IS NOT NULL ORDER BY resolved_at DESC LIMIT 10

-- name: reconciliations
SELECT shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen, differences, waiting FROM reconciliation
WHERE shop_id = ANY(%(shop_ids)s::int[]) ORDER BY at DESC, id DESC LIMIT 10
