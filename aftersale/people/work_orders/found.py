"""What the pages of work orders read."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aftersale.cases.access import Shop
from aftersale.cases.rows import first, read
from aftersale.core.clocks.calendar import Calendar
from aftersale.core.expression import Value
from aftersale.core.rulebook import resolve_settings
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.calendar import calendar_of
from aftersale.rulebooks.workorders.templates import departments

SQL = queries("aftersale.people.work_orders")
CARDS_MAX, DONE_MAX = 100, 20
DESK = "cs"


@dataclass(frozen=True, slots=True)
class Count:
    department: str
    live: int
    late: int


@dataclass(frozen=True, slots=True)
class Card:
    """One department's part of an order; `note`: what the step before left, of a done step its own."""

    shop_id: int
    id: int
    code: str
    template: str
    department: str
    state: str
    owner: str | None
    started_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    live: bool
    subject: str
    urgent: bool
    important: bool
    version: int
    changed_by: str
    changed_at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class Time:
    """How long a step took in working time over the last 30 days, and how often it was late."""

    template: str
    code: str
    steps: int
    worked_s: int
    late: int


@dataclass(frozen=True, slots=True)
class Order:
    shop_id: int
    id: int
    template: str
    state: str
    source: str
    subject: str
    urgent: bool
    important: bool
    fields: str
    version: int
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    code: str
    stage: int
    department: str
    hours: int
    state: str
    owner: str | None
    started_at: datetime | None
    due_at: datetime | None
    done_at: datetime | None
    worked_s: int | None
    note: str | None
    fields: str
    live: bool


@dataclass(frozen=True, slots=True)
class Remark:
    at: datetime
    who: str
    kind: str
    step: str | None
    text: str
    evidence_id: int | None


@dataclass(frozen=True, slots=True)
class OfCase:
    """An order of a case, once for each step that runs (none when it has ended)."""

    id: int
    template: str
    state: str
    subject: str
    created_by: str
    created_at: datetime
    code: str | None
    department: str | None
    owner: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Known:
    """What of a case fills in a form."""

    tracking_no: str | None
    return_tracking_no: str | None
    item_value_fen: int | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Number:
    steps: int


@dataclass(frozen=True, slots=True)
class _CaseNo:
    case_id: str


@dataclass(frozen=True, slots=True)
class Own:
    """A shop's own values of settings, as JSON."""

    id: int
    platform: str
    settings: str


def works_for(role: str) -> tuple[str, ...]:
    """The departments whose steps this role does."""
    return tuple(code for code, one in departments().items() if role in one.roles)


def sees(shops: Collection[Shop]) -> tuple[str, ...]:
    """The boards of this person: who works at the desk follows all of them, others see their own."""
    mine = {code for shop in shops for code in works_for(shop.role)}
    return tuple(code for code in departments() if DESK in mine or code in mine)


def counts(shop_ids: Sequence[int], now: datetime) -> dict[str, Count]:
    found = read(Count, SQL["counts"], {"shop_ids": shop_ids, "now": now})
    return {one.department: one for one in found}


def cards(asked: dict[str, Any]) -> list[Card]:
    return read(Card, SQL["cards"], {**asked, "rows": CARDS_MAX})


def done(asked: dict[str, Any], since: datetime) -> list[Card]:
    return read(Card, SQL["done"], {**asked, "since": since, "rows": DONE_MAX})


def seen(shop_ids: Sequence[int], keys: Collection[tuple[int, int, str]]) -> list[Card]:
    """The cards a page shows, as they are now."""
    shops, ids, codes = ([key[n] for key in keys] for n in range(3))
    return read(Card, SQL["seen"], {"shop_ids": shop_ids, "shops": shops, "ids": ids, "codes": codes})


def newer(asked: dict[str, Any], since: datetime) -> int:
    found = first(Number, SQL["newer"], {**asked, "since": since})
    return found.steps if found else 0


def times(shop_ids: Sequence[int], department: str, since: datetime) -> list[Time]:
    asked = {"shop_ids": shop_ids, "department": department, "since": since}
    return read(Time, SQL["times"], asked)


def order(shop_id: int, order_id: int) -> Order | None:
    return first(Order, SQL["order"], {"shop_id": shop_id, "id": order_id})


def steps(shop_id: int, order_id: int) -> list[Step]:
    return read(Step, SQL["steps"], {"shop_id": shop_id, "id": order_id})


def remarks(shop_id: int, order_id: int) -> list[Remark]:
    return read(Remark, SQL["remarks"], {"shop_id": shop_id, "id": order_id})


def cases_of(shop_id: int, order_id: int) -> list[str]:
    found = read(_CaseNo, SQL["cases_of"], {"shop_id": shop_id, "id": order_id})
    return [one.case_id for one in found]


def of_case(shop_id: int, case_id: str) -> list[OfCase]:
    return read(OfCase, SQL["of_case"], {"shop_id": shop_id, "case_id": case_id})


def rounds(shop_id: int, case_id: str, template: str) -> int:
    """How many orders of this kind the case has behind it."""
    asked = {"shop_id": shop_id, "case_id": case_id, "template": template}
    found = first(Number, SQL["rounds"], asked)
    return found.steps if found else 0


def known(shop_id: int, case_id: str) -> Known | None:
    return first(Known, SQL["known"], {"shop_id": shop_id, "case_id": case_id})


def calendar(shop_id: int, now: datetime) -> Calendar:
    """When the shop works. Raises RulebookError where its settings do not fit."""
    return calendar_of(settings("calendar", shop_id, now))


def settings(name: str, shop_id: int, now: datetime) -> dict[str, Value]:
    """A book's settings with the shop's own values."""
    return settings_with(own_of([shop_id])[shop_id], name, now)


def own_of(shop_ids: Collection[int]) -> dict[int, Own]:
    """What these shops have set for all books."""
    return {one.id: one for one in read(Own, SQL["settings"], {"shop_ids": list(shop_ids)})}


def settings_with(own: Own, name: str, now: datetime) -> dict[str, Value]:
    """A book's settings with a shop's own values that were read before."""
    book = books.book(name)
    given = {key: value for key, value in json.loads(own.settings).items() if key in book.settings}
    return resolve_settings(book, given, own.platform, now)
