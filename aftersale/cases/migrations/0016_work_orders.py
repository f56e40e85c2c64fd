"""Work orders between departments, parcels on their way back, and claims against couriers."""

from django.db import migrations

ORDERS = """
-- Work for other departments. `key` names the cause, so that one cause opens one order.
CREATE TABLE work_order (
  shop_id int NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  template text NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'cancelled')),
  source text NOT NULL CHECK (source IN
    ('chat', 'complaint_entry', 'self_service', 'platform', 'warehouse', 'courier', 'import', 'desk', 'rule')),
  subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
  urgent bool NOT NULL, important bool NOT NULL,
  fields jsonb NOT NULL,
  version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
  created_by text NOT NULL, created_at timestamptz NOT NULL,
  changed_by text NOT NULL, changed_at timestamptz NOT NULL,
  ended_at timestamptz,
  CHECK ((state = 'open') = (ended_at IS NULL)),
  PRIMARY KEY (shop_id, id), UNIQUE (shop_id, key)
);
CREATE TABLE work_order_case (
  shop_id int NOT NULL, work_order_id bigint NOT NULL, case_id text NOT NULL,
  PRIMARY KEY (shop_id, case_id, work_order_id),
  FOREIGN KEY (shop_id, work_order_id) REFERENCES work_order (shop_id, id)
);
CREATE INDEX work_order_case_of ON work_order_case (work_order_id);

-- One department's part. A stage begins when the one before is done; steps of a stage run side by side.
CREATE TABLE work_order_step (
  shop_id int NOT NULL, work_order_id bigint NOT NULL, code text NOT NULL,
  stage smallint NOT NULL CHECK (stage >= 0), place smallint NOT NULL,
  template text NOT NULL, department text NOT NULL,
  hours int NOT NULL CHECK (hours > 0),
  state text NOT NULL CHECK (state IN ('waiting', 'open', 'taken', 'done')),
  owner text,
  started_at timestamptz, due_at timestamptz, done_at timestamptz,
  worked_s bigint CHECK (worked_s >= 0),
  note text,
  fields jsonb NOT NULL DEFAULT '{}',
  live bool NOT NULL,
  CHECK ((state IN ('taken', 'done')) = (owner IS NOT NULL)),
  CHECK ((state = 'waiting') = (due_at IS NULL)),
  CHECK ((started_at IS NULL) = (due_at IS NULL)),
  CHECK ((state = 'done') = (done_at IS NOT NULL AND worked_s IS NOT NULL)),
  CHECK (NOT live OR state IN ('open', 'taken')),
  PRIMARY KEY (shop_id, work_order_id, code),
  FOREIGN KEY (shop_id, work_order_id) REFERENCES work_order (shop_id, id)
);
CREATE INDEX work_order_step_live ON work_order_step (shop_id, department, due_at) WHERE live;
CREATE INDEX work_order_step_done ON work_order_step (done_at) WHERE state = 'done';

-- What happened to an order, what was said, and what was attached; `evidence_id` refers to a file that is kept elsewhere.
CREATE TABLE work_order_remark (
  shop_id int NOT NULL, work_order_id bigint NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL, who text NOT NULL,
  kind text NOT NULL CHECK (kind IN
    ('created', 'taken', 'given_back', 'done', 'sent_back', 'ended', 'cancelled', 'said', 'attached')),
  step text, text text NOT NULL DEFAULT '' CHECK (length(text) <= 2000),
  evidence_id bigint,
  CHECK ((kind = 'attached') = (evidence_id IS NOT NULL)),
  PRIMARY KEY (shop_id, work_order_id, id),
  FOREIGN KEY (shop_id, work_order_id) REFERENCES work_order (shop_id, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON work_order_remark FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON work_order_remark EXECUTE FUNCTION append_only();
CREATE TRIGGER never_deleted BEFORE DELETE ON work_order FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION work_order_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.shop_id, NEW.id, NEW.key, NEW.template, NEW.created_by, NEW.created_at)
    IS DISTINCT FROM (OLD.shop_id, OLD.id, OLD.key, OLD.template, OLD.created_by, OLD.created_at)
  THEN RAISE EXCEPTION 'work_order: a bound field was changed'; END IF;
  IF OLD.state <> 'open' THEN RAISE EXCEPTION 'work_order: it has ended'; END IF;
  IF (NEW.version = OLD.version + 1) IS NOT TRUE THEN RAISE EXCEPTION 'work_order: every change is a version'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER work_order_edge BEFORE UPDATE ON work_order FOR EACH ROW EXECUTE FUNCTION work_order_edge();
"""

PARCELS = """
-- Parcels on their way back to the shop, noted by a trigger when a parcel is stopped or turns back, so that nobody has
-- to look for the few of them among all parcels. What people did about them stands here, too.
CREATE TABLE parcel_back (
  shop_id int NOT NULL, tracking_no text NOT NULL,
  way text NOT NULL CHECK (way IN ('intercepted', 'returning')),
  since timestamptz NOT NULL,
  followed_at timestamptz, followed_by text, note text,
  ended text CHECK (ended IN ('inbound', 'lost', 'settled', 'delivered')), ended_at timestamptz,
  version bigint NOT NULL DEFAULT 1,
  CHECK ((ended IS NULL) = (ended_at IS NULL)),
  CHECK (num_nulls(followed_at, followed_by) IN (0, 2)),
  PRIMARY KEY (shop_id, tracking_no)
);
CREATE INDEX parcel_back_open ON parcel_back (shop_id, way, since) WHERE ended IS NULL;

CREATE FUNCTION parcel_turned() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.inbound_success THEN
    UPDATE parcel_back SET ended = 'inbound', ended_at = coalesce(NEW.inbound_at, moment()), version = version + 1
    WHERE shop_id = NEW.shop_id AND tracking_no = NEW.tracking_no AND ended IS DISTINCT FROM 'inbound';
  ELSIF NEW.interception = 'failed' AND (NEW.tracking_state IN ('refused', 'returning', 'returned')) IS NOT TRUE THEN
    UPDATE parcel_back SET ended = 'delivered', ended_at = moment(), version = version + 1
    WHERE shop_id = NEW.shop_id AND tracking_no = NEW.tracking_no AND ended IS NULL;
  ELSE
    INSERT INTO parcel_back AS b (shop_id, tracking_no, way, since)
    VALUES (NEW.shop_id, NEW.tracking_no,
      CASE WHEN NEW.tracking_state IN ('refused', 'returning', 'returned') THEN 'returning' ELSE 'intercepted' END,
      CASE WHEN NEW.tracking_state IN ('refused', 'returning', 'returned')
        THEN coalesce(NEW.last_tracking_at, moment()) ELSE coalesce(NEW.intercept_requested_at, moment()) END)
    ON CONFLICT (shop_id, tracking_no) DO UPDATE SET way = excluded.way, since = excluded.since, version = b.version + 1,
      ended = CASE WHEN b.ended = 'delivered' THEN NULL ELSE b.ended END,
      ended_at = CASE WHEN b.ended = 'delivered' THEN NULL ELSE b.ended_at END
    WHERE b.way <> excluded.way OR b.ended = 'delivered';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER parcel_turned_new AFTER INSERT ON parcel FOR EACH ROW
  WHEN (NEW.interception IS NOT NULL OR NEW.tracking_state IN ('refused', 'returning', 'returned'))
  EXECUTE FUNCTION parcel_turned();
CREATE TRIGGER parcel_turned AFTER UPDATE ON parcel FOR EACH ROW
  WHEN ((NEW.interception IS NOT NULL OR NEW.tracking_state IN ('refused', 'returning', 'returned'))
    AND (NEW.interception IS DISTINCT FROM OLD.interception OR NEW.tracking_state IS DISTINCT FROM OLD.tracking_state
      OR NEW.inbound_success IS DISTINCT FROM OLD.inbound_success))
  EXECUTE FUNCTION parcel_turned();
INSERT INTO parcel_back (shop_id, tracking_no, way, since)
SELECT shop_id, tracking_no,
  CASE WHEN tracking_state IN ('refused', 'returning', 'returned') THEN 'returning' ELSE 'intercepted' END,
  coalesce(CASE WHEN tracking_state IN ('refused', 'returning', 'returned') THEN last_tracking_at ELSE intercept_requested_at END, now())
FROM parcel
WHERE inbound_success IS NOT TRUE AND (interception IN ('requested', 'succeeded')
  OR tracking_state IN ('refused', 'returning', 'returned'));
"""

CLAIMS = """
-- Money wanted back from a courier. `most_fen`: what the book said could be recovered when it was filed.
CREATE TABLE carrier_claim (
  shop_id int NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  tracking_no text NOT NULL CHECK (length(tracking_no) BETWEEN 1 AND 64),
  courier text NOT NULL,
  case_id text,
  kind text NOT NULL CHECK (kind IN ('lost', 'damaged')),
  state text NOT NULL DEFAULT 'filed' CHECK (state IN ('filed', 'accepted', 'refused', 'paid', 'withdrawn')),
  rule text NOT NULL,
  most_fen bigint NOT NULL, asked_fen bigint NOT NULL, accepted_fen bigint, paid_fen bigint,
  filed_by text NOT NULL, filed_at timestamptz NOT NULL,
  due_at timestamptz, pay_days int NOT NULL CHECK (pay_days > 0),
  paid_at timestamptz,
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 500),
  version bigint NOT NULL DEFAULT 1,
  changed_by text NOT NULL, changed_at timestamptz NOT NULL,
  CHECK ((asked_fen > 0 AND asked_fen <= most_fen) IS TRUE),
  CHECK (accepted_fen > 0 AND accepted_fen <= asked_fen),
  CHECK (paid_fen > 0 AND paid_fen <= asked_fen),
  CHECK ((state IN ('accepted', 'paid')) = (accepted_fen IS NOT NULL)),
  CHECK ((state = 'paid') = (paid_fen IS NOT NULL) AND (state = 'paid') = (paid_at IS NOT NULL)),
  CHECK ((state IN ('filed', 'accepted')) = (due_at IS NOT NULL)),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX carrier_claim_once ON carrier_claim (shop_id, tracking_no) WHERE state IN ('filed', 'accepted', 'paid');
CREATE INDEX carrier_claim_paid ON carrier_claim (paid_at) WHERE state = 'paid';
CREATE TRIGGER never_deleted BEFORE DELETE ON carrier_claim FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE FUNCTION carrier_claim_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.shop_id, NEW.id, NEW.tracking_no, NEW.kind, NEW.case_id, NEW.most_fen, NEW.asked_fen, NEW.rule, NEW.filed_by, NEW.filed_at)
    IS DISTINCT FROM (OLD.shop_id, OLD.id, OLD.tracking_no, OLD.kind, OLD.case_id, OLD.most_fen, OLD.asked_fen, OLD.rule,
      OLD.filed_by, OLD.filed_at)
  THEN RAISE EXCEPTION 'carrier_claim: a bound field was changed'; END IF;
  IF (OLD.state || '>' || NEW.state IN ('filed>accepted', 'filed>refused', 'filed>withdrawn',
      'accepted>paid', 'accepted>refused')) IS NOT TRUE
  THEN RAISE EXCEPTION 'carrier_claim: no edge from % to %', OLD.state, NEW.state; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER carrier_claim_edge BEFORE UPDATE ON carrier_claim FOR EACH ROW EXECUTE FUNCTION carrier_claim_edge();
"""

DROP = """
DROP TABLE carrier_claim;
DROP FUNCTION carrier_claim_edge();
DROP TRIGGER parcel_turned ON parcel;
DROP TRIGGER parcel_turned_new ON parcel;
DROP FUNCTION parcel_turned();
DROP TABLE parcel_back;
DROP TABLE work_order_remark, work_order_step, work_order_case, work_order;
DROP FUNCTION work_order_edge()
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0015_playbook")]  # noqa: RUF012
    operations = [migrations.RunSQL(ORDERS + PARCELS + CLAIMS, DROP)]  # noqa: RUF012
