"""What people do about a case beside its intents: playbook steps, contacts, promises, hand-overs, evidence."""

from django.db import migrations

CREATE = """
-- Steps of a playbook as people took them; the newest row of a step counts, its facts are what the book reads next.
CREATE TABLE playbook_step (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  step text NOT NULL CHECK (length(step) BETWEEN 1 AND 64),
  outcome text NOT NULL CHECK (outcome IN ('done', 'skipped', 'undone')),
  why text NOT NULL DEFAULT '' CHECK (length(why) <= 500),
  facts jsonb NOT NULL DEFAULT '{}',
  by_whom text NOT NULL, at timestamptz NOT NULL,
  CHECK (outcome <> 'skipped' OR length(why) > 0),
  PRIMARY KEY (shop_id, case_id, id)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON playbook_step FOR EACH ROW EXECUTE FUNCTION append_only();

-- What people write to a buyer through the platform; the intent `message:<key>` sends it.
CREATE TABLE said (
  shop_id int NOT NULL, case_id text NOT NULL, key text NOT NULL CHECK (key ~ '^said_[0-9a-f]{12}$'),
  text text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
  script text NOT NULL DEFAULT '',
  by_whom text NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, key)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON said FOR EACH ROW EXECUTE FUNCTION append_only();

-- Every time a buyer was contacted. `counts`: towards the caps of the book `contact`; `key`: the message that did it.
CREATE TABLE contact (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  buyer_ref text,
  channel text NOT NULL CHECK (channel IN ('phone', 'im', 'im_reply', 'sms')),
  purpose text NOT NULL CHECK (length(purpose) BETWEEN 1 AND 500),
  reached bool NOT NULL,
  counts bool NOT NULL,
  key text,
  override_id bigint,
  by_whom text NOT NULL, at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, id)
);
CREATE INDEX contact_buyer ON contact (shop_id, buyer_ref, at) WHERE channel = 'phone';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON contact FOR EACH ROW EXECUTE FUNCTION append_only();

-- One contact beyond the caps, asked for with a reason and granted by another person; good for one contact.
CREATE TABLE contact_override (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  why text NOT NULL CHECK (length(why) BETWEEN 1 AND 500),
  asked_by text NOT NULL, asked_at timestamptz NOT NULL,
  granted_by text, granted_at timestamptz, used_at timestamptz,
  CHECK (lower(granted_by) IS DISTINCT FROM lower(asked_by)),
  CHECK (num_nulls(granted_by, granted_at) IN (0, 2)),
  CHECK (used_at IS NULL OR granted_at IS NOT NULL),
  PRIMARY KEY (shop_id, case_id, id)
);
CREATE UNIQUE INDEX contact_override_open ON contact_override (shop_id, case_id) WHERE used_at IS NULL;

-- What a buyer was promised. `due_at` comes from the book of deadlines or from the person who promised.
CREATE TABLE promise (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (kind IN ('resend', 'ship', 'restock', 'answer', 'other')),
  text text NOT NULL CHECK (length(text) BETWEEN 1 AND 500),
  amount_fen bigint CHECK (amount_fen > 0),
  due_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'kept', 'broken', 'withdrawn')),
  by_whom text NOT NULL, at timestamptz NOT NULL,
  settled_by text, settled_at timestamptz,
  CHECK (due_at >= at),
  CHECK ((state = 'open') = (settled_at IS NULL)), CHECK (num_nulls(settled_by, settled_at) IN (0, 2)),
  PRIMARY KEY (shop_id, case_id, id)
);
CREATE INDEX promise_open ON promise (due_at, shop_id) WHERE state = 'open';

-- A case given to a colleague or to a department, with what they have to know; on top of the page until they saw it.
CREATE TABLE handover (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  from_whom text NOT NULL,
  to_whom text, department text CHECK (department IN ('agent', 'lead', 'finance', 'warehouse', 'owner')),
  found text NOT NULL, promised text NOT NULL, next_step text NOT NULL, due text NOT NULL,
  at timestamptz NOT NULL,
  seen_by text, seen_at timestamptz,
  CHECK (num_nulls(to_whom, department) = 1), CHECK (num_nulls(seen_by, seen_at) IN (0, 2)),
  CHECK (greatest(length(found), length(promised), length(next_step), length(due)) <= 500),
  PRIMARY KEY (shop_id, case_id, id)
);
CREATE INDEX handover_unseen ON handover (at, shop_id) WHERE seen_at IS NULL;

-- Files of evidence by their content, once a shop. Nothing is kept as it was uploaded but videos without their places.
CREATE TABLE evidence_file (
  shop_id int NOT NULL, sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  mime text NOT NULL CHECK (mime IN ('image/jpeg', 'application/pdf', 'video/mp4')),
  bytes int NOT NULL, width int, height int, duration_ms int, pages int,
  content bytea NOT NULL,
  CHECK (bytes = octet_length(content)), CHECK (bytes BETWEEN 1 AND 104857600),
  PRIMARY KEY (shop_id, sha256)
);
ALTER TABLE evidence_file ALTER content SET STORAGE EXTERNAL;
CREATE TABLE evidence (
  shop_id int NOT NULL, case_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY,
  kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  sha256 text NOT NULL,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
  taken_at timestamptz,
  by_whom text NOT NULL, at timestamptz NOT NULL,
  removed_by text, removed_at timestamptz,
  used_by text, used_at timestamptz,
  CHECK (num_nulls(removed_by, removed_at) IN (0, 2)), CHECK (num_nulls(used_by, used_at) IN (0, 2)),
  CHECK (removed_at IS NULL OR used_at IS NULL),
  FOREIGN KEY (shop_id, sha256) REFERENCES evidence_file (shop_id, sha256),
  PRIMARY KEY (shop_id, case_id, id)
);
CREATE UNIQUE INDEX evidence_once ON evidence (shop_id, case_id, kind, sha256) WHERE removed_at IS NULL;

-- Evidence is taken off a case, never deleted; what it is stays as it was handed in.
CREATE FUNCTION evidence_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'evidence is never deleted'; END IF;
  IF (NEW.shop_id, NEW.case_id, NEW.id, NEW.kind, NEW.sha256, NEW.name, NEW.taken_at, NEW.by_whom, NEW.at)
     IS DISTINCT FROM (OLD.shop_id, OLD.case_id, OLD.id, OLD.kind, OLD.sha256, OLD.name, OLD.taken_at, OLD.by_whom, OLD.at)
  THEN RAISE EXCEPTION 'evidence: what was handed in stays as it is'; END IF;
  IF OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at
  THEN RAISE EXCEPTION 'evidence: what was used stays used'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER evidence_kept BEFORE UPDATE OR DELETE ON evidence FOR EACH ROW EXECUTE FUNCTION evidence_kept();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON evidence_file FOR EACH ROW EXECUTE FUNCTION append_only();
"""

# What people write to a buyer is a contact, and whoever may contact may send it.
SAYS = """
CREATE OR REPLACE FUNCTION intent_limit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE may record;
  asked text := CASE WHEN NEW.kind LIKE 'message:said_%' AND NOT NEW.money THEN 'contact' ELSE NEW.kind END;
BEGIN
  IF NEW.money THEN  -- two applications of one order are judged one after the other
    PERFORM FROM order_money m WHERE m.shop_id = NEW.shop_id AND m.order_id = NEW.order_id FOR UPDATE;
  END IF;
  SELECT * INTO may FROM person_permitted(NEW.shop_id, NEW.approved_by, asked, NEW.amount_fen, NEW.channel,
    NEW.order_id, NEW.case_id);
  IF may.allowed IS TRUE THEN RETURN NEW; END IF;
  IF may.needs_approval IS TRUE AND EXISTS (
      SELECT FROM approval a
      CROSS JOIN LATERAL person_permitted(NEW.shop_id, a.decided_by, asked, NEW.amount_fen, NEW.channel,
        NEW.order_id, NEW.case_id) p
      WHERE a.state = 'approved' AND a.expires_at > moment() AND lower(a.decided_by) <> lower(NEW.approved_by) AND p.allowed IS TRUE
        AND (a.shop_id, a.case_id, a.kind, a.platform_version, a.amount_fen)
          = (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen))
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'intent: % may not approve this: %', coalesce(NEW.approved_by, 'nobody'), may.why
    USING ERRCODE = 'check_violation', CONSTRAINT = 'intent_limit';
END $$;
"""

SAID = """
CREATE OR REPLACE FUNCTION intent_limit() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE may record;
BEGIN
  IF NEW.money THEN  -- two applications of one order are judged one after the other
    PERFORM FROM order_money m WHERE m.shop_id = NEW.shop_id AND m.order_id = NEW.order_id FOR UPDATE;
  END IF;
  SELECT * INTO may FROM person_permitted(NEW.shop_id, NEW.approved_by, NEW.kind, NEW.amount_fen, NEW.channel,
    NEW.order_id, NEW.case_id);
  IF may.allowed IS TRUE THEN RETURN NEW; END IF;
  IF may.needs_approval IS TRUE AND EXISTS (
      SELECT FROM approval a
      CROSS JOIN LATERAL person_permitted(NEW.shop_id, a.decided_by, NEW.kind, NEW.amount_fen, NEW.channel,
        NEW.order_id, NEW.case_id) p
      WHERE a.state = 'approved' AND a.expires_at > moment() AND lower(a.decided_by) <> lower(NEW.approved_by) AND p.allowed IS TRUE
        AND (a.shop_id, a.case_id, a.kind, a.platform_version, a.amount_fen)
          = (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen))
  THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'intent: % may not approve this: %', coalesce(NEW.approved_by, 'nobody'), may.why
    USING ERRCODE = 'check_violation', CONSTRAINT = 'intent_limit';
END $$;
"""

DROP = """
DROP TABLE evidence, evidence_file, handover, promise, contact_override, contact, said, playbook_step;
DROP FUNCTION evidence_kept()
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0014_wall")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP), migrations.RunSQL(SAYS, SAID)]  # noqa: RUF012
