"""A list as a table: what its columns are called and hold, and where its rows come from."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from django.http import QueryDict

from aftersale.cases.access import Person

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


Rows = Iterator[Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Table:
    """`right`: who may take the list away, beside the right to export. `rows`: the person's rows under the filter of the
    list's own page, in its order, at most `most`; what identifies a buyer is masked already."""

    title: Callable[[], str]
    right: str
    columns: Callable[[], Sequence[Column]]
    rows: Callable[[Known, QueryDict, datetime, int], Rows]
