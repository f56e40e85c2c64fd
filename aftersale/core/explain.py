"""Why a case was decided so and why not otherwise: every condition with the values read, and the smallest
change of the facts that leads elsewhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, product
from typing import cast

from aftersale.core.expression import (
    SECONDS,
    Age,
    Compare,
    In,
    IsNull,
    Knob,
    Lit,
    Node,
    Ref,
    Value,
    conjuncts,
    walk,
)
from aftersale.core.facts import Fact, names
from aftersale.core.language.outcome import outcome
from aftersale.core.language.wording import Language, Wording
from aftersale.core.look import JUST_AFTER, Env, Facts, Verdict, environment, evaluate, threshold, verdict
from aftersale.core.rulebook import Book, Rule

CHANGES_MAX = 3
TRIES_MAX = 4


@dataclass(frozen=True, slots=True)
class Conjunct:
    """One condition that must hold. `said`: the same while it holds, else what is so instead; `truth` None = unknown;
    `reads`: the facts named, ages in their unit."""

    text: str
    said: str
    truth: bool | None
    reads: Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class RuleTrace:
    rule: str
    rule_no: int
    title: str
    truth: bool | None
    conjuncts: tuple[Conjunct, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A stored fact from one value to another; None is unknown. Ages change through their moment."""

    fact: str
    before: Value | None
    after: Value | None


@dataclass(frozen=True, slots=True)
class Flip:
    """Changes that together lead to `rule` (None: none). In a `collect` book: the one joining or leaving."""

    changes: tuple[Change, ...]
    rule: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """`flips`: per fact and resulting rule the nearest value; if no single fact suffices, two or three."""

    verdict: Verdict
    rules: tuple[RuleTrace, ...]
    flips: tuple[Flip, ...]


def explain(
    book: Book, facts: Facts, settings: Mapping[str, Value], now: datetime, language: Language = "zh"
) -> Trace:
    """The trace of `decide` on the same arguments."""
    env = environment(book, facts, settings, now)
    wording = Wording(book, env, language)
    rules = tuple(_rule_trace(rule, no, wording) for no, rule in enumerate(book.rules, 1))
    return Trace(verdict(book, env), rules, tuple(_flips(book, env, wording)))


def _rule_trace(rule: Rule, no: int, wording: Wording) -> RuleTrace:
    parts = tuple(_conjunct(part, wording) for part in rule.conjuncts)
    return RuleTrace(rule.name, no, wording.title(rule), _truth(rule.when, wording.env), parts)


def _conjunct(part: Node, wording: Wording) -> Conjunct:
    text, truth = wording.text(part), _truth(part, wording.env)
    said = text if truth else outcome(wording, part)
    return Conjunct(text, said, truth, {name: wording.read(name) for name in names(part)})


def _truth(node: Node, env: Env) -> bool | None:
    return cast("bool | None", evaluate(node, env))


def changed(env: Env, changes: tuple[Change, ...]) -> Env:
    return replace(env, facts={**env.facts, **{change.fact: change.after for change in changes}})


def _flips(book: Book, env: Env, wording: Wording) -> Iterator[Flip]:
    today = verdict(book, env)
    choices = candidates(book, env)
    found = _single(book, env, today, choices) or _joint(book, env, today, choices)
    for changes, after in found:
        rule, gained = _difference(book, today, after)
        yield Flip(changes, rule, wording.flip([(c.fact, c.before, c.after) for c in changes], rule, gained))


Found = list[tuple[tuple[Change, ...], Verdict]]


def _single(book: Book, env: Env, today: Verdict, choices: Mapping[str, list[Change]]) -> Found:
    """Per fact and resulting rules the nearest value."""
    found: Found = []
    for changes in choices.values():
        seen = {_rules(today)}
        for change in changes:
            after = verdict(book, changed(env, (change,)))
            if _rules(after) not in seen:
                seen.add(_rules(after))
                found.append(((change,), after))
    return sorted(found, key=lambda item: item[1].rule_no or len(book.rules) + 1)


def _joint(book: Book, env: Env, today: Verdict, choices: Mapping[str, list[Change]]) -> Found:
    """Towards each rule: every condition that fails is made true by one fact."""
    found: Found = []
    for no, rule in enumerate(book.rules, 1):
        failing = [part for part in conjuncts(rule.when) if evaluate(part, env) is not True]
        if no == today.rule_no or not 2 <= len(failing) <= CHANGES_MAX:
            continue
        for changes in product(*(_remedies(part, env, choices) for part in failing)):
            after = verdict(book, changed(env, changes))
            apart = len({change.fact for change in changes}) == len(changes)
            if apart and _rules(after) != _rules(today) and no in _rules(after):
                found.append((changes, after))
                break
    fewest = min((len(changes) for changes, _ in found), default=0)
    return [item for item in found if len(item[0]) == fewest]


def _remedies(part: Node, env: Env, choices: Mapping[str, list[Change]]) -> list[Change]:
    good = (
        change
        for changes in choices.values()
        for change in changes
        if evaluate(part, changed(env, (change,))) is True
    )
    return list(islice(good, TRIES_MAX))


def _rules(found: Verdict) -> tuple[int, ...]:
    return tuple(hit.rule_no for hit in found.hits)


def _difference(book: Book, today: Verdict, after: Verdict) -> tuple[str | None, bool]:
    if book.hit == "first":
        return after.rule, True
    gained = [hit.rule for hit in after.hits if hit.rule_no not in _rules(today)]
    lost = [hit.rule for hit in today.hits if hit.rule_no not in _rules(after)]
    return (gained or lost)[0], bool(gained)


def candidates(book: Book, env: Env, nodes: list[Node] | None = None) -> dict[str, list[Change]]:
    """Per stored fact the values around which a condition can change, nearest first, the present one not.
    `nodes`: only of these conditions."""
    given = [name for name in env.facts if name in env.catalogue]
    roots = book.nodes() if nodes is None else nodes
    stored = book.catalogue.stored_reads(roots, given)
    found: dict[str, dict[Value | None, None]] = {name: {} for name in stored}
    for name in stored:
        found[name] |= dict.fromkeys(_members(env.catalogue[name]))
    for part in book.walk(given, roots):
        for name, value in _edges(part, env):
            if name in found:
                found[name][value] = None
    return {name: _nearest(env.facts.get(name), name, list(values)) for name, values in found.items()}


def _members(fact: Fact) -> tuple[Value, ...]:
    return (False, True) if fact.type.kind == "bool" else fact.values


def _nearest(now: Value | None, name: str, values: list[Value | None]) -> list[Change]:
    def distance(value: Value | None) -> float:
        if isinstance(value, datetime) and isinstance(now, datetime):
            return abs((value - now).total_seconds())
        if type(value) is int and type(now) is int:
            return float(abs(value - now))
        return 0.0

    return [Change(name, now, value) for value in sorted(values, key=distance) if value != now]


def _edges(part: Node, env: Env) -> Iterator[tuple[str, Value | None]]:
    """Values of single facts around the point where the condition changes."""
    if isinstance(part, Age):
        yield from _age_edges(part, env)
    elif isinstance(part, Compare):
        yield from _compare_edges(part, env)
    elif isinstance(part, In) and isinstance(part.item, Ref):
        options = part.options
        values = env.settings[options.name] if isinstance(options, Knob) else tuple(o.value for o in options)
        yield from ((part.item.name, value) for value in cast("tuple[Value | None, ...]", values))
    elif isinstance(part, IsNull) and isinstance(part.item, Ref):
        fact = env.catalogue[part.item.name]
        sample = _sample(fact, env)
        if sample is not None:
            yield from ((fact.moment or fact.name, value) for value in (None, sample))


def _sample(fact: Fact, env: Env) -> Value | None:
    if fact.moment or fact.type.kind == "timestamptz":
        return env.now
    return 1 if fact.type.kind in ("int", "fen", *SECONDS) else next(iter(_members(fact)), None)


def _age_edges(age: Age, env: Env) -> Iterator[tuple[str, Value]]:
    fact = env.catalogue[age.fact]
    at = threshold(age, replace(env, facts={**env.facts, cast("str", fact.moment): env.now}))
    if at is not None:
        turn = env.now - (at - env.now)
        yield from (
            (cast("str", fact.moment), turn + step) for step in (timedelta(), JUST_AFTER, -JUST_AFTER)
        )


def _compare_edges(part: Compare, env: Env) -> Iterator[tuple[str, Value]]:
    inside = {name for name in names(part) if env.catalogue[name].stored}
    for name in inside:
        kind = env.catalogue[name].type.kind
        if kind == "timestamptz":
            yield from ((name, value) for value in _moment_edges(part, name, env))
        elif kind in ("int", "fen", *SECONDS):
            yield from ((name, value) for value in _number_edges(part, name, env) if value >= 0)
        elif kind == "text":
            yield from (
                (name, n.value) for n in walk(part) if isinstance(n, Lit) and isinstance(n.value, str)
            )


def _gap(part: Compare, name: str, value: Value, env: Env) -> object:
    """Left minus right with the fact at the value; None when unknown."""
    env = replace(env, facts={**env.facts, name: value})
    left, right = evaluate(part.left, env), evaluate(part.right, env)
    return None if left is None or right is None else left - right  # type: ignore[operator]


def _number_edges(part: Compare, name: str, env: Env) -> tuple[int, ...]:
    at_0, at_1 = _gap(part, name, 0, env), _gap(part, name, 1, env)
    if not isinstance(at_0, int) or not isinstance(at_1, int) or at_0 == at_1:
        return ()
    turn = -at_0 // (at_1 - at_0)
    return (turn, turn - 1, turn + 1, turn + 2)


def _moment_edges(part: Compare, name: str, env: Env) -> tuple[datetime, ...]:
    second = timedelta(seconds=1)
    at_0, at_1 = _gap(part, name, env.now, env), _gap(part, name, env.now + second, env)
    if not isinstance(at_0, timedelta) or not isinstance(at_1, timedelta) or at_0 == at_1:
        return ()
    turn = env.now - at_0 if at_1 > at_0 else env.now + at_0
    return (turn, turn + JUST_AFTER, turn - JUST_AFTER)
