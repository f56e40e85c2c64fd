"""What a batch read for nothing it reads no more: each look into an index costs a case as much as ten rules."""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("aftersale.cases.migrations.0020_return_claims").CREATE
DROP = "ALTER TABLE handling DROP COLUMN looked; DROP VIEW case_facts; " + _BEFORE

# Who else has a claim to what came under the return waybill is asked only where it was received: the question stays, in a CASE.
# `looked`: whether the decision left a look; NULL where nobody wrote it down. A look that is not taken back finds nothing new.
CREATE = (
    _BEFORE.replace("VIEW case_facts AS", "VIEW case_facts WITH (security_invoker = true) AS")
    .replace("\nFROM cases c", ",\n  o.buyer_ref\nFROM cases c")
    .replace("LATERAL (\n  SELECT CASE", "LATERAL (SELECT CASE WHEN r.inbound_success THEN (\n  SELECT CASE")
    .replace("\n  OFFSET 0) k", ") END AS who\n  OFFSET 0) k")
    + "; ALTER TABLE handling ADD COLUMN looked bool"
)


class Migration(migrations.Migration):
    dependencies = [("cases", "0032_exact")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
