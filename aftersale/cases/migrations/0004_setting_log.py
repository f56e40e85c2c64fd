"""Who changed which setting of a shop, from what to what."""

from django.db import migrations

CREATE = """
CREATE TABLE setting_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  shop_id int NOT NULL REFERENCES shop (id), name text NOT NULL, before jsonb, after jsonb,
  by_whom text NOT NULL, at timestamptz NOT NULL
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON setting_log FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON setting_log EXECUTE FUNCTION append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_draft")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, "DROP TABLE setting_log")]  # noqa: RUF012
