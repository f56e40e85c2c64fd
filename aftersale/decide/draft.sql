-- A draft's word on the touched cases of its shop is written beside the published book's; a canary's replaces it.

-- name: live
SELECT d.id, d.shop_id, d.book_version, d.share_percent, d.budget_fen - d.spent_fen, b.text, d.settings::text
FROM draft d JOIN book_version b ON b.version = d.book_version
WHERE d.ended_at IS NULL AND d.shop_id IN (SELECT shop_id FROM touched) ORDER BY d.id

-- Only who may spend needs the row for itself; what is left is read under the lock.
-- name: lock
SELECT budget_fen - spent_fen FROM draft WHERE id = %(draft)s FOR UPDATE

-- name: table
CREATE TEMP TABLE IF NOT EXISTS draft_verdict (LIKE verdict) ON COMMIT DELETE ROWS

-- name: empty
DELETE FROM draft_verdict

-- Which cases are the canary's is decided by their name, so a case stays with one book while the share stands.
-- Money that does not fit into the budget stays with the published book.
-- name: record
WITH mine AS (
  SELECT d.*, v.rule AS live_rule, v.action AS live_action, v.queue AS live_queue, v.amount_fen AS live_amount_fen,
    v.money AS live_money,
    (hashtextextended(d.case_id, 0) & 2147483647) %% 100 < %(share)s AS chosen,
    CASE WHEN d.money AND d.amount_fen > 0 THEN d.amount_fen ELSE 0 END AS pays_fen
  FROM draft_verdict d JOIN verdict v ON v.shop_id = d.shop_id AND v.case_id = d.case_id),
costed AS (
  SELECT m.*, greatest(0, m.pays_fen - coalesce(s.amount_fen, 0)) AS more_fen
  FROM mine m LEFT JOIN shadow s ON s.draft_id = %(draft)s AND s.shop_id = m.shop_id AND s.case_id = m.case_id
    AND s.canary AND s.money),
fitting AS (
  SELECT c.*, c.chosen AND sum(CASE WHEN c.chosen THEN c.more_fen ELSE 0 END) OVER (ORDER BY c.case_id) <= %(left)s
    AS canary
  FROM costed c),
written AS (
  INSERT INTO shadow AS s (draft_id, shop_id, case_id, decided_at, canary, rule, action, queue, amount_fen, money,
    live_rule, live_action, live_queue, live_amount_fen, live_money)
  SELECT %(draft)s, shop_id, case_id, %(now)s, canary OR (chosen AND more_fen = 0), rule, action, queue, amount_fen,
    money, live_rule, live_action, live_queue, live_amount_fen, live_money
  FROM fitting ORDER BY shop_id, case_id
  ON CONFLICT (draft_id, shop_id, case_id) DO UPDATE SET decided_at = excluded.decided_at, canary = excluded.canary,
    rule = excluded.rule, action = excluded.action, queue = excluded.queue, amount_fen = excluded.amount_fen,
    money = excluded.money, live_rule = excluded.live_rule, live_action = excluded.live_action,
    live_queue = excluded.live_queue, live_amount_fen = excluded.live_amount_fen, live_money = excluded.live_money
  RETURNING s.shop_id, s.case_id, s.canary),
spent AS (
  UPDATE draft SET spent_fen = spent_fen + f.fen
  FROM (SELECT coalesce(sum(more_fen), 0) AS fen FROM fitting WHERE canary) f
  WHERE id = %(draft)s AND f.fen > 0)
SELECT case_id FROM written WHERE canary

-- Both books are heard when a moment of either passes.
-- name: look
UPDATE verdict v SET look_at = least(v.look_at, d.look_at)
FROM draft_verdict d WHERE d.shop_id = v.shop_id AND d.case_id = v.case_id

-- name: replace
UPDATE verdict v SET rule = d.rule, action = d.action, queue = d.queue, amount_fen = d.amount_fen, kinds = d.kinds,
  money = d.money, facts = d.facts, target_at = d.target_at, changed = d.changed, decision_id = d.decision_id,
  book_version = %(version)s, settings = %(settings)s::jsonb
FROM draft_verdict d
WHERE d.shop_id = v.shop_id AND d.case_id = v.case_id AND d.case_id = ANY (%(cases)s)
