"""Who works where: the account they refund with, department, skills, rights for a promotion day, invitations."""

from django.db import migrations

MEMBERS = """
ALTER TABLE membership
  ADD COLUMN account text CHECK (account IN ('sub', 'main')),  -- NULL: either, the book says which is needed
  ADD COLUMN department text CHECK (department ~ '^[a-z_]{1,32}$'),
  ADD COLUMN skills text[] NOT NULL DEFAULT '{}',
  ADD CONSTRAINT membership_skills CHECK (cardinality(skills) <= 20);

-- Until when the platform lets us in, as whoever authorised the shop was told.
ALTER TABLE shop ADD COLUMN authorised_until timestamptz;

-- More for one person until a moment; it ends by itself, and with the membership.
CREATE TABLE temporary_right (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id int NOT NULL, shop_id int NOT NULL,
  max_amount_fen bigint CHECK (max_amount_fen > 0),
  refund_right bool NOT NULL DEFAULT false,
  starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL,
  why text NOT NULL CHECK (length(btrim(why)) BETWEEN 1 AND 500),
  by_whom text NOT NULL, at timestamptz NOT NULL,
  ended_at timestamptz, ended_by text,
  CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '31 days'),
  CHECK (max_amount_fen IS NOT NULL OR refund_right),
  CHECK (num_nulls(ended_at, ended_by) IN (0, 2)),
  FOREIGN KEY (user_id, shop_id) REFERENCES membership (user_id, shop_id) ON DELETE CASCADE
);
CREATE INDEX temporary_right_of ON temporary_right (user_id, shop_id, ends_at);

-- A link that works once: to join a shop with exactly these rights, or to choose a new password. Only its hash is kept.
CREATE TABLE invitation (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('join', 'password')),
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  shop_id int NOT NULL REFERENCES shop (id),
  user_id int,
  role text CHECK (role IN ('agent', 'lead', 'finance', 'warehouse', 'owner', 'helper')),
  refund_right bool NOT NULL DEFAULT true,
  max_amount_fen bigint CHECK (max_amount_fen >= 0),
  helper_job text CHECK (helper_job IN ('reception', 'complaints', 'refunds')),
  access_ends_at timestamptz,
  account text CHECK (account IN ('sub', 'main')),
  department text CHECK (department ~ '^[a-z_]{1,32}$'),
  skills text[] NOT NULL DEFAULT '{}',
  note text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
  by_whom text NOT NULL, at timestamptz NOT NULL, ends_at timestamptz NOT NULL,
  used_at timestamptz, used_by text, withdrawn_at timestamptz, withdrawn_by text,
  CHECK ((kind = 'join') = (role IS NOT NULL) AND (kind = 'password') = (user_id IS NOT NULL)),
  CHECK ((role = 'helper') IS NOT TRUE OR num_nulls(helper_job, access_ends_at) = 0),
  CHECK (ends_at > at AND ends_at <= at + interval '72 hours'),
  CHECK (num_nulls(used_at, used_by) IN (0, 2) AND (used_at < ends_at) IS NOT FALSE),
  CHECK (used_at IS NULL OR withdrawn_at IS NULL)
);

-- A shop that has had an owner keeps one who can log in, whoever writes; looked at when the transaction ends.
CREATE FUNCTION last_owner() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM shop WHERE id = OLD.shop_id FOR NO KEY UPDATE;  -- two owners cannot remove each other
  IF EXISTS (SELECT FROM shop WHERE id = OLD.shop_id) AND NOT EXISTS (
    SELECT FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
    WHERE m.shop_id = OLD.shop_id AND m.role = 'owner' AND m.access_ends_at IS NULL)
  THEN RAISE EXCEPTION 'membership: shop % would have no owner', OLD.shop_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'last_owner'; END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER last_owner AFTER UPDATE OR DELETE ON membership DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.role = 'owner' AND OLD.access_ends_at IS NULL) EXECUTE FUNCTION last_owner();
"""

PERMITTED = """
-- As before, with what the person has for a while, the account they refund with, and no right after the access has ended.
CREATE OR REPLACE FUNCTION person_permitted(
  shop int, person text, kind text, amount_fen bigint, channel text, order_id text, case_id text)
RETURNS TABLE (allowed bool, why text, needs_approval bool, account_required text) LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN QUERY
  SELECT p.allowed, p.why, p.needs_approval, p.account_required
  FROM membership m JOIN auth_user u ON u.id = m.user_id AND u.is_active
  LEFT JOIN orders o ON o.shop_id = m.shop_id AND o.order_id = person_permitted.order_id
  CROSS JOIN LATERAL (SELECT max(t.max_amount_fen) AS fen, bool_or(t.refund_right) AS refunds FROM temporary_right t
    WHERE t.user_id = m.user_id AND t.shop_id = m.shop_id AND t.ended_at IS NULL
      AND t.ends_at > moment() AND t.starts_at <= moment()) more
  CROSS JOIN LATERAL permitted(m.shop_id, m.role,
    CASE person_permitted.kind WHEN 'agree_refund' THEN 'refund' ELSE person_permitted.kind END,
    person_permitted.amount_fen + CASE WHEN person_permitted.amount_fen > 0 THEN coalesce((
      SELECT sum(i.amount_fen) FROM cases c JOIN intent i ON i.shop_id = c.shop_id AND i.case_id = c.case_id
      WHERE c.shop_id = m.shop_id AND c.order_id = person_permitted.order_id AND c.case_id <> person_permitted.case_id
        AND i.money AND i.approved_by = person_permitted.person AND i.state NOT IN ('planned', 'cancelled', 'refused')
      ), 0)::bigint ELSE 0 END,
    person_permitted.channel, max_amount_fen => coalesce(
      CASE WHEN person_permitted.kind IN ('agree_refund', 'refund', 'batch_refund') THEN more.fen END, m.max_amount_fen),
    presale_deposit => o.presale_deposit, reviewed => true, refund_right => m.refund_right OR more.refunds IS TRUE,
    helper_job => m.helper_job, access_ends_at => m.access_ends_at, account => m.account) p
  WHERE m.shop_id = person_permitted.shop AND u.username = person_permitted.person
    AND u.username NOT LIKE 'rule:%'  -- that is how rules sign
    AND (m.role <> 'helper' AND m.access_ends_at <= moment()) IS NOT TRUE;  -- the book itself ends a helper's
  IF NOT FOUND THEN RETURN QUERY SELECT false, 'role_or_action_unknown', false, NULL::text; END IF;
END $$;
"""

PERMITTED_BEFORE = """
CREATE OR REPLACE FUNCTION person_permitted(
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
    AND u.username NOT LIKE 'rule:%';
  IF NOT FOUND THEN RETURN QUERY SELECT false, 'role_or_action_unknown', false, NULL::text; END IF;
END $$;
"""

DROP = """
DROP TRIGGER last_owner ON membership; DROP FUNCTION last_owner;
DROP TABLE invitation, temporary_right;
ALTER TABLE shop DROP COLUMN authorised_until;
ALTER TABLE membership DROP CONSTRAINT membership_skills, DROP COLUMN account, DROP COLUMN department, DROP COLUMN skills;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0012_queue")]  # noqa: RUF012
    operations = [migrations.RunSQL(MEMBERS + PERMITTED, PERMITTED_BEFORE + DROP)]  # noqa: RUF012
