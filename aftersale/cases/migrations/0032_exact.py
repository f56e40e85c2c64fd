"""An order whose money was all held by adding up need not be counted anew when some of it is free again."""

from django.db import migrations

# `exact`: all of the order's money is held, and what came to it was added up with nothing cut off. Whoever fills the order
# so says it in the same statement; any later change takes it back, also one that knows nothing of it.
CREATE = """
ALTER TABLE order_money ADD COLUMN exact bool NOT NULL DEFAULT false;
CREATE FUNCTION order_money_said() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN NEW.exact := false; RETURN NEW; END $$;
CREATE TRIGGER order_money_said BEFORE UPDATE ON order_money FOR EACH ROW
  WHEN ((NEW.exact AND NOT OLD.exact AND OLD.held_fen < OLD.paid_fen AND NEW.held_fen = NEW.paid_fen OR NOT NEW.exact) IS NOT TRUE)
  EXECUTE FUNCTION order_money_said();
CREATE OR REPLACE TRIGGER order_money_full BEFORE UPDATE ON order_money FOR EACH ROW
  WHEN (OLD.held_fen = OLD.paid_fen AND OLD.exact IS NOT TRUE AND (NEW.held_fen < OLD.held_fen OR NEW.paid_fen > OLD.paid_fen))
  EXECUTE FUNCTION order_money_full();

-- What a case has paid and has under way counts for the order that it names. What the order named before has held for it
-- stays held there until it is released: there it was planned.
CREATE FUNCTION case_moved() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM FROM order_money m WHERE m.shop_id = NEW.shop_id AND m.order_id = NEW.order_id FOR UPDATE;
  UPDATE order_money m SET exact = false,
    held_fen = least(m.paid_fen, greatest(m.held_fen, (SELECT fen FROM order_claims(NEW.shop_id, NEW.order_id))))
  WHERE m.shop_id = NEW.shop_id AND m.order_id = NEW.order_id;
  RETURN NULL;
END $$;
CREATE TRIGGER case_moved AFTER UPDATE OF order_id ON cases FOR EACH ROW
  WHEN (NEW.order_id IS DISTINCT FROM OLD.order_id) EXECUTE FUNCTION case_moved();
"""

DROP = """
DROP TRIGGER case_moved ON cases;
DROP FUNCTION case_moved();
CREATE OR REPLACE TRIGGER order_money_full BEFORE UPDATE ON order_money FOR EACH ROW
  WHEN (OLD.held_fen = OLD.paid_fen AND (NEW.held_fen < OLD.held_fen OR NEW.paid_fen > OLD.paid_fen))
  EXECUTE FUNCTION order_money_full();
DROP TRIGGER order_money_said ON order_money;
DROP FUNCTION order_money_said();
ALTER TABLE order_money DROP COLUMN exact
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0031_shared_cache")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
