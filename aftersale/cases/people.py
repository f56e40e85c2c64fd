"""What a person does to a case, as part of the one writer (`cases.actions` hands these on)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, Rollback, sql
from psycopg.errors import CheckViolation

from aftersale.cases import approvals
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases", "outcome.sql")
KINDS = {"agree_refund": True, "agree_return": False, "refuse": False, "intercept": False}
_YES_NO: tuple[object, ...] = (True, False)
PERSON_FACTS: Mapping[str, tuple[object, ...]] = {
    "buyer_wants_goods": _YES_NO,
    "courier_checked": _YES_NO,
    "goods_problem": _YES_NO,
    "resaleable": _YES_NO,
    "difference_confirmed": _YES_NO,
    "fault": ("seller", "buyer", "courier", "none", "undetermined"),
}
NO_CASE = Refusal("no_case", "没有这张售后单")


@dataclass(frozen=True, slots=True)
class Refusing:
    """What a refusal carries: the platform's reason, the words the buyer reads, and a picture of the case's evidence
    with the file that is sent of it."""

    reason_id: int
    reason: str
    message: str
    evidence_id: int | None = None
    sha256: str | None = None


def person_intent(
    conn: Connection[Any],
    shop_id: int,
    case_id: str,
    kind: str,
    amount_fen: int,
    version: int,
    by: str,
    now: datetime,
    undo_s: int = approvals.UNDO_S,
    channel: str = "web",
    refusing: Refusing | None = None,
) -> Refusal | None:
    """A person has one outward effect done, bound to this version and amount; it can be undone for `undo_s` real seconds.

    What the platform would turn away is refused (book `possible`). Above the person's limit it waits as `planned` for a
    second person (table `approval`). P13, P14. A refusal says what it carries (`refusing`), every other act nothing.
    """
    if kind not in KINDS:
        return Refusal("unknown_kind", f"不认识的操作：{kind}")
    money = KINDS[kind]
    wish = {"shop_id": shop_id, "case_id": case_id, "kind": kind, "amount_fen": amount_fen if money else 0}
    wish |= {"money": money, "version": version, "by": by, "now": now, "undo_s": undo_s, "channel": channel}
    refused: Refusal | None = None
    try:
        with conn.transaction() as whole:
            refused = _plan(conn, wish, refusing)
            if refused:
                raise Rollback(whole)
    except CheckViolation as error:  # the limit was reached between our look and our write
        if error.diag.constraint_name != "intent_limit":
            raise
        return Refusal("above_limit", "这不在您的权限之内，没有执行")
    return refused


def _plan(conn: Connection[Any], wish: Mapping[str, Any], refusing: Refusing | None) -> Refusal | None:
    approvals.stay(conn, wish)
    row = conn.execute(_SQL["lock_case"], wish).fetchone()
    if row is None:
        return NO_CASE
    seen, asked_fen, order_id = row
    refused = _refused(conn, wish, seen, asked_fen)
    if refused:
        return refused
    wish = {**wish, "order_id": order_id}
    allowed, why, needs_approval, limit_fen = _row(conn.execute(_SQL["may"], wish))
    if not allowed and not (needs_approval and wish["money"]):
        return Refusal(why, "这不在您的权限之内，没有执行", fen=limit_fen)
    refused = _unopposed(conn, wish, refusing) or (_hold(conn, wish) if wish["money"] else None)
    if refused:
        return refused
    done = conn.execute(_SQL["person_intent"], {**wish, "wanted": "approved" if allowed else "planned"})
    if not done.rowcount and not allowed:
        return Refusal(why, "平台拒绝过这笔退款，要由额度足够的同事再试")
    assert done.rowcount or not wish["money"], "a held amount without its intent"
    if not done.rowcount:
        return Refusal("already", "这一步已经做过了")
    if not allowed:
        approvals.request(conn, wish, why)
    conn.execute(_SQL["unqueue"], wish)
    conn.execute(_SQL["note"], {**wish, "kind": "person", "text": wish["kind"]})
    if refusing:
        _keep(conn, wish, refusing)
    return None


def _unopposed(conn: Connection[Any], wish: Mapping[str, Any], refusing: Refusing | None) -> Refusal | None:
    """Nobody refuses and agrees at once; what a rule agreed to and nobody has sent gives way to a refusal."""
    if (wish["kind"] == "refuse") != (refusing is not None):
        return Refusal("no_words", "拒绝要写明平台的理由和给买家的话")
    if refusing:
        conn.execute(_SQL["take_over"], wish)
    other = conn.execute(_SQL["opposed"], wish).fetchone()
    if other is None:
        return None
    kind, who, at = other
    if not refusing:
        return Refusal("opposed", "这张售后单正在拒绝，撤回之后才能同意", who=who, at=at)
    if kind == "refuse":
        return Refusal("in_doubt", "上一次拒绝的结果还在和平台核对，请稍后再试", who=who, at=at)
    return Refusal("opposed", "这张售后单已经同意，不能再拒绝", who=who, at=at)


def _keep(conn: Connection[Any], wish: Mapping[str, Any], refusing: Refusing) -> None:
    conn.execute(_SQL["refusing"], {**wish, **asdict(refusing)})
    told = {"reason": refusing.reason, "message": refusing.message, "proof": refusing.evidence_id}
    text = json.dumps(told, ensure_ascii=False)
    conn.execute(_SQL["note"], {**wish, "kind": "refusing", "text": text})


def _hold(conn: Connection[Any], wish: Mapping[str, Any]) -> Refusal | None:
    conn.execute(_SQL["take_over"], wish)
    live = conn.execute(_SQL["live_money"], wish).fetchone()
    if live:
        return Refusal("already", "这张售后单已经有一笔退款在进行，不能再退一次", who=live[0], at=live[1])
    if not conn.execute(_SQL["hold"], wish).rowcount:
        return Refusal("over_paid", "金额超过这个订单还可以退的数额")
    return None


def _row(found: Any) -> tuple[Any, ...]:
    row = found.fetchone()
    assert row is not None
    return tuple(row)


def _refused(
    conn: Connection[Any], wish: Mapping[str, Any], seen: int, asked_fen: int | None
) -> Refusal | None:
    if seen != wish["version"]:
        return Refusal("changed", "买家或平台刚刚改动了这张售后单，请看过新内容再操作")
    cannot = approvals.impossible(conn, wish["shop_id"], wish["case_id"], wish["kind"])
    if cannot:
        return cannot
    if wish["money"] and not 0 < wish["amount_fen"] <= (asked_fen or 0):
        return Refusal("amount", "金额必须大于零，且不超过买家申请的金额")
    return None


def undo(
    conn: Connection[Any], shop_id: int, case_id: str, kind: str, by: str, now: datetime
) -> Refusal | None:
    """Take back a person's intent that has not been sent; the case returns to the queue."""
    where = {"shop_id": shop_id, "case_id": case_id}
    with conn.transaction():
        conn.execute(_SQL["lock_case"], where)
        if not conn.execute(_SQL["undo"], {**where, "kind": kind, "by": by, "now": now}).rowcount:
            return Refusal("too_late", "已经发出，不能撤回")
        conn.execute(_SQL["note"], {**where, "now": now, "kind": "person", "by": by, "text": f"undo {kind}"})
        conn.execute(_SQL["undecide"], where)
        conn.execute(_SQL["look"], {**where, "now": now})
    return None


def note(
    conn: Connection[Any], shop_id: int, case_id: str, by: str, text: str, now: datetime
) -> Refusal | None:
    """A note for colleagues on the case's timeline."""
    if not 0 < len(text.strip()) <= 2000:
        return Refusal("length", "备注要有 1 到 2000 个字")
    with conn.transaction():
        where = {"shop_id": shop_id, "case_id": case_id}
        if not conn.execute(_SQL["lock_case"], where).rowcount:
            return NO_CASE
        conn.execute(_SQL["note"], {**where, "now": now, "kind": "note", "by": by, "text": text.strip()})
        conn.execute(_SQL["note_words"], {**where, "now": now, "text": text.strip()})
    return None


def set_facts(
    conn: Connection[Any], shop_id: int, case_id: str, facts: Mapping[str, object], by: str, now: datetime
) -> Refusal | None:
    """What a person found out; the case is decided anew."""
    refused = _unfit(facts)
    if refused:
        return refused
    where = {"shop_id": shop_id, "case_id": case_id}
    sets = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(n), sql.Placeholder(n)) for n in facts)
    update = sql.SQL(
        "UPDATE cases SET {}, person_version = person_version + 1 WHERE shop_id = %(shop_id)s AND case_id = %(case_id)s"
    ).format(sets)
    with conn.transaction():
        if not conn.execute(update, {**where, **facts}).rowcount:
            return NO_CASE
        said = ", ".join(f"{name} = {value}" for name, value in facts.items())
        conn.execute(_SQL["note"], {**where, "now": now, "kind": "fact", "by": by, "text": said})
        conn.execute(_SQL["look"], {**where, "now": now})
    return None


def _unfit(facts: Mapping[str, object]) -> Refusal | None:
    unknown = set(facts) - set(PERSON_FACTS)
    if unknown or not facts:
        return Refusal(
            "unknown_fact", f"这些事实不能由人填写：{', '.join(sorted(unknown)) or '没有写是哪一个'}"
        )
    unfit = [name for name, value in facts.items() if value not in (None, *PERSON_FACTS[name])]
    return Refusal("bad_value", f"取值不对：{', '.join(sorted(unfit))}") if unfit else None


def assign(
    conn: Connection[Any],
    shop_id: int,
    case_id: str,
    owner: str | None,
    by: str,
    now: datetime,
    queue: str | None = None,
) -> Refusal | None:
    """Give a waiting case to a person, and to another queue when `queue` is given."""
    where = {"shop_id": shop_id, "case_id": case_id}
    with conn.transaction():
        if not conn.execute(_SQL["assign"], {**where, "owner": owner}).rowcount:
            return Refusal("not_waiting", "这张售后单不在队列里")
        if queue:
            conn.execute(_SQL["requeue"], {**where, "queue": queue})
        text = f"→ {owner or '-'} {queue or ''}".strip()
        conn.execute(_SQL["note"], {**where, "now": now, "kind": "assign", "by": by, "text": text})
    return None


def set_switch(
    conn: Connection[Any], shop_id: int, action: str, stopped: bool, why: str, by: str, now: datetime
) -> Refusal | None:
    """Stop or release: shop 0 = all shops, action '' = all actions. Read by every sender before each call."""
    if not why.strip():
        return Refusal("no_reason", "请写明原因")
    with conn.transaction():
        values = {
            "shop_id": shop_id,
            "action": action,
            "stopped": stopped,
            "why": why.strip(),
            "by": by,
            "now": now,
        }
        conn.execute(_SQL["switch"], values)
    return None
