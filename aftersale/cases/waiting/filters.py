"""What of the queue is asked for, and where it lies."""

from collections.abc import Collection
from dataclasses import dataclass, replace

UNCLAIMED = "-"
SORTS = ("due", "amount", "oldest", "newest")


@dataclass(frozen=True, slots=True)
class Count:
    """Cases that wait in a queue of a shop."""

    shop_id: int
    queue: str
    cases: int


@dataclass(frozen=True, slots=True)
class Kind:
    """Waiting cases of a place that are alike in what can be filtered."""

    shop_id: int
    queue: str
    reason: str
    action: str
    state: str
    cases: int


@dataclass(frozen=True, slots=True)
class Place:
    """One waiting case."""

    shop_id: int
    case_id: str


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the queue is asked for; empty = all. `left_h`: due within so many hours; `owner` UNCLAIMED: nobody's;
    amounts from `low_fen` up to below `high_fen`. `page` from 1."""

    queues: Collection[str] | None = None
    shop: str = ""
    platform: str = ""
    reason: str = ""
    action: str = ""
    state: str = ""
    owner: str = ""
    left_h: int | None = None
    low_fen: int | None = None
    high_fen: int | None = None
    sort: str = "due"
    page: int = 1

    @property
    def of_kind(self) -> bool:
        """Whether it asks for something that the counters are kept by, beside shop and queue."""
        return bool(self.reason or self.action or self.state)

    @property
    def by_row(self) -> bool:
        """Whether it asks for something that only the rows tell."""
        return bool(self.owner) or self.left_h is not None or self.by_amount

    @property
    def by_amount(self) -> bool:
        return self.low_fen is not None or self.high_fen is not None

    @property
    def narrows(self) -> bool:
        """Whether more than shops and queues decide."""
        return self.of_kind or self.by_row

    def first_page(self) -> "Filter":
        return replace(self, page=1)
