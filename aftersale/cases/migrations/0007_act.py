"""What sending needs: the payee, questions answered twice, one place that reads switches, the instance."""

from django.db import migrations

CREATE = """
-- What this installation is, and since when it may only ask: after a restore, a clone or a long silence nothing is sent
-- that was not asked about since `reconcile_since`.
CREATE TABLE instance (
  single bool PRIMARY KEY DEFAULT true CHECK (single),
  fingerprint text NOT NULL,
  reconcile_since timestamptz, reconcile_why text,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- payee: the buyer's reference when it was planned, bound like the key. nones: how often the platform said "not done"
-- since the last send. spent_at: when it was last sent, in the shops' time.
ALTER TABLE intent ADD COLUMN payee text, ADD COLUMN nones int NOT NULL DEFAULT 0, ADD COLUMN spent_at timestamptz;
-- The version at which the platform shows the case as refunded; null once it shows anything else.
ALTER TABLE handling ADD COLUMN refunded_version bigint;

-- How often the platform must say "not done" before the same thing is sent again: an effect may show late.
CREATE FUNCTION nones_needed(money bool) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN money THEN 2 ELSE 1 END $$;

-- Does nobody know whether what was sent has happened? So it is when the platform refuses the question.
CREATE FUNCTION in_doubt(money bool, sent_at timestamptz, asked_at timestamptz, nones int) RETURNS bool
LANGUAGE sql IMMUTABLE AS $$ SELECT (money AND asked_at > sent_at AND nones < nones_needed(money)) IS TRUE $$;

-- Does a switch hold this back? Shop 0 is all shops, action '' all actions; automatic_money is what no person approved.
CREATE FUNCTION held_back(shop int, kind text, money bool, approved_by text) RETURNS bool LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT FROM switch w WHERE w.stopped AND w.shop_id IN (0, shop)
    AND (w.action IN ('', split_part(kind, ':', 1))
      OR w.action = 'automatic_money' AND money AND (approved_by NOT LIKE 'rule:%') IS NOT TRUE))
$$;

-- When to send what has to wait: not past the margin before its deadline, while that is still ahead.
CREATE FUNCTION put_off(again_at timestamptz, deadline_at timestamptz, shop int, now timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN latest > now THEN least(again_at, latest) ELSE again_at END
  FROM (SELECT deadline_at - make_interval(mins => (setting_of(shop, 'act_margin_minutes') #>> '{}')::int) AS latest) AS margin
$$;

CREATE OR REPLACE FUNCTION intent_edge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen, NEW.order_id, NEW.money, NEW.payee)
     IS DISTINCT FROM
     (OLD.shop_id, OLD.case_id, OLD.kind, OLD.platform_version, OLD.amount_fen, OLD.order_id, OLD.money, OLD.payee)
  THEN RAISE EXCEPTION 'intent: a bound field was changed'; END IF;
  IF NEW.state <> OLD.state AND (OLD.state || '>' || NEW.state IN (
      'planned>approved', 'planned>cancelled', 'planned>with_person',
      'approved>sending', 'approved>cancelled', 'approved>with_person', 'approved>done', 'approved>refused',
      'sending>done', 'sending>refused', 'sending>unknown', 'sending>with_person', 'sending>approved',
      'unknown>approved', 'unknown>done', 'unknown>refused', 'unknown>cancelled', 'unknown>with_person',
      'with_person>approved', 'with_person>cancelled', 'with_person>done', 'with_person>refused', 'with_person>unknown',
      'cancelled>approved', 'cancelled>planned', 'refused>approved')) IS NOT TRUE  -- these two have done nothing
  THEN RAISE EXCEPTION 'intent: no edge from % to %', OLD.state, NEW.state; END IF;
  IF OLD.state = 'refused' AND NEW.state = 'approved' AND (NEW.approved_by NOT LIKE 'rule:%') IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: only a person may try again what was refused'; END IF;
  -- Only a call that the platform turned away before doing anything goes back without a question.
  IF OLD.state = 'sending' AND NEW.state = 'approved' AND (NEW.outcome LIKE 'later:%') IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: what was sent may not be sent again unasked'; END IF;
  -- What may have happened must be asked about before it is tried again, money more than once.
  IF OLD.state = 'unknown' AND NEW.state = 'approved'
     AND (NEW.asked_at > OLD.sent_at AND NEW.nones >= nones_needed(NEW.money)) IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: unknown may be left only through a query'; END IF;
  -- A person does not know either: only the platform's end of the application settles it, or another question.
  IF OLD.state = 'with_person' AND in_doubt(OLD.money, OLD.sent_at, OLD.asked_at, OLD.nones)
     AND (NEW.state = 'approved' OR NEW.state = 'cancelled' AND NOT EXISTS (SELECT FROM cases c
       WHERE c.shop_id = NEW.shop_id AND c.case_id = NEW.case_id AND c.state IN ('refunded', 'closed')))
  THEN RAISE EXCEPTION 'intent: what may have happened is neither sent again nor cancelled'; END IF;
  -- What we never sent may end by a question only: a restored record does not know what it did after the backup.
  IF OLD.state = 'approved' AND NEW.state IN ('done', 'refused') AND (NEW.asked_at > coalesce(OLD.asked_at, '-infinity')
     AND NEW.asked_at > coalesce((SELECT reconcile_since FROM instance), '-infinity')) IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: approved may be ended only through a query'; END IF;
  IF NEW.nones > OLD.nones AND (NEW.nones = OLD.nones + 1 AND NEW.asked_at > coalesce(OLD.sent_at, '-infinity')) IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: a question has one answer'; END IF;
  IF NEW.state = 'sending' AND OLD.state <> 'sending' THEN
    NEW.epoch := OLD.epoch + 1; NEW.sends := OLD.sends + 1; NEW.nones := 0;
    NEW.sent_at := clock_timestamp(); NEW.spent_at := moment();
  END IF;
  RETURN NEW;
END $$;
"""

DROP = """
DROP FUNCTION in_doubt(bool, timestamptz, timestamptz, int); DROP FUNCTION held_back(int, text, bool, text); DROP FUNCTION put_off(timestamptz, timestamptz, int, timestamptz); DROP FUNCTION nones_needed(bool);
ALTER TABLE handling DROP COLUMN refunded_version;
ALTER TABLE intent DROP COLUMN payee, DROP COLUMN nones, DROP COLUMN spent_at;
DROP TABLE instance
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_limits")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
