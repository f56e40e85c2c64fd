"""A token ends, and may be one that only reads. Those that are there keep what they have: no end, read and act."""

from django.db import migrations

CREATE = """
ALTER TABLE api_token ADD ends_at timestamptz, ADD acts bool NOT NULL DEFAULT true,
  ADD CONSTRAINT api_token_ends CHECK ((ends_at <= made_at) IS NOT TRUE);
"""

DROP = "ALTER TABLE api_token DROP acts, DROP ends_at"


class Migration(migrations.Migration):
    dependencies = [("cases", "0024_acts_log")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
