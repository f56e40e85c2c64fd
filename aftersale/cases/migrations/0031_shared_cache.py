"""What all processes of the pages must know for a while: throttles, and one-time codes that were taken."""

from django.db import migrations

# As django.core.cache.backends.db wants it.
CREATE = """
CREATE TABLE shared_cache (
  cache_key varchar(255) PRIMARY KEY,
  value text NOT NULL,
  expires timestamptz NOT NULL
);
CREATE INDEX shared_cache_expires ON shared_cache (expires);
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0030_phone_newest")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP TABLE shared_cache")]  # noqa: RUF012
