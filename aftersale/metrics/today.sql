-- name: inflow
SELECT extract(hour FROM c.first_seen_at AT TIME ZONE %(zone)s)::int AS hour, count(*)::int AS cases,
  count(*) FILTER (WHERE h.queue IS NULL AND h.case_id IS NOT NULL)::int AS automatic
FROM cases c LEFT JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
WHERE c.shop_id = ANY(%(shop_ids)s::int[]) AND (c.first_seen_at >= %(since)s) IS TRUE
GROUP BY 1 ORDER BY 1

-- name: left
SELECT CASE WHEN due_at IS NULL THEN 'none' WHEN due_at < %(now)s THEN 'late'
    WHEN due_at < %(now)s + interval '2 hours' THEN 'h2' WHEN due_at < %(now)s + interval '12 hours' THEN 'h12'
    WHEN due_at < %(now)s + interval '24 hours' THEN 'h24' WHEN due_at < %(now)s + interval '72 hours' THEN 'h72'
    ELSE 'later' END AS bucket, count(*)::int AS cases
FROM queue_item WHERE shop_id = ANY(%(shop_ids)s::int[]) GROUP BY 1

-- name: money
SELECT origin, sum(sign(amount_fen))::int AS cases, sum(amount_fen)::bigint AS amount_fen FROM ledger
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND (at >= %(since)s) IS TRUE GROUP BY origin

-- name: unknown
SELECT count(*)::int AS cases, min(sent_at) AS oldest_at FROM intent
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND state = 'unknown'

-- name: oldest
SELECT i.shop_id, i.case_id, i.due_at FROM queue_item i
WHERE i.shop_id = ANY(%(shop_ids)s::int[]) AND i.due_at IS NOT NULL ORDER BY i.due_at, i.case_id LIMIT 1

-- name: rows_hour
SELECT shop_id, case_id, first_seen_at AS at, amount_fen FROM cases
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND (first_seen_at >= %(from)s AND first_seen_at < %(until)s) IS TRUE
ORDER BY first_seen_at DESC, case_id LIMIT 500

-- name: rows_automatic
SELECT c.shop_id, c.case_id, c.first_seen_at AS at, h.amount_fen FROM cases c
JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
WHERE c.shop_id = ANY(%(shop_ids)s::int[]) AND (c.first_seen_at >= %(from)s) IS TRUE AND h.queue IS NULL
ORDER BY c.first_seen_at DESC, c.case_id LIMIT 500

-- name: rows_money
SELECT shop_id, case_id, at, amount_fen FROM ledger
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND (at >= %(from)s) IS TRUE AND origin = %(origin)s
ORDER BY at DESC, case_id LIMIT 500

-- name: rows_unknown
SELECT shop_id, case_id, sent_at AS at, amount_fen FROM intent
WHERE shop_id = ANY(%(shop_ids)s::int[]) AND state = 'unknown' ORDER BY sent_at, case_id LIMIT 500
