"""How many wait in a place stands in a few lines: every queue page and every look of an open one asks for it."""

from django.db import migrations

FUNCTION = """
CREATE OR REPLACE FUNCTION queue_counted() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  {truncated}
  IF TG_OP = 'INSERT' THEN
    {begin} INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
    SELECT n.shop_id, n.queue, n.reason, n.action, n.state, count(*) FROM came n GROUP BY 1, 2, 3, 4, 5 {end};
  ELSIF TG_OP = 'DELETE' THEN
    {begin} INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
    SELECT o.shop_id, o.queue, o.reason, o.action, o.state, -count(*) FROM went o GROUP BY 1, 2, 3, 4, 5 {end};
  ELSE
    {begin} INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
    SELECT m.shop_id, m.queue, m.reason, m.action, m.state, sum(m.cases) FROM (
      SELECT n.shop_id, n.queue, n.reason, n.action, n.state, 1 AS cases FROM came n
      UNION ALL SELECT o.shop_id, o.queue, o.reason, o.action, o.state, -1 FROM went o) m
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(m.cases) <> 0 {end};
  END IF;
  RETURN NULL;
END $$;
"""

TOTALS = FUNCTION.format(
    truncated="IF TG_OP = 'TRUNCATE' THEN DELETE FROM queue_count; DELETE FROM queue_total; RETURN NULL; END IF;",
    begin="WITH kinds AS (",
    end="RETURNING shop_id, queue, cases) INSERT INTO queue_total (shop_id, queue, cases)"
    " SELECT shop_id, queue, sum(cases) FROM kinds GROUP BY 1, 2 HAVING sum(cases) <> 0",
)
KINDS = FUNCTION.format(
    truncated="IF TG_OP = 'TRUNCATE' THEN DELETE FROM queue_count; RETURN NULL; END IF;", begin="", end=""
)

# Nobody may be between the row that changes and the line that says so; pages go on reading.
CREATE = f"""
LOCK TABLE queue_item, queue_count IN SHARE ROW EXCLUSIVE MODE;
-- Differences, as queue_count keeps them by kind, and folded with these.
CREATE TABLE queue_total (
  shop_id int NOT NULL, queue text NOT NULL, cases int NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
INSERT INTO queue_total (shop_id, queue, cases)
SELECT shop_id, queue, sum(cases) FROM queue_count GROUP BY 1, 2 HAVING sum(cases) <> 0;
{TOTALS}
"""

DROP = f"LOCK TABLE queue_item IN SHARE ROW EXCLUSIVE MODE; {KINDS} DROP TABLE queue_total"


class Migration(migrations.Migration):
    dependencies = [("cases", "0028_kinds")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
