-- Temp tables that a batch passes through; they empty at commit. {plain} keeps short texts out of TOAST, whose tables
-- would be truncated at every commit too (PostgreSQL 16 and newer can say so).

-- name: tables
CREATE TEMP TABLE IF NOT EXISTS stage_inbox (shop_id int, key uuid, kind text {plain}, external_id text {plain},
  version bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_event (shop_id int, tracking_no text, at timestamptz, text text, code text)
  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_line (shop_id int, order_id text, line_id text, product_id text, title text,
  sku text, quantity int, paid_fen bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_share (shop_id int, order_id text {plain}, line_id text {plain},
  funder text {plain}, amount_fen bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_message (shop_id int, case_id text, at timestamptz, role text, text text,
  key uuid) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_notice (shop_id int, kind text {plain}, external_id text {plain})
  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touched (shop_id int, case_id text {plain}) ON COMMIT DELETE ROWS;
-- What most statements ask of a verdict stands first: to reach a column every one before it is walked over.
CREATE TEMP TABLE IF NOT EXISTS verdict (shop_id int, changed bool, money bool, prior_looked bool, prior_decision bigint,
  application_version bigint, decision_id bigint, amount_fen bigint, case_amount_fen bigint, prior_version bigint,
  prior_refunded bigint, look_at timestamptz, due_at timestamptz, applied_at timestamptz, target_at timestamptz,
  state text {plain}, queue text {plain}, kinds text[] {plain}, prior_rule text {plain}, case_id text {plain},
  order_id text {plain}, rule text {plain}, action text {plain}, reason text {plain}, buyer_ref text {plain},
  facts text {plain}, book_version text {plain}, settings jsonb) ON COMMIT DELETE ROWS

-- What a record's columns are like in the table it goes to.
-- name: types
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped

-- The stage tables are never analysed, so plans for them guess. From a batch into the record the way is always by
-- index, row for row, however large the record; a join inside a batch must not need more than that. Names are looked for
-- as the guards look for them: where temp tables make the two ways differ, each change from one to the other plans anew
-- every function that both call, 10 ms for a person's limit.
-- name: plans
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET random_page_cost = 1.1;
SET search_path = public, pg_temp
