"""Published rules: what people write, what was checked, who said yes, what a shop is decided by."""

from django.db import migrations

CREATE = """
-- What the lint found in a version; with what it proved nothing is published.
CREATE TABLE book_check (
  version text PRIMARY KEY, passes bool NOT NULL, findings jsonb NOT NULL, checked_at timestamptz NOT NULL,
  UNIQUE (version, passes)
);

-- A text and own values of settings that people of a shop work on; one at a time.
CREATE TABLE book_edit (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL REFERENCES shop (id), book text NOT NULL, text text NOT NULL,
  settings jsonb NOT NULL DEFAULT '{}', sha256 text NOT NULL, revision int NOT NULL DEFAULT 1,
  authors text[] NOT NULL CHECK (cardinality(authors) > 0),
  changed_by text NOT NULL, changed_at timestamptz NOT NULL,
  ended text CHECK (ended IN ('published', 'dropped'))
);
CREATE UNIQUE INDEX book_edit_one_open ON book_edit (shop_id, book) WHERE ended IS NULL;

-- A second person's yes to exactly this text and these values. A later edit voids what was asked and what was said.
CREATE TABLE book_approval (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  edit_id bigint NOT NULL REFERENCES book_edit (id), sha256 text NOT NULL,
  asked_by text NOT NULL, asked_at timestamptz NOT NULL, why text NOT NULL CHECK (why <> ''),
  approved_by text, refused_by text, answered_at timestamptz, answer text NOT NULL DEFAULT '', voided_at timestamptz,
  UNIQUE (id, sha256, approved_by),
  CHECK (approved_by IS NULL OR refused_by IS NULL), CHECK ((approved_by = asked_by) IS NOT TRUE),
  CHECK ((answered_at IS NOT NULL) = (coalesce(approved_by, refused_by) IS NOT NULL))
);
CREATE UNIQUE INDEX book_approval_one_open ON book_approval (edit_id) WHERE answered_at IS NULL AND voided_at IS NULL;

-- Every text that ever decided a shop's cases. `settings`: the shop's own values afterwards, to go back to.
CREATE TABLE book_release (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL REFERENCES shop (id), book text NOT NULL,
  version text NOT NULL REFERENCES book_version (version), text text NOT NULL, sha256 text NOT NULL,
  settings jsonb NOT NULL, shipped bool NOT NULL DEFAULT false, passes bool NOT NULL DEFAULT true CHECK (passes),
  money bool NOT NULL, authors text[] NOT NULL, approval_id bigint, approved_by text, back_to bigint,
  published_by text NOT NULL, published_at timestamptz NOT NULL, why text NOT NULL CHECK (why <> ''),
  UNIQUE (id, shop_id, book), UNIQUE (id, sha256),
  FOREIGN KEY (version, passes) REFERENCES book_check (version, passes),
  FOREIGN KEY (approval_id, sha256, approved_by) REFERENCES book_approval (id, sha256, approved_by),
  CHECK ((approval_id IS NULL) = (approved_by IS NULL)),
  FOREIGN KEY (back_to, sha256) REFERENCES book_release (id, sha256),
  CONSTRAINT book_release_four_eyes CHECK ((NOT money OR shipped OR back_to IS NOT NULL OR approval_id IS NOT NULL) IS TRUE),
  CONSTRAINT book_release_not_ones_own CHECK ((approved_by = ANY (authors)) IS NOT TRUE)
);
CREATE INDEX book_release_of_shop ON book_release (shop_id, book, id);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON book_release FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON book_release EXECUTE FUNCTION append_only();

-- What a shop is decided by; a shop without a row by the book that came with the software.
CREATE TABLE book_live (
  shop_id int NOT NULL, book text NOT NULL, release_id bigint NOT NULL,
  PRIMARY KEY (shop_id, book),
  FOREIGN KEY (release_id, shop_id, book) REFERENCES book_release (id, shop_id, book)
);

-- What a rule did lately is asked by time; rows come in that order.
CREATE INDEX decision_lately ON decision USING brin (decided_at);

-- The edit whose text a draft tries, so that a page can show its counts.
ALTER TABLE draft ADD COLUMN edit_id bigint REFERENCES book_edit (id);
"""
DROP = """
ALTER TABLE draft DROP COLUMN edit_id;
DROP INDEX decision_lately;
DROP TABLE book_live; DROP TABLE book_release; DROP TABLE book_approval; DROP TABLE book_edit; DROP TABLE book_check;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0017_returns")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
