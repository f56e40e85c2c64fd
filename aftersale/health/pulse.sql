-- A worker's signs of life.

-- name: beat
INSERT INTO worker AS w (name, stage, started_at, seen_at, doing, turn_since, turn_ms, did, did_at)
SELECT t.name, t.stage, clock_timestamp() - make_interval(secs => t.age_s), clock_timestamp(),
  CASE WHEN t.turn_s IS NULL THEN 'idle' ELSE 'turn' END, clock_timestamp() - make_interval(secs => t.turn_s), t.turn_ms,
  t.did, clock_timestamp() - make_interval(secs => t.did_s)
FROM unnest(%(name)s::text[], %(stage)s::text[], %(age_s)s::float8[], %(turn_s)s::float8[], %(turn_ms)s::int[],
  %(did)s::bigint[], %(did_s)s::float8[]) AS t(name, stage, age_s, turn_s, turn_ms, did, did_s)
ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, seen_at = excluded.seen_at, doing = excluded.doing,
  turn_since = excluded.turn_since, turn_ms = excluded.turn_ms, did = excluded.did, did_at = excluded.did_at

-- name: forget
DELETE FROM worker WHERE seen_at < clock_timestamp() - interval '1 day'

-- name: leave
UPDATE worker SET doing = 'ended', seen_at = clock_timestamp(), turn_since = NULL WHERE name = ANY (%(names)s)
