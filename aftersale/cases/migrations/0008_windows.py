"""What leaves automatically in an hour and in a day, never more than allowed (P18; docs/adr/0021), and of an order (P3).

The limits are settings of the book `breaker`, read at the moment of sending. Automatic is money that no person approved.
"""

from django.db import migrations

WINDOWS = """
-- How much automatic money left in a clock hour or calendar day of the shop's zone, what is still out included. The
-- trigger intent_money writes it in the transaction that begins or takes back a send, and its checks are the budget.
CREATE TABLE money_window (
  shop_id int NOT NULL,
  span text NOT NULL CHECK (span IN ('hour', 'day')),
  starts_at timestamptz NOT NULL,
  refunds bigint NOT NULL DEFAULT 0, fen bigint NOT NULL DEFAULT 0,
  refunds_max bigint NOT NULL, fen_max bigint NOT NULL,
  CONSTRAINT money_window_refunds CHECK ((refunds BETWEEN 0 AND refunds_max) IS TRUE),
  CONSTRAINT money_window_fen CHECK ((fen BETWEEN 0 AND fen_max) IS TRUE),
  PRIMARY KEY (shop_id, span, starts_at)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX money_window_recent ON money_window (starts_at);
CREATE TRIGGER owner_only BEFORE INSERT OR UPDATE OR DELETE ON money_window
  FOR EACH ROW EXECUTE FUNCTION owner_only();
-- The few that did not go well, for the breaker.
CREATE INDEX intent_trouble ON intent (shop_id, changed_at) WHERE money AND state IN ('refused', 'unknown', 'with_person');

-- The two windows of a moment with the limits that hold now; `times`: how many times the usual ones.
CREATE FUNCTION money_cap(shop int, at timestamptz)
RETURNS TABLE (span text, starts_at timestamptz, refunds_max bigint, fen_max bigint, times int) LANGUAGE sql STABLE AS $$
  SELECT w.span, date_trunc(w.span, money_cap.at, s.zone), setting_of(s.id, w.refunds)::bigint * t.times,
    setting_of(s.id, w.fen)::bigint * t.times, t.times
  FROM shop s
  CROSS JOIN (VALUES ('day', 'auto_refund_day_count_max', 'auto_refund_day_max'),
    ('hour', 'auto_refund_hour_count_max', 'auto_refund_hour_max')) AS w(span, refunds, fen)
  CROSS JOIN LATERAL (SELECT CASE WHEN setting_of(s.id, 'auto_refund_raised_days')
      @> to_jsonb(to_char(money_cap.at AT TIME ZONE s.zone, 'YYYY-MM-DD'))
    THEN setting_of(s.id, 'auto_refund_raised_times')::int ELSE 1 END AS times) t
  WHERE s.id = money_cap.shop
$$;

-- What is used of the budget at this moment, for people and the breaker.
CREATE FUNCTION money_used(shop int) RETURNS TABLE (span text, starts_at timestamptz, refunds bigint, fen bigint,
  refunds_max bigint, fen_max bigint, times int) LANGUAGE sql STABLE AS $$
  SELECT c.span, c.starts_at, coalesce(w.refunds, 0), coalesce(w.fen, 0), c.refunds_max, c.fen_max, c.times
  FROM money_cap(money_used.shop, moment()) c
  LEFT JOIN money_window w ON w.shop_id = money_used.shop AND w.span = c.span AND w.starts_at = c.starts_at
$$;
"""

# Both open the windows as the tables' owner: the application may only read them.
SPENDING = """
-- How many automatic refunds and how much money may still leave at this moment. Holds the windows until the transaction
-- ends, so that what fits now fits when it is sent; whoever calls it must wait for no other lock afterwards.
CREATE FUNCTION money_left(shop int) RETURNS TABLE (refunds bigint, fen bigint)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE cap record; used record;
BEGIN
  refunds := NULL; fen := NULL;
  FOR cap IN SELECT * FROM money_cap(shop, moment()) c ORDER BY c.span LOOP
    INSERT INTO money_window (shop_id, span, starts_at, refunds_max, fen_max)
    VALUES (shop, cap.span, cap.starts_at, coalesce(cap.refunds_max, 0), coalesce(cap.fen_max, 0)) ON CONFLICT DO NOTHING;
    SELECT w.refunds, w.fen INTO used FROM money_window w
    WHERE w.shop_id = shop AND w.span = cap.span AND w.starts_at = cap.starts_at FOR UPDATE;
    refunds := least(refunds, greatest(coalesce(cap.refunds_max, 0) - used.refunds, 0));
    fen := least(fen, greatest(coalesce(cap.fen_max, 0) - used.fen, 0));
  END LOOP;
  RETURN NEXT;
END $$;

-- What begins to be sent is spent at once; what surely did not happen is given back to the window it was taken from.
-- A limit that was lowered below what is spent lets nothing more through and breaks nothing.
CREATE FUNCTION intent_money() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE moved record;
BEGIN
  FOR moved IN
    SELECT m.shop_id, c.span, c.starts_at, c.refunds_max, c.fen_max, sum(m.refunds) AS refunds, sum(m.fen) AS fen
    FROM (
      SELECT d.shop_id, date_trunc('hour', d.at, s.zone) AS hour, sum(d.sign) AS refunds, sum(d.sign * d.amount_fen) AS fen
      FROM (
        SELECT n.shop_id, n.amount_fen, CASE WHEN n.state = 'sending' THEN 1 ELSE -1 END AS sign,
          CASE WHEN n.state = 'sending' THEN n.spent_at ELSE o.spent_at END AS at
        FROM old_intent o JOIN new_intent n USING (shop_id, case_id, kind, platform_version, amount_fen)
        WHERE n.money AND (o.approved_by NOT LIKE 'rule:%') IS NOT TRUE
          AND (o.state <> 'sending' AND n.state = 'sending'
            OR o.spent_at IS NOT NULL AND (o.state IN ('sending', 'unknown') AND n.state IN ('approved', 'refused', 'cancelled')
              OR o.state = 'sending' AND n.state = 'with_person' AND n.sends = 1))) d
      JOIN shop s ON s.id = d.shop_id GROUP BY 1, 2) m
    CROSS JOIN LATERAL money_cap(m.shop_id, m.hour) c
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3
  LOOP
    INSERT INTO money_window (shop_id, span, starts_at, refunds_max, fen_max)
    VALUES (moved.shop_id, moved.span, moved.starts_at, coalesce(moved.refunds_max, 0), coalesce(moved.fen_max, 0))
    ON CONFLICT DO NOTHING;
    UPDATE money_window w SET refunds = w.refunds + moved.refunds, fen = w.fen + moved.fen,
      refunds_max = greatest(moved.refunds_max, least(w.refunds, w.refunds + moved.refunds)),
      fen_max = greatest(moved.fen_max, least(w.fen, w.fen + moved.fen))
    WHERE w.shop_id = moved.shop_id AND w.span = moved.span AND w.starts_at = moved.starts_at;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER intent_money AFTER UPDATE ON intent REFERENCING OLD TABLE AS old_intent NEW TABLE AS new_intent
  FOR EACH STATEMENT EXECUTE FUNCTION intent_money();

-- What was spent, when and in whose name stays as it is from the send on.
CREATE FUNCTION intent_spent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'intent: when it was spent and who approved it stays'; END $$;
CREATE TRIGGER intent_spent BEFORE UPDATE ON intent FOR EACH ROW
  WHEN (OLD.state IN ('sending', 'unknown')
      AND (NEW.approved_by, NEW.spent_at) IS DISTINCT FROM (OLD.approved_by, OLD.spent_at)
    OR NEW.state = 'sending' AND NEW.approved_by IS DISTINCT FROM OLD.approved_by)
  EXECUTE FUNCTION intent_spent();
"""

HELD = """
-- Nothing is born sent, asked about or ended.
CREATE FUNCTION intent_born() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'intent: it begins planned or approved, and nothing has become of it'; END $$;
CREATE TRIGGER intent_born BEFORE INSERT ON intent FOR EACH ROW
  WHEN ((NEW.state IN ('planned', 'approved') AND NEW.epoch = 0 AND NEW.sends = 0 AND NEW.nones = 0
    AND num_nonnulls(NEW.sent_at, NEW.asked_at, NEW.spent_at) = 0) IS NOT TRUE)
  EXECUTE FUNCTION intent_born();

-- An order's money that has left, whoever sent it, and that may yet leave.
CREATE FUNCTION order_claims(shop int, order_id text) RETURNS TABLE (fen bigint) LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(coalesce(i.fen, 0) + coalesce(l.fen, 0)), 0)::bigint FROM cases c
  CROSS JOIN LATERAL (SELECT sum(i.amount_fen) AS fen FROM intent i WHERE i.shop_id = c.shop_id AND i.case_id = c.case_id
    AND i.money AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'with_person')) i
  CROSS JOIN LATERAL (SELECT sum(l.amount_fen) AS fen FROM ledger l
    WHERE l.shop_id = c.shop_id AND l.case_id = c.case_id) l
  WHERE c.shop_id = order_claims.shop AND c.order_id = order_claims.order_id
$$;

-- Money is planned only with all of its order's money held (P3). Honest statements hold it in the same one or before.
CREATE FUNCTION intent_held() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE bare text;
BEGIN
  IF NOT EXISTS (SELECT FROM new_intent WHERE money) THEN RETURN NULL; END IF;
  PERFORM FROM order_money m WHERE (m.shop_id, m.order_id) IN (SELECT n.shop_id, n.order_id FROM new_intent n WHERE n.money)
  ORDER BY m.shop_id, m.order_id FOR UPDATE;
  SELECT n.order_id INTO bare FROM new_intent n
  LEFT JOIN order_money m ON m.shop_id = n.shop_id AND m.order_id = n.order_id
  LEFT JOIN cases c ON c.shop_id = n.shop_id AND c.case_id = n.case_id AND c.order_id = n.order_id
  CROSS JOIN LATERAL order_claims(n.shop_id, n.order_id) o
  WHERE n.money AND (c.case_id IS NOT NULL AND o.fen <= m.held_fen) IS NOT TRUE LIMIT 1;
  IF FOUND THEN RAISE EXCEPTION 'intent: the money of order % is not held', bare
    USING ERRCODE = 'check_violation', CONSTRAINT = 'intent_held'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER intent_held AFTER INSERT ON intent REFERENCING NEW TABLE AS new_intent
  FOR EACH STATEMENT EXECUTE FUNCTION intent_held();
CREATE FUNCTION intent_held_again() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE held bigint;
BEGIN
  SELECT m.held_fen INTO held FROM order_money m
  WHERE m.shop_id = NEW.shop_id AND m.order_id = NEW.order_id FOR UPDATE;
  IF ((SELECT fen FROM order_claims(NEW.shop_id, NEW.order_id)) <= held) IS NOT TRUE
  THEN RAISE EXCEPTION 'intent: the money of order % is not held', NEW.order_id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'intent_held'; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER intent_held_again AFTER UPDATE ON intent FOR EACH ROW
  WHEN (NEW.money AND OLD.state IN ('cancelled', 'refused') AND NEW.state IN ('planned', 'approved'))
  EXECUTE FUNCTION intent_held_again();

-- The platform may pay more than we had room for; then all is held, and only what is counted anew tells what is free.
CREATE FUNCTION order_money_full() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  NEW.held_fen := least(NEW.paid_fen, greatest(NEW.held_fen, (SELECT fen FROM order_claims(NEW.shop_id, NEW.order_id))));
  RETURN NEW;
END $$;
CREATE TRIGGER order_money_full BEFORE UPDATE ON order_money FOR EACH ROW
  WHEN (OLD.held_fen = OLD.paid_fen AND (NEW.held_fen < OLD.held_fen OR NEW.paid_fen > OLD.paid_fen))
  EXECUTE FUNCTION order_money_full();

-- Whoever may make temporary tables must not have the guards read those.
ALTER FUNCTION intent_edge() SET search_path = public, pg_temp;
ALTER FUNCTION intent_limit() SET search_path = public, pg_temp;
ALTER FUNCTION approval_edge() SET search_path = public, pg_temp;
ALTER FUNCTION approval_falls() SET search_path = public, pg_temp;
"""

DROP = """
ALTER FUNCTION intent_edge() RESET search_path; ALTER FUNCTION intent_limit() RESET search_path;
ALTER FUNCTION approval_edge() RESET search_path; ALTER FUNCTION approval_falls() RESET search_path;
DROP TRIGGER order_money_full ON order_money; DROP TRIGGER intent_held ON intent; DROP TRIGGER intent_held_again ON intent;
DROP TRIGGER intent_born ON intent;
DROP FUNCTION order_money_full(), intent_held(), intent_held_again(), order_claims(int, text), intent_born();
DROP TRIGGER intent_spent ON intent; DROP TRIGGER intent_money ON intent;
DROP FUNCTION intent_spent(), intent_money(), money_left(int), money_used(int), money_cap(int, timestamptz);
DROP INDEX intent_trouble; DROP TABLE money_window
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0007_act")]  # noqa: RUF012
    operations = [migrations.RunSQL(WINDOWS + SPENDING + HELD, DROP)]  # noqa: RUF012
