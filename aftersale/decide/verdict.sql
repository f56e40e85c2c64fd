-- name: verdict
INSERT INTO {into} (shop_id, case_id, order_id, application_version, state, due_at, applied_at, rule, action, queue,
  amount_fen, kinds, money, facts, look_at, target_at, prior_decision, prior_rule, prior_version,
  prior_refunded, prior_looked, changed, decision_id, reason, case_amount_fen, buyer_ref)
WITH {settings}
-- A look is due at the first moment to come at which another rule would speak, all else as it is.
judged AS (
  SELECT f.shop_id, f.case_id, f.order_id, f.application_version, f.state, f.due_at, f.applied_at,
    f.reason, f.amount_fen AS case_amount_fen, f.buyer_ref, j.rule_no, {amount} AS amount_fen, ROW({reads})::text AS facts,
    CASE WHEN m.at < ANY (n.moments) THEN (SELECT min(k.at) FROM (SELECT unnest(n.moments) AS at) k
      WHERE k.at > m.at AND ({rule_no_then}) <> j.rule_no) END AS look_at,
    f.applied_at + make_interval(hours => ({due_hours})::int) AS target_at
  FROM (SELECT DISTINCT shop_id, case_id FROM {touched}) t
  JOIN case_facts f ON f.shop_id = t.shop_id AND f.case_id = t.case_id
  {join_settings}
  CROSS JOIN (SELECT %(now)s::timestamptz AS at) m
  {derived}
  CROSS JOIN LATERAL (SELECT {rule_no} AS rule_no OFFSET 0) j
  CROSS JOIN LATERAL (SELECT ARRAY[{looks}]::timestamptz[] AS moments OFFSET 0) n)
SELECT v.shop_id, v.case_id, v.order_id, v.application_version, v.state, v.due_at, v.applied_at,
  p.rule, ({actions})[v.rule_no + 1], ({queues})[v.rule_no + 1], v.amount_fen,
  string_to_array(nullif(({kinds})[v.rule_no + 1], ''), ','), ({monies})[v.rule_no + 1], v.facts, v.look_at, v.target_at, h.decision_id, h.rule, h.decided_version,
  h.refunded_version, h.looked, c.changed,
  CASE WHEN c.changed THEN nextval('decision_id') ELSE h.decision_id END, v.reason, v.case_amount_fen, v.buyer_ref
FROM judged v
CROSS JOIN LATERAL (SELECT ({rules})[v.rule_no + 1] AS rule) p
LEFT JOIN handling h ON h.shop_id = v.shop_id AND h.case_id = v.case_id
CROSS JOIN LATERAL (SELECT (h.decision_id IS NULL OR h.decided_version <> v.application_version
  OR h.rule <> p.rule OR h.amount_fen IS DISTINCT FROM v.amount_fen) AS changed) c

-- What the platform's deadline has overtaken is not agreed to blindly: a person is told at once (F40).
-- name: too_late
UPDATE verdict v SET money = false, kinds = '{}', action = 'manual_review', queue = 'deadline_passed',
  rule = 'deadline_passed',
  changed = (v.prior_rule = 'deadline_passed' AND v.prior_version = v.application_version) IS NOT TRUE,
  decision_id = CASE WHEN v.prior_rule = 'deadline_passed' AND v.prior_version = v.application_version
    THEN v.prior_decision ELSE v.decision_id END
WHERE (v.changed AND v.due_at <= %(now)s AND v.kinds && ARRAY['agree_refund', 'agree_return']) IS TRUE

-- Due cases that nobody else is deciding just now. Their looks are over: the verdict sets the next.
-- name: claim_due
WITH due AS (
  SELECT c.shop_id, c.case_id, l.at, l.ctid AS place FROM look l JOIN cases c ON c.shop_id = l.shop_id AND c.case_id = l.case_id
  WHERE l.at >= %(floor)s AND l.at <= %(now)s ORDER BY l.at LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED),
-- By their places: a join may walk over every dead entry of a table thought empty (P30).
over AS (DELETE FROM look WHERE ctid = ANY (ARRAY(SELECT place FROM due))),
noted AS (INSERT INTO touched (shop_id, case_id) SELECT shop_id, case_id FROM due)
SELECT count(*), min(at) FROM due

-- name: shops_due
SELECT DISTINCT shop_id FROM look WHERE at <= %(now)s ORDER BY 1

-- name: claim_of
WITH due AS (
  SELECT c.shop_id, c.case_id FROM look l JOIN cases c ON c.shop_id = l.shop_id AND c.case_id = l.case_id
  WHERE l.shop_id = %(shop)s AND l.at <= %(now)s ORDER BY l.at, l.case_id LIMIT %(limit)s FOR UPDATE OF c SKIP LOCKED),
over AS (DELETE FROM look l USING due d WHERE l.shop_id = d.shop_id AND l.case_id = d.case_id),
noted AS (INSERT INTO touched (shop_id, case_id) SELECT shop_id, case_id FROM due)
SELECT count(*) FROM due

-- name: later
UPDATE look SET at = %(now)s + interval '1 hour' WHERE shop_id = %(shop)s AND case_id = (
  SELECT l.case_id FROM look l JOIN cases c ON c.shop_id = l.shop_id AND c.case_id = l.case_id
  WHERE l.shop_id = %(shop)s AND l.at <= %(now)s ORDER BY l.at, l.case_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED)
RETURNING case_id

-- What the book cannot decide is a person's, with nothing of a setting in the sum; said once a version.
-- name: hand_over
INSERT INTO verdict (shop_id, case_id, order_id, application_version, state, due_at, applied_at, rule, action, queue,
  amount_fen, kinds, money, facts, look_at, target_at, prior_decision, prior_rule, prior_version, prior_refunded, changed,
  decision_id, reason, case_amount_fen)
SELECT f.shop_id, f.case_id, f.order_id, f.application_version, f.state, f.due_at, f.applied_at, 'not_decided',
  'manual_review', CASE WHEN o.open THEN 'manual' END, f.amount_fen, '{{}}', false, ROW({reads})::text,
  CASE WHEN o.open THEN %(now)s + interval '1 hour' END, %(now)s + interval '1 hour',
  h.decision_id, h.rule, h.decided_version, h.refunded_version, c.changed,
  CASE WHEN c.changed THEN nextval('decision_id') ELSE h.decision_id END, f.reason, f.amount_fen
FROM (SELECT DISTINCT shop_id, case_id FROM touched) t
JOIN case_facts f ON f.shop_id = t.shop_id AND f.case_id = t.case_id
LEFT JOIN handling h ON h.shop_id = f.shop_id AND h.case_id = f.case_id
CROSS JOIN LATERAL (SELECT (f.state IN ('refunded', 'closed')) IS NOT TRUE AS open) o
CROSS JOIN LATERAL (SELECT (h.rule = 'not_decided' AND h.decided_version = f.application_version) IS NOT TRUE AS changed) c

-- name: shops_differ
SELECT EXISTS (SELECT FROM shop WHERE settings <> '{}' AND id IN (SELECT shop_id FROM touched)),
  EXISTS (SELECT FROM draft WHERE ended_at IS NULL), EXISTS (SELECT FROM book_live)

-- name: publish
INSERT INTO book_version (version, book, text, reads) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
