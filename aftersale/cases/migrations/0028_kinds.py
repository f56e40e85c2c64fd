"""A worker gets only kinds of intent that it knows: one of the release before leaves new ones alone (F41, docs/adr/0026)."""

from django.db import migrations

CREATE = """
-- Does the worker of this session know the kind? It says so in `aftersale.kinds`; releases that did not say knew these five.
CREATE FUNCTION kind_known(kind text) RETURNS bool LANGUAGE sql STABLE AS $$
  SELECT split_part(kind, ':', 1) = ANY (string_to_array(coalesce(nullif(current_setting('aftersale.kinds', true), ''),
    'agree_refund,agree_return,cancel_shipment,intercept,message'), ','))
$$;

-- Whoever takes an intent over, to send it or to ask about it, raises its epoch. What they do not know stays as it is, and
-- an old statement goes on without it: it would have been ended as something that cannot be done.
CREATE FUNCTION intent_unclaimed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER intent_claimed BEFORE UPDATE ON intent FOR EACH ROW
  WHEN ((NEW.epoch > OLD.epoch OR NEW.state = 'sending' AND OLD.state <> 'sending') AND kind_known(NEW.kind) IS NOT TRUE)
  EXECUTE FUNCTION intent_unclaimed();
"""

DROP = """
DROP TRIGGER intent_claimed ON intent; DROP FUNCTION intent_unclaimed(), kind_known(text)
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0027_said_once")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
