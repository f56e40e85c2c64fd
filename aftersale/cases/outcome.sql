-- What became of intents. `told` are rows (shop_id, case_id, kind, platform_version, amount_fen, epoch, state, outcome).

-- Settling and deciding a case wait for one another, so that neither acts on half of what is known.
-- name: lock_told
SELECT FROM cases c WHERE (c.shop_id, c.case_id) IN (SELECT * FROM unnest(%(shop_id)s::int[], %(case_id)s::text[]))
ORDER BY c.shop_id, c.case_id FOR UPDATE

-- The epoch is the fence: a worker that was thought dead cannot settle what another has taken over. What the platform
-- answered to a question (`asked`) counts for approved intents, too; "not done" must be said often enough before the
-- unknown becomes approved again.
-- name: settle
WITH told AS (
  SELECT * FROM unnest(%(shop_id)s::int[], %(case_id)s::text[], %(kind)s::text[], %(platform_version)s::bigint[],
    %(amount_fen)s::bigint[], %(epoch)s::bigint[], %(state)s::text[], %(outcome)s::text[], %(again_at)s::timestamptz[],
    %(asked)s::bool[])
    AS t(shop_id, case_id, kind, platform_version, amount_fen, epoch, state, outcome, again_at, asked)),
settled AS (
  UPDATE intent i SET state = CASE WHEN i.state = 'unknown' AND t.state = 'approved' AND i.nones + 1 < nones_needed(i.money)
      THEN 'unknown' ELSE t.state END,
    nones = i.nones + (t.asked AND i.state = 'unknown' AND t.state = 'approved')::int,
    outcome = t.outcome || CASE WHEN put_off(t.again_at, i.deadline_at, i.shop_id, %(now)s) < t.again_at
      THEN '，不晚于截止前' ELSE '' END,
    due_at = CASE WHEN i.state = 'approved' THEN i.due_at WHEN t.again_at IS NULL THEN %(now)s
      ELSE put_off(t.again_at, i.deadline_at, i.shop_id, %(now)s) END,
    asked_at = CASE WHEN t.asked THEN clock_timestamp() ELSE i.asked_at END, changed_at = %(now)s
  FROM told t
  WHERE i.shop_id = t.shop_id AND i.case_id = t.case_id AND i.kind = t.kind AND i.platform_version = t.platform_version
    AND i.amount_fen = t.amount_fen AND i.epoch = t.epoch
    AND (i.state IN ('sending', 'unknown') OR i.state = 'approved' AND t.asked)
  RETURNING i.*, i.state = 'approved' AND i.due_at < t.again_at AS hastened),
-- Ours was refused, yet the case is refunded: then the platform paid, maybe another amount.
elsewhere AS (
  SELECT s.shop_id, s.case_id, s.order_id, c.amount_fen FROM settled s
  JOIN cases c ON c.shop_id = s.shop_id AND c.case_id = s.case_id
  WHERE s.money AND s.state IN ('refused', 'cancelled') AND c.state = 'refunded' AND c.amount_fen > 0),
payment AS (
  SELECT shop_id, case_id, order_id, amount_fen, CASE WHEN planned_by LIKE 'rule:%%' THEN 'automatic' ELSE 'person' END AS origin
  FROM settled WHERE money AND state = 'done'
  UNION ALL SELECT shop_id, case_id, order_id, amount_fen, 'platform' FROM elsewhere),
paid AS (
  INSERT INTO ledger (shop_id, case_id, entry, order_id, amount_fen, origin, at)
  SELECT p.shop_id, p.case_id, coalesce(l.entries, 0) + 1, p.order_id, p.amount_fen, p.origin, %(now)s FROM payment p
  LEFT JOIN LATERAL (SELECT count(*) AS entries, sum(l.amount_fen) AS paid_fen FROM ledger l
    WHERE l.shop_id = p.shop_id AND l.case_id = p.case_id) l ON true
  WHERE coalesce(l.paid_fen, 0) = 0
  ON CONFLICT DO NOTHING RETURNING shop_id, order_id, amount_fen, origin),
freed AS (
  UPDATE order_money m SET held_fen = least(m.paid_fen, m.held_fen - s.freed_fen)
  FROM (SELECT shop_id, order_id, sum(amount_fen) AS freed_fen FROM (
      SELECT shop_id, order_id, amount_fen FROM settled WHERE money AND state IN ('refused', 'cancelled')
      UNION ALL SELECT shop_id, order_id, -amount_fen FROM paid WHERE origin = 'platform') f GROUP BY 1, 2) s
  WHERE m.shop_id = s.shop_id AND m.order_id = s.order_id),
-- A shipment that could not be stopped must not be paid as if it had been.
unpaid AS (
  UPDATE intent i SET state = 'cancelled', outcome = '发货没有取消成功', changed_at = %(now)s FROM settled s
  WHERE s.kind = 'cancel_shipment' AND s.state IN ('refused', 'with_person') AND i.shop_id = s.shop_id AND i.case_id = s.case_id
    AND i.platform_version = s.platform_version AND i.money AND i.state = 'approved'
  RETURNING i.shop_id, i.order_id, i.amount_fen),
-- One that was stopped lets its money go at once.
ready AS (
  UPDATE intent i SET due_at = %(now)s FROM settled s
  WHERE s.kind = 'cancel_shipment' AND s.state = 'done' AND i.shop_id = s.shop_id AND i.case_id = s.case_id
    AND i.money AND i.state = 'approved' AND i.due_at < %(now)s),
unheld AS (
  UPDATE order_money m SET held_fen = m.held_fen - u.amount_fen
  FROM (SELECT shop_id, order_id, sum(amount_fen) AS amount_fen FROM unpaid GROUP BY 1, 2) u
  WHERE m.shop_id = u.shop_id AND m.order_id = u.order_id),
asked AS (
  INSERT INTO queue_item AS q (shop_id, case_id, queue, due_at, amount_fen, since)
  SELECT DISTINCT ON (s.shop_id, s.case_id) s.shop_id, s.case_id, 'platform_refused', s.deadline_at, nullif(s.amount_fen, 0), %(now)s
  FROM settled s JOIN cases c ON c.shop_id = s.shop_id AND c.case_id = s.case_id
  WHERE (s.state = 'with_person' OR s.state = 'refused' AND c.application_version = s.platform_version)
    AND c.state NOT IN ('refunded', 'closed')
  ON CONFLICT (shop_id, case_id) DO UPDATE SET queue = excluded.queue, amount_fen = excluded.amount_fen,
    due_at = least(q.due_at, excluded.due_at) WHERE q.queue = 'promise_due'),
-- It could not be sent for a while and a person watched over it; now it is over.
watched AS (
  DELETE FROM queue_item q USING settled s
  WHERE q.shop_id = s.shop_id AND q.case_id = s.case_id AND q.queue = 'over_budget' AND s.money AND s.state = 'done'),
again AS (
  INSERT INTO look (shop_id, case_id, at) SELECT DISTINCT s.shop_id, s.case_id, %(now)s::timestamptz FROM settled s
  JOIN cases c ON c.shop_id = s.shop_id AND c.case_id = s.case_id
  WHERE s.state = 'refused' AND c.application_version <> s.platform_version
    OR s.state = 'with_person' AND c.state IN ('refunded', 'closed')
  ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(look.at, excluded.at)),
noted AS (
  INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
  SELECT shop_id, case_id, %(now)s, 'intent', planned_by, kind || ' ' || state || coalesce('：' || outcome, '')
  FROM settled WHERE state IN ('done', 'refused', 'unknown', 'with_person') AND (state = 'unknown' AND nones > 0) IS NOT TRUE
    OR hastened)
SELECT shop_id, case_id, kind, state FROM settled

-- Automatic money is stopped, by a person or by a breaker. Where a person stopped everything, nobody could go on by hand.
-- name: money_stopped
SELECT EXISTS (SELECT FROM switch WHERE stopped AND (action = 'automatic_money' OR action = '' AND by_whom LIKE 'breaker:%%'))

-- What cannot leave for now is watched over by a person.
-- name: watch
INSERT INTO queue_item AS q (shop_id, case_id, queue, due_at, amount_fen, since)
SELECT shop_id, case_id, 'over_budget', deadline_at, nullif(amount_fen, 0), %(now)s FROM (
  SELECT DISTINCT ON (i.shop_id, i.case_id) i.* FROM intent i
  JOIN switch w ON w.shop_id IN (0, i.shop_id) AND w.stopped AND (w.action = 'automatic_money' OR w.action = '' AND w.by_whom LIKE 'breaker:%%')
  WHERE i.state = 'approved' AND i.due_at <= %(now)s AND held_back(i.shop_id, i.kind, i.money, i.approved_by)
  ORDER BY i.shop_id, i.case_id, i.money DESC) i
WHERE NOT EXISTS (SELECT FROM queue_item q WHERE q.shop_id = i.shop_id AND q.case_id = i.case_id)
ON CONFLICT DO NOTHING

-- name: person_intent
INSERT INTO intent AS i (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at,
  deadline_at, planned_by, approved_by, channel, created_at, changed_at, payee)
SELECT c.shop_id, c.case_id, %(kind)s, c.application_version, %(amount_fen)s, c.order_id, %(money)s, %(wanted)s,
  undo_until(c.shop_id, %(now)s, %(undo_s)s, c.due_at), c.due_at, %(by)s,
  CASE %(wanted)s WHEN 'approved' THEN %(by)s END, %(channel)s, %(now)s, %(now)s,
  (SELECT o.buyer_ref FROM orders o WHERE o.shop_id = c.shop_id AND o.order_id = c.order_id)
FROM cases c WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s AND c.application_version = %(version)s
ON CONFLICT (shop_id, case_id, kind, platform_version, amount_fen) DO UPDATE SET state = excluded.state,
  due_at = excluded.due_at, planned_by = excluded.planned_by, approved_by = excluded.approved_by,
  channel = excluded.channel, outcome = NULL, changed_at = excluded.changed_at
WHERE i.state = 'cancelled' OR i.state = 'refused' AND excluded.state = 'approved'
RETURNING i.state

-- name: may
SELECT allowed, why, needs_approval, limit_of(%(shop_id)s, why) AS limit_fen
FROM person_permitted(%(shop_id)s, %(by)s, %(kind)s, %(amount_fen)s, %(channel)s, %(order_id)s,
  %(case_id)s)

-- What a rule planned and nobody has sent yet makes room for a person's own; a refusal also takes the agreed return.
-- name: take_over
WITH taken AS (
  UPDATE intent SET state = 'cancelled', outcome = '改由 ' || %(by)s || ' 处理', changed_at = %(now)s
  WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND (money OR kind = 'agree_return' AND %(kind)s = 'refuse')
    AND state = 'approved' AND sends = 0 AND planned_by LIKE 'rule:%%'
  RETURNING shop_id, order_id, amount_fen)
UPDATE order_money m SET held_fen = m.held_fen - t.amount_fen FROM taken t
WHERE m.shop_id = t.shop_id AND m.order_id = t.order_id

-- Whoever agreed while this one refuses, or refused while this one agrees; and a refusal before of which nobody knows yet
-- what became of it.
-- name: opposed
SELECT kind, planned_by, changed_at FROM intent
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND state NOT IN ('cancelled', 'refused')
  AND CASE %(kind)s WHEN 'refuse' THEN money AND state <> 'done' OR (money OR kind = 'agree_return') AND platform_version = %(version)s
      OR kind = 'refuse' AND platform_version <> %(version)s AND (state IN ('sending', 'unknown') OR state = 'approved' AND sends > 0)
    ELSE %(kind)s IN ('agree_refund', 'agree_return') AND kind = 'refuse' AND platform_version = %(version)s END
ORDER BY changed_at DESC LIMIT 1

-- name: refusing
INSERT INTO refusing (shop_id, case_id, platform_version, reason_id, reason, message, evidence_id, sha256, by_whom, at)
VALUES (%(shop_id)s, %(case_id)s, %(version)s, %(reason_id)s, %(reason)s, %(message)s, %(evidence_id)s, %(sha256)s, %(by)s,
  %(now)s)
ON CONFLICT (shop_id, case_id, platform_version) DO UPDATE SET reason_id = excluded.reason_id, reason = excluded.reason,
  message = excluded.message, evidence_id = excluded.evidence_id, sha256 = excluded.sha256, by_whom = excluded.by_whom,
  at = excluded.at

-- The picture that a refusal was sent with stays on the case.
-- name: proof_used
UPDATE evidence e SET used_by = r.by_whom, used_at = %(now)s
FROM unnest(%(shop_id)s::int[], %(case_id)s::text[], %(platform_version)s::bigint[]) AS t(shop_id, case_id, platform_version)
JOIN refusing r USING (shop_id, case_id, platform_version)
WHERE e.shop_id = r.shop_id AND e.case_id = r.case_id AND e.id = r.evidence_id AND e.used_at IS NULL AND e.removed_at IS NULL

-- name: lock_case
SELECT c.application_version, c.amount_fen, c.order_id FROM cases c
WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s FOR UPDATE

-- name: live_money
SELECT planned_by, changed_at FROM intent WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND money
  AND state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person')

-- name: hold
UPDATE order_money m SET held_fen = m.held_fen + %(amount_fen)s, exact = m.held_fen + %(amount_fen)s = m.paid_fen FROM orders o
WHERE m.shop_id = %(shop_id)s AND m.order_id = %(order_id)s AND o.shop_id = m.shop_id AND o.order_id = m.order_id
  AND (m.held_fen + %(amount_fen)s <= least(m.paid_fen, o.paid_fen)) IS TRUE

-- Words that may have reached the buyer are not taken back: they were sent, the platform had to be asked, and nobody has
-- decided anew since, which would have emptied the outcome.
-- name: undo
WITH undone AS (
  UPDATE intent SET state = 'cancelled', outcome = '撤回：' || %(by)s, changed_at = %(now)s
  WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND kind = %(kind)s AND state IN ('planned', 'approved')
    AND planned_by NOT LIKE 'rule:%%'
    AND NOT (kind = 'refuse' AND sends > 0 AND num_nulls(asked_at, outcome) = 0)
  RETURNING shop_id, order_id, amount_fen, money),
freed AS (UPDATE order_money m SET held_fen = m.held_fen - u.amount_fen FROM undone u
  WHERE u.money AND m.shop_id = u.shop_id AND m.order_id = u.order_id)
SELECT amount_fen FROM undone

-- The decision no longer stands, but what was known when it was made still counts.
-- name: undecide
UPDATE handling SET decided_version = -1 WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: note
INSERT INTO happening (shop_id, case_id, at, kind, actor, what) VALUES (%(shop_id)s, %(case_id)s, %(now)s, %(kind)s, %(by)s, %(text)s)

-- name: note_words
INSERT INTO note_gram (shop_id, gram, at, case_id)
SELECT %(shop_id)s, g, %(now)s, %(case_id)s FROM unnest(note_grams(%(text)s)) g ON CONFLICT DO NOTHING

-- name: look
INSERT INTO look (shop_id, case_id, at) VALUES (%(shop_id)s, %(case_id)s, %(now)s)
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(look.at, excluded.at)

-- name: unqueue
DELETE FROM queue_item WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: assign
UPDATE queue_item SET owner = %(owner)s WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s RETURNING queue

-- name: requeue
UPDATE queue_item SET queue = %(queue)s WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s RETURNING queue

-- name: switch
WITH changed AS (
  INSERT INTO switch (shop_id, action, stopped, why, by_whom, at)
  VALUES (%(shop_id)s, %(action)s, %(stopped)s, %(why)s, %(by)s, %(now)s)
  ON CONFLICT (shop_id, action) DO UPDATE SET stopped = excluded.stopped, why = excluded.why, by_whom = excluded.by_whom, at = excluded.at
  RETURNING *)
INSERT INTO switch_log (shop_id, action, stopped, why, by_whom, at) SELECT shop_id, action, stopped, why, by_whom, at FROM changed
