"""Second opinions on money, and what only a person can resolve; part of the one writer (`cases.actions`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection, Rollback

from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases", "approvals.sql")
UNDO_S = 30
"""For so many real seconds a person may take back what they had done."""
RESOLUTIONS = ("again", "done_there", "cancel")
MONEY_IN_DOUBT = Refusal("in_doubt", "还不知道平台有没有退这笔钱，不能取消；可以再问一次，或到平台上处理")
REFUSAL_IN_DOUBT = Refusal(
    "in_doubt", "还不知道平台有没有收到这次拒绝，不能取消；可以再问一次，或到平台上处理"
)


def impossible(conn: Connection[Any], shop_id: int, case_id: str, kind: str) -> Refusal | None:
    """Why the platform would turn this away, as the book `possible` says; what is unknown speaks against nothing."""
    found = conn.execute(
        _SQL["impossible"], {"shop_id": shop_id, "case_id": case_id, "kind": kind}
    ).fetchone()
    return Refusal(found[0], f"没有执行：{found[1]}") if found else None


def request(conn: Connection[Any], wish: Mapping[str, Any], why: str) -> None:
    """Ask a second person about the planned intent `wish`, in its transaction. `why`: the book's reason."""
    conn.execute(_SQL["lapse"], wish)
    conn.execute(_SQL["request"], {**wish, "why": why})
    conn.execute(_SQL["note"], {**wish, "text": "requested"})


def decide_approval(
    conn: Connection[Any],
    shop_id: int,
    approval_id: int,
    yes: bool,
    by: str,
    why: str,
    now: datetime,
    *,
    seen_amount_fen: int,
    seen_version: int,
    undo_s: int = UNDO_S,
) -> Refusal | None:
    """Another person's yes or no to exactly what they saw: planned → approved, or cancelled with its money freed.

    `why` is needed for a no. Codes of refusals: no_approval, already, decided, void, changed, four_eyes, expired,
    no_reason, and the book's own reasons. P14, F45.
    """
    told = {"shop_id": shop_id, "id": approval_id, "by": by, "why": why.strip() or None, "now": now}
    with conn.transaction() as whole:
        refused = _decide(conn, {**told, "undo_s": undo_s}, yes, (seen_amount_fen, seen_version))
        if refused:
            raise Rollback(whole)
    return refused


def _decide(
    conn: Connection[Any], told: Mapping[str, Any], yes: bool, seen: tuple[int, int]
) -> Refusal | None:
    stay(conn, told)
    found = conn.execute(_SQL["case_of"], told).fetchone()
    if found is None:
        return Refusal("no_approval", "没有这条复核")
    where = {**told, "case_id": found[0]}
    case = conn.execute(_SQL["lock_case"], where).fetchone()
    assert case is not None, "an approval of a case that is gone"
    row = conn.execute(_SQL["lock"], told).fetchone()
    assert row is not None
    kind, version, amount_fen, channel, asked_by, expires_at, state, decided_by, decided_at = row
    where |= {"kind": kind, "platform_version": version, "amount_fen": amount_fen, "channel": channel}
    refused = (
        _settled(state, decided_by, decided_at, told["by"])
        or _unfit(
            seen == (amount_fen, version) and case[0] == version,
            asked_by.lower() == told["by"].lower(),
            expires_at <= told["now"],
        )
        or _not_yours(conn, {**where, "order_id": case[2]})
        or (impossible(conn, where["shop_id"], where["case_id"], kind) if yes else None)
    )
    if refused:
        return refused
    if not yes:
        return _send_back(conn, where)
    _approve(conn, where)
    return None


def stay(conn: Connection[Any], where: Mapping[str, Any]) -> None:
    """Person `by` leaves shop `shop_id` before this transaction or after it, never beside it: so leaving sees what they
    decided and takes it back. Whoever leaves does so before their cases are locked, so this comes first, too."""
    conn.execute(_SQL["stay"], where)


def _approve(conn: Connection[Any], where: Mapping[str, Any]) -> None:
    conn.execute(_SQL["decide"], {**where, "state": "approved"})
    done = conn.execute(_SQL["approve"], where)
    assert done.rowcount == 1, "an open approval without its planned intent"
    conn.execute(_SQL["note"], {**where, "text": "approved"})


def _settled(state: str, decided_by: str | None, decided_at: datetime | None, by: str) -> Refusal | None:
    if state == "requested":
        return None
    if state == "void":
        return Refusal("void", "这条复核已经失效，没有执行")
    if decided_by == by:
        return Refusal("already", "您已经复核过这一条")
    return Refusal("decided", "另一位同事已经先复核了这一条", who=decided_by or "", at=decided_at)


def _unfit(same: bool, own: bool, late: bool) -> Refusal | None:
    if not same:
        return Refusal("changed", "买家或平台刚刚改动了这张售后单，请看过新内容再操作")
    if own:
        return Refusal("four_eyes", "自己提交的要由另一位同事复核")
    return Refusal("expired", "这条复核已经过期，请重新提交") if late else None


def _send_back(conn: Connection[Any], where: Mapping[str, Any]) -> Refusal | None:
    if where["why"] is None:
        return Refusal("no_reason", "请写明原因")
    conn.execute(_SQL["decide"], {**where, "state": "refused"})
    _take_back(conn, {**where, "why": f"复核退回：{where['why']}", "from": "planned"})
    conn.execute(_SQL["note"], {**where, "text": f"refused {where['why']}"})
    return None


def _not_yours(conn: Connection[Any], where: Mapping[str, Any]) -> Refusal | None:
    row = conn.execute(_SQL["may"], where).fetchone()
    assert row is not None
    return None if row[0] else Refusal(row[1], "这不在您的权限之内，没有执行", fen=row[2])


def _take_back(conn: Connection[Any], where: Mapping[str, Any]) -> int:
    """Cancel, free the money, and have the case decided anew so that it waits for people again."""
    taken = conn.execute(_SQL["take_back"], where).rowcount
    conn.execute(_SQL["undecide"], where)
    conn.execute(_SQL["look"], where)
    return taken


def expire_approvals(conn: Connection[Any], now: datetime, limit: int = 100) -> int:
    """Requests nobody answered in time: the intent is cancelled, its money freed, the case waits again. How many."""
    rows = conn.execute(_SQL["expired"], {"now": now, "limit": limit}).fetchall()
    done = 0
    for shop_id, case_id, kind in rows:
        where = {"shop_id": shop_id, "case_id": case_id, "kind": kind, "now": now, "from": "planned"}
        with conn.transaction():
            conn.execute(_SQL["lock_case"], where)
            if conn.execute(_SQL["run_out"], where).rowcount:
                done += _take_back(conn, {**where, "why": "没有人在期限内复核"})
                conn.execute(_SQL["note"], {**where, "by": "system", "text": "expired"})
    return done


def resolve(
    conn: Connection[Any],
    shop_id: int,
    case_id: str,
    kind: str,
    how: str,
    by: str,
    now: datetime,
    channel: str = "web",
) -> Refusal | None:
    """What the platform wants a person for (code by SMS, main account): send it `again`, `cancel` it, or say that it
    is `done_there`, which is not believed: the platform is asked, and its answer ends the intent. F48.

    What may have been done already is asked about before it is sent again, and not cancelled (P4)."""
    if how not in RESOLUTIONS:
        return Refusal("unknown_kind", f"不认识的操作：{how}")
    where = {"shop_id": shop_id, "case_id": case_id, "kind": kind, "by": by, "now": now, "channel": channel}
    with conn.transaction() as whole:
        refused = _resolve(conn, where, how)
        if refused:
            raise Rollback(whole)
    return refused


def _resolve(conn: Connection[Any], where: Mapping[str, Any], how: str) -> Refusal | None:
    case = conn.execute(_SQL["lock_case"], where).fetchone()
    found = conn.execute(_SQL["resolvable"], where).fetchone() if case else None
    if case is None or found is None:
        return Refusal("already", "这一步已经不在等人处理了")
    version, amount_fen, in_doubt = found
    where = {**where, "platform_version": version, "amount_fen": amount_fen, "order_id": case[2]}
    refused = _not_yours(conn, where) if how != "done_there" else None
    if refused:
        return refused
    if how == "again":
        if case[0] != version and not in_doubt:
            return Refusal("changed", "买家或平台刚刚改动了这张售后单，请看过新内容再操作")
        cannot = None if in_doubt else impossible(conn, where["shop_id"], where["case_id"], where["kind"])
        if cannot:
            return cannot
        conn.execute(_SQL["ask_again" if in_doubt else "again"], where)
        conn.execute(_SQL["unqueue"], where)
    elif how == "cancel" and in_doubt:
        return REFUSAL_IN_DOUBT if where["kind"] == "refuse" else MONEY_IN_DOUBT
    else:
        conn.execute(_SQL["fetch"], where)
    if how == "cancel":
        _take_back(conn, {**where, "why": f"取消：{where['by']}", "from": "with_person"})
    conn.execute(_SQL["note"], {**where, "text": how})
    return None
