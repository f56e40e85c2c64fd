-- A record of made-up cases for the desk, set-based; every tenth case waits. Numbers are drawn from the case's own
-- number, so they are the same every time; what is paid tells nothing of the rest. Written by the owner in parts, triggers off.

-- name: shops
INSERT INTO shop (code, name, platform)
SELECT 'bench' || n, '店铺' || n, (ARRAY['tmall', 'taobao', 'pdd'])[1 + n %% 3] FROM generate_series(1, %(shops)s) n

-- name: orders
INSERT INTO orders (shop_id, order_id, order_version, order_state, order_kind, paid_fen, shipped, shipped_at, paid_at, promo,
  region, tracking_no, courier, buyer_ref, phone_tail, warehouse_state)
SELECT 1 + i / 10 %% %(shops)s, ('4' || lpad(i::text, 11, '0')), 1, CASE WHEN i %% 3 = 0 THEN 'paid' ELSE 'shipped' END, 'spot',
  (%(prices)s::bigint[])[1 + (hashint8(i) & 1023) %% 12] + (hashint8(i) >> 10 & 1023), i %% 3 <> 0, CASE WHEN i %% 3 <> 0 THEN a.at - interval '1 day' END,
  a.at - interval '2 days', 'double11', '湖北武汉', CASE WHEN i %% 3 <> 0 THEN 'SF' || lpad(i::text, 12, '0') END,
  'shunfeng', 'AAE' || i, lpad((i * 7907 %% 10000)::text, 4, '0'), CASE WHEN i %% 3 = 0 THEN 'packing' END
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
CROSS JOIN LATERAL (SELECT %(at)s::timestamptz - make_interval(secs => (%(cases)s - i) * %(span_s)s / %(cases)s::float8) AS at) a

-- name: cases
INSERT INTO cases (shop_id, case_id, order_id, platform, application_version, aftersale_type, state, phase, reason,
  reason_text, amount_fen, applied_at, applied_minute, received, due_at, title, buyer_ref, first_seen_at)
SELECT 1 + i / 10 %% %(shops)s, ('6' || lpad(i::text, 11, '0')), ('4' || lpad(i::text, 11, '0')), (ARRAY['tmall', 'taobao', 'pdd'])[1 + (1 + i / 10 %% %(shops)s) %% 3],
  1, (ARRAY['unshipped_refund_only', 'shipped_refund_only', 'return_refund'])[1 + i %% 3],
  CASE WHEN i %% 10 = 0 THEN (ARRAY['applied', 'applied', 'applied', 'return_agreed', 'return_shipped'])[1 + (i / 10 * 7919 %% 5)] ELSE 'refunded' END,
  'onsale', (%(reasons)s::text[])[1 + ((i / 10) * 104729 %% 1009) * ((i / 10) * 104729 %% 1009) / 1009 %% 25], '不太合适，麻烦处理一下',
  (%(prices)s::bigint[])[1 + (hashint8(i) & 1023) %% 12] + (hashint8(i) >> 10 & 1023), a.at, 720, false, a.at + interval '48 hours',
  '商品 ' || (i * 31 %% 400) || (ARRAY[' 明前龙井 礼盒', ' 坚果每日装', ' 手工蛋黄酥', ' 桂花乌龙 袋泡'])[1 + i * 31 %% 4], 'AAE' || i, a.at
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
CROSS JOIN LATERAL (SELECT %(at)s::timestamptz - make_interval(secs => (%(cases)s - i) * %(span_s)s / %(cases)s::float8) AS at) a

-- name: handling
INSERT INTO handling (shop_id, case_id, decision_id, decided_version, decided_at, rule, action, queue, amount_fen)
SELECT 1 + i / 10 %% %(shops)s, ('6' || lpad(i::text, 11, '0')), i, 1, %(at)s, 'bench', w.action, w.queue, (%(prices)s::bigint[])[1 + (hashint8(i) & 1023) %% 12] + (hashint8(i) >> 10 & 1023)
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
CROSS JOIN LATERAL (SELECT CASE WHEN i %% 10 = 0 THEN (%(queues)s::text[])[1 + ((i / 10) * 15485863 %% 997) * ((i / 10) * 15485863 %% 997) / 997 %% 14] END AS queue,
  CASE WHEN i %% 10 = 0 THEN (%(actions)s::text[])[1 + (i / 10 * 32452843 %% 6)] ELSE 'auto_refund' END AS action) w

-- name: decisions
INSERT INTO decision (shop_id, case_id, id, decided_at, application_version, book_version, rule, action, queue, amount_fen, facts)
SELECT shop_id, case_id, decision_id, decided_at, 1, 'bench', rule, action, queue, amount_fen, '()' FROM handling WHERE queue IS NOT NULL

-- name: parcels
INSERT INTO parcel (shop_id, tracking_no, courier, parcel_version, tracking_state, tracking_events, last_tracking_at)
SELECT 1 + i / 10 %% %(shops)s, 'SF' || lpad(i::text, 12, '0'), 'shunfeng', 1, 'in_transit', 2, %(at)s::timestamptz - interval '8 hours'
FROM generate_series(10::bigint, %(cases)s::bigint, 10) i WHERE i %% 3 <> 0

-- name: events
INSERT INTO tracking_event (shop_id, tracking_no, at, text)
SELECT shop_id, tracking_no, last_tracking_at, '快件已从 杭州转运中心 发出，下一站 武汉转运中心' FROM parcel

-- name: money
INSERT INTO order_money (shop_id, order_id, paid_fen)
SELECT 1 + i / 10 %% %(shops)s, ('4' || lpad(i::text, 11, '0')), (%(prices)s::bigint[])[1 + (hashint8(i) & 1023) %% 12] + (hashint8(i) >> 10 & 1023) FROM generate_series(10::bigint, %(cases)s::bigint, 10) i

-- name: queue
INSERT INTO queue_item (shop_id, case_id, queue, due_at, amount_fen, since, owner, reason, action, state, asked_fen)
SELECT h.shop_id, h.case_id, h.queue, %(at)s::timestamptz + make_interval(mins => ((h.decision_id * 48271 %% 8640) - 1440)::int), h.amount_fen,
  %(at)s::timestamptz - make_interval(secs => (h.decision_id * 69621 %% 259200)::float8),
  CASE WHEN h.decision_id %% 50 = 0 THEN 'bench' || h.decision_id / 50 %% 40 END, coalesce(c.reason, ''), h.action, c.state, h.amount_fen
FROM handling h JOIN cases c ON c.shop_id = h.shop_id AND c.case_id = h.case_id WHERE h.queue IS NOT NULL

-- name: titles
INSERT INTO goods_title (shop_id, title) SELECT DISTINCT shop_id, title FROM cases

-- name: titled
INSERT INTO titled_case (title_id, shop_id, seen_at, case_id)
SELECT t.id, c.shop_id, c.first_seen_at, c.case_id FROM cases c JOIN goods_title t ON t.shop_id = c.shop_id AND t.title = c.title

-- name: counts
INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
SELECT shop_id, queue, reason, action, state, count(*) FROM queue_item GROUP BY 1, 2, 3, 4, 5

-- name: totals
INSERT INTO queue_total (shop_id, queue, cases) SELECT shop_id, queue, count(*) FROM queue_item GROUP BY 1, 2

-- name: made
-- Keys and indexes of these tables, the longest to build first: how to drop each and how to make it again.
SELECT tablename,
  CASE WHEN c.oid IS NULL THEN format('DROP INDEX %%I', indexname) ELSE format('ALTER TABLE %%I DROP CONSTRAINT %%I', tablename, conname) END,
  CASE WHEN c.oid IS NULL THEN indexdef
    ELSE format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', tablename, conname, pg_get_constraintdef(c.oid)) END
FROM pg_indexes i LEFT JOIN pg_constraint c ON c.conname = i.indexname AND c.conrelid = tablename::regclass
WHERE schemaname = 'public' AND tablename = ANY (%(tables)s) ORDER BY array_position(%(tables)s, tablename::text), indexname

-- name: members
INSERT INTO membership (user_id, shop_id, role) SELECT %(user_id)s, id, 'lead' FROM shop ON CONFLICT DO NOTHING

-- name: wrong
-- Places of which a counter tells another number than there are.
SELECT count(*) FROM (SELECT shop_id, queue, count(*) AS n FROM queue_item GROUP BY 1, 2) i
FULL JOIN (SELECT shop_id, queue, sum(cases) AS n FROM queue_count GROUP BY 1, 2 HAVING sum(cases) <> 0) k USING (shop_id, queue)
FULL JOIN (SELECT shop_id, queue, sum(cases) AS n FROM queue_total GROUP BY 1, 2 HAVING sum(cases) <> 0) t USING (shop_id, queue)
WHERE i.n IS DISTINCT FROM k.n OR i.n IS DISTINCT FROM t.n
