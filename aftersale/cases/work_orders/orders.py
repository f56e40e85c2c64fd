"""Work orders: opened once for each cause, changed only by who has seen the newest version, each change with a remark."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection, Rollback
from psycopg.types.json import Jsonb

from aftersale.core.clocks.calendar import Calendar, add_working_time, working_time_between
from aftersale.core.refusal import Refusal
from aftersale.core.workorders import machine
from aftersale.core.workorders.machine import Order, Step
from aftersale.core.workorders.template import Given, Template
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases.work_orders", "orders.sql")
TEXT_MAX, SUBJECT_MAX, CASES_MAX = 2000, 200, 20
NO_ORDER = Refusal("no_order", "没有这张工单")
TOO_LONG = Refusal("length", "留言最多 2000 个字")
Turn = Callable[[Order], Order | Refusal]
Begun = Mapping[str, Given] | None
"""What was filled in of a step so far; None leaves what is there."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new order. `key` names its cause: one cause opens one order, however often it is asked for."""

    key: str
    template: Template
    subject: str
    fields: Mapping[str, Given]
    case_ids: tuple[str, ...] = ()
    source: str = "desk"


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes which order, having seen which version of it; `calendar`: when the shop works."""

    shop_id: int
    id: int
    version: int
    by: str
    now: datetime
    calendar: Calendar

    @property
    def where(self) -> dict[str, Any]:
        return {"shop_id": self.shop_id, "id": self.id, "by": self.by, "now": self.now}


@dataclass(frozen=True, slots=True)
class _Timed:
    hours: int
    started_at: datetime | None
    due_at: datetime | None


def of_case(case_id: str, template: str) -> str:
    """The first part of the key of an order for a case; how many of its kind went before is the second."""
    return f"case:{case_id}:{template}"


def open_order(
    conn: Connection[Any], shop_id: int, wanted: Wanted, by: str, now: datetime, calendar: Calendar
) -> int | Refusal:
    """Opens the order with its first steps running; its number. Codes: already, no_case, length."""
    subject = wanted.subject.strip()
    if not 0 < len(subject) <= SUBJECT_MAX or len(wanted.case_ids) > CASES_MAX:
        return Refusal("length", "请用 1 到 200 个字写明是什么事")
    told = {"shop_id": shop_id, "key": wanted.key, "template": wanted.template.code, "source": wanted.source}
    told |= {"subject": subject, "urgent": wanted.template.urgent, "important": wanted.template.important}
    told |= {"fields": Jsonb(dict(wanted.fields)), "by": by, "now": now}
    found: int | Refusal = NO_ORDER
    with conn.transaction() as whole:
        made = conn.execute(_SQL["open"], told).fetchone()
        if made is None:
            return _opened(conn, told)
        found = made[0]
        where = {**told, "id": made[0], "case_ids": list(wanted.case_ids)}
        if conn.execute(_SQL["of_cases"], where).rowcount != len(set(wanted.case_ids)):
            found = Refusal("no_case", "没有这张售后单")
            raise Rollback(whole)
        _begin(conn, where, wanted.template, calendar)
    return found


def _opened(conn: Connection[Any], told: Mapping[str, Any]) -> Refusal:
    row = conn.execute(_SQL["opened"], told).fetchone()
    assert row is not None
    return Refusal("already", "已经开了这张工单", who=row[0], at=row[1])


def _begin(conn: Connection[Any], where: Mapping[str, Any], template: Template, calendar: Calendar) -> None:
    order = machine.begun([[step.code for step in stage] for stage in template.stages])
    for place, step in enumerate(order.steps):
        plan = template.steps[step.code]
        started = where["now"] if step.active else None
        due = add_working_time(started, timedelta(hours=plan.hours), calendar) if started else None
        conn.execute(_SQL["step"], {
            **where, "code": step.code, "stage": step.stage, "place": place, "department": plan.department,
            "hours": plan.hours, "state": step.state, "live": step.active, "started_at": started, "due_at": due,
        })  # fmt: skip
    _remark(conn, where, "created")
    conn.execute(_SQL["tell_cases"], {**where, "what": f"created {where['id']} {template.code}"})


def take(
    conn: Connection[Any], change: Change, code: str, note: str = "", fields: Begun = None
) -> Refusal | None:
    """Somebody does the step; what they say and fill in already stays with it until they finish it."""
    return _moved_on(
        conn, change, lambda order: machine.take(order, code, change.by), "taken", code, note, fields
    )


def give_back(
    conn: Connection[Any], change: Change, code: str, note: str = "", fields: Begun = None
) -> Refusal | None:
    """The step waits for anybody of its department again, with what was said and filled in."""
    return _moved_on(
        conn, change, lambda order: machine.give_back(order, code), "given_back", code, note, fields
    )


def _moved_on(
    conn: Connection[Any], change: Change, turn: Turn, kind: str, code: str, note: str, fields: Begun
) -> Refusal | None:
    if len(note) > TEXT_MAX:
        return TOO_LONG
    kept = {"note": note.strip() or None, "fields": Jsonb(dict(fields)) if fields is not None else None}
    return _changed(conn, change, turn, kind, code, note, ("keep", kept))


def finish(
    conn: Connection[Any], change: Change, code: str, note: str, fields: Mapping[str, Given]
) -> Refusal | None:
    """The step is done; the next department finds `note` and `fields` with its own step."""
    if len(note) > TEXT_MAX:
        return TOO_LONG
    told = {"note": note.strip() or None, "fields": Jsonb(dict(fields))}
    return _changed(
        conn,
        change,
        lambda order: machine.finish(order, code, change.by),
        "done",
        code,
        note,
        ("leave", told),
    )


def send_back(conn: Connection[Any], change: Change, code: str, to: str, why: str) -> Refusal | None:
    """An earlier step has to be done again; `why` goes with it."""
    if not 0 < len(why.strip()) <= TEXT_MAX:
        return Refusal("no_reason", "请写明为什么退回")
    return _changed(conn, change, lambda order: machine.send_back(order, code, to), "sent_back", to, why)


def cancel(conn: Connection[Any], change: Change, why: str) -> Refusal | None:
    """Nobody goes on with the order."""
    if not 0 < len(why.strip()) <= TEXT_MAX:
        return Refusal("no_reason", "请写明为什么取消")
    return _changed(conn, change, machine.cancel, "cancelled", None, why)


def say(
    conn: Connection[Any], shop_id: int, order_id: int, by: str, text: str, now: datetime
) -> Refusal | None:
    """A comment for everybody on the order."""
    if not 0 < len(text.strip()) <= TEXT_MAX:
        return Refusal("length", "留言要有 1 到 2000 个字")
    where = {"shop_id": shop_id, "id": order_id, "by": by, "now": now}
    return None if _remark(conn, where, "said", text=text.strip()) else NO_ORDER


def attach(
    conn: Connection[Any], shop_id: int, order_id: int, by: str, evidence_id: int, now: datetime
) -> Refusal | None:
    """A piece of evidence, by its number; the file itself is kept with the evidence."""
    where = {"shop_id": shop_id, "id": order_id, "by": by, "now": now}
    return None if _remark(conn, where, "attached", evidence_id=evidence_id) else NO_ORDER


def _remark(
    conn: Connection[Any],
    where: Mapping[str, Any],
    kind: str,
    step: str | None = None,
    text: str = "",
    evidence_id: int | None = None,
) -> bool:
    told = {**where, "kind": kind, "step": step, "text": text, "evidence_id": evidence_id}
    return conn.execute(_SQL["remark"], told).rowcount == 1


def _changed(
    conn: Connection[Any],
    change: Change,
    turn: Turn,
    kind: str,
    code: str | None,
    text: str = "",
    left: tuple[str, Mapping[str, Any]] | None = None,
) -> Refusal | None:
    """Locks the order, lets the machine say what becomes of it, and writes that with one remark."""
    with conn.transaction():
        row = conn.execute(_SQL["lock"], change.where).fetchone()
        if row is None:
            return NO_ORDER
        state, version, changed_by, changed_at, template = row
        if version != change.version:
            return Refusal("changed", "这张工单已经变了，请看过再操作", who=changed_by, at=changed_at)
        rows = conn.execute(_SQL["steps"], change.where).fetchall()
        before = Order(state, tuple(Step(one[0], one[1], one[2], one[3]) for one in rows))
        after = turn(before)
        if isinstance(after, Refusal):
            return after
        _write(conn, change, before, after, {one[0]: _Timed(*one[4:]) for one in rows})
        if left is not None:
            conn.execute(_SQL[left[0]], {**change.where, "code": code, **left[1]})
        _remark(conn, change.where, kind, code, text.strip())
        if after.state == "done":
            _remark(conn, change.where, "ended")
        if after.state != "open":
            conn.execute(
                _SQL["tell_cases"], {**change.where, "what": f"{after.state} {change.id} {template}"}
            )
    return None


def _write(
    conn: Connection[Any], change: Change, before: Order, after: Order, times: Mapping[str, _Timed]
) -> None:
    was = {step.code: step for step in before.steps}
    for step in after.steps:
        if step != was[step.code]:
            conn.execute(_SQL["move"], _moved(change, was[step.code], step, times[step.code]))
    if after.state != "open":
        conn.execute(_SQL["rest"], change.where)
    conn.execute(_SQL["change"], {**change.where, "state": after.state})


def _moved(change: Change, was: Step, step: Step, timed: _Timed) -> dict[str, Any]:
    """A step's time runs from its turn on; what has to be done again starts anew."""
    started, due, worked_s = timed.started_at, timed.due_at, None
    if step.state == "waiting":
        started = due = None
    elif not was.active:
        started = change.now
        due = add_working_time(started, timedelta(hours=timed.hours), change.calendar)
    if step.state == "done":
        assert started is not None, step
        worked_s = max(int(working_time_between(started, change.now, change.calendar).total_seconds()), 0)
    done_at = change.now if step.state == "done" else None
    told = {"code": step.code, "state": step.state, "owner": step.owner, "live": step.active}
    times = {"started_at": started, "due_at": due, "done_at": done_at, "worked_s": worked_s}
    return {**change.where, **told, **times}
