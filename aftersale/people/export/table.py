"""A list as a table: what its columns are called and hold, and where its rows come from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.cases.access import Person, Shop
from aftersale.people.rights import shops_with

Kind = Literal["text", "fen", "number", "time"]
Value = str | int | datetime | None


class Known(Person, Protocol):
    """A signed-in person with a name."""

    def get_username(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Column:
    """A title and what stands below it: money comes in fen, times are aware."""

    title: str
    kind: Kind = "text"


def exported(user: Known, right: str) -> tuple[Shop, ...]:
    """Where the person has this right and the one to export: no list holds anything of another shop."""
    may = {shop.id for shop in shops_with(user, "export")}
    return tuple(shop for shop in shops_with(user, right) if shop.id in may)


Rows = Iterator[Sequence[Value]]
Terms = Iterator[tuple[str, str]]


def all_of_it(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    """For lists that know no filter."""
    return iter(())


def shop_term(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    """Which shop; one that is not the reader's keeps its name to itself."""
    if code := query.get("shop", ""):
        yield _("店铺"), shop_names.get(code) or _("另一家店铺")


@dataclass(frozen=True, slots=True)
class Table:
    """`right`: who may take the list away, beside the right to export. `rows`: the person's rows under the filter of the
    list's own page, in its order, at most `most`; what identifies a buyer is masked already. `terms`: what a filter means,
    each with its name or '', in the words of the page; the names are those of the reader's shops by code."""

    title: Callable[[], str]
    right: str
    columns: Callable[[], Sequence[Column]]
    rows: Callable[[Known, QueryDict, datetime, int], Rows]
    terms: Callable[[QueryDict, Mapping[str, str]], Terms] = all_of_it
