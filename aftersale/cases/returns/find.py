"""Whose a parcel is and what should be in it, and what was scanned so far. Only shops that the caller names are read."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aftersale.cases.rows import first, read
from aftersale.core.returns.receipt import Line, Piece, Unit, expected, outstanding
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.returns", "find.sql")
PAGE_ROWS = 50
_WAYBILL = re.compile(r"[0-9A-Z][0-9A-Z-]{3,39}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Expecting:
    """A case that the parcel may be for; `how`: by its return number, its order's own parcel, or linked by a person."""

    shop_id: int
    case_id: str
    order_id: str
    state: str | None
    aftersale_type: str | None
    line_id: str | None
    title: str | None
    amount_fen: int | None
    how: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """One piece that should be in the parcel; without a case it belongs to an order that nobody applied for."""

    case_id: str | None
    order_id: str
    piece: Piece


@dataclass(frozen=True, slots=True)
class Match:
    """What a waybill means in one shop."""

    shop_id: int
    order_id: str | None
    cases: tuple[Expecting, ...]
    pieces: tuple[Wanted, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A scanned parcel. `due_at`: the record is told then; until then the scan can be taken back without a trace."""

    shop_id: int
    id: int
    waybill: str
    found: str
    by_whom: str
    at: datetime
    phone_tail: str | None
    weight_g: int | None
    goods: str | None
    remark: str | None
    due_at: datetime | None
    told_at: datetime | None
    undone_at: datetime | None
    undone_by: str | None
    undone_why: str | None
    case_ids: list[str]
    conditions: list[str]
    titles: str | None

    @property
    def differs(self) -> bool:
        """Whether something was not as expected."""
        return any(one != "intact" for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece of a scanned parcel."""

    no: int
    case_id: str | None
    order_id: str
    line_id: str | None
    title: str
    sku: str | None
    condition: str


@dataclass(frozen=True, slots=True)
class Became:
    """Where a case of a parcel stands now."""

    case_id: str
    state: str | None
    action: str | None
    rule: str | None
    queue: str | None
    decided_at: datetime | None
    money_state: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    """`what`: found or condition; `code` of it; how many."""

    what: str
    code: str
    many: int


@dataclass(frozen=True, slots=True)
class Nameless:
    many: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Photo:
    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class WorkOrder:
    id: int
    version: int
    state: str


@dataclass(frozen=True, slots=True)
class _Named:
    sha256: str


def waybill_of(text: str) -> str | None:
    """What a scanner typed, in one spelling; None when it cannot be a waybill."""
    found = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    return found if _WAYBILL.fullmatch(found) else None


def spellings(waybill: str) -> list[str]:
    """As platforms and couriers may have written it."""
    return list(dict.fromkeys((waybill, waybill.lower(), waybill.replace("-", ""))))


def matches(shop_ids: Collection[int], waybill: str) -> list[Match]:
    """One a shop that knows the waybill: by a case's return number, or as the number of an order's own parcel."""
    where = {"shop_ids": list(shop_ids), "waybills": spellings(waybill)}
    cases: dict[int, dict[str, Expecting]] = defaultdict(dict)
    for one in read(Expecting, SQL["expecting"], where):
        cases[one.shop_id].setdefault(one.case_id, one)
    sent = {one.shop_id: one.order_id for one in read(_Sent, SQL["outgoing"], where)}
    return [
        _match(shop_id, sent.get(shop_id), tuple(cases[shop_id].values())) for shop_id in {**cases, **sent}
    ]


def match_of_case(shop_id: int, case_id: str) -> Match | None:
    """What a case still waits for, whatever the waybill."""
    one = first(Expecting, SQL["one"], {"shop_id": shop_id, "case_id": case_id})
    return _match(shop_id, None, (one,)) if one else None


@dataclass(frozen=True, slots=True)
class _Sent:
    shop_id: int
    order_id: str


@dataclass(frozen=True, slots=True)
class _Line:
    shop_id: int
    order_id: str
    line_id: str
    title: str
    sku: str | None
    quantity: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class _Here:
    shop_id: int
    case_id: str
    line_id: str | None
    condition: str


def _match(shop_id: int, order_id: str | None, cases: tuple[Expecting, ...]) -> Match:
    orders = dict.fromkeys([one.order_id for one in cases] + ([order_id] if order_id else []))
    lines = _lines(shop_id, list(orders))
    here = _here(shop_id, [one.case_id for one in cases])
    pieces: list[Wanted] = []
    for one in cases:
        due = expected(lines[one.order_id], one.line_id, one.amount_fen, one.title)
        left = outstanding(due, here[one.case_id]) or due
        pieces += [Wanted(one.case_id, one.order_id, piece) for piece in left]
    if order_id and all(one.how == "outgoing" for one in cases):
        taken = [Unit(one.piece.line_id, "intact") for one in pieces if one.order_id == order_id]
        whole = expected(lines[order_id], None, None, None) if lines[order_id] or not cases else ()
        pieces += [Wanted(None, order_id, piece) for piece in outstanding(whole, taken)]
    return Match(shop_id, order_id, cases, tuple(pieces))


def _lines(shop_id: int, order_ids: list[str]) -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = defaultdict(list)
    where = {"shops": [shop_id] * len(order_ids), "order_ids": order_ids}
    for one in read(_Line, SQL["lines"], where):
        line = Line(one.line_id, one.title, one.sku, one.quantity, one.paid_fen)
        found[one.order_id].append(line)
    return found


def _here(shop_id: int, case_ids: list[str]) -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = defaultdict(list)
    where = {"shops": [shop_id] * len(case_ids), "case_ids": case_ids}
    for one in read(_Here, SQL["here"], where):
        found[one.case_id].append(Unit(one.line_id, one.condition))
    return found


def parcels(
    shop_ids: Collection[int], *, page: int = 1, rows: int = PAGE_ROWS, **narrow: Any
) -> list[Parcel]:
    """Scanned parcels, newest first (nameless ones oldest first); `narrow`: id, waybill, since and until, found, condition."""
    where = dict.fromkeys(("id", "waybill", "since", "until", "found", "condition", "nameless"))
    where |= narrow | {"shop_ids": list(shop_ids), "skip": (page - 1) * PAGE_ROWS, "rows": rows}
    return read(Parcel, SQL["parcels"], where)


def parcel_of(shop_id: int, scan_id: int) -> Parcel | None:
    return next(iter(parcels([shop_id], id=scan_id)), None)


def kept(parcel: Parcel) -> Sequence[Kept]:
    """What was in it."""
    return read(Kept, SQL["units"], {"shop_id": parcel.shop_id, "id": parcel.id})


def became(parcel: Parcel) -> Sequence[Became]:
    """Its cases as they stand."""
    return read(Became, SQL["became"], {"shop_id": parcel.shop_id, "id": parcel.id})


def tally(shop_ids: Collection[int], since: datetime, until: datetime) -> Sequence[Tally]:
    """The counts of a day."""
    return read(Tally, SQL["day"], {"shop_ids": list(shop_ids), "since": since, "until": until})


def nameless(shop_ids: Collection[int]) -> Nameless:
    """How many parcels have no case, and since when."""
    found = first(Nameless, SQL["nameless"], {"shop_ids": list(shop_ids)})
    assert found is not None
    return found


def photos(parcel: Parcel) -> list[str]:
    """The hashes of its photographs."""
    where = {"shop_id": parcel.shop_id, "id": parcel.id}
    return [one.sha256 for one in read(_Named, SQL["photos"], where)]


def photo(shop_id: int, scan_id: int, sha256: str) -> Photo | None:
    """One of them, where it belongs to this parcel."""
    return first(Photo, SQL["photo"], {"shop_id": shop_id, "id": scan_id, "sha256": sha256})


def order_key(scan_id: int) -> str:
    """What makes the work order of a parcel one."""
    return f"return_scan:{scan_id}"


def work_orders(shop_id: int, scan_id: int) -> list[WorkOrder]:
    """The work order that was opened for what a parcel lacked."""
    return read(WorkOrder, SQL["work_orders"], {"shop_id": shop_id, "key": order_key(scan_id)})
