"""Signs of life, and deadlines that were missed."""

from django.db import migrations

CREATE = """
-- One row a stage of a worker (host:pid:stage). turn_since: when the turn that runs now began. turn_ms: how long the last
-- one took. Signs of life are in real time, as leases are.
ALTER TABLE worker ADD COLUMN stage text, ADD COLUMN turn_since timestamptz, ADD COLUMN turn_ms int,
  ADD COLUMN did bigint NOT NULL DEFAULT 0, ADD COLUMN did_at timestamptz;

-- reconcile_since is real time, as the questions are (intent.asked_at); reconcile_moment is the same instant in the
-- shops' time, as the cursors are. accepted: false while a copy of the database waits for a person's word.
ALTER TABLE instance ADD COLUMN reconcile_moment timestamptz, ADD COLUMN accepted bool NOT NULL DEFAULT true;

-- The real time at which the shops' time was this.
CREATE FUNCTION real_time(at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT real_at + (at - virtual_at) / nullif(speed, 0) FROM clock), at)
$$;

-- A deadline that passed with the case still ours to handle, once, with what kept us (P5).
CREATE TABLE missed_deadline (
  shop_id int NOT NULL, case_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('platform', 'target')),
  due_at timestamptz NOT NULL, noticed_at timestamptz NOT NULL,
  cause text NOT NULL CHECK (cause IN ('arrived_late', 'down', 'stopped', 'restored', 'person', 'platform', 'slow')),
  PRIMARY KEY (shop_id, case_id, kind, due_at)
);
CREATE INDEX missed_deadline_noticed ON missed_deadline (noticed_at);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON missed_deadline FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON missed_deadline EXECUTE FUNCTION append_only();
CREATE INDEX queue_item_soonest ON queue_item (due_at);
"""

DROP = """
DROP INDEX queue_item_soonest;
DROP TABLE missed_deadline;
DROP FUNCTION real_time(timestamptz);
ALTER TABLE instance DROP COLUMN reconcile_moment, DROP COLUMN accepted;
ALTER TABLE worker DROP COLUMN stage, DROP COLUMN turn_since, DROP COLUMN turn_ms, DROP COLUMN did, DROP COLUMN did_at
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_ledger_chain")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
