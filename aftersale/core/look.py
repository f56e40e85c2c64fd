"""Deciding one case in Python, with SQL's three-valued logic, and when to look at it again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from aftersale.core.expression import (
    SECONDS,
    After,
    Age,
    Arith,
    Call,
    Case,
    Compare,
    In,
    IsNull,
    IsTruth,
    Knob,
    Lit,
    Logic,
    Node,
    Not,
    Op,
    Ref,
    Shift,
    Value,
)
from aftersale.core.facts import Fact
from aftersale.core.rulebook import Book, Const, Output

JUST_AFTER = timedelta(microseconds=1)
"""The resolution of timestamps in every back end."""

Facts = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that is TRUE, `rule_no` counted from 1, with its outcome."""

    rule: str
    rule_no: int
    outcome: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`hit: first`: the rule (None and 0 = otherwise) and its outcome. `hit: collect`: only `hits`."""

    rule: str | None
    rule_no: int
    outcome: Mapping[str, object]
    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Env:
    """What an expression reads. A derived fact that is given as a value is not derived again; `known` keeps
    those that were derived, for this moment and these facts."""

    catalogue: Mapping[str, Fact]
    facts: Facts
    settings: Mapping[str, Value]
    now: datetime
    known: dict[str, Value | None] = field(default_factory=dict, init=False, compare=False)


def environment(book: Book, facts: Facts, settings: Mapping[str, Value], now: datetime) -> Env:
    """With ages given as numbers (`hours_since_x: 71.5`) turned into the moments they are counted from."""
    assert now.tzinfo is not None, "now must be aware"
    grounded = {name: value for name, value in facts.items() if not _is_age(book, name)}
    for name, given in facts.items():
        fact = book.catalogue.facts.get(name)
        if fact and fact.moment and given is not None and fact.moment not in facts:
            ago = timedelta(seconds=float(cast("float", given)) * SECONDS[fact.type.kind])
            grounded[fact.moment] = now - ago if fact.since else now + ago
    return Env(book.catalogue.facts, grounded, settings, now)


def _is_age(book: Book, name: str) -> bool:
    fact = book.catalogue.facts.get(name)
    return fact is not None and fact.moment is not None


def decide(book: Book, facts: Facts, settings: Mapping[str, Value], now: datetime) -> Verdict:
    """The decision for one case; a fact that is absent is unknown. `settings`: as resolved."""
    return verdict(book, environment(book, facts, settings, now))


def verdict(book: Book, env: Env) -> Verdict:
    hits: list[Hit] = []
    for no, rule in enumerate(book.rules, 1):
        if evaluate(rule.when, env) is True:
            hits.append(Hit(rule.name, no, _outcome(rule.then, env)))
            if book.hit == "first":
                return Verdict(rule.name, no, hits[0].outcome, tuple(hits))
    return Verdict(None, 0, _outcome(book.otherwise, env), tuple(hits))


def _outcome(then: Mapping[str, Output], env: Env) -> dict[str, object]:
    return {key: item.value if isinstance(item, Const) else evaluate(item, env) for key, item in then.items()}


def next_look(book: Book, facts: Facts, settings: Mapping[str, Value], now: datetime) -> datetime | None:
    """The first moment after `now` at which `decide` gives another rule or outcome, facts being the same."""
    env = environment(book, facts, settings, now)
    today = verdict(book, env)
    for moment in sorted({at for at in moments(book, env) if at > now}):
        if verdict(book, Env(env.catalogue, env.facts, env.settings, moment)) != today:
            return moment
    return None


def moments(book: Book, env: Env) -> Iterator[datetime]:
    """Every moment at which some age comparison or effective date of the book changes its value."""
    for part in book.walk(given=[name for name in env.facts if name in env.catalogue]):
        if isinstance(part, After):
            yield part.at
        elif isinstance(part, Age):
            at = threshold(part, env)
            if at is not None:
                yield at + JUST_AFTER if is_strict(part.op, env.catalogue[part.fact]) else at


def is_strict(op: Op, fact: Fact) -> bool:
    """Whether the comparison changes one microsecond after its threshold instead of at it."""
    return op in ((">", "<=") if fact.since else ("<", ">="))


def threshold(age: Age, env: Env) -> datetime | None:
    """The moment at which the age is exactly its bound; None when either is unknown."""
    fact = env.catalogue[age.fact]
    start, bound = evaluate(Ref(cast("str", fact.moment)), env), evaluate(age.bound, env)
    if start is None or bound is None:
        return None
    span = timedelta(seconds=cast("int", bound) * SECONDS[fact.type.kind])
    return cast("datetime", start) + (span if fact.since else -span)


def evaluate(node: Node, env: Env) -> Value | None:
    """The node's value; None is unknown."""
    match node:
        case Lit(value):
            return value
        case Ref(name):
            return _fact(name, env)
        case Knob(name):
            return env.settings[name]
        case Compare(op, left, right):
            return _compare(op, evaluate(left, env), evaluate(right, env))
        case Logic(op, items):
            return _logic(op, items, env)
        case Not(item):
            found = evaluate(item, env)
            return None if found is None else not found
        case In(item, options):
            return _among(evaluate(item, env), options, env)
        case IsNull(item):
            return evaluate(item, env) is None
        case IsTruth(item, truth):
            return evaluate(item, env) is truth
        case Age():
            return _aged(node, env)
        case After(at):
            return env.now >= at
        case _:
            return _compute(node, env)


def _fact(name: str, env: Env) -> Value | None:
    if name in env.facts:
        return env.facts[name]
    fact = env.catalogue[name]
    if fact.moment:
        return _fact(fact.moment, env)
    if fact.derived is None:
        return None
    if name not in env.known:
        env.known[name] = evaluate(fact.derived, env)
    return env.known[name]


def _compare(op: Op, left: Value | None, right: Value | None) -> bool | None:
    if left is None or right is None:
        return None
    match op:
        case "=":
            return left == right
        case "<>":
            return left != right
        case "<":
            return left < right  # type: ignore[operator]
        case "<=":
            return left <= right  # type: ignore[operator]
        case ">":
            return left > right  # type: ignore[operator]
    return left >= right  # type: ignore[operator]


def _logic(op: str, items: tuple[Node, ...], env: Env) -> bool | None:
    stop = op == "or"
    found: bool | None = not stop
    for item in items:
        value = evaluate(item, env)
        if value is stop:
            return stop
        if value is None:
            found = None
    return found


def _among(value: Value | None, options: tuple[Lit, ...] | Knob, env: Env) -> bool | None:
    known = env.settings[options.name] if isinstance(options, Knob) else tuple(o.value for o in options)
    if not known:
        return False
    return None if value is None else value in cast("tuple[Value, ...]", known)


def _aged(age: Age, env: Env) -> bool | None:
    at = threshold(age, env)
    if at is None:
        return None
    return _compare(age.op, env.now, at) if env.catalogue[age.fact].since else _compare(age.op, at, env.now)


def _compute(node: Node, env: Env) -> Value | None:
    match node:
        case Case(branches, otherwise):
            chosen = (value for when, value in branches if evaluate(when, env) is True)
            return evaluate(next(chosen, otherwise), env)
        case Call(name, items):
            return _call(name, [evaluate(item, env) for item in items])
        case Arith(op, left, right):
            return _arith(op, evaluate(left, env), evaluate(right, env))
        case Shift(moment, sign, count, seconds):
            at, amount = evaluate(moment, env), evaluate(count, env)
            if at is None or amount is None:
                return None
            return cast("datetime", at) + sign * timedelta(seconds=cast("int", amount) * seconds)
    raise AssertionError(node)


def _call(name: str, values: list[Value | None]) -> Value | None:
    if name == "coalesce":
        return next((value for value in values if value is not None), None)
    if None in values:
        return None
    if name == "percent_of":
        amount, percent = cast("list[int]", values)
        whole = abs(amount * percent) // 100
        return whole if amount * percent >= 0 else -whole
    known = cast("list[int]", values)
    return min(known) if name == "least" else max(known)


def _arith(op: str, left: Value | None, right: Value | None) -> int | None:
    if left is None or right is None:
        return None
    a, b = cast("int", left), cast("int", right)
    return a + b if op == "+" else a - b if op == "-" else a * b
