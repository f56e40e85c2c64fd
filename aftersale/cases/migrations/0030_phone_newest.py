"""The end of a phone number leads to its newest orders first: over the years thousands share one."""

from django.db import migrations

NEWEST = "orders (phone_tail, paid_at DESC NULLS LAST, order_id DESC, shop_id) WHERE phone_tail IS NOT NULL"


class Migration(migrations.Migration):
    """Built beside the day's work, as 0024 builds its own."""

    atomic = False
    dependencies = [("cases", "0029_queue_total")]  # noqa: RUF012
    operations = [  # noqa: RUF012
        migrations.RunSQL("SET lock_timeout = 0", migrations.RunSQL.noop),
        migrations.RunSQL(
            [
                "DROP INDEX CONCURRENTLY IF EXISTS orders_phone_newest",
                f"CREATE INDEX CONCURRENTLY orders_phone_newest ON {NEWEST}",
            ],
            "DROP INDEX orders_phone_newest",
        ),
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS orders_phone_tail",
            "CREATE INDEX IF NOT EXISTS orders_phone_tail ON orders (shop_id, phone_tail) WHERE phone_tail IS NOT NULL",
        ),
        migrations.RunSQL("RESET lock_timeout", migrations.RunSQL.noop),
    ]
