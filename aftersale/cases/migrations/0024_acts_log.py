"""What people did on cases is part of the audit log: a view of the timeline's acts, with the indexes that page it."""

from django.db import migrations

ACT = """CASE
  WHEN kind = 'person' AND what IN ('agree_refund', 'agree_return', 'refuse', 'intercept') THEN what
  WHEN kind = 'person' AND starts_with(what, 'undo ') THEN 'undo'
  WHEN kind IN ('person', 'note', 'fact', 'assign', 'approval', 'difference', 'step', 'evidence', 'contact', 'override',
    'promise', 'handover', 'work_order') THEN kind END"""
CREATE = f"""
-- `act`: what a person had done outside, that it was undone, else the kind of the entry; NULL: no person's. Made of
-- functions that leak nothing, so that its index is read behind the wall between shops. Whoever asks for a kind of a case
-- is not led to these indexes.
CREATE VIEW act WITH (security_invoker = true) AS
SELECT shop_id, case_id, id, at, actor, kind, {ACT} AS act, what FROM happening WHERE ({ACT}) IS NOT NULL;
CREATE INDEX happening_act ON happening (({ACT}), shop_id, at DESC, id DESC) WHERE ({ACT}) IS NOT NULL;
CREATE INDEX happening_actor ON happening (actor, at DESC, id DESC) WHERE ({ACT}) IS NOT NULL;
-- 0 stands for all shops. coalesce counts as leaking.
CREATE INDEX audit_at ON audit ((CASE WHEN shop_id IS NULL THEN 0 ELSE shop_id END), at DESC, id DESC);
CREATE INDEX audit_target ON audit (target);
DROP INDEX audit_shop;
"""
DROP = """
CREATE INDEX audit_shop ON audit (shop_id, id);
DROP INDEX audit_target, audit_at, happening_actor, happening_act;
DROP VIEW act;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0023_everywhere")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
