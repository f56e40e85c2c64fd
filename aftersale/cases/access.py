"""The only way a person gets a case: by membership of its shop. What is not theirs does not exist."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aftersale.cases.rows import first, read, remembered
from aftersale.cases.waiting import queue, search
from aftersale.cases.waiting.everywhere import Matches
from aftersale.cases.waiting.filters import SORTS, UNCLAIMED, Count, Filter, Place
from aftersale.cases.waiting.queue import PAGE_ROWS, PAGES_MAX
from aftersale.pg.sql import queries

__all__ = [
    "PAGES_MAX",
    "PAGE_ROWS",
    "SORTS",
    "UNCLAIMED",
    "Case",
    "Count",
    "Filter",
    "Matches",
    "Person",
    "Place",
    "Shop",
    "all_for",
    "case_for",
    "counts_for",
    "hits_for",
    "matches_for",
    "queue_for",
    "search_for",
    "shops_of",
    "spots_for",
]  # fmt: skip
SQL = queries("aftersale.cases", "access.sql")


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


def shops_of(user: Person) -> tuple[Shop, ...]:
    """The person's shops by name."""
    user_id = user.pk or 0
    return remembered(("shops", user_id), lambda: tuple(read(Shop, SQL["shops_of"], {"user_id": user_id})))


def case_for(user: Person, shop_code: str, case_id: str) -> Case | None:
    """The case, or None when it does not exist or is not theirs: both look the same."""
    shop = next((shop for shop in shops_of(user) if shop.code == shop_code), None)
    if shop is None:
        return None
    found = first(Place, SQL["case"], {"shop_id": shop.id, "case_id": case_id})
    return Case(shop, found.case_id) if found else None


def search_for(user: Person, text: str) -> list[Case]:
    """Cases of the person by number, phone tail or words of the goods, at most 50."""
    shops = {shop.id: shop for shop in shops_of(user)}
    return [Case(shops[place.shop_id], place.case_id) for place in search.found_by(list(shops), text)]


def hits_for(user: Person, text: str) -> list[tuple[Shop, search.Hit]]:
    """The same with what a list of them shows."""
    shops = {shop.id: shop for shop in shops_of(user)}
    return [(shops[hit.shop_id], hit) for hit in search.hits(search.found_by(list(shops), text))]


def counts_for(user: Person) -> list[Count]:
    """How many cases wait, by shop and queue; always true."""
    return queue.counted([shop.id for shop in shops_of(user)])


def spots_for(user: Person, wanted: Filter, counts: Collection[Count]) -> list[Count]:
    """The places among `counts` that are the person's and that the filter leaves."""
    shops = {
        shop.id
        for shop in shops_of(user)
        if wanted.shop in ("", shop.code) and wanted.platform in ("", shop.platform)
    }
    return [
        count
        for count in counts
        if count.shop_id in shops and (wanted.queues is None or count.queue in wanted.queues)
    ]


def queue_for(user: Person, wanted: Filter, counts: Collection[Count], now: datetime) -> list[Place]:
    """The page's waiting cases in order, and one more when there is a next page."""
    return queue.page_of(spots_for(user, wanted, counts), wanted, now)


def all_for(user: Person, wanted: Filter, counts: Collection[Count], now: datetime, most: int) -> list[Place]:
    """All waiting cases that match, in order, at most so many."""
    return queue.everything(spots_for(user, wanted, counts), wanted, now, most)


def matches_for(
    user: Person, wanted: Filter, counts: Collection[Count], now: datetime, since: datetime | None = None
) -> Matches:
    """How many cases match; counted up to MATCHES_MAX where the counters do not tell; with `since` the later ones."""
    return queue.matching(spots_for(user, wanted, counts), wanted, now, since)
