"""Second steps that somebody took away from a person who had lost them, until that person has seen it."""

from django.db import migrations

CREATE = """
CREATE TABLE step_reset (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id int NOT NULL,
  by_whom text NOT NULL CHECK (by_whom <> ''),
  why text NOT NULL CHECK ((length(btrim(why)) BETWEEN 1 AND 500) IS TRUE),
  at timestamptz NOT NULL, seen_at timestamptz
);
CREATE INDEX step_reset_unseen ON step_reset (user_id) WHERE seen_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0020_return_claims")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP TABLE step_reset")]  # noqa: RUF012
