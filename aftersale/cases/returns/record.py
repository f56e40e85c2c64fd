"""What the warehouse does with a parcel that came back. Nothing of it moves money: the record is told, the book decides.

Each act runs in the caller's connection as one transaction and may be repeated.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection, Rollback

from aftersale.cases.approvals import UNDO_S
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.returns", "returns.sql")
NO_PARCEL = Refusal("no_parcel", "没有这个退货包裹。")


@dataclass(frozen=True, slots=True)
class Found:
    """One piece with the case or order it belongs to and the condition in which it came."""

    case_id: str | None
    order_id: str
    line_id: str | None
    title: str
    sku: str | None
    condition: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What can be seen on a parcel from outside and inside without knowing whose it is."""

    phone_tail: str | None = None
    weight_g: int | None = None
    goods: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """The parcel's number in the record; `again`: this form had been counted before."""

    id: int
    again: bool = False


def receive(
    conn: Connection[Any],
    shop_id: int,
    waybill: str,
    key: UUID,
    by: str,
    now: datetime,
    units: Sequence[Found] = (),
    marks: Marks = Marks(),
    undo_s: int = UNDO_S,
) -> Received | Refusal:
    """Keep a parcel with what was in it; without units it is nameless. Told to the record after `undo_s`."""
    found = "anonymous" if not units else "case" if any(unit.case_id for unit in units) else "order"
    due_at = now + timedelta(seconds=undo_s) if units else None
    row = {"shop_id": shop_id, "key": key, "waybill": waybill, "found": found, "by": by, "now": now}
    with conn.transaction():
        made = conn.execute(SQL["receive"], {**row, **asdict(marks), "due_at": due_at}).fetchone()
        if made is None:
            return _not_first(conn, row)
        place = {"shop_id": shop_id, "id": made[0]}
        _keep(conn, place, units)
        _note(conn, place, by, now, _said(waybill, units))
    return Received(made[0])


def _not_first(conn: Connection[Any], row: dict[str, Any]) -> Received | Refusal:
    mine = conn.execute(SQL["same_form"], row).fetchone()
    if mine:
        return Received(mine[0], again=True)
    first = conn.execute(SQL["first_there"], row).fetchone()
    if first is None:  # the form was used for another parcel
        return Refusal("used_form", "这张表单已经提交过另一个包裹，请重新扫描。")
    return Refusal("received", "这个包裹已经收过，没有重复记录。", who=first[0], at=first[1])


def link(
    conn: Connection[Any],
    shop_id: int,
    scan_id: int,
    to_shop: int,
    case_id: str,
    units: Sequence[Found],
    by: str,
    now: datetime,
    undo_s: int = UNDO_S,
) -> Refusal | None:
    """A nameless parcel gets its case, in the shop of the case, with what was in it."""
    place = {"shop_id": shop_id, "id": scan_id}
    refused: Refusal | None = None
    with conn.transaction() as whole:
        parcel: Sequence[Any] = conn.execute(SQL["lock_scan"], place).fetchone() or ()
        refused = _not_nameless(parcel) or (None if units else Refusal("no_units", "请先验货，再关联。"))
        if refused is None and to_shop != shop_id:
            refused = _move(conn, place, to_shop, parcel[0])
        if refused:
            raise Rollback(whole)
        place = {"shop_id": to_shop, "id": scan_id}
        conn.execute(SQL["named"], {**place, "due_at": now + timedelta(seconds=undo_s)})
        _keep(conn, place, units)
        conn.execute(SQL["as_evidence"], place)
        _note(conn, place, by, now, f"匿名件已关联。{_said(parcel[0], units)}")
    return refused


def _not_nameless(parcel: Sequence[Any]) -> Refusal | None:
    if not parcel:
        return NO_PARCEL
    _waybill, found, _told, undone_at, undone_by = parcel
    if undone_at is not None:
        return Refusal("undone", "这次扫描已经撤回。", who=undone_by, at=undone_at)
    return None if found == "anonymous" else Refusal("linked", "这个包裹已经有售后单了。")


def _move(conn: Connection[Any], place: dict[str, Any], to_shop: int, waybill: str) -> Refusal | None:
    first = conn.execute(SQL["first_there"], {"shop_id": to_shop, "waybill": waybill}).fetchone()
    if first:
        return Refusal("received", "那家店铺已经收过同一单号的包裹，没有关联。", who=first[0], at=first[1])
    conn.execute(SQL["move"], {**place, "to_shop": to_shop})
    return None


@dataclass(frozen=True, slots=True)
class Undone:
    """`money_fen`: what has left for the parcel's cases already, and does not come back by this."""

    money_fen: int


def undo(
    conn: Connection[Any], shop_id: int, scan_id: int, by: str, why: str, now: datetime
) -> Undone | Refusal:
    """The parcel counts as not scanned. Before it was told nothing had happened; afterwards a reason is needed."""
    place = {"shop_id": shop_id, "id": scan_id}
    with conn.transaction():
        parcel = conn.execute(SQL["lock_scan"], place).fetchone()
        if parcel is None:
            return NO_PARCEL
        waybill, _found, told_at, undone_at, undone_by = parcel
        if undone_at is not None:
            return Refusal("undone", "这次扫描已经撤回。", who=undone_by, at=undone_at)
        if told_at is not None and not why.strip():
            return Refusal("no_reason", "收货已经生效，撤回要写明原因。")
        left = conn.execute(SQL["money_left"], place).fetchone() or (0,)
        conn.execute(SQL["undo"], {**place, "by": by, "why": why.strip()[:500], "now": now})
        _note(conn, place, by, now, f"撤回退货扫描 {waybill}。{why.strip()[:500]}")
    return Undone(left[0] if told_at else 0)


def _keep(conn: Connection[Any], place: dict[str, Any], units: Sequence[Found]) -> None:
    for case_id, order_id in dict.fromkeys((unit.case_id, unit.order_id) for unit in units if unit.case_id):
        conn.execute(SQL["add_case"], {**place, "case_id": case_id, "order_id": order_id})
    for no, unit in enumerate(units, 1):
        conn.execute(SQL["add_unit"], {**place, "no": no, **asdict(unit)})


def _note(conn: Connection[Any], place: dict[str, Any], by: str, now: datetime, text: str) -> None:
    conn.execute(SQL["note"], {**place, "by": by, "now": now, "text": text})


TITLES = {
    "intact": "完好",
    "damaged": "破损",
    "missing_item": "少件",
    "wrong_item": "错件",
    "swapped": "调包",
}


def _said(waybill: str, units: Sequence[Found]) -> str:
    counts = {code: sum(unit.condition == code for unit in units) for code in TITLES}
    told = "，".join(f"{TITLES[code]} {many} 件" for code, many in counts.items() if many)
    return f"仓库收到退货 {waybill}：{told}" if told else f"仓库收到退货 {waybill}"
