"""Contacts with a buyer: counted, capped by the book, written down."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from psycopg import Connection, Rollback

from aftersale.cases.approvals import UNDO_S
from aftersale.cases.casework.place import NO_CASE, SQL, Locked, Place, forbidden, lock, tell
from aftersale.core.refusal import Refusal

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done so far; `waits`: the buyer wrote and has no answer; `granted_by`: one contact more was allowed."""

    calls_today: int
    contacts_last_7d: int
    waits: bool
    granted_by: str | None = None
    override_id: int | None = None
    override_why: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """A contact about to happen. `text` is sent through the platform; a call or SMS is written down only."""

    channel: str
    purpose: str
    reached: bool = True
    text: str = ""
    script: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the book says: whether it counts, whether it is an override; `refusal`: it may not happen."""

    counts: bool = True
    override: bool = False
    refusal: Refusal | None = None


Judge = Callable[[Counts], Ruling]


def counts(conn: Connection[Any], place: Place, buyer_ref: str | None, midnight: datetime) -> Counts:
    """The figures that the book `contact` asks for."""
    values = place.values(buyer_ref=buyer_ref, midnight=midnight, week=place.now - WEEK)
    row = conn.execute(SQL["contact_counts"], values).fetchone()
    waits = conn.execute(SQL["buyer_waits"], place.values()).fetchone()
    grant = conn.execute(SQL["granted"], place.values()).fetchone()
    assert row is not None
    waiting = bool(waits and waits[0])
    if grant is None:
        return Counts(row[0], row[1], waiting)
    return Counts(row[0], row[1], waiting, grant[1], grant[0], grant[2])


def contact(
    conn: Connection[Any], place: Place, wish: Wish, midnight: datetime, judge: Judge, undo_s: int = UNDO_S
) -> Refusal | None:
    """Writes a contact down when `judge` lets it happen; two people cannot both take the last one left."""
    if not 0 < len(wish.purpose.strip()) <= 500:
        return Refusal("length", "请写明联系的目的，1 到 500 个字")
    refused: Refusal | None = None
    with conn.transaction() as whole:
        refused = _contact(conn, place, wish, midnight, judge, undo_s)
        if refused:
            raise Rollback(whole)
    return refused


def _contact(
    conn: Connection[Any], place: Place, wish: Wish, midnight: datetime, judge: Judge, undo_s: int
) -> Refusal | None:
    case = lock(conn, place)
    if case is None:
        return NO_CASE
    if refused := forbidden(conn, place, "contact"):
        return refused
    found = counts(conn, place, case.buyer_ref, midnight)
    ruling = judge(found)
    if ruling.refusal:
        return ruling.refusal
    key = f"said_{sha256(wish.text.encode()).hexdigest()[:12]}" if wish.text else None
    if key and (refused := _send(conn, place, wish, key, undo_s)):
        return refused
    _write(conn, place, wish, case, ruling, found, key)
    return None


def _send(conn: Connection[Any], place: Place, wish: Wish, key: str, undo_s: int) -> Refusal | None:
    values = place.values(key=key, text=wish.text, script=wish.script, undo_s=undo_s)
    conn.execute(SQL["said"], values)
    if not conn.execute(SQL["message"], values).rowcount:
        return Refusal("already", "同样的话已经发过了")
    return None


def _write(
    conn: Connection[Any],
    place: Place,
    wish: Wish,
    case: Locked,
    ruling: Ruling,
    found: Counts,
    key: str | None,
) -> None:
    override = found.override_id if ruling.override else None
    if override is not None:
        conn.execute(SQL["use_override"], place.values(id=override))
    values = place.values(
        buyer_ref=case.buyer_ref,
        channel=wish.channel,
        purpose=wish.purpose.strip(),
        reached=wish.reached,
        counts=ruling.counts,
        key=key,
        override_id=override,
    )
    conn.execute(SQL["contact"], values)
    if ruling.counts:
        conn.execute(SQL["count_contact"], place.values())
        conn.execute(SQL["look"], place.values())
    said = {"channel": wish.channel, "reached": wish.reached, "purpose": wish.purpose.strip()}
    over = {"granted_by": found.granted_by, "why": found.override_why} if ruling.override else {}
    tell(conn, place, "contact", {**said, **over})


def ask_override(conn: Connection[Any], place: Place, why: str) -> Refusal | None:
    """One contact more than the caps allow, to be granted by somebody else."""
    if not 0 < len(why.strip()) <= 500:
        return Refusal("no_reason", "请写明为什么要再联系一次，1 到 500 个字")
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        if refused := forbidden(conn, place, "contact"):
            return refused
        if not conn.execute(SQL["ask_override"], place.values(why=why.strip())).rowcount:
            return Refusal("already", "已经有一次申请，用过之后才能再申请")
        tell(conn, place, "override", {"asked": why.strip()})
    return None


def grant_override(conn: Connection[Any], place: Place, override_id: int) -> Refusal | None:
    """A second person lets one contact more happen (R-298)."""
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        if refused := forbidden(conn, place, "contact_override"):
            return refused
        if not conn.execute(SQL["grant_override"], place.values(id=override_id)).rowcount:
            return Refusal("not_granted", "这次申请已经批准过，或者是您自己提出的，要由另一位同事批准")
        tell(conn, place, "override", {"granted": True})
    return None
