-- name: note
INSERT INTO audit (at, who, shop_id, what, target, why, more)
VALUES (%(at)s, %(who)s, %(shop_id)s, %(what)s, %(target)s, %(why)s, %(more)s)

-- name: alone
-- One person's looks at one shop's personal data stand in a line, so that the cap holds.
SELECT pg_advisory_xact_lock(hashtext('audit.unmask'), hashtext(%(who)s))

-- name: unmasked
SELECT (setting_of(%(shop_id)s, 'unmask_per_day') #>> '{}')::int AS most,
  (SELECT count(*) FROM audit a WHERE a.who = %(who)s AND a.what = 'unmask' AND a.at > %(since)s)::int AS seen
