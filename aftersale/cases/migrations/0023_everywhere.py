"""Whoever sees many places reads the queue over all shops at once, along an index of the sort."""

from django.db import migrations

CREATE = """
CREATE INDEX queue_item_oldest ON queue_item (since);
CREATE INDEX queue_item_dearest ON queue_item (asked_fen DESC NULLS LAST);
"""

DROP = "DROP INDEX queue_item_oldest, queue_item_dearest"


class Migration(migrations.Migration):
    dependencies = [("cases", "0022_note_words")]  # noqa: RUF012
    operations = [migrations.RunSQL(CREATE, DROP)]  # noqa: RUF012
