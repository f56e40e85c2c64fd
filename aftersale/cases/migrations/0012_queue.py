"""What the queue page reads: its filters beside the deadline, counters that are kept, and titles to search by."""

from django.db import migrations

CREATE = """
-- What the queue is filtered and sorted by stands in its row. `asked_fen`: the amount that the page shows.
ALTER TABLE queue_item ADD COLUMN reason text NOT NULL DEFAULT '', ADD COLUMN action text NOT NULL DEFAULT '',
  ADD COLUMN state text NOT NULL DEFAULT '', ADD COLUMN asked_fen bigint;
UPDATE queue_item q SET reason = coalesce(c.reason, ''), state = coalesce(c.state, ''),
  asked_fen = coalesce(q.amount_fen, c.amount_fen),
  action = coalesce((SELECT h.action FROM handling h WHERE h.shop_id = c.shop_id AND h.case_id = c.case_id), '')
FROM cases c WHERE c.shop_id = q.shop_id AND c.case_id = q.case_id;

-- Who queues a case without saying these (an outcome, a breaker) gets them from the record.
CREATE FUNCTION queue_item_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT coalesce(c.reason, ''), coalesce(c.state, ''), coalesce(NEW.amount_fen, c.amount_fen), coalesce(h.action, '')
  INTO NEW.reason, NEW.state, NEW.asked_fen, NEW.action
  FROM cases c LEFT JOIN handling h ON h.shop_id = c.shop_id AND h.case_id = c.case_id
  WHERE c.shop_id = NEW.shop_id AND c.case_id = NEW.case_id;
  IF NOT FOUND THEN NEW.reason := ''; NEW.state := ''; NEW.action := ''; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER queue_item_told BEFORE INSERT ON queue_item FOR EACH ROW WHEN (NEW.action = '')
  EXECUTE FUNCTION queue_item_told();

-- Each place (shop, queue) is read along one of these and cut: the page costs the same however long the queue is.
CREATE INDEX queue_item_kind ON queue_item (shop_id, queue, reason, action, state, due_at, case_id);
CREATE INDEX queue_item_asked ON queue_item (shop_id, queue, asked_fen DESC NULLS LAST, case_id);
CREATE INDEX queue_item_since ON queue_item (shop_id, queue, since);
CREATE INDEX queue_item_owner ON queue_item (owner, shop_id) WHERE owner IS NOT NULL;

-- Counters by kind, as differences: whoever changes the queue adds a line in the same transaction and waits for nobody.
-- The sum is always true; a worker folds the lines from time to time.
CREATE TABLE queue_count (
  shop_id int NOT NULL, queue text NOT NULL, reason text NOT NULL, action text NOT NULL, state text NOT NULL,
  cases int NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX queue_count_shop ON queue_count (shop_id);
CREATE FUNCTION queue_counted() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' THEN DELETE FROM queue_count; RETURN NULL; END IF;
  IF TG_OP = 'INSERT' THEN
    INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
    SELECT n.shop_id, n.queue, n.reason, n.action, n.state, count(*) FROM came n GROUP BY 1, 2, 3, 4, 5;
  ELSIF TG_OP = 'DELETE' THEN
    INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
    SELECT o.shop_id, o.queue, o.reason, o.action, o.state, -count(*) FROM went o GROUP BY 1, 2, 3, 4, 5;
  ELSE
    INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
    SELECT m.shop_id, m.queue, m.reason, m.action, m.state, sum(m.cases) FROM (
      SELECT n.shop_id, n.queue, n.reason, n.action, n.state, 1 AS cases FROM came n
      UNION ALL SELECT o.shop_id, o.queue, o.reason, o.action, o.state, -1 FROM went o) m
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(m.cases) <> 0;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER queue_counted_in AFTER INSERT ON queue_item REFERENCING NEW TABLE AS came
  FOR EACH STATEMENT EXECUTE FUNCTION queue_counted();
CREATE TRIGGER queue_counted_out AFTER DELETE ON queue_item REFERENCING OLD TABLE AS went
  FOR EACH STATEMENT EXECUTE FUNCTION queue_counted();
CREATE TRIGGER queue_counted_on AFTER UPDATE ON queue_item REFERENCING OLD TABLE AS went NEW TABLE AS came
  FOR EACH STATEMENT EXECUTE FUNCTION queue_counted();
CREATE TRIGGER queue_counted_none AFTER TRUNCATE ON queue_item FOR EACH STATEMENT EXECUTE FUNCTION queue_counted();
INSERT INTO queue_count (shop_id, queue, reason, action, state, cases)
SELECT shop_id, queue, reason, action, state, count(*) FROM queue_item GROUP BY 1, 2, 3, 4, 5;

-- Search by words: a shop has few titles, so words are looked for in these, and the cases of a title stand beside it,
-- newest first. A worker copies what is new; searching costs the hot path nothing.
CREATE TABLE goods_title (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL, title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
  UNIQUE (shop_id, title)
);
CREATE TABLE titled_case (
  title_id int NOT NULL, shop_id int NOT NULL, seen_at timestamptz NOT NULL, case_id text NOT NULL,
  PRIMARY KEY (title_id, seen_at, case_id)
);
CREATE TABLE titled_until (single bool PRIMARY KEY DEFAULT true CHECK (single), at timestamptz NOT NULL);
INSERT INTO goods_title (shop_id, title)
SELECT DISTINCT shop_id, left(title, 500) FROM cases WHERE title <> '' ORDER BY 1, 2;
INSERT INTO titled_case (title_id, shop_id, seen_at, case_id)
SELECT t.id, c.shop_id, c.first_seen_at, c.case_id FROM cases c
JOIN goods_title t ON t.shop_id = c.shop_id AND t.title = left(c.title, 500);
INSERT INTO titled_until (at) SELECT max(first_seen_at) FROM cases HAVING count(*) > 0;
CREATE INDEX cases_seen ON cases USING brin (first_seen_at) WITH (pages_per_range = 32, autosummarize = on);

ALTER TABLE orders ADD COLUMN phone_tail text CHECK (phone_tail ~ '^[0-9]{4}$');
CREATE INDEX orders_phone_tail ON orders (shop_id, phone_tail) WHERE phone_tail IS NOT NULL;

-- A person's views, and those that a lead shares with a shop's people.
CREATE TABLE saved_view (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  by_whom text NOT NULL, shop_id int REFERENCES shop (id),
  title text NOT NULL CHECK (length(title) BETWEEN 1 AND 40),
  address text NOT NULL CHECK (length(address) <= 500 AND address ~ '^[?]'),
  created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX saved_view_own ON saved_view (by_whom, title) WHERE shop_id IS NULL;
CREATE UNIQUE INDEX saved_view_shared ON saved_view (shop_id, title) WHERE shop_id IS NOT NULL;

-- One act on many cases: what was seen when it was previewed, what became of each.
CREATE TABLE bulk (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  by_whom text NOT NULL, act text NOT NULL, value text NOT NULL DEFAULT '', address text NOT NULL DEFAULT '?',
  made_at timestamptz NOT NULL, job_id bigint
);
CREATE TABLE bulk_case (
  bulk_id bigint NOT NULL REFERENCES bulk (id) ON DELETE CASCADE, no int NOT NULL,
  shop_id int NOT NULL, case_id text NOT NULL,
  version bigint, person_version bigint, queue text, owner text, reason text, amount_fen bigint NOT NULL,
  fate text NOT NULL CHECK (fate IN ('will', 'ask', 'skip', 'done', 'skipped', 'failed')),
  code text NOT NULL DEFAULT '', said text NOT NULL DEFAULT '', at timestamptz,
  PRIMARY KEY (bulk_id, no), UNIQUE (bulk_id, shop_id, case_id)
);
"""

DROP = """
DROP TABLE bulk_case, bulk, saved_view, titled_until, titled_case, goods_title;
DROP INDEX cases_seen, queue_item_since, queue_item_owner;
ALTER TABLE orders DROP COLUMN phone_tail;
DROP TRIGGER queue_counted_in ON queue_item;
DROP TRIGGER queue_counted_out ON queue_item;
DROP TRIGGER queue_counted_on ON queue_item;
DROP TRIGGER queue_counted_none ON queue_item;
DROP TRIGGER queue_item_told ON queue_item;
DROP FUNCTION queue_counted(), queue_item_told();
DROP TABLE queue_count;
ALTER TABLE queue_item DROP COLUMN reason, DROP COLUMN action, DROP COLUMN state, DROP COLUMN asked_fen
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0011_swift")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
