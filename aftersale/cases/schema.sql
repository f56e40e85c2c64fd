-- The record. Snapshots of the world live in parcel, orders and cases; what we make of them in handling, decision,
-- intent and timeline. Every key starts with shop_id so that the tables can be distributed by shop.

CREATE TABLE shop (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code text NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9_-]{1,32}$'),
  name text NOT NULL,
  platform text NOT NULL CHECK (platform IN ('tmall', 'taobao', 'pdd')),
  zone text NOT NULL DEFAULT 'Asia/Shanghai',
  settings jsonb NOT NULL DEFAULT '{}',
  base_url text, app_key text, app_secret text, session_key text,
  courier_url text, courier_key text, courier_secret text,
  push_secrets jsonb NOT NULL DEFAULT '{}',  -- by source: taobao, kuaidi100, warehouse
  created_at timestamptz NOT NULL DEFAULT now()
);

-- 1 What happened: raw bodies as they came, and the queue of those not yet read.
CREATE TABLE arrival (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL,
  source text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  body bytea NOT NULL
);
ALTER TABLE arrival ALTER body SET STORAGE EXTERNAL;  -- read once; compressing it costs more than it saves
CREATE TABLE arrival_todo (
  arrival_id bigint PRIMARY KEY,
  tries int NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- The identity of every event ever taken in. The key starts with the event's time, so inserts stay at the right edge.
CREATE TABLE inbox (
  shop_id int NOT NULL,
  key uuid NOT NULL,
  kind text NOT NULL,
  external_id text NOT NULL,
  version bigint NOT NULL,
  PRIMARY KEY (shop_id, key)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

CREATE TABLE parked (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL,
  source text NOT NULL,
  place text NOT NULL,
  why text NOT NULL,
  raw bytea NOT NULL,
  parked_at timestamptz NOT NULL DEFAULT now(),
  resolved_at timestamptz
);
CREATE UNIQUE INDEX parked_once ON parked (shop_id, source, place, md5(raw), md5(why));

CREATE TABLE pull_cursor (
  shop_id int NOT NULL,
  kind text NOT NULL,
  since timestamptz NOT NULL,
  next_pull_at timestamptz NOT NULL DEFAULT now(),
  lease_until timestamptz,
  PRIMARY KEY (shop_id, kind)
);
CREATE TABLE to_fetch (
  shop_id int NOT NULL,
  kind text NOT NULL CHECK (kind IN ('application', 'order')),
  external_id text NOT NULL,
  version bigint NOT NULL DEFAULT 9223372036854775807,  -- what the platform has; fetched only if we have less
  due_at timestamptz NOT NULL DEFAULT now() + interval '3 seconds',  -- a push may bring it by then
  tries int NOT NULL DEFAULT 0,
  PRIMARY KEY (shop_id, kind, external_id)
);

-- 2 The world as last told.
CREATE TABLE parcel (
  shop_id int NOT NULL,
  tracking_no text NOT NULL CHECK (length(tracking_no) BETWEEN 1 AND 64),
  courier text,
  parcel_version bigint NOT NULL DEFAULT 0,
  tracking_state text, tracking_events int, last_tracking_at timestamptz, signed_at timestamptz, signed_by text,
  intercept_version bigint NOT NULL DEFAULT 0,
  interception text, intercept_requested_at timestamptz,
  inbound_version bigint NOT NULL DEFAULT 0,
  inbound_success bool, inbound_at timestamptz, inbound_condition text, warehouse_kind text,
  PRIMARY KEY (shop_id, tracking_no)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
CREATE TABLE tracking_event (
  shop_id int NOT NULL,
  tracking_no text NOT NULL,
  at timestamptz NOT NULL,
  text text NOT NULL,
  code text,
  PRIMARY KEY (shop_id, tracking_no, at, text)
);

CREATE TABLE orders (
  shop_id int NOT NULL,
  order_id text NOT NULL CHECK (length(order_id) BETWEEN 1 AND 64),
  order_version bigint NOT NULL DEFAULT 0,
  order_state text, order_kind text,
  paid_fen bigint CHECK (paid_fen >= 0), freight_fen bigint, refunded_fen bigint,
  ordered_at timestamptz, paid_at timestamptz,
  shipped bool, shipped_at timestamptz,
  promo text, promo_ended_at timestamptz, locked_until timestamptz,
  presale_deposit bool, item_value_fen bigint, return_freight_fen bigint, perishable bool, return_prohibited bool,
  region text, tracking_no text, courier text, buyer_ref text,
  warehouse_version bigint NOT NULL DEFAULT 0,
  warehouse_state text, erp_cancel_confirmed bool, erp_intercept_result bool, handed_over_at timestamptz,
  PRIMARY KEY (shop_id, order_id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX orders_tracking ON orders (shop_id, tracking_no) WHERE tracking_no IS NOT NULL;

CREATE TABLE order_line (
  shop_id int NOT NULL, order_id text NOT NULL, line_id text NOT NULL,
  product_id text, title text NOT NULL, sku text,
  quantity int NOT NULL CHECK (quantity > 0),
  paid_fen bigint NOT NULL CHECK (paid_fen >= 0),
  PRIMARY KEY (shop_id, order_id, line_id)
);
-- Who gave which discount on which unit, frozen at purchase by largest remainder.
CREATE TABLE order_share (
  shop_id int NOT NULL, order_id text NOT NULL, line_id text NOT NULL,
  unit_no int NOT NULL CHECK (unit_no > 0), funder text NOT NULL,
  amount_fen bigint NOT NULL CHECK (amount_fen >= 0),
  PRIMARY KEY (shop_id, order_id, line_id, unit_no, funder)
);
-- The fence around an order's money: whatever the code does, no more is promised than was paid.
CREATE TABLE order_money (
  shop_id int NOT NULL, order_id text NOT NULL,
  paid_fen bigint NOT NULL CHECK (paid_fen >= 0),
  held_fen bigint NOT NULL DEFAULT 0,
  CHECK ((held_fen BETWEEN 0 AND paid_fen) IS TRUE),
  PRIMARY KEY (shop_id, order_id)
) WITH (fillfactor = 85);

CREATE TABLE cases (
  shop_id int NOT NULL,
  case_id text NOT NULL CHECK (length(case_id) BETWEEN 1 AND 64),
  order_id text NOT NULL CHECK (length(order_id) BETWEEN 1 AND 64),
  platform text NOT NULL,
  application_version bigint NOT NULL,
  aftersale_type text, state text, phase text, reason text, reason_text text,
  amount_fen bigint CHECK (amount_fen >= 0),
  applied_at timestamptz, applied_minute int, received bool, due_at timestamptz,
  intervened bool, zero_second_covered bool, platform_initiated bool, freight_insurance bool,
  return_tracking_no text, return_courier text, operation_limit text,
  modification_count int, refusal_count int, line_id text, title text, buyer_ref text,
  person_version bigint NOT NULL DEFAULT 0,
  buyer_wants_goods bool, courier_checked bool, goods_problem bool, resaleable bool, difference_confirmed bool,
  fault text, contact_count int,
  first_seen_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX cases_order ON cases (shop_id, order_id);
CREATE INDEX cases_return ON cases (shop_id, return_tracking_no) WHERE return_tracking_no IS NOT NULL;

-- 3 What we make of it. One row a case: the decision that counts now.
CREATE TABLE handling (
  shop_id int NOT NULL, case_id text NOT NULL,
  decision_id bigint NOT NULL,
  decided_version bigint NOT NULL,
  decided_at timestamptz NOT NULL,
  rule text NOT NULL, action text NOT NULL, queue text,
  amount_fen bigint,
  target_at timestamptz,
  PRIMARY KEY (shop_id, case_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
-- The clocks of a case: the platform's, which wins, and our own target. Each stands in one place.
CREATE VIEW deadline AS
SELECT shop_id, case_id, 'platform' AS kind, due_at FROM cases WHERE due_at IS NOT NULL AND state NOT IN ('refunded', 'closed')
UNION ALL SELECT shop_id, case_id, 'target', target_at FROM handling WHERE target_at IS NOT NULL AND queue IS NOT NULL;

CREATE TABLE book_version (
  version text PRIMARY KEY,
  book text NOT NULL, text text NOT NULL, reads text[] NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE decision_id CACHE 100;
-- `facts` is the row of the facts read, in the order of book_version.reads, as PostgreSQL writes a record.
CREATE TABLE decision (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint NOT NULL,
  decided_at timestamptz NOT NULL,
  application_version bigint NOT NULL,
  book_version text NOT NULL, rule text NOT NULL, action text NOT NULL, queue text,
  amount_fen bigint,
  facts text NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}',
  PRIMARY KEY (shop_id, case_id, id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);

-- One outward effect. The primary key is the deterministic key and is kept for ever.
CREATE TABLE intent (
  shop_id int NOT NULL, case_id text NOT NULL, kind text NOT NULL,
  platform_version bigint NOT NULL, amount_fen bigint NOT NULL,
  order_id text NOT NULL,
  money bool NOT NULL,
  state text NOT NULL CHECK (state IN
    ('planned', 'approved', 'sending', 'done', 'refused', 'unknown', 'cancelled', 'with_person')),
  epoch bigint NOT NULL DEFAULT 0,
  sends int NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL,
  deadline_at timestamptz,
  sent_at timestamptz, asked_at timestamptz,
  planned_by text NOT NULL, approved_by text,
  outcome text,
  created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
  CHECK ((amount_fen > 0) = money), CHECK (amount_fen >= 0),
  PRIMARY KEY (shop_id, case_id, kind, platform_version, amount_fen)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX intent_one_live_money ON intent (shop_id, case_id)
  WHERE money AND state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person');
CREATE INDEX intent_due ON intent (due_at) WHERE state IN ('approved', 'sending', 'unknown');

CREATE FUNCTION intent_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen, NEW.order_id, NEW.money)
     IS DISTINCT FROM (OLD.shop_id, OLD.case_id, OLD.kind, OLD.platform_version, OLD.amount_fen, OLD.order_id, OLD.money)
  THEN RAISE EXCEPTION 'intent: a bound field was changed'; END IF;
  IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state IN (
      'planned>approved', 'planned>cancelled', 'planned>with_person',
      'approved>sending', 'approved>cancelled', 'approved>with_person',
      'sending>done', 'sending>refused', 'sending>unknown', 'sending>with_person', 'sending>approved',
      'unknown>approved', 'unknown>done', 'unknown>refused', 'unknown>cancelled', 'unknown>with_person',
      'with_person>approved', 'with_person>cancelled', 'with_person>done', 'with_person>refused',
      'cancelled>approved', 'cancelled>planned', 'refused>approved')) IS NOT TRUE  -- these two have done nothing
  THEN RAISE EXCEPTION 'intent: no edge from % to %', OLD.state, NEW.state; END IF;
  IF OLD.state = 'refused' AND NEW.state = 'approved' AND (NEW.approved_by NOT LIKE 'rule:%') IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: only a person may try again what was refused'; END IF;
  -- Only a call that the platform turned away before doing anything goes back without a question.
  IF OLD.state = 'sending' AND NEW.state = 'approved' AND (NEW.outcome LIKE 'later:%') IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: what was sent may not be sent again unasked'; END IF;
  -- What may have happened must be asked about before it is tried again.
  IF OLD.state = 'unknown' AND NEW.state = 'approved' AND (NEW.asked_at > OLD.sent_at) IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: unknown may be left only through a query'; END IF;
  IF NEW.state = 'sending' AND OLD.state <> 'sending' THEN
    NEW.epoch := OLD.epoch + 1; NEW.sends := OLD.sends + 1; NEW.sent_at := clock_timestamp();
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER intent_edge BEFORE UPDATE ON intent FOR EACH ROW EXECUTE FUNCTION intent_edge();

-- Money that is known to have left, whoever sent it. Once a case, to the fen.
CREATE TABLE ledger (
  shop_id int NOT NULL, case_id text NOT NULL, order_id text NOT NULL,
  amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  origin text NOT NULL CHECK (origin IN ('automatic', 'person', 'platform')),
  at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, case_id)
);

-- Only cases that need a person have a row here, so the queue stays small whatever the record holds.
CREATE TABLE queue_item (
  shop_id int NOT NULL, case_id text NOT NULL,
  queue text NOT NULL,
  due_at timestamptz,
  amount_fen bigint,
  since timestamptz NOT NULL,
  owner text,
  PRIMARY KEY (shop_id, case_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX queue_item_due ON queue_item (shop_id, queue, due_at, case_id);

-- The moment at which a case's decision will change if nothing else does.
CREATE TABLE look (
  shop_id int NOT NULL, case_id text NOT NULL,
  at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX look_at ON look (at);

-- What happened to a case that no other append-only table tells: messages, notes, people's acts, what became of intents.
CREATE SEQUENCE happening_id CACHE 100;
CREATE TABLE happening (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint NOT NULL DEFAULT nextval('happening_id'),
  at timestamptz NOT NULL,
  kind text NOT NULL,
  actor text NOT NULL,
  what text NOT NULL,
  PRIMARY KEY (shop_id, case_id, id)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
-- The timeline of a case is read from what was written once; it is no second copy.
CREATE VIEW timeline AS
SELECT shop_id, case_id, id, decided_at AS at, 'decision' AS kind, 'rule:' || rule AS actor, action AS what FROM decision
UNION ALL SELECT shop_id, case_id, id, at, kind, actor, what FROM happening;

-- Stops everything (shop_id 0, action ''), a shop, or one action of a shop.
CREATE TABLE switch (
  shop_id int NOT NULL, action text NOT NULL,
  stopped bool NOT NULL, why text NOT NULL, by_whom text NOT NULL, at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, action)
);
CREATE TABLE switch_log (LIKE switch INCLUDING DEFAULTS, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

-- A worker's sign of life and what it last did.
CREATE TABLE worker (
  name text PRIMARY KEY, started_at timestamptz NOT NULL, seen_at timestamptz NOT NULL, doing text NOT NULL
);

-- Who may see which shop.
CREATE TABLE membership (
  user_id int NOT NULL, shop_id int NOT NULL REFERENCES shop (id),
  role text NOT NULL CHECK (role IN ('agent', 'lead', 'finance', 'warehouse', 'owner')),
  PRIMARY KEY (user_id, shop_id)
);

-- The clock of a shop that lives in a sandbox; without a row time is real.
CREATE TABLE clock (
  single bool PRIMARY KEY DEFAULT true CHECK (single),
  real_at timestamptz NOT NULL, virtual_at timestamptz NOT NULL, speed double precision NOT NULL CHECK (speed >= 0)
);
CREATE FUNCTION moment() RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT virtual_at + (clock_timestamp() - real_at) * speed FROM clock), clock_timestamp())
$$;

-- All stored facts of a case in one row; rulebooks/facts/case.yaml documents each column.
CREATE VIEW case_facts AS
SELECT c.shop_id, c.case_id, c.order_id, c.application_version, c.platform,
  c.aftersale_type, c.state, c.phase, c.reason, c.amount_fen, c.applied_at, c.applied_minute, c.received, c.due_at,
  c.intervened, c.zero_second_covered, c.platform_initiated, c.freight_insurance, c.return_tracking_no,
  c.operation_limit, c.modification_count, c.refusal_count,
  c.buyer_wants_goods, c.courier_checked, c.goods_problem, c.resaleable, c.difference_confirmed, c.fault,
  c.contact_count,
  o.paid_fen, o.item_value_fen, o.return_freight_fen, o.order_kind, o.presale_deposit, o.promo, o.promo_ended_at,
  o.locked_until, o.shipped, o.shipped_at, o.perishable, o.return_prohibited,
  o.warehouse_state, o.erp_cancel_confirmed, o.erp_intercept_result, o.handed_over_at,
  p.tracking_state, p.tracking_events, p.last_tracking_at, p.signed_at, p.signed_by,
  p.interception, p.intercept_requested_at,
  r.tracking_state AS return_tracking_state, r.tracking_events AS return_tracking_events,
  r.signed_at AS return_signed_at,
  r.inbound_success, r.inbound_at, r.inbound_condition, r.warehouse_kind
FROM cases c
LEFT JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
LEFT JOIN parcel p ON p.shop_id = o.shop_id AND p.tracking_no = o.tracking_no
LEFT JOIN parcel r ON r.shop_id = c.shop_id AND r.tracking_no = c.return_tracking_no;

-- What is written once stays written.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON happening FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON decision FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON switch_log FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON ledger EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON happening EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON decision EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON switch_log EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON intent EXECUTE FUNCTION append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON intent FOR EACH ROW EXECUTE FUNCTION append_only();

-- When an application of the platform may call next; every caller books its turn here, so the limit holds over hosts.
CREATE TABLE call_pace (
  app_key text PRIMARY KEY,
  next_at timestamptz NOT NULL,
  blocked_until timestamptz
);
