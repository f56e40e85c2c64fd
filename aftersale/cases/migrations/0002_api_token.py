"""Tokens with which programs use the API as a person: only a digest is kept."""

from django.db import migrations

CREATE = """
CREATE TABLE api_token (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  user_id int NOT NULL, name text NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
  made_at timestamptz NOT NULL, used_at timestamptz, revoked_at timestamptz
);
CREATE UNIQUE INDEX api_token_name ON api_token (user_id, name) WHERE revoked_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_record")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP TABLE api_token")]  # noqa: RUF012
