-- The chain of a shop's ledger, and its comparison with what the platform paid.

-- Every seal with its row, in order; rows that no seal names come last.
-- name: chain
SELECT s.seq, coalesce(s.case_id, l.case_id), coalesce(s.entry, l.entry), s.prev_hash, s.hash, l.order_id, l.amount_fen,
  l.origin, (extract(epoch FROM l.at) * 1000000)::bigint, (extract(epoch FROM l.recorded_at) * 1000000)::bigint
FROM (SELECT * FROM ledger_seal WHERE shop_id = %(shop_id)s AND seq > %(after)s) AS s
FULL JOIN (SELECT * FROM ledger WHERE shop_id = %(shop_id)s AND (%(after)s = 0 OR (case_id, entry) IN (
    SELECT case_id, entry FROM ledger_seal WHERE shop_id = %(shop_id)s AND seq > %(after)s))) AS l
  ON l.case_id = s.case_id AND l.entry = s.entry
ORDER BY s.seq NULLS LAST, 2, 3

-- name: sealed_at
SELECT hash FROM ledger_seal WHERE shop_id = %(shop_id)s AND seq = %(seq)s

-- name: anchors
SELECT DISTINCT head_seq, head_hash FROM reconciliation WHERE shop_id = %(shop_id)s AND head_seq > 0 ORDER BY head_seq

-- name: head
SELECT seq, hash FROM ledger_head WHERE shop_id = %(shop_id)s

-- What is not settled yet, or has not reached us yet by the usual ways, is not compared but waits for the next time.
-- name: compare
WITH told AS (
  SELECT * FROM unnest(%(case_ids)s::text[], %(fens)s::bigint[], %(ats)s::timestamptz[]) AS t(case_id, theirs_fen, at)),
met AS (
  SELECT t.case_id, t.theirs_fen, coalesce(l.paid_fen, 0) AS ours_fen,
    EXISTS (SELECT FROM intent i WHERE i.shop_id = %(shop_id)s AND i.case_id = t.case_id AND i.money
      AND i.state IN ('sending', 'unknown')) AS under_way,
    (t.at > (SELECT c.since - interval '2 minutes' FROM pull_cursor c  -- pulls overlap by as much
        WHERE c.shop_id = %(shop_id)s AND c.kind = 'refunds')) IS TRUE
      OR EXISTS (SELECT FROM to_fetch f WHERE f.shop_id = %(shop_id)s AND f.kind = 'application' AND f.external_id = t.case_id)
      OR EXISTS (SELECT FROM arrival_todo n JOIN arrival a ON a.id = n.arrival_id
        WHERE a.shop_id = %(shop_id)s AND a.received_at < %(began)s) AS on_its_way
  FROM told t LEFT JOIN LATERAL (SELECT sum(e.amount_fen)::bigint AS paid_fen FROM ledger e
    WHERE e.shop_id = %(shop_id)s AND e.case_id = t.case_id) AS l ON true)
SELECT case_id, ours_fen, theirs_fen, under_way OR ours_fen <> theirs_fen AND theirs_fen > 0 AND on_its_way AS waits
FROM met WHERE ours_fen + theirs_fen > 0 OR under_way ORDER BY case_id

-- name: reconciled
INSERT INTO reconciliation (shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen, differences, waiting, by_whom,
  head_seq, head_hash)
SELECT %(shop_id)s, %(since)s, %(until)s, %(now)s, %(ours)s, %(ours_fen)s, %(theirs)s, %(theirs_fen)s, %(differences)s,
  %(waiting)s, %(by)s, coalesce(h.seq, 0), coalesce(h.hash, '')
FROM (SELECT) AS once LEFT JOIN ledger_head h ON h.shop_id = %(shop_id)s
RETURNING id

-- What now agrees needs nobody any more.
-- name: agreed
UPDATE difference SET resolved_at = %(now)s, resolved_by = 'reconciliation', note = '再次核对，两边一致'
WHERE shop_id = %(shop_id)s AND resolved_at IS NULL AND case_id = ANY(%(case_ids)s::text[])
RETURNING case_id

-- What a person has explained is not asked again as long as the amounts stay.
-- name: differ
WITH found AS (
  SELECT f.case_id, f.ours_fen, f.theirs_fen,
    CASE WHEN f.theirs_fen = 0 THEN 'only_ours' WHEN f.ours_fen = 0 THEN 'only_theirs' ELSE 'amount' END AS kind
  FROM unnest(%(case_ids)s::text[], %(ours_fens)s::bigint[], %(theirs_fens)s::bigint[]) AS f(case_id, ours_fen, theirs_fen)
  WHERE NOT EXISTS (SELECT FROM difference d WHERE d.shop_id = %(shop_id)s AND d.case_id = f.case_id
    AND d.resolved_by <> 'reconciliation' AND (d.ours_fen, d.theirs_fen) = (f.ours_fen, f.theirs_fen)))
INSERT INTO difference AS d (shop_id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id)
SELECT %(shop_id)s, case_id, kind, ours_fen, theirs_fen, %(now)s, %(reconciliation_id)s FROM found ORDER BY case_id
ON CONFLICT (shop_id, case_id) WHERE resolved_at IS NULL DO UPDATE SET kind = excluded.kind,
  ours_fen = excluded.ours_fen, theirs_fen = excluded.theirs_fen, reconciliation_id = excluded.reconciliation_id
RETURNING case_id, kind, ours_fen, theirs_fen, (xmax = 0) AS new

-- The object is fetched again: what a lost message hid from us then comes in by the usual way.
-- name: fetch
INSERT INTO to_fetch (shop_id, kind, external_id) SELECT %(shop_id)s, 'application', unnest(%(case_ids)s::text[])
ON CONFLICT (shop_id, kind, external_id) DO NOTHING

-- name: tell
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
SELECT c.shop_id, c.case_id, %(now)s, 'difference', %(by)s, t.what
FROM unnest(%(case_ids)s::text[], %(whats)s::text[]) AS t(case_id, what)
JOIN cases c ON c.shop_id = %(shop_id)s AND c.case_id = t.case_id

-- name: may_resolve
SELECT FROM membership m JOIN auth_user u ON u.id = m.user_id
WHERE m.shop_id = %(shop_id)s AND u.username = %(by)s AND u.is_active AND m.role = ANY(%(roles)s::text[])
  AND (m.access_ends_at <= moment()) IS NOT TRUE

-- name: resolve
UPDATE difference SET resolved_at = %(now)s, resolved_by = %(by)s, note = %(note)s
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND resolved_at IS NULL
RETURNING case_id
