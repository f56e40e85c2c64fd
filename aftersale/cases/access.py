"""The only way a person gets a case: by membership of its shop. What is not theirs does not exist."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.core.cache import cache

from aftersale.cases.rows import first, read
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases", "access.sql")
PAGE_ROWS = 50
PAGES_MAX = 40
MATCHES_MAX = 1000
COUNTS_FRESH_S = 3  # counting a million waiting cases takes longer than the rest of the page

ORDERS = {
    "due": "due_at NULLS LAST, case_id",
    "amount": "amount_fen DESC NULLS LAST, case_id",
    "oldest": "since, case_id",
    "newest": "since DESC, case_id",
}


class Person(Protocol):
    """A signed-in user."""

    pk: Any


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop and what the person is there: agent, lead, finance, warehouse or owner."""

    id: int
    code: str
    name: str
    platform: str
    role: str


@dataclass(frozen=True, slots=True)
class Case:
    """Where a case is found."""

    shop: Shop
    case_id: str


@dataclass(frozen=True, slots=True)
class Count:
    """Cases that wait in a queue of a shop."""

    shop_id: int
    queue: str
    cases: int


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the queue is asked for; empty = all. `left_h`: due within so many hours. `page` from 1."""

    queues: Collection[str] | None = None
    shop: str = ""
    platform: str = ""
    reason: str = ""
    action: str = ""
    owner: str = ""
    left_h: int | None = None
    sort: str = "due"
    page: int = 1

    @property
    def narrows(self) -> bool:
        """Whether more than shops and queues decide, so that the counters do not tell the number of rows."""
        return bool(self.reason or self.action or self.owner or self.left_h is not None)


@dataclass(frozen=True, slots=True)
class Place:
    """One waiting case."""

    shop_id: int
    case_id: str


def shops_of(user: Person) -> tuple[Shop, ...]:
    """The person's shops by name."""
    return tuple(read(Shop, SQL["shops_of"], {"user_id": user.pk or 0}))


def case_for(user: Person, shop_code: str, case_id: str) -> Case | None:
    """The case, or None when it does not exist or is not theirs: both look the same."""
    shop = next((shop for shop in shops_of(user) if shop.code == shop_code), None)
    if shop is None:
        return None
    found = first(Place, SQL["case"], {"shop_id": shop.id, "case_id": case_id})
    return Case(shop, found.case_id) if found else None


def search_for(user: Person, text: str) -> list[Case]:
    """Cases of the person by case number, order number or waybill, at most 50."""
    shops = {shop.id: shop for shop in shops_of(user)}
    found = read(Place, SQL["search"], {"shop_ids": list(shops), "text": text.strip()[:64]})
    return [Case(shops[place.shop_id], place.case_id) for place in found]


def counts_for(user: Person) -> list[Count]:
    """How many cases wait, by shop and queue, as of the last COUNTS_FRESH_S seconds."""
    ids = [shop.id for shop in shops_of(user)]
    key = f"counts:{','.join(map(str, ids))}"
    found: list[Count] | None = cache.get(key)
    if found is None:
        found = read(Count, SQL["counts"], {"shop_ids": ids})
        cache.set(key, found, COUNTS_FRESH_S)
    return found


def queue_for(user: Person, wanted: Filter, counts: Collection[Count], now: datetime) -> list[Place]:
    """The page's waiting cases in order, and one more when there is a next page."""
    page = min(max(wanted.page, 1), PAGES_MAX)
    sql = _due(SQL["queue"], wanted).replace("/*order*/", ORDERS.get(wanted.sort, ORDERS["due"]))
    skip = (page - 1) * PAGE_ROWS
    params = _params(user, wanted, counts, now)
    return read(Place, sql, {**params, "skip": skip, "rows": PAGE_ROWS + 1, "top": skip + PAGE_ROWS + 1})


def matches_for(
    user: Person, wanted: Filter, counts: Collection[Count], now: datetime, since: datetime | None = None
) -> int:
    """How many cases match, counted up to MATCHES_MAX; with `since` only those that came later."""
    params = _params(user, wanted, counts, now)
    with_limit = {**params, "since": since, "rows": MATCHES_MAX}
    return len(read(Place, _due(SQL["matches"], wanted), with_limit))


def _due(sql: str, wanted: Filter) -> str:
    """With the limit on the deadline written so that the index serves it."""
    return sql.replace("/*due*/", "" if wanted.left_h is None else "AND i.due_at < %(due_before)s")


def _params(user: Person, wanted: Filter, counts: Collection[Count], now: datetime) -> dict[str, Any]:
    shops = {
        shop.id
        for shop in shops_of(user)
        if wanted.shop in ("", shop.code) and wanted.platform in ("", shop.platform)
    }
    places = [
        (count.shop_id, count.queue)
        for count in counts
        if count.shop_id in shops and (wanted.queues is None or count.queue in wanted.queues)
    ]
    due = None if wanted.left_h is None else now + timedelta(hours=wanted.left_h)
    return {
        "shop_ids": [shop_id for shop_id, _ in places],
        "queues": [queue for _, queue in places],
        "due_before": due,
        "reason": wanted.reason or None,
        "action": wanted.action or None,
        "owner": wanted.owner or None,
    }
