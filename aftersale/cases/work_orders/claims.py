"""Claims against couriers, and what people did about a parcel that is on its way back."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg import Connection

from aftersale.core.money import FEN_MAX
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases.work_orders", "claims.sql")
NOTE_MAX = 500
EDGES = {"filed": ("accepted", "refused", "withdrawn"), "accepted": ("paid", "refused")}
"""What may become of a claim; paid, refused and withdrawn are its ends."""


@dataclass(frozen=True, slots=True)
class Filed:
    """A claim as it goes to the courier. `most_fen`, `rule`: what the book says can be recovered, and which rule."""

    shop_id: int
    tracking_no: str
    courier: str
    case_id: str | None
    kind: Literal["lost", "damaged"]
    rule: str
    most_fen: int
    asked_fen: int
    answer_days: int
    pay_days: int
    note: str = ""


def file_claim(conn: Connection[Any], claim: Filed, by: str, now: datetime) -> int | Refusal:
    """The claim's number; a parcel has one that is open or paid."""
    if not 0 < claim.asked_fen <= min(claim.most_fen, FEN_MAX):
        return Refusal("amount", "索赔金额要大于零，且不超过可以追回的金额")
    if len(claim.note) > NOTE_MAX:
        return Refusal("length", "说明最多 500 个字")
    told = {**asdict(claim), "by": by, "now": now, "due_at": now + timedelta(days=claim.answer_days)}
    with conn.transaction():
        made = conn.execute(_SQL["file"], told).fetchone()
        if made is not None:
            return int(made[0])
        row = conn.execute(_SQL["filed"], told).fetchone()
        assert row is not None, "a claim that is neither new nor there"
        return Refusal("already", "这个包裹已经索赔过", who=row[0], at=row[1])


def answer_claim(
    conn: Connection[Any],
    shop_id: int,
    claim_id: int,
    version: int,
    state: str,
    amount_fen: int | None,
    note: str,
    by: str,
    now: datetime,
) -> Refusal | None:
    """What the courier said or paid: accepted and paid with an amount, refused and withdrawn with a reason."""
    where = {"shop_id": shop_id, "id": claim_id, "by": by, "now": now, "state": state, "note": note.strip()}
    with conn.transaction():
        row = conn.execute(_SQL["lock"], where).fetchone()
        if row is None:
            return Refusal("no_claim", "没有这笔索赔")
        was, seen, asked_fen, accepted_fen, pay_days, who, at = row
        if seen != version:
            return Refusal("changed", "这笔索赔已经变了，请看过再操作", who=who, at=at)
        if state not in EDGES.get(was, ()):
            return Refusal("no_edge", "这笔索赔不能再这样改")
        refused = _unfit(state, amount_fen, asked_fen, note)
        if refused:
            return refused
        told = {"accepted_fen": accepted_fen, "paid_fen": None, "paid_at": None, "due_at": None}
        if state == "accepted":
            told |= {"accepted_fen": amount_fen, "due_at": now + timedelta(days=pay_days)}
        elif state == "paid":
            told |= {"paid_fen": amount_fen, "paid_at": now}
        else:
            told["accepted_fen"] = None
        conn.execute(_SQL["answer"], {**where, **told})
    return None


def _unfit(state: str, amount_fen: int | None, asked_fen: int, note: str) -> Refusal | None:
    if len(note) > NOTE_MAX:
        return Refusal("length", "说明最多 500 个字")
    if state in ("accepted", "paid"):
        fits = amount_fen is not None and 0 < amount_fen <= asked_fen
        return None if fits else Refusal("amount", "金额要大于零，且不超过索赔的金额")
    return None if note.strip() else Refusal("no_reason", "请写明原因")


def followed(
    conn: Connection[Any], shop_id: int, tracking_no: str, version: int, by: str, note: str, now: datetime
) -> Refusal | None:
    """Somebody asked after the parcel today; `note`: what came of it."""
    return _parcel(conn, "followed", shop_id, tracking_no, version, by, note, now)


def settled(
    conn: Connection[Any],
    shop_id: int,
    tracking_no: str,
    version: int,
    ended: Literal["lost", "settled"],
    by: str,
    note: str,
    now: datetime,
) -> Refusal | None:
    """Nobody follows the parcel any longer: it is declared lost, or settled for the reason in `note`."""
    return _parcel(conn, "end", shop_id, tracking_no, version, by, note, now, ended)


def _parcel(
    conn: Connection[Any],
    block: str,
    shop_id: int,
    tracking_no: str,
    version: int,
    by: str,
    note: str,
    now: datetime,
    ended: str | None = None,
) -> Refusal | None:
    if not 0 < len(note.strip()) <= NOTE_MAX:
        return Refusal("length", "请写明结果，最多 500 个字")
    told = {"shop_id": shop_id, "tracking_no": tracking_no, "version": version, "by": by, "now": now}
    told |= {"note": note.strip(), "ended": ended}
    with conn.transaction():
        if conn.execute(_SQL[block], told).rowcount:
            return None
        row = conn.execute(_SQL["followed_by"], told).fetchone()
        if row is None:
            return Refusal("no_parcel", "没有这个包裹")
        return Refusal("changed", "这个包裹刚刚有变动，请看过再操作", who=row[0] or "", at=row[1])
