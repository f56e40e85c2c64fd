"""Opens the work orders that rules ask for, so that a stopped parcel is followed without anybody thinking of it (R-046)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from aftersale.cases.work_orders import orders
from aftersale.cases.work_orders.orders import Wanted
from aftersale.core.clocks.calendar import Calendar
from aftersale.core.facts import RulebookError
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import resolve_settings
from aftersale.core.workorders.template import filled, prefilled
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.calendar import calendar_of
from aftersale.rulebooks.workorders.templates import templates

SQL = queries("aftersale.people.work_orders", "by_rule.sql")
ORDERS_MAX = 200


def turn(conn: Connection[Any]) -> int:
    """How many were opened; a case has one of each kind, whoever was first."""
    asking = _asking()
    wanted = {"rules": list(asking), "templates": list(asking.values()), "most": ORDERS_MAX}
    found = conn.execute(SQL["now"]).fetchone()
    assert found is not None
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(SQL["asked_for"], wanted).fetchall()
    return sum(_open(conn, row, found[0]) for row in rows)


def _asking() -> Mapping[str, str]:
    """Rule → the kind of order it asks for, where a form of this kind needs nothing that only people know."""
    thens = {rule.name: rule.then.get("work_order") for rule in books.book("refund").rules}
    named = {name: str(getattr(one, "value", "")) for name, one in thens.items() if one is not None}
    return {name: code for name, code in named.items() if code in templates() and _fills_itself(code)}


def _fills_itself(code: str) -> bool:
    return all(field.prefill for field in templates()[code].fields if field.required)


def _open(conn: Connection[Any], row: Mapping[str, Any], now: datetime) -> bool:
    template = templates()[row["template"]]
    fields = filled(template.fields, prefilled(template.fields, row))
    calendar = _calendar(row, now)
    if isinstance(fields, Refusal) or calendar is None:
        return False
    subject = " · ".join(part for part in (template.title, row["title"]) if part)[: orders.SUBJECT_MAX]
    key = f"{orders.of_case(row['case_id'], template.code)}:0"
    wanted = Wanted(key, template, subject, fields, (row["case_id"],), source="rule")
    made = orders.open_order(conn, row["shop_id"], wanted, f"rule:{row['rule']}", now, calendar)
    return not isinstance(made, Refusal)


def _calendar(row: Mapping[str, Any], now: datetime) -> Calendar | None:
    """None where the shop's own hours cannot be read: people open its orders until that is mended."""
    book = books.book("calendar")
    own = {name: value for name, value in row["settings"].items() if name in book.settings}
    try:
        return calendar_of(resolve_settings(book, own, row["platform"], now))
    except RulebookError:
        return None
