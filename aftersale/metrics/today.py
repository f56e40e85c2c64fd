"""Today's figures of some shops, straight from the record."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from aftersale.cases.rows import first, read
from aftersale.pg.sql import queries

SQL = queries("aftersale.metrics", "today.sql")
BEHIND = {
    "hour": SQL["rows_hour"],
    "automatic": SQL["rows_automatic"],
    "money": SQL["rows_money"],
    "unknown": SQL["rows_unknown"],
}
ZONE = "Asia/Shanghai"
BUCKETS = ("late", "h2", "h12", "h24", "h72", "later", "none")
ORIGINS = ("automatic", "person", "platform")


@dataclass(frozen=True, slots=True)
class Hour:
    """Cases first seen in this hour of the day; `automatic` = decided without a person."""

    hour: int
    cases: int
    automatic: int


@dataclass(frozen=True, slots=True)
class Bucket:
    bucket: str
    cases: int


@dataclass(frozen=True, slots=True)
class Money:
    """Money known to have left today, by who sent it."""

    origin: str
    cases: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Intents whose outcome is not known, and since when the oldest is so."""

    cases: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class Oldest:
    """The waiting case whose deadline comes (or came) first."""

    shop_id: int
    case_id: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """One row behind a figure."""

    shop_id: int
    case_id: str
    at: datetime | None
    amount_fen: int | None


@dataclass(frozen=True, slots=True)
class Today:
    """`left`: waiting cases by time left, every bucket present; `money`: every origin present."""

    inflow: tuple[Hour, ...]
    left: tuple[Bucket, ...]
    money: tuple[Money, ...]
    unknown: Unknown
    oldest: Oldest | None

    @property
    def cases(self) -> int:
        return sum(hour.cases for hour in self.inflow)

    @property
    def automatic(self) -> int:
        return sum(hour.automatic for hour in self.inflow)

    @property
    def rate_percent(self) -> int | None:
        """Share of today's cases that no person had to decide; None before the first case."""
        return self.automatic * 100 // self.cases if self.cases else None


def midnight(now: datetime) -> datetime:
    """The beginning of today in the shops' zone."""
    return now.astimezone(ZoneInfo(ZONE)).replace(hour=0, minute=0, second=0, microsecond=0)


def today(shop_ids: Sequence[int], now: datetime) -> Today:
    given = {"shop_ids": list(shop_ids), "now": now, "since": midnight(now), "zone": ZONE}
    left = {found.bucket: found for found in read(Bucket, SQL["left"], given)}
    money = {found.origin: found for found in read(Money, SQL["money"], given)}
    unknown = first(Unknown, SQL["unknown"], given)
    assert unknown is not None, "an aggregate always has a row"
    return Today(
        tuple(read(Hour, SQL["inflow"], given)),
        tuple(left.get(code, Bucket(code, 0)) for code in BUCKETS),
        tuple(money.get(code, Money(code, 0, 0)) for code in ORIGINS),
        unknown,
        first(Oldest, SQL["oldest"], given),
    )


def behind(name: str, shop_ids: Sequence[int], since: datetime, until: datetime, origin: str) -> list[Moved]:
    """The rows behind a figure (`hour`, `automatic`, `money`, `unknown`), at most 500."""
    given = {"shop_ids": list(shop_ids), "from": since, "until": until, "origin": origin}
    return read(Moved, BEHIND[name], given)
