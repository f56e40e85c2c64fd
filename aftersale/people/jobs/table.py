"""A table that a job left, written out in the reader's language."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from aftersale.core.spreadsheets import guarded
from aftersale.jobs.table import MIME
from aftersale.people.jobs.found import Body, shown_name
from aftersale.people.jobs.saying import sentence

CSV, BOM = "text/csv; charset=utf-8", "\ufeff"


def written(body: Body) -> Body:
    """The table as CSV that opens in a spreadsheet, no cell a formula; any other file as it is."""
    if body.mime != MIME:
        return body
    table = json.loads(bytes(body.body))
    text = io.StringIO()
    text.write(BOM)
    writer = csv.writer(text)
    writer.writerow([_(column) for column in table["columns"]])
    writer.writerows([_plain(cell) for cell in row] for row in table["rows"])
    return replace(body, name=shown_name(body.name, body.mime), mime=CSV, body=text.getvalue().encode())


def _plain(cell: Any) -> str | int:
    if isinstance(cell, int):
        return cell
    return guarded(sentence(cell["say"], cell["values"]) if isinstance(cell, dict) else str(cell))
