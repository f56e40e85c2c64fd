"""Promises to a buyer, and who the case is handed to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases.casework.place import NO_CASE, SQL, Place, forbidden, lock, tell
from aftersale.core.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Vow:
    """What is promised, until when; `amount_fen`: money or the value of a gift."""

    kind: str
    text: str
    due_at: datetime
    amount_fen: int | None = None


def give_promise(conn: Connection[Any], place: Place, vow: Vow) -> Refusal | None:
    """Written down, and the case becomes as urgent as it; an amount above the person's limit is refused."""
    if not 0 < len(vow.text.strip()) <= 500:
        return Refusal("length", "请写明答应了什么，1 到 500 个字")
    if vow.due_at < place.now:
        return Refusal("past", "承诺的时间已经过去，请写将来的时间")
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        if vow.amount_fen and forbidden(conn, place, "promise", vow.amount_fen):
            return Refusal("above_promise_limit", "金额超过您可以承诺的额度，请主管来承诺")
        values = place.values(
            promise_kind=vow.kind, text=vow.text.strip(), amount_fen=vow.amount_fen, due_at=vow.due_at
        )
        conn.execute(SQL["promise"], values)
        conn.execute(SQL["redue"], place.values())
        tell(conn, place, "promise", {"given": vow.text.strip(), "kind": vow.kind})
    return None


def settle_promise(conn: Connection[Any], place: Place, promise_id: int, state: str) -> Refusal | None:
    """`kept`, `broken` or `withdrawn` (the buyer let us off); kept after its moment is broken."""
    if state not in ("kept", "broken", "withdrawn"):
        return Refusal("unknown_state", "不认识的结果")
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        row = conn.execute(SQL["settle_promise"], place.values(id=promise_id, state=state)).fetchone()
        if row is None:
            return Refusal("already", "这个承诺已经有结果了")
        conn.execute(SQL["relieve"], place.values())
        conn.execute(SQL["redue"], place.values())
        tell(conn, place, "promise", {"settled": state, "text": row[0], "late": place.now > row[1]})
    return None


def remind(conn: Connection[Any], now: datetime, limit: int = 1000) -> int:
    """Cases that wait for nobody, but were promised something that is due soon, wait for people; how many."""
    with conn.transaction():
        return conn.execute(SQL["remind"], {"now": now, "limit": limit}).rowcount


@dataclass(frozen=True, slots=True)
class Handing:
    """To a person or to a department, with what they have to know."""

    to_whom: str | None
    department: str | None
    found: str
    promised: str
    next_step: str
    due: str


def hand_over(conn: Connection[Any], place: Place, handing: Handing) -> Refusal | None:
    """The other sees it on top of the case and among what is theirs to do."""
    texts = {
        "found": handing.found.strip(),
        "promised": handing.promised.strip(),
        "next_step": handing.next_step.strip(),
        "due": handing.due.strip(),
    }
    if any(len(text) > 500 for text in texts.values()):
        return Refusal("length", "每一项最多 500 个字")
    if (handing.to_whom is None) == (handing.department is None):
        return Refusal("nobody", "请选择交给哪位同事或哪个部门")
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        to = place.values(to_whom=handing.to_whom)
        if handing.to_whom and conn.execute(SQL["member"], to).fetchone() is None:
            return Refusal("nobody", "这个店铺没有这位同事")
        conn.execute(SQL["handover"], {**to, "department": handing.department, **texts})
        conn.execute(SQL["own"], to)
        tell(conn, place, "handover", {"to": handing.to_whom, "department": handing.department, **texts})
    return None


def see_handover(conn: Connection[Any], place: Place, handover_id: int, role: str) -> Refusal | None:
    """Whom it was handed to has read it."""
    if not conn.execute(SQL["see_handover"], place.values(id=handover_id, role=role)).rowcount:
        return Refusal("not_yours", "这次交接不是给您的，或者已经有人接手")
    tell(conn, place, "handover", {"seen": True})
    return None
