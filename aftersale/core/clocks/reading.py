"""The clock book read over one case's facts. Its rules' `then` holds a clock's terms (`deadlines.yaml`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, get_args

from aftersale.core.clocks.calendar import DAY_MINUTES, NOTHING, Calendar
from aftersale.core.clocks.clock import Clock, Pause, Terms, Whose, clock
from aftersale.core.expression import SECONDS, After, Node, Not, Value
from aftersale.core.facts import RulebookError
from aftersale.core.language.saying import Saying, closest, saying
from aftersale.core.look import Env, Facts, environment, evaluate
from aftersale.core.rulebook import Book, Const, Output, Rule

KEYS = frozenset({
    "slot", "whose", "waits", "boundary", "started_at", "seconds", "minutes", "hours", "days", "calendar",
    "until_minute", "given_at", "done", "done_at", "pauses_on", "lead_hours", "lead_seconds", "cost", "cost_fen",
    "severity", "final", "holds_up",
})  # fmt: skip
UNITS = {"seconds": 1, **SECONDS}
WHOSE = frozenset(get_args(Whose))
BOUNDARIES = ("inclusive", "exclusive")


def clocks(
    book: Book,
    facts: Facts,
    settings: Mapping[str, Value],
    calendar: Calendar,
    now: datetime,
    pauses: Sequence[Pause] = (),
) -> tuple[Clock, ...]:
    """The case's clocks in the book's order, one a slot; a clock whose start is unknown does not run.

    `settings`: as resolved. A rule's effective dates are those of the moment at which its clock starts.
    """
    found = terms(book, facts, settings, now)
    return tuple(clock(one, calendar, now, pauses) for one in found)


def terms(book: Book, facts: Facts, settings: Mapping[str, Value], now: datetime) -> tuple[Terms, ...]:
    """What the book says of each clock that runs, the first of each slot."""
    env = environment(book, facts, settings, now)
    found: dict[str, Terms] = {}
    for rule in book.rules:
        one = _terms(rule, env)
        if one is not None and one.slot not in found:
            found[one.slot] = one
    return tuple(found.values())


def faults(book: Book) -> Iterator[RulebookError]:
    """What makes the book no clock book, though it is a well formed rulebook."""
    names = {rule.name for rule in book.rules}
    for rule in book.rules:
        for key in rule.then:
            if key not in KEYS:
                near = closest(key, KEYS)
                yield RulebookError(
                    book.name, rule.name, f"then.{key}", "期限没有这一项%(nearest)s", nearest=near
                )
        for key, why in _rule_faults(rule, names):
            yield RulebookError(book.name, rule.name, f"then.{key}", why)


def _rule_faults(rule: Rule, names: set[str]) -> Iterator[tuple[str, Saying]]:
    then = {key: getattr(output, "value", None) for key, output in rule.then.items()}
    lengths = [key for key in UNITS if key in then]
    if ("given_at" in then) == ("started_at" in then):
        yield "started_at", saying("写 started_at 或 given_at 其中之一")
    if len(lengths) != (1 if "started_at" in then else 0):
        yield "hours", saying("从某时算起的期限写 seconds、minutes、hours、days 其中之一，给定的不写")
    if then.get("calendar") == "day" and (lengths != ["days"] or "pauses_on" in then):
        yield "calendar", saying("按自然日数的期限写 days，不能暂停")
    if then.get("whose") not in WHOSE:
        yield "whose", saying("%(key)s 是 %(known)s 其中之一", key="whose", known=sorted(WHOSE))
    if then.get("boundary", "inclusive") not in BOUNDARIES:
        yield "boundary", saying("%(key)s 是 %(known)s 其中之一", key="boundary", known=list(BOUNDARIES))
    for name in then.get("holds_up") or ():
        if name not in names:
            near = closest(name, names)
            yield "holds_up", saying("没有名为 %(name)s 的期限%(nearest)s", name=name, nearest=near)


def _terms(rule: Rule, env: Env) -> Terms | None:
    said: dict[str, Any] = {key: _read(output, env) for key, output in rule.then.items()}
    start, length = said.get("started_at") or said.get("given_at"), _length(said, tuple(UNITS))
    if start is None or length is None or not _holds(rule, env, start):
        return None
    done_at = said.get("done_at")
    return Terms(
        rule.name, rule.title, rule.title_en, rule.requirement, said.get("slot") or rule.name, said["whose"],
        waits=said.get("waits") is True,
        inclusive=said.get("boundary") != "exclusive",
        started_at=said.get("started_at"),
        length=length,
        counted=said.get("calendar") or "plain",
        until_minute=said.get("until_minute", DAY_MINUTES),
        given_at=said.get("given_at"),
        done=said.get("done") is True,
        done_at=None if done_at is None or done_at > env.now else done_at,
        pauses_on=tuple(said.get("pauses_on") or ()),
        lead=_length(said, ("lead_hours", "lead_seconds")) or NOTHING,
        cost=said.get("cost"),
        cost_fen=said.get("cost_fen"),
        severity=said.get("severity") or 0,
        final=said.get("final") is True,
        holds_up=tuple(said.get("holds_up") or ()),
    )  # fmt: skip


def _read(output: Output, env: Env) -> object:
    return output.value if isinstance(output, Const) else evaluate(output, env)


def _length(said: Mapping[str, Any], keys: Sequence[str]) -> timedelta | None:
    """Of a key that is written but unknown there is no length."""
    written = [key for key in keys if key in said]
    if any(said[key] is None for key in written):
        return None
    units = ((UNITS[key.removeprefix("lead_")], said[key]) for key in written)
    return timedelta(seconds=sum(unit * count for unit, count in units))


def _holds(rule: Rule, env: Env, start: datetime) -> bool:
    return all(_part_holds(part, env, start) for part in rule.conjuncts)


def _part_holds(part: Node, env: Env, start: datetime) -> bool:
    match part:
        case After(at):
            return start >= at
        case Not(After(at)):
            return start < at
    return evaluate(part, env) is True
