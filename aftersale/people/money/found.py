"""What the money page reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from aftersale.cases.rows import read
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.money")
ZONE = ZoneInfo("Asia/Shanghai")
ORIGINS = ("automatic", "person", "platform")


@dataclass(frozen=True, slots=True)
class Used:
    """Automatic money of a shop in the current `span` (hour, day) against its limits; `stopped`: a switch holds it back."""

    shop_id: int
    span: str
    refunds: int
    fen: int
    refunds_max: int
    fen_max: int
    stopped: bool

    @property
    def full(self) -> bool:
        return self.refunds >= self.refunds_max or self.fen >= self.fen_max


@dataclass(frozen=True, slots=True)
class Sum:
    """Refunds and fen of one origin ('' = all), reversals taken back."""

    origin: str
    refunds: int
    fen: int


@dataclass(frozen=True, slots=True)
class Row:
    """One ledger entry; a negative amount came back."""

    shop_id: int
    case_id: str
    order_id: str
    entry: int
    amount_fen: int
    origin: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Difference:
    """An open difference: `kind` only_ours, only_theirs or amount; 0 fen = no refund there."""

    shop_id: int
    case_id: str
    kind: str
    ours_fen: int
    theirs_fen: int
    found_at: datetime


@dataclass(frozen=True, slots=True)
class Resolved:
    """A difference that was explained, and by whom."""

    shop_id: int
    case_id: str
    kind: str
    ours_fen: int
    theirs_fen: int
    resolved_at: datetime
    resolved_by: str
    note: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One comparison with the platform."""

    shop_id: int
    since: datetime
    until: datetime
    at: datetime
    ours: int
    ours_fen: int
    theirs: int
    theirs_fen: int
    differences: int
    waiting: int


def today(now: datetime) -> date:
    """The day in the pages' zone."""
    return now.astimezone(ZONE).date()


def midnight(day: date) -> datetime:
    """When the day begins in the pages' zone."""
    return datetime.combine(day, time(), ZONE)


def used(shop_ids: Sequence[int]) -> list[Used]:
    return read(Used, SQL["used"], {"shop_ids": shop_ids})


def sums(shop_ids: Sequence[int], since: datetime, until: datetime) -> dict[str, Sum]:
    """By origin, every origin present."""
    window = {"shop_ids": shop_ids, "since": since, "until": until}
    found = {one.origin: one for one in read(Sum, SQL["sums"], window)}
    return {origin: found.get(origin, Sum(origin, 0, 0)) for origin in ORIGINS}


def rows(
    shop_ids: Sequence[int], since: datetime, until: datetime, origin: str, *, skip: int, rows: int
) -> list[Row]:
    window = {"shop_ids": shop_ids, "since": since, "until": until, "origin": origin}
    return read(Row, SQL["rows"], {**window, "skip": skip, "rows": rows})


def differences(shop_ids: Sequence[int]) -> list[Difference]:
    """Open ones, the oldest first, at most 200."""
    return read(Difference, SQL["differences"], {"shop_ids": shop_ids})


def resolved(shop_ids: Sequence[int]) -> list[Resolved]:
    """The last ten that were explained."""
    return read(Resolved, SQL["resolved"], {"shop_ids": shop_ids})


def reconciliations(shop_ids: Sequence[int]) -> list[Reconciliation]:
    """The last ten comparisons."""
    return read(Reconciliation, SQL["reconciliations"], {"shop_ids": shop_ids})
