"""Who may have how much money sent, and four eyes on the rest.

The book `permissions` is the one truth; `aftersale migrate` compiles it into the function `permitted`
(limits/publish.py). What stands here asks that function wherever an intent is approved.
"""

from django.db import migrations

SETTINGS = """
-- The default of every setting of every book, written by `aftersale migrate` alone.
CREATE TABLE setting_default (
  name text PRIMARY KEY,
  value jsonb NOT NULL,
  by_platform jsonb NOT NULL DEFAULT '{}',
  book text NOT NULL
);
-- Every version of the books that this database has had; a worker starts only where its own was published.
CREATE TABLE books_published (hash text PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());

CREATE FUNCTION owner_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') IS NOT TRUE
  THEN RAISE EXCEPTION '% is written by aftersale migrate alone', TG_TABLE_NAME; END IF;
  RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE ON setting_default
  FOR EACH ROW EXECUTE FUNCTION owner_only();
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE ON books_published
  FOR EACH ROW EXECUTE FUNCTION owner_only();

-- The shop's own value, else the default of its platform, else the default; NULL for a name that no book knows.
CREATE FUNCTION setting_of(shop int, name text) RETURNS jsonb LANGUAGE sql STABLE AS $$
  SELECT coalesce(nullif(s.settings -> d.name, 'null'), d.by_platform -> s.platform, nullif(d.value, 'null'))
  FROM setting_default d LEFT JOIN shop s ON s.id = setting_of.shop WHERE d.name = setting_of.name
$$;
"""

PEOPLE = """
ALTER TABLE membership
  ADD COLUMN refund_right bool NOT NULL DEFAULT true,
  ADD COLUMN max_amount_fen bigint CHECK (max_amount_fen >= 0),
  ADD COLUMN helper_job text CHECK (helper_job IN ('reception', 'complaints', 'refunds')),
  ADD COLUMN access_ends_at timestamptz,
  DROP CONSTRAINT membership_role_check,
  ADD CONSTRAINT membership_role_check CHECK (role IN ('agent', 'lead', 'finance', 'warehouse', 'owner', 'helper'));

ALTER TABLE intent ADD COLUMN channel text NOT NULL DEFAULT 'web'
  CHECK (channel IN ('web', 'api', 'bulk', 'import', 'rule'));
CREATE INDEX intent_with_person ON intent (shop_id) WHERE state = 'with_person';

-- What this person of this shop may do now; `why` is NULL when it is allowed. The name of the person on an intent is
-- what says that it was looked at, so it counts as reviewed. What they have had sent for other applications of the
-- order counts with it: splitting a refund does not raise a limit.
CREATE FUNCTION person_permitted(
  shop int, person text, kind text, amount_fen bigint, channel text, order_id text, case_id text)
RETURNS TABLE (allowed bool, why text, needs_approval bool, account_required text) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
  SELECT p.allowed, p.why, p.needs_approval, p.account_required
  FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
  LEFT JOIN orders o ON o.shop_id = m.shop_id AND o.order_id = person_permitted.order_id
  CROSS JOIN LATERAL permitted(m.shop_id, m.role,
    CASE person_permitted.kind WHEN 'agree_refund' THEN 'refund' ELSE person_permitted.kind END,
    person_permitted.amount_fen + CASE WHEN person_permitted.amount_fen > 0 THEN coalesce((
      SELECT sum(i.amount_fen) FROM cases c JOIN intent i ON i.shop_id = c.shop_id AND i.case_id = c.case_id
      WHERE c.shop_id = m.shop_id AND c.order_id = person_permitted.order_id AND c.case_id <> person_permitted.case_id
        AND i.money AND i.approved_by = person_permitted.person AND i.state NOT IN ('planned', 'cancelled', 'refused')
      ), 0)::bigint ELSE 0 END,
    person_permitted.channel, max_amount_fen => m.max_amount_fen,
    presale_deposit => o.presale_deposit, reviewed => true, refund_right => m.refund_right,
    helper_job => m.helper_job, access_ends_at => m.access_ends_at) p
  WHERE m.shop_id = person_permitted.shop AND u.username = person_permitted.person
    AND u.username NOT LIKE 'rule:%';  -- that is how rules sign
  IF NOT FOUND THEN RETURN QUERY SELECT false, 'role_or_action_unknown', false, NULL::text; END IF;
END $$;
"""

APPROVALS = """
-- A second person's yes to exactly this: case, kind, version of the application and amount. Kept for ever.
CREATE TABLE approval (
  shop_id int NOT NULL,
  id bigint GENERATED ALWAYS AS IDENTITY,
  case_id text NOT NULL, kind text NOT NULL,
  platform_version bigint NOT NULL, amount_fen bigint NOT NULL CHECK (amount_fen > 0),
  channel text NOT NULL,
  requested_by text NOT NULL, requested_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
  state text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'approved', 'refused', 'void')),
  decided_by text, decided_at timestamptz,
  why text,
  CHECK (expires_at > requested_at),
  CHECK (lower(decided_by) IS DISTINCT FROM lower(requested_by)),
  CHECK (state NOT IN ('approved', 'refused') OR num_nulls(decided_by, decided_at) = 0),
  PRIMARY KEY (shop_id, id)
);
CREATE UNIQUE INDEX approval_one_open ON approval (shop_id, case_id, kind, platform_version, amount_fen)
  WHERE state IN ('requested', 'approved');
CREATE INDEX approval_waiting ON approval (shop_id, expires_at) WHERE state = 'requested';
CREATE TRIGGER never_deleted BEFORE DELETE ON approval FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON approval EXECUTE FUNCTION append_only();

CREATE FUNCTION approval_edge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE refused text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'requested' OR NEW.decided_by IS NOT NULL
    THEN RAISE EXCEPTION 'approval: it starts as a request'; END IF;
    RETURN NEW;
  END IF;
  IF (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen, NEW.channel, NEW.requested_by,
      NEW.requested_at, NEW.expires_at) IS DISTINCT FROM (OLD.shop_id, OLD.case_id, OLD.kind, OLD.platform_version,
      OLD.amount_fen, OLD.channel, OLD.requested_by, OLD.requested_at, OLD.expires_at)
    OR OLD.decided_by IS NOT NULL AND NEW.decided_by IS DISTINCT FROM OLD.decided_by
  THEN RAISE EXCEPTION 'approval: a bound field was changed'; END IF;
  IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state IN
      ('requested>approved', 'requested>refused', 'requested>void', 'approved>void')) IS NOT TRUE
  THEN RAISE EXCEPTION 'approval: no edge from % to %', OLD.state, NEW.state; END IF;
  IF NEW.state = 'approved' AND OLD.state = 'requested' THEN
    IF (NEW.expires_at > moment()) IS NOT TRUE THEN RAISE EXCEPTION 'approval: it has expired'; END IF;
    SELECT CASE WHEN p.allowed THEN NULL ELSE p.why END INTO refused
    FROM intent i CROSS JOIN LATERAL person_permitted(i.shop_id, NEW.decided_by, i.kind, i.amount_fen, i.channel,
      i.order_id, i.case_id) p
    WHERE (i.shop_id, i.case_id, i.kind, i.platform_version, i.amount_fen, i.state)
      = (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen, 'planned');
    IF NOT FOUND OR refused IS NOT NULL
    THEN RAISE EXCEPTION 'approval: % may not approve this: %', NEW.decided_by, coalesce(refused, 'nothing waits'); END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER approval_edge BEFORE INSERT OR UPDATE ON approval FOR EACH ROW EXECUTE FUNCTION approval_edge();
"""

LIMIT = """
-- Whatever a person has approved is within their limit, or another person's who approved exactly this.
CREATE FUNCTION intent_limit() RETURNS trigger LANGUAGE plpgsql AS $$
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
-- Retrying what was sent already is no new approval.
CREATE TRIGGER intent_limit BEFORE UPDATE ON intent FOR EACH ROW
  WHEN (NEW.state = 'approved' AND (NEW.approved_by LIKE 'rule:%' AND NEW.planned_by LIKE 'rule:%'
      AND (OLD.planned_by LIKE 'rule:%' OR OLD.state = 'cancelled')) IS NOT TRUE
    AND (OLD.state NOT IN ('approved', 'sending', 'unknown') OR OLD.approved_by IS DISTINCT FROM NEW.approved_by))
  EXECUTE FUNCTION intent_limit();
CREATE TRIGGER intent_limit_new BEFORE INSERT ON intent FOR EACH ROW
  WHEN (NEW.state <> 'planned' AND (NEW.approved_by LIKE 'rule:%' AND NEW.planned_by LIKE 'rule:%') IS NOT TRUE)
  EXECUTE FUNCTION intent_limit();

-- An approval stands and falls with its intent: what is taken back or refused needs a new one.
CREATE FUNCTION approval_falls() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE approval SET state = 'void', why = coalesce(NEW.outcome, NEW.state)
  WHERE (shop_id, case_id, kind, platform_version, amount_fen)
      = (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen)
    AND state IN ('requested', CASE WHEN NEW.state IN ('cancelled', 'refused') THEN 'approved' END);
  RETURN NULL;
END $$;
CREATE TRIGGER approval_falls AFTER UPDATE ON intent FOR EACH ROW
  WHEN (NEW.money AND NEW.state <> OLD.state AND (OLD.state = 'planned' OR NEW.state IN ('cancelled', 'refused')))
  EXECUTE FUNCTION approval_falls();
"""

UNDO = """
DROP TRIGGER approval_falls ON intent; DROP TRIGGER intent_limit ON intent; DROP TRIGGER intent_limit_new ON intent;
DROP FUNCTION approval_falls, intent_limit;
DROP TABLE approval; DROP FUNCTION approval_edge, person_permitted, setting_of;
DROP INDEX intent_with_person; ALTER TABLE intent DROP COLUMN channel;
ALTER TABLE membership DROP COLUMN refund_right, DROP COLUMN max_amount_fen, DROP COLUMN helper_job,
  DROP COLUMN access_ends_at;
DROP TABLE setting_default, books_published; DROP FUNCTION owner_only;
"""


class Migration(migrations.Migration):
    dependencies = [  # noqa: RUF012
        ("cases", "0005_tracking_doubt"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunSQL(SETTINGS + PEOPLE + APPROVALS + LIMIT, UNDO)]  # noqa: RUF012
