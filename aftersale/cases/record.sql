-- The verdicts of a batch (temp table `verdict`, filled by decide) become decisions, intents, queue rows and looks.

-- What waits for a person is over once the platform has decided: refunded is money that the platform sent.
-- name: decided_there
WITH ended AS (
  UPDATE intent i SET outcome = CASE c.state WHEN 'refunded' THEN '平台上已经退款' ELSE '平台上已经关闭' END, changed_at = %(now)s,
    state = CASE WHEN i.money AND c.state = 'refunded' AND i.amount_fen = c.amount_fen THEN 'done' ELSE 'cancelled' END
  FROM verdict v JOIN cases c ON c.shop_id = v.shop_id AND c.case_id = v.case_id
  WHERE v.state IN ('refunded', 'closed') AND i.shop_id = v.shop_id AND i.case_id = v.case_id AND i.state = 'with_person'
  RETURNING i.*),
freed AS (
  UPDATE order_money m SET held_fen = m.held_fen - e.amount_fen
  FROM (SELECT shop_id, order_id, sum(amount_fen) AS amount_fen FROM ended WHERE money AND state = 'cancelled' GROUP BY 1, 2) e
  WHERE m.shop_id = e.shop_id AND m.order_id = e.order_id),
noted AS (
  INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
  SELECT shop_id, case_id, %(now)s, 'intent', 'platform', kind || ' ' || state || '：' || outcome FROM ended)
INSERT INTO ledger (shop_id, case_id, entry, order_id, amount_fen, origin, at)
SELECT e.shop_id, e.case_id, 1, e.order_id, e.amount_fen, 'platform', %(now)s FROM ended e
WHERE e.money AND e.state = 'done' ON CONFLICT DO NOTHING

-- What the platform showed as refunded and shows so no more has come back: once, and a person looks.
-- name: reversed
WITH back AS (
  INSERT INTO ledger (shop_id, case_id, entry, order_id, amount_fen, origin, at)
  SELECT v.shop_id, v.case_id, l.entries + 1, v.order_id, -l.paid_fen, 'platform', %(now)s
  FROM verdict v
  CROSS JOIN LATERAL (SELECT count(*) AS entries, sum(l.amount_fen) AS paid_fen FROM ledger l
    WHERE l.shop_id = v.shop_id AND l.case_id = v.case_id) l
  WHERE v.state <> 'refunded' AND v.prior_refunded < v.application_version AND l.paid_fen > 0
  ON CONFLICT DO NOTHING RETURNING shop_id, case_id, order_id, -amount_fen AS amount_fen),
freed AS (
  UPDATE order_money m SET held_fen = greatest(m.held_fen - b.amount_fen, 0)
  FROM (SELECT shop_id, order_id, sum(amount_fen) AS amount_fen FROM back GROUP BY 1, 2) b
  WHERE m.shop_id = b.shop_id AND m.order_id = b.order_id)
UPDATE verdict v SET money = false, kinds = '{}', action = 'manual_review', queue = 'reversed',
  rule = 'payment_reversed', changed = (v.prior_rule = 'payment_reversed' AND v.prior_version = v.application_version) IS NOT TRUE,
  decision_id = CASE WHEN v.changed THEN v.decision_id ELSE nextval('decision_id') END
WHERE v.prior_rule = 'payment_reversed' AND v.prior_version = v.application_version
  OR EXISTS (SELECT FROM back b WHERE b.shop_id = v.shop_id AND b.case_id = v.case_id)

-- An intent that the new verdict no longer wants and that has done nothing is cancelled and its money released.
-- A person's intent falls only when the application it was bound to has changed; what may have happened, never.
-- name: cancel_stale
WITH stale AS (
  UPDATE intent i SET state = 'cancelled', outcome = '新的判断：' || v.rule, changed_at = %(now)s
  FROM verdict v
  WHERE v.prior_decision IS NOT NULL AND v.changed AND i.shop_id = v.shop_id AND i.case_id = v.case_id
    AND i.state IN ('planned', 'approved', 'with_person')
    AND NOT (i.state = 'with_person' AND in_doubt(i.money, i.sent_at, i.asked_at, i.nones))
    AND CASE WHEN i.planned_by LIKE 'rule:%%' THEN
          -- Stopping a parcel and telling the buyer are not bound to the version of the application.
          (i.kind = ANY (v.kinds) AND (i.kind NOT IN ('agree_refund', 'agree_return')
            OR i.platform_version = v.application_version AND (NOT i.money OR i.amount_fen = v.amount_fen))) IS NOT TRUE
        ELSE i.platform_version <> v.application_version END
  RETURNING i.shop_id, i.order_id, i.amount_fen, i.money)
UPDATE order_money m SET held_fen = m.held_fen - s.freed_fen, exact = false
FROM (SELECT shop_id, order_id, sum(amount_fen) AS freed_fen FROM stale WHERE money GROUP BY 1, 2) s
WHERE m.shop_id = s.shop_id AND m.order_id = s.order_id

-- The money of the orders concerned is held still first, so that the next statement reads what is true until we commit.
-- name: lock_money
SELECT FROM order_money m WHERE (m.shop_id, m.order_id) IN (SELECT shop_id, order_id FROM verdict WHERE money)
ORDER BY m.shop_id, m.order_id FOR UPDATE

-- Money that does not fit into what the order paid goes to a person instead.
-- name: check_money
WITH want AS (
  SELECT v.ctid AS place, v.shop_id, v.order_id,
    sum(v.amount_fen) OVER (PARTITION BY v.shop_id, v.order_id ORDER BY v.case_id) AS running_fen
  FROM verdict v WHERE v.money AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = v.shop_id AND i.case_id = v.case_id
    AND i.money AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person'))),
room AS (
  SELECT w.place, w.running_fen, r.left_fen FROM want w
  LEFT JOIN LATERAL (
    SELECT least(m.paid_fen, o.paid_fen) - m.held_fen AS left_fen FROM order_money m
    JOIN orders o ON o.shop_id = m.shop_id AND o.order_id = m.order_id
    WHERE m.shop_id = w.shop_id AND m.order_id = w.order_id) r ON true)
UPDATE verdict v SET money = false, kinds = '{}', action = 'manual_review', queue = 'amount_check',
  rule = 'money_does_not_fit', changed = (v.prior_rule = 'money_does_not_fit' AND v.prior_version = v.application_version) IS NOT TRUE,
  decision_id = CASE WHEN v.changed THEN v.decision_id ELSE nextval('decision_id') END
FROM room r WHERE v.ctid = r.place AND (r.running_fen <= r.left_fen) IS NOT TRUE

-- name: plan_intents
WITH wanted AS (
  SELECT v.*, k.kind, k.kind = 'agree_refund' AS pays FROM verdict v CROSS JOIN LATERAL unnest(v.kinds) AS k(kind)
  WHERE v.kinds <> '{}'),
planned AS (
  INSERT INTO intent AS i (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at,
    deadline_at, planned_by, approved_by, created_at, changed_at, payee)
  SELECT w.shop_id, w.case_id, w.kind, w.application_version, CASE WHEN w.pays THEN w.amount_fen ELSE 0 END,
    w.order_id, w.pays, 'approved', %(now)s, w.due_at, 'rule:' || w.rule, 'rule:' || w.rule, %(now)s, %(now)s,
    CASE WHEN w.pays OR w.kind LIKE 'message:%%' THEN w.buyer_ref END
  FROM wanted w
  WHERE NOT (w.pays AND EXISTS (SELECT FROM intent i WHERE i.shop_id = w.shop_id AND i.case_id = w.case_id
    AND i.money AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person')))
    -- What could not be stopped at the warehouse is not paid as if it had been.
    AND NOT (w.pays AND 'cancel_shipment' = ANY (w.kinds) AND EXISTS (SELECT FROM intent i WHERE i.shop_id = w.shop_id
      AND i.case_id = w.case_id AND i.kind = 'cancel_shipment' AND i.state IN ('refused', 'with_person')
      AND i.platform_version = w.application_version))
    -- While a person refuses, no rule agrees; and what the platform turned away, a refusal or money, is people's until the
    -- application changes.
    AND NOT (w.kind IN ('agree_refund', 'agree_return') AND EXISTS (SELECT FROM intent i WHERE i.shop_id = w.shop_id
      AND i.case_id = w.case_id AND i.platform_version = w.application_version
      -- Not an OR, for which all of the shop's trouble would be read.
      AND CASE WHEN i.kind = 'refuse' THEN i.state <> 'cancelled' ELSE i.money AND i.state = 'refused' END))
    -- A buyer is told a thing once, a parcel is stopped once, however often the application changes.
    AND NOT ((w.kind LIKE 'message:%%' OR w.kind IN ('intercept', 'cancel_shipment')) AND EXISTS (SELECT FROM intent i WHERE i.shop_id = w.shop_id
      AND i.case_id = w.case_id AND i.kind = w.kind AND i.state NOT IN ('cancelled', 'refused')))
  ORDER BY w.shop_id, w.case_id, w.kind
  ON CONFLICT (shop_id, case_id, kind, platform_version, amount_fen) DO UPDATE SET state = 'approved',
    due_at = excluded.due_at, planned_by = excluded.planned_by, approved_by = excluded.approved_by,
    changed_at = excluded.changed_at, outcome = NULL
  WHERE i.state = 'cancelled'
  RETURNING i.shop_id, i.order_id, i.amount_fen, i.money)
UPDATE order_money m SET held_fen = m.held_fen + p.held_fen, exact = m.held_fen + p.held_fen = m.paid_fen
FROM (SELECT shop_id, order_id, sum(amount_fen) AS held_fen FROM planned WHERE money GROUP BY 1, 2) p
WHERE m.shop_id = p.shop_id AND m.order_id = p.order_id

-- name: decisions
INSERT INTO decision (shop_id, case_id, id, decided_at, application_version, book_version, rule, action, queue,
  amount_fen, facts, settings)
SELECT v.shop_id, v.case_id, v.decision_id, %(now)s, v.application_version, coalesce(v.book_version, %(book_version)s),
  v.rule, v.action, v.queue, v.amount_fen, v.facts, s.settings || coalesce(v.settings, '{}')
FROM verdict v JOIN shop s ON s.id = v.shop_id WHERE v.changed

-- Whoever decides a case has locked it, so nobody else writes its handling.
-- name: handlings
UPDATE handling h SET decision_id = v.decision_id, decided_version = v.application_version, decided_at = %(now)s,
  rule = v.rule, action = v.action, queue = v.queue, amount_fen = v.amount_fen, target_at = v.target_at,
  refunded_version = CASE WHEN v.state = 'refunded' THEN v.application_version END, looked = v.look_at IS NOT NULL
FROM verdict v
WHERE v.changed AND v.prior_decision IS NOT NULL AND h.shop_id = v.shop_id AND h.case_id = v.case_id

-- name: first_handlings
INSERT INTO handling (shop_id, case_id, decision_id, decided_version, decided_at, rule, action, queue, amount_fen,
  target_at, refunded_version, looked)
SELECT shop_id, case_id, decision_id, application_version, %(now)s, rule, action, queue, amount_fen, target_at,
  CASE WHEN state = 'refunded' THEN application_version END, look_at IS NOT NULL
FROM verdict WHERE prior_decision IS NULL ORDER BY shop_id, case_id

-- name: unqueue
DELETE FROM queue_item q USING verdict v
WHERE v.changed AND v.prior_decision IS NOT NULL AND v.queue IS NULL AND q.shop_id = v.shop_id AND q.case_id = v.case_id
  AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = v.shop_id AND i.case_id = v.case_id
    AND (i.money AND i.state = 'with_person'
      -- A refund, or a refusal, that the platform turned away is somebody's until the application changes.
      OR i.money AND i.state = 'refused' AND i.platform_version = v.application_version
      OR i.kind = 'refuse' AND i.state IN ('refused', 'with_person') AND i.platform_version = v.application_version
      -- What is not paid since its shipment could not be stopped stays with people.
      OR i.kind = 'cancel_shipment' AND i.kind = ANY (v.kinds) AND i.state IN ('refused', 'with_person')
        AND i.platform_version = v.application_version))
  -- A promise that is due has nothing to do with what the rules say.
  AND NOT (q.queue = 'promise_due' AND EXISTS (SELECT FROM promise p
    WHERE p.shop_id = v.shop_id AND p.case_id = v.case_id AND p.state = 'open'))

-- name: queue
INSERT INTO queue_item AS q (shop_id, case_id, queue, due_at, amount_fen, since, reason, action, state, asked_fen)
SELECT v.shop_id, v.case_id, v.queue, least(v.due_at, v.target_at, (
    SELECT min(p.due_at) FROM promise p WHERE p.shop_id = v.shop_id AND p.case_id = v.case_id AND p.state = 'open')), v.amount_fen, %(now)s,
  coalesce(v.reason, ''), v.action, coalesce(v.state, ''), coalesce(v.amount_fen, v.case_amount_fen)
FROM verdict v
WHERE v.queue IS NOT NULL AND v.changed ORDER BY 1, 2
ON CONFLICT (shop_id, case_id) DO UPDATE SET queue = excluded.queue, due_at = excluded.due_at,
  amount_fen = excluded.amount_fen, reason = excluded.reason, action = excluded.action, state = excluded.state,
  asked_fen = excluded.asked_fen
WHERE (q.queue, q.due_at, q.amount_fen, q.reason, q.action, q.state, q.asked_fen) IS DISTINCT FROM
  (excluded.queue, excluded.due_at, excluded.amount_fen, excluded.reason, excluded.action, excluded.state, excluded.asked_fen)

-- A refund that stays unplanned since its shipment could not be stopped is somebody's, also when the one who had it let go.
-- name: unstopped
INSERT INTO queue_item (shop_id, case_id, queue, due_at, amount_fen, since, action, state, asked_fen, reason)
SELECT v.shop_id, v.case_id, 'platform_refused', v.due_at, v.amount_fen, %(now)s, v.action, coalesce(v.state, ''), v.amount_fen,
  coalesce(v.reason, '')
FROM verdict v
WHERE v.money AND v.changed AND v.prior_decision IS NOT NULL AND 'cancel_shipment' = ANY (v.kinds)
  AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = v.shop_id AND i.case_id = v.case_id AND i.money
    AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person'))
ORDER BY 1, 2 ON CONFLICT (shop_id, case_id) DO UPDATE SET queue = excluded.queue, amount_fen = excluded.amount_fen,
  action = excluded.action WHERE queue_item.queue = 'promise_due'

-- name: unlook
DELETE FROM look l USING verdict v
WHERE v.prior_decision IS NOT NULL AND v.prior_looked IS NOT FALSE AND v.look_at IS NULL AND l.shop_id = v.shop_id AND l.case_id = v.case_id

-- name: looks
INSERT INTO look AS l (shop_id, case_id, at)
SELECT shop_id, case_id, look_at FROM verdict WHERE look_at IS NOT NULL ORDER BY 1, 2
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = excluded.at WHERE l.at <> excluded.at

-- A case that the platform shows as refunded, with nothing of ours under way, is money that the platform sent.
-- While an intent is out, its outcome tells who paid (outcome.sql).
-- name: ledger
WITH left_now AS (
  INSERT INTO ledger (shop_id, case_id, entry, order_id, amount_fen, origin, at)
  SELECT v.shop_id, v.case_id, l.entries + 1, v.order_id, v.case_amount_fen, 'platform', %(now)s
  FROM verdict v
  CROSS JOIN LATERAL (SELECT count(*) AS entries, sum(l.amount_fen) AS paid_fen FROM ledger l
    WHERE l.shop_id = v.shop_id AND l.case_id = v.case_id) l
  WHERE v.state = 'refunded' AND v.case_amount_fen > 0 AND coalesce(l.paid_fen, 0) = 0
    AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = v.shop_id AND i.case_id = v.case_id AND i.money
      AND i.state IN ('sending', 'unknown'))
  ON CONFLICT DO NOTHING
  RETURNING shop_id, order_id, amount_fen)
UPDATE order_money m SET held_fen = least(m.paid_fen, m.held_fen + l.left_fen)
FROM (SELECT shop_id, order_id, sum(amount_fen) AS left_fen FROM left_now GROUP BY 1, 2) l
WHERE m.shop_id = l.shop_id AND m.order_id = l.order_id
