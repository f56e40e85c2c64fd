"""What slowed a promotion day: an index that looks as good as the right one, and a trigger that counted what costs nothing."""

from django.db import migrations

# Most statements move nothing that was sent: they need no sums.
EARLY = """  IF NOT EXISTS (SELECT FROM new_intent n WHERE n.money AND n.state = 'sending')
    AND NOT EXISTS (SELECT FROM old_intent o WHERE o.money AND o.state IN ('sending', 'unknown'))
  THEN RETURN NULL; END IF;
"""

MONEY = """
CREATE OR REPLACE FUNCTION intent_money() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE moved record;
BEGIN
[early]  FOR moved IN
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
"""

CREATE = """
-- While the ledger is thought empty, any index with shop_id in it promises to find one case's entries as cheaply as the
-- key does, and then walks over the whole shop for each case. This one cannot be taken for it.
CREATE INDEX ledger_time ON ledger (at);
DROP INDEX ledger_at;

"""

REST = """
-- What was never sent may always be cancelled; nothing else may change with it.
CREATE OR REPLACE TRIGGER intent_edge BEFORE UPDATE ON intent FOR EACH ROW
  WHEN ((OLD.state IN ('planned', 'approved') AND NEW.state = 'cancelled' AND NEW.nones = OLD.nones
    AND (NEW.shop_id, NEW.case_id, NEW.kind, NEW.platform_version, NEW.amount_fen, NEW.order_id, NEW.money)
      = (OLD.shop_id, OLD.case_id, OLD.kind, OLD.platform_version, OLD.amount_fen, OLD.order_id, OLD.money)
    AND NEW.payee IS NOT DISTINCT FROM OLD.payee) IS NOT TRUE)
  EXECUTE FUNCTION intent_edge();
-- What a rule approved has no approval of a person's that could fall with it.
CREATE OR REPLACE TRIGGER approval_falls AFTER UPDATE ON intent FOR EACH ROW
  WHEN (NEW.money AND NEW.state <> OLD.state AND (OLD.state = 'planned'
    OR NEW.state IN ('cancelled', 'refused') AND (OLD.approved_by LIKE 'rule:%') IS NOT TRUE))
  EXECUTE FUNCTION approval_falls();
"""

DROP = """
CREATE OR REPLACE TRIGGER approval_falls AFTER UPDATE ON intent FOR EACH ROW
  WHEN (NEW.money AND NEW.state <> OLD.state AND (OLD.state = 'planned' OR NEW.state IN ('cancelled', 'refused')))
  EXECUTE FUNCTION approval_falls();
CREATE OR REPLACE TRIGGER intent_edge BEFORE UPDATE ON intent FOR EACH ROW EXECUTE FUNCTION intent_edge();
CREATE INDEX ledger_at ON ledger (shop_id, at);
DROP INDEX ledger_time
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0010_signs")]  # noqa: RUF012
    operations = [  # noqa: RUF012
        migrations.RunSQL(
            CREATE + MONEY.replace("[early]", EARLY) + REST, MONEY.replace("[early]", "") + DROP
        )
    ]
