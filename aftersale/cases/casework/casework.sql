-- Whose case it is, held still until the transaction ends; nothing for a case that does not exist.
-- name: lock_case
SELECT application_version, state, buyer_ref FROM cases WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s FOR UPDATE

-- name: tell
INSERT INTO happening (shop_id, case_id, at, kind, actor, what)
VALUES (%(shop_id)s, %(case_id)s, %(now)s, %(kind)s, %(by)s, %(what)s)

-- name: look
INSERT INTO look (shop_id, case_id, at) VALUES (%(shop_id)s, %(case_id)s, %(now)s)
ON CONFLICT (shop_id, case_id) DO UPDATE SET at = least(look.at, excluded.at)

-- name: may
SELECT allowed, why FROM person_permitted(%(shop_id)s, %(by)s, %(action)s, %(amount_fen)s, 'web', NULL, %(case_id)s)

-- name: step
INSERT INTO playbook_step (shop_id, case_id, step, outcome, why, facts, by_whom, at)
VALUES (%(shop_id)s, %(case_id)s, %(step)s, %(outcome)s, %(why)s, %(facts)s::jsonb, %(by)s, %(now)s)

-- name: last_step
SELECT outcome FROM playbook_step
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND step = %(step)s ORDER BY id DESC LIMIT 1

-- Calls to this buyer since midnight, contacts of this case in seven days; a message taken back was none.
-- name: contact_counts
SELECT count(*) FILTER (WHERE channel = 'phone' AND at >= %(midnight)s
    AND (buyer_ref = %(buyer_ref)s OR case_id = %(case_id)s))::int AS calls_today,
  count(*) FILTER (WHERE case_id = %(case_id)s AND counts AND at > %(week)s)::int AS contacts_last_7d
FROM contact k
WHERE k.shop_id = %(shop_id)s AND k.at > %(week)s AND (k.case_id = %(case_id)s OR k.channel = 'phone' AND k.buyer_ref = %(buyer_ref)s)
  AND NOT EXISTS (SELECT FROM intent i WHERE i.shop_id = k.shop_id AND i.case_id = k.case_id
    AND i.kind = 'message:' || k.key AND i.state IN ('cancelled', 'refused'))

-- name: buyer_waits
SELECT actor = 'buyer' AS waits FROM happening
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND (kind = 'message' OR kind = 'contact') ORDER BY at DESC, id DESC LIMIT 1

-- name: granted
SELECT id, granted_by, why FROM contact_override
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND used_at IS NULL AND granted_at IS NOT NULL FOR UPDATE

-- name: use_override
UPDATE contact_override SET used_at = %(now)s WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s

-- name: contact
INSERT INTO contact (shop_id, case_id, buyer_ref, channel, purpose, reached, counts, key, override_id, by_whom, at)
VALUES (%(shop_id)s, %(case_id)s, %(buyer_ref)s, %(channel)s, %(purpose)s, %(reached)s, %(counts)s, %(key)s, %(override_id)s,
  %(by)s, %(now)s)

-- The rules read how often the buyer was contacted.
-- name: count_contact
UPDATE cases SET contact_count = coalesce(contact_count, 0) + 1, person_version = person_version + 1
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: ask_override
INSERT INTO contact_override (shop_id, case_id, why, asked_by, asked_at)
VALUES (%(shop_id)s, %(case_id)s, %(why)s, %(by)s, %(now)s) ON CONFLICT DO NOTHING

-- name: grant_override
UPDATE contact_override SET granted_by = %(by)s, granted_at = %(now)s
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s AND granted_at IS NULL AND lower(asked_by) <> lower(%(by)s)

-- name: said
INSERT INTO said (shop_id, case_id, key, text, script, by_whom, at)
VALUES (%(shop_id)s, %(case_id)s, %(key)s, %(text)s, %(script)s, %(by)s, %(now)s) ON CONFLICT DO NOTHING

-- A buyer is told the same words once, however often the button is pressed.
-- name: message
INSERT INTO intent AS i (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at, deadline_at,
  planned_by, approved_by, channel, created_at, changed_at, payee)
SELECT c.shop_id, c.case_id, 'message:' || %(key)s, c.application_version, 0, c.order_id, false, 'approved',
  undo_until(c.shop_id, %(now)s, %(undo_s)s, NULL), c.due_at, %(by)s, %(by)s, 'web', %(now)s, %(now)s,
  (SELECT o.buyer_ref FROM orders o WHERE o.shop_id = c.shop_id AND o.order_id = c.order_id)
FROM cases c WHERE c.shop_id = %(shop_id)s AND c.case_id = %(case_id)s
  AND NOT EXISTS (SELECT FROM intent o WHERE o.shop_id = c.shop_id AND o.case_id = c.case_id
    AND o.kind = 'message:' || %(key)s AND o.state NOT IN ('cancelled', 'refused'))
ON CONFLICT (shop_id, case_id, kind, platform_version, amount_fen) DO UPDATE SET state = 'approved', due_at = excluded.due_at,
  planned_by = excluded.planned_by, approved_by = excluded.approved_by, outcome = NULL, changed_at = excluded.changed_at
WHERE i.state IN ('cancelled', 'refused')

-- name: promise
INSERT INTO promise (shop_id, case_id, kind, text, amount_fen, due_at, by_whom, at)
VALUES (%(shop_id)s, %(case_id)s, %(promise_kind)s, %(text)s, %(amount_fen)s, %(due_at)s, %(by)s, %(now)s)

-- name: settle_promise
UPDATE promise SET state = %(state)s, settled_by = %(by)s, settled_at = %(now)s
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s AND state = 'open' RETURNING text, due_at

-- A case that waits is as urgent as the nearest promise of it; record.sql keeps it so.
-- name: redue
UPDATE queue_item q SET due_at = least(CASE WHEN q.queue <> 'promise_due' THEN least(c.due_at, h.target_at) END, (
    SELECT min(p.due_at) FROM promise p WHERE p.shop_id = q.shop_id AND p.case_id = q.case_id AND p.state = 'open'))
FROM cases c LEFT JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
WHERE q.shop_id = %(shop_id)s AND q.case_id = %(case_id)s AND c.shop_id = q.shop_id AND c.case_id = q.case_id

-- A promise whose time comes near puts a case that waits for nobody into the queue; the shop says how long before. The
-- promise is held still, so that what is settled meanwhile leaves no row behind.
-- name: remind
WITH lead AS MATERIALIZED (
  SELECT id AS shop_id, make_interval(hours => (setting_of(id, 'deadline_lead_hours') #>> '{}')::int) AS before FROM shop),
near AS (
  SELECT p.shop_id, p.case_id, p.due_at FROM promise p JOIN lead l ON l.shop_id = p.shop_id
  WHERE p.state = 'open' AND p.due_at <= %(now)s::timestamptz + (SELECT max(before) FROM lead)
    AND p.due_at <= %(now)s::timestamptz + l.before
    AND NOT EXISTS (SELECT FROM queue_item q WHERE q.shop_id = p.shop_id AND q.case_id = p.case_id)
  ORDER BY p.due_at LIMIT %(limit)s FOR SHARE OF p SKIP LOCKED)
INSERT INTO queue_item (shop_id, case_id, queue, due_at, since)
SELECT n.shop_id, n.case_id, 'promise_due', min(n.due_at), %(now)s FROM near n
JOIN cases c ON c.shop_id = n.shop_id AND c.case_id = n.case_id
GROUP BY 1, 2 ORDER BY 1, 2 ON CONFLICT (shop_id, case_id) DO NOTHING

-- What waited for its promise alone waits no more once none is near.
-- name: relieve
DELETE FROM queue_item q WHERE q.shop_id = %(shop_id)s AND q.case_id = %(case_id)s AND q.queue = 'promise_due'
  AND NOT EXISTS (SELECT FROM promise p WHERE p.shop_id = q.shop_id AND p.case_id = q.case_id AND p.state = 'open'
    AND p.due_at <= %(now)s::timestamptz + make_interval(hours => (setting_of(q.shop_id, 'deadline_lead_hours') #>> '{}')::int))

-- name: member
SELECT m.role FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
WHERE m.shop_id = %(shop_id)s AND u.username = %(to_whom)s AND (m.access_ends_at <= moment()) IS NOT TRUE

-- name: handover
INSERT INTO handover (shop_id, case_id, from_whom, to_whom, department, found, promised, next_step, due, at)
VALUES (%(shop_id)s, %(case_id)s, %(by)s, %(to_whom)s, %(department)s, %(found)s, %(promised)s, %(next_step)s, %(due)s, %(now)s)

-- Whom it was handed to looks after it; a department's case waits for the first who takes it.
-- name: own
UPDATE queue_item SET owner = %(to_whom)s WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: see_handover
UPDATE handover SET seen_by = %(by)s, seen_at = %(now)s
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s AND seen_at IS NULL
  AND (to_whom = %(by)s OR department = %(role)s)

-- name: file
INSERT INTO evidence_file (shop_id, sha256, mime, bytes, width, height, duration_ms, pages, content)
VALUES (%(shop_id)s, %(sha256)s, %(mime)s, %(bytes)s, %(width)s, %(height)s, %(duration_ms)s, %(pages)s, %(content)s)
ON CONFLICT DO NOTHING

-- name: evidence_count
SELECT count(*)::int FROM evidence WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND removed_at IS NULL

-- name: evidence
INSERT INTO evidence (shop_id, case_id, kind, sha256, name, taken_at, by_whom, at)
VALUES (%(shop_id)s, %(case_id)s, %(evidence_kind)s, %(sha256)s, %(name)s, %(taken_at)s, %(by)s, %(now)s)
ON CONFLICT DO NOTHING RETURNING id

-- Does a refusal of the case carry this piece that was, or will be, sent, and of which the end is not known?
-- name: carried
SELECT FROM refusing r
JOIN intent i USING (shop_id, case_id, platform_version)
WHERE r.shop_id = %(shop_id)s AND r.case_id = %(case_id)s AND r.evidence_id = %(id)s
  AND i.kind = 'refuse' AND i.state NOT IN ('cancelled', 'refused', 'done')

-- name: remove_evidence
UPDATE evidence SET removed_by = %(by)s, removed_at = %(now)s
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s AND removed_at IS NULL AND used_at IS NULL
RETURNING evidence.kind

-- name: restore_evidence
UPDATE evidence e SET removed_by = NULL, removed_at = NULL
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s AND removed_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM evidence o WHERE o.shop_id = e.shop_id AND o.case_id = e.case_id AND o.kind = e.kind
    AND o.sha256 = e.sha256 AND o.removed_at IS NULL)
RETURNING e.kind

-- name: use_evidence
UPDATE evidence SET used_by = %(by)s, used_at = %(now)s
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = ANY(%(ids)s::bigint[]) AND removed_at IS NULL AND used_at IS NULL

-- Reasons that are not known, are of another version or old are asked for anew; after a refused question that is soon.
-- `any_age`: whoever has chosen from them is not sent back because of their age.
-- name: want_reasons
INSERT INTO refuse_reasons AS r (shop_id, case_id, platform_version, wanted_at)
VALUES (%(shop_id)s, %(case_id)s, %(version)s, clock_timestamp())
ON CONFLICT (shop_id, case_id) DO UPDATE SET platform_version = excluded.platform_version, wanted_at = excluded.wanted_at,
  reasons = '[]', fault = '', asked_at = NULL, answered_at = NULL
WHERE r.platform_version <> excluded.platform_version
  OR r.answered_at < clock_timestamp() - interval '5 seconds' AND r.fault <> ''
  OR r.answered_at < clock_timestamp() - interval '10 minutes' AND r.fault = '' AND NOT %(any_age)s
  OR r.answered_at IS NULL AND r.wanted_at < clock_timestamp() - interval '1 minute'

-- name: reasons
SELECT reasons::text, fault, CASE WHEN answered_at IS NULL THEN extract(epoch FROM clock_timestamp() - wanted_at)::float8 END
FROM refuse_reasons WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s

-- name: told_reasons
UPDATE refuse_reasons SET reasons = %(reasons)s::jsonb, fault = %(fault)s, answered_at = clock_timestamp()
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND platform_version = %(version)s AND answered_at IS NULL

-- name: proof
SELECT e.sha256, f.bytes, f.content FROM evidence e JOIN evidence_file f ON f.shop_id = e.shop_id AND f.sha256 = e.sha256
WHERE e.shop_id = %(shop_id)s AND e.case_id = %(case_id)s AND e.id = %(id)s AND e.removed_at IS NULL AND f.mime = 'image/jpeg'

-- name: on_case
SELECT FROM evidence WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND id = %(id)s AND removed_at IS NULL

-- name: piece_of
SELECT id FROM evidence WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND sha256 = %(sha256)s AND removed_at IS NULL
ORDER BY id DESC LIMIT 1
