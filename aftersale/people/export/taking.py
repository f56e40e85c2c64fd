"""What taking a list away needs, at once or as a job: the right, the limit, the file, the note."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg import Connection

from aftersale.cases import audit
from aftersale.cases.rows import first
from aftersale.people.export.lists import TABLES
from aftersale.people.export.table import Known, Table, Value, exported
from aftersale.people.export.writing import csv_lines, xlsx
from aftersale.people.rights import shops_with
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.export", "export.sql")


@dataclass(frozen=True, slots=True)
class Most:
    """Rows of one file."""

    rows: int


def may(user: Known, table: Table) -> bool:
    """Whether the person may take this list away at all."""
    return bool(exported(user, table.right))


def rows_max(user: Known) -> int:
    """The smallest of what the person's shops allow in one file."""
    found = first(Most, SQL["most"], {"shop_ids": [shop.id for shop in shops_with(user, "export")]})
    return found.rows if found else 0


def noted(conn: Connection[Any], user: Known, name: str, query: str, rows: int, now: datetime) -> None:
    """Who took what away: the list, its filter, how many rows; an entry for each shop that it may show."""
    more = {"rows": rows, **({"filter": query} if query else {})}
    for shop in exported(user, TABLES[name].right):
        audit.note(conn, user.get_username(), "export", name, now, shop_id=shop.id, more=more)


def written(table: Table, form: str, rows: Iterable[Sequence[Value]]) -> bytes:
    """The whole file."""
    return xlsx(table.columns(), rows) if form == "xlsx" else b"".join(csv_lines(table.columns(), rows))


def file_name(table: Table, form: str, now: datetime, cut: int | None = None) -> str:
    """What and when: `队列 2026-11-11 1200.xlsx`; `cut`: it holds only so many rows."""
    name = f"{table.title()} {timezone.localtime(now):%Y-%m-%d %H%M}"
    if cut is not None:
        name = _("%(name)s 前 %(rows)s 行") % {"name": name, "rows": cut}
    return f"{name}.{form}"
