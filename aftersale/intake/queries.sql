-- name: store
WITH stored AS (INSERT INTO arrival (shop_id, source, body) SELECT * FROM unnest(%s::int[], %s::text[], %s::bytea[]) RETURNING id)
INSERT INTO arrival_todo (arrival_id) SELECT id FROM stored

-- name: shops
SELECT code, id, push_secrets FROM shop

-- A shop whose pull is due; the lease keeps others away while we are on the network.
-- name: lease_pull
UPDATE pull_cursor c SET lease_until = now() + interval '60 seconds' FROM shop s
WHERE s.id = c.shop_id AND (c.shop_id, c.kind) IN (
  SELECT shop_id, kind FROM pull_cursor
  WHERE next_pull_at <= now() AND (lease_until IS NULL OR lease_until < now())
  ORDER BY next_pull_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING c.shop_id, c.kind, c.since

-- name: pulled
UPDATE pull_cursor SET since = %(since)s, next_pull_at = now() + make_interval(secs => %(pause_s)s), lease_until = NULL
WHERE shop_id = %(shop_id)s AND kind = %(kind)s

-- name: older
SELECT t.case_id, t.version FROM unnest(%(ids)s::text[], %(versions)s::bigint[]) AS t(case_id, version)
LEFT JOIN cases c ON c.shop_id = %(shop_id)s AND c.case_id = t.case_id
WHERE c.case_id IS NULL OR c.application_version < t.version

-- name: want
INSERT INTO to_fetch (shop_id, kind, external_id, version)
SELECT %(shop_id)s, %(kind)s, t.id, t.version FROM unnest(%(ids)s::text[], %(versions)s::bigint[]) AS t(id, version)
ON CONFLICT (shop_id, kind, external_id) DO UPDATE SET version = greatest(to_fetch.version, excluded.version)

-- What a push has brought meanwhile need not be fetched.
-- name: known
DELETE FROM to_fetch f WHERE f.due_at <= now() AND (
  EXISTS (SELECT FROM cases c WHERE f.kind = 'application' AND c.shop_id = f.shop_id AND c.case_id = f.external_id
    AND c.application_version >= f.version)
  OR EXISTS (SELECT FROM orders o WHERE f.kind = 'order' AND o.shop_id = f.shop_id AND o.order_id = f.external_id
    AND o.order_version >= f.version))

-- name: lease_fetch
UPDATE to_fetch f SET due_at = now() + interval '60 seconds', tries = tries + 1
WHERE (f.shop_id, f.kind, f.external_id) IN (
  SELECT shop_id, kind, external_id FROM to_fetch w WHERE due_at <= now() AND EXISTS (SELECT FROM shop s
    WHERE s.id = w.shop_id AND num_nulls(s.base_url, s.app_key, s.app_secret, s.session_key) = 0)
  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING f.shop_id, f.kind, f.external_id, f.tries, f.due_at

-- Unless it was wanted anew while the answer was under way.
-- name: fetched
DELETE FROM to_fetch WHERE shop_id = %(shop_id)s AND kind = %(kind)s AND external_id = %(external_id)s AND due_at = %(due_at)s

-- name: postpone
UPDATE to_fetch SET due_at = now() + make_interval(secs => %(pause_s)s)
WHERE shop_id = %(shop_id)s AND kind = %(kind)s AND external_id = %(external_id)s
