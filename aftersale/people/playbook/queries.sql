-- The newest row of each step counts; a step taken back counts no more.
-- name: steps
SELECT step, outcome, why, facts::text AS facts, by_whom, at FROM (
  SELECT DISTINCT ON (step) * FROM playbook_step
  WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s ORDER BY step, id DESC) newest
WHERE outcome <> 'undone' ORDER BY id

-- When the parcel was first seen by its courier, and how often since.
-- name: parcel
SELECT min(at) AS picked_up_at, greatest(count(*) - 1, 0)::int AS events_since_pickup FROM tracking_event
WHERE shop_id = %(shop_id)s AND tracking_no = %(tracking_no)s

-- name: noted
SELECT EXISTS (SELECT FROM happening WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND kind = 'note') AS noted

-- name: contacts
SELECT id, channel, purpose, reached, counts, by_whom, at FROM contact
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s ORDER BY id DESC LIMIT 20

-- name: override
SELECT id, why, asked_by, granted_by FROM contact_override
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s AND used_at IS NULL

-- name: may_override
SELECT allowed FROM person_permitted(%(shop_id)s, %(by)s, 'contact_override', 0, 'web', NULL, %(case_id)s)

-- name: promises
SELECT id, kind, text, amount_fen, due_at, state, by_whom, at, settled_by, settled_at FROM promise
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s ORDER BY (state = 'open') DESC, due_at, id LIMIT 20

-- name: handovers
SELECT id, from_whom, to_whom, department, found, promised, next_step, due, at, seen_by, seen_at FROM handover
WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s ORDER BY id DESC LIMIT 3

-- What waits for one person: handed to them or to their department, and what was promised in their shops.
-- name: my_handovers
SELECT h.shop_id, h.case_id, h.from_whom, h.to_whom, h.department, h.found, h.next_step, h.due, h.at, c.aftersale_type, c.title
FROM handover h JOIN unnest(%(shop_ids)s::int[], %(roles)s::text[]) AS mine (shop_id, role) ON mine.shop_id = h.shop_id
JOIN cases c ON c.shop_id = h.shop_id AND c.case_id = h.case_id
WHERE h.seen_at IS NULL AND (h.to_whom = %(by)s OR h.department = mine.role) ORDER BY h.at LIMIT 100

-- name: my_promises
SELECT p.shop_id, p.case_id, p.kind, p.text, p.amount_fen, p.due_at, p.by_whom, c.aftersale_type, c.title
FROM promise p JOIN cases c ON c.shop_id = p.shop_id AND c.case_id = p.case_id
WHERE p.shop_id = ANY(%(shop_ids)s::int[]) AND p.state = 'open' ORDER BY p.due_at LIMIT 200

-- name: settings
SELECT settings::text AS settings FROM shop WHERE id = %(shop_id)s
