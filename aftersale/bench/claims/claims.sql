-- Queues whose items came and went, set by set.

-- name: shop
INSERT INTO shop (code, name, platform, base_url, app_key, app_secret, session_key)
VALUES ('bench-claims', '测速店', 'tmall', 'http://127.0.0.1:9', 'k', 's', 't') ON CONFLICT DO NOTHING

-- name: cases
INSERT INTO cases (shop_id, case_id, order_id, platform, application_version, state, first_seen_at)
SELECT 1, 'open' || n, 'open' || n, 'tmall', 1, 'applied', %(at)s FROM generate_series(1, %(open)s) n

-- name: news
WITH stored AS (
  INSERT INTO arrival (shop_id, source, body) SELECT 1, 'bench', 'x' FROM generate_series(1, %(count)s) RETURNING id)
INSERT INTO arrival_todo (arrival_id) SELECT id FROM stored

-- name: news_done
DELETE FROM arrival_todo

-- name: looks
INSERT INTO look (shop_id, case_id, at)
SELECT 1, 'done' || n, %(at)s::timestamptz - interval '1 hour' * (%(count)s - n) / %(count)s
FROM generate_series(1, %(count)s) n

-- name: looks_done
DELETE FROM look

-- name: put_news
WITH stored AS (
  INSERT INTO arrival (shop_id, source, body) SELECT 1, 'bench', 'x' FROM generate_series(1, %(open)s) RETURNING id)
INSERT INTO arrival_todo (arrival_id) SELECT id FROM stored

-- name: put_looks
INSERT INTO look (shop_id, case_id, at)
SELECT 1, 'open' || n, %(at)s::timestamptz - interval '1 second' FROM generate_series(1, %(open)s) n

-- name: intents
INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at, planned_by,
  approved_by, created_at, changed_at)
SELECT 1, 'done' || n, 'message:bench', 1, 0, 'done', false, 'approved',
  %(at)s::timestamptz - interval '1 hour' * (%(count)s - n) / %(count)s, 'rule:bench', 'rule:bench', %(at)s, %(at)s
FROM generate_series(1, %(count)s) n

-- name: intents_done
UPDATE intent SET state = 'cancelled' WHERE state = 'approved'

-- name: put_intents
INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at, planned_by,
  approved_by, created_at, changed_at)
SELECT 1, 'open' || n, 'message:bench', nextval('happening_id'), 0, 'open', false, 'approved', %(at)s, 'rule:bench',
  'rule:bench', %(at)s, %(at)s
FROM generate_series(1, %(open)s) n

-- name: intents_settled
UPDATE intent SET state = 'done' WHERE shop_id = 1 AND kind = 'message:bench' AND amount_fen = 0
  AND (case_id, platform_version) IN (SELECT * FROM unnest(%(cases)s::text[], %(versions)s::bigint[]))
