"""What people did on cases is part of the audit log: a view of the timeline's acts, with the indexes that page it."""

from django.db import migrations

ACT = """CASE
  WHEN kind = 'person' AND what IN ('agree_refund', 'agree_return', 'refuse', 'intercept') THEN what
  WHEN kind = 'person' AND starts_with(what, 'undo ') THEN 'undo'
  WHEN kind IN ('person', 'note', 'fact', 'assign', 'approval', 'difference', 'step', 'evidence', 'contact', 'override',
    'promise', 'handover', 'work_order') THEN kind END"""
VIEW = f"""
-- `act`: what a person had done outside, that it was undone, else the kind of the entry; NULL: no person's. Made of
-- functions that leak nothing, so that its index is read behind the wall between shops. Whoever asks for a kind of a case
-- is not led to these indexes.
CREATE OR REPLACE VIEW act WITH (security_invoker = true) AS
SELECT shop_id, case_id, id, at, actor, kind, {ACT} AS act, what FROM happening WHERE ({ACT}) IS NOT NULL;
"""
# 0 stands for all shops. coalesce counts as leaking.
INDEXES = {
    "happening_act": f"happening (({ACT}), shop_id, at DESC, id DESC) WHERE ({ACT}) IS NOT NULL",
    "happening_actor": f"happening (actor, at DESC, id DESC) WHERE ({ACT}) IS NOT NULL",
    "audit_at": "audit ((CASE WHEN shop_id IS NULL THEN 0 ELSE shop_id END), at DESC, id DESC)",
    "audit_target": "audit (target)",
}
BUILD = [
    migrations.RunSQL(
        [f"DROP INDEX CONCURRENTLY IF EXISTS {name}", f"CREATE INDEX CONCURRENTLY {name} ON {on}"],
        f"DROP INDEX {name}",
    )
    for name, on in INDEXES.items()
]


class Migration(migrations.Migration):
    """Every shop writes into `happening` all day: its indexes are built beside that, and begun again when that failed.

    Nobody queues behind a build that waits, so it may wait longer than other migrations.
    """

    atomic = False
    dependencies = [("cases", "0023_everywhere")]  # noqa: RUF012
    operations = [  # noqa: RUF012
        migrations.RunSQL(VIEW, "DROP VIEW act"),
        migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
        *BUILD,
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS audit_shop", "CREATE INDEX IF NOT EXISTS audit_shop ON audit (shop_id, id)"
        ),
    ]
