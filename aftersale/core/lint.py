"""What is suspicious in a well formed rulebook. A finding that rests on tried cases says *possibly*; one that
shows a case is proved by it."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Literal

from aftersale.core.explain import candidates
from aftersale.core.expression import (
    FALSE,
    NUMBERS,
    Age,
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
    Ref,
    Value,
    conjuncts,
    walk,
)
from aftersale.core.facts import names
from aftersale.core.language.saying import Named, Saying, plain, saying
from aftersale.core.look import Env, evaluate
from aftersale.core.rulebook import Book, Output, Rule

Code = Literal[
    "unreachable", "possibly_unreachable", "overlap", "never_known", "no_setting", "unused_setting"
]

SEED = 20171111
STARTS = 24
TURNS_MAX = 12
EXTRA = 24
EXAMPLE_LENGTH_MAX = 300
_TESTS_UNKNOWN = (IsNull, IsTruth, Call, Case, Logic, Not)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` None: the whole book."""

    code: Code
    rule: str | None
    told: Saying

    @property
    def text(self) -> str:
        return plain(self.told)


@dataclass(frozen=True, slots=True)
class Sample:
    """One case tried, with the numbers of all rules that are TRUE on it."""

    env: Env
    true: frozenset[int]


def lint(book: Book) -> tuple[Finding, ...]:
    """Same book, same findings."""
    samples = _samples(book)
    return (
        *_unreachable(book, samples),
        *(_overlaps(book, samples) if book.hit == "first" else ()),
        *_never_known(book),
        *_no_setting(book),
        *(_unused_settings(book) if book.rules else ()),
    )


def _unreachable(book: Book, samples: list[Sample]) -> Iterator[Finding]:
    """Proved when an earlier rule holds whenever this one does; possibly, when no tried case reaches it."""
    for no, rule in enumerate(book.rules, 1):
        earlier = book.rules[: no - 1] if book.hit == "first" else ()
        cover = next((other for other in earlier if _implies(rule, other)), None)
        if cover is not None:
            say = "%(rule)s 永远轮不到：满足它的条件时，前面的 %(other)s 已经命中"
            yield Finding("unreachable", rule.name, saying(say, rule=rule.named, other=cover.named))
        elif not any(no == min(s.true) if book.hit == "first" else no in s.true for s in samples if s.true):
            say = "%(rule)s 可能永远轮不到：试过的 %(n)s 种情形里没有一种命中它"
            yield Finding("possibly_unreachable", rule.name, saying(say, rule=rule.named, n=len(samples)))


def _implies(rule: Rule, other: Rule) -> bool:
    """Every condition of `other` follows from one of `rule`; sound, not complete."""
    mine = conjuncts(rule.when)
    return FALSE not in mine and all(any(_follows(a, b) for a in mine) for b in conjuncts(other.when))


def _follows(a: Node, b: Node) -> bool:
    """Whether b is TRUE wherever a is."""
    if a == b or b == Lit(True):
        return True
    if isinstance(b, Logic):
        return b.op == "or" and any(_follows(a, item) for item in b.items)
    chosen, allowed = _options(a), _options(b)
    if chosen is not None and allowed is not None:
        return chosen[0] == allowed[0] and chosen[1] <= allowed[1]
    if isinstance(a, Compare) and isinstance(b, Compare) and a.left == b.left:
        return _bound_follows(a.op, a.right, b.op, b.right)
    if isinstance(a, Age) and isinstance(b, Age) and a.fact == b.fact:
        return _bound_follows(a.op, a.bound, b.op, b.bound)
    return isinstance(b, Not) and isinstance(b.item, IsNull) and _needs(a, b.item.item)


def _needs(a: Node, item: Node) -> bool:
    """Whether a plain comparison, TRUE only with all parts known, reads the item."""
    return (
        isinstance(a, Compare | In | Age)
        and not any(isinstance(p, Call | Case) for p in walk(a))
        and (item in walk(a) or (isinstance(a, Age) and item == Ref(a.fact)))
    )


def _options(node: Node) -> tuple[Node, frozenset[Value | None]] | None:
    if isinstance(node, Compare) and node.op == "=" and isinstance(node.right, Lit):
        return node.left, frozenset({node.right.value})
    if isinstance(node, In) and isinstance(node.options, tuple):
        return node.item, frozenset(option.value for option in node.options)
    return None


def _bound_follows(op_a: str, a: Node, op_b: str, b: Node) -> bool:
    """`x op_a a` is within `x op_b b`, for equal bounds or literal ones."""
    if a == b:
        return (op_a, op_b) in {("<", "<="), (">", ">="), ("=", "<="), ("=", ">="), ("<", "<>"), (">", "<>")}
    if not (isinstance(a, Lit) and isinstance(b, Lit) and type(a.value) is int and type(b.value) is int):
        return False
    if op_b in ("<", "<="):
        return op_a in ("<", "<=", "=") and a.value < b.value
    return op_b in (">", ">=") and op_a in (">", ">=", "=") and a.value > b.value


def _overlaps(book: Book, samples: list[Sample]) -> Iterator[Finding]:
    """Rules that would move different money in one and the same case; order alone decides."""
    money = [(no, rule) for no, rule in enumerate(book.rules, 1) if _money(rule.then)]
    for (a, first), (b, second) in combinations(money, 2):
        both = next((s for s in samples if {a, b} <= s.true), None)
        if both is None or _money(first.then) == _money(second.then):
            continue
        told = saying(
            "%(rule)s 与 %(other)s 会同时成立而金额不同，由先后次序决定，例如 %(example)s",
            rule=first.named, other=second.named, example=_example(book, both.env),
        )  # fmt: skip
        yield Finding("overlap", second.name, told)


def _example(book: Book, env: Env) -> list[Saying]:
    """What is known of a case, as far as it can be shown."""
    found: list[Saying] = []
    for name, value in env.facts.items():
        fact = book.catalogue.facts[name]
        if value is not None:
            one = saying("%(fact)s=%(value)s", fact=fact.named, value=fact.shown(value))
            found += [one] if len(plain([*found, one])) <= EXAMPLE_LENGTH_MAX else []
    return found


def _money(then: Mapping[str, Output]) -> list[tuple[str, Output]]:
    found = [(key, value) for key, value in then.items() if key == "amount" or key.endswith("_fen")]
    return [item for item in found if item[1] != Lit(None)]


def _never_known(book: Book) -> Iterator[Finding]:
    """A condition on a fact that a platform never tells cannot be TRUE there."""
    platform = book.catalogue.facts.get("platform")
    for rule in book.rules:
        scope = rule.platforms or (platform.values if platform else ())
        for part in rule.conjuncts:
            for name in [] if isinstance(part, _TESTS_UNKNOWN) else names(part):
                known = book.catalogue.facts[name].known_for
                never = [where for where in scope if known is not None and where not in known]
                if never:
                    say = "%(rule)s 在 %(platforms)s 永远不成立：那里没有事实 %(fact)s"
                    where, fact = _platforms(book, never), book.catalogue.facts[name].named
                    told = saying(say, rule=rule.named, platforms=where, fact=fact)
                    yield Finding("never_known", rule.name, told)


def _platforms(book: Book, codes: list[str]) -> list[Named | str]:
    platform = book.catalogue.facts.get("platform")
    return [platform.shown(one) if platform else one for one in codes]


def _no_setting(book: Book) -> Iterator[Finding]:
    """Thresholds written as numbers; 0 is a natural boundary and passes, as does 1 for counts."""
    for rule in book.rules:
        numbers = {number for part in walk(rule.when) for number in _thresholds(part, book)}
        for number in sorted(numbers):
            say = "%(rule)s 里的阈值 %(n)s 写死在条件里，建议改成设置"
            yield Finding("no_setting", rule.name, saying(say, rule=rule.named, n=number))


def _thresholds(part: Node, book: Book) -> Iterator[int]:
    sides: tuple[Node, ...] = (part.left, part.right) if isinstance(part, Compare) else ()
    if isinstance(part, Age):
        sides = (part.bound,)
    facts = [book.catalogue.facts[name] for name in names(part)]
    natural = (0, 1) if isinstance(part, Compare) and all(f.type.kind == "int" for f in facts) else (0,)
    for inner in (inner for side in sides for inner in walk(side)):
        if isinstance(inner, Lit) and type(inner.value) is int and inner.value not in natural:
            yield inner.value


def _unused_settings(book: Book) -> Iterator[Finding]:
    used = {part.name for part in book.walk() if isinstance(part, Knob)}
    for name in book.settings:
        if name not in used:
            yield Finding("unused_setting", None, saying("设置 :%(name)s 没有规则使用", name=name))


def _samples(book: Book) -> list[Sample]:
    """Cases on both sides of every threshold: random starts, led towards each rule in turn, then varied."""
    luck = random.Random(SEED)
    defaults = {name: setting.default for name, setting in book.settings.items()}
    found: list[Sample] = []
    for no, rule in enumerate(book.rules, 1):
        for start in range(STARTS):
            settings = _settings(book, luck) if start else defaults
            facts = _start(book, luck) if start else {}
            env = _led(book, rule, Env(book.catalogue.facts, facts, settings, _NOW), luck)
            found += [Sample(at, _true(book, at)) for at in _varied(book, no, env, luck)]
            if any(s.true and min(s.true) == no for s in found[-EXTRA:]):
                break
    return found


def _settings(book: Book, luck: random.Random) -> dict[str, Value]:
    """Switches and choices at random, limits at their defaults."""
    found: dict[str, Value] = {}
    for name, setting in book.settings.items():
        choices = {"bool": (False, True), "enum": tuple(sorted(setting.type.values))}.get(setting.type.kind)
        found[name] = luck.choice(choices) if choices else setting.default
    return found


def _start(book: Book, luck: random.Random) -> dict[str, Value | None]:
    """Amounts, counts, moments and numbers of parcels mostly known: what is unknown has no edge to start at."""
    found: dict[str, Value | None] = {}
    for name in book.reads:
        kind = book.catalogue.facts[name].type.kind
        if kind == "timestamptz" and luck.random() < 0.5:
            found[name] = _NOW - timedelta(hours=luck.randint(0, 400))
        elif kind in NUMBERS and luck.random() < 0.7:
            found[name] = luck.choice((0, 1, 10, 1000, 5000))
        elif kind == "text" and luck.random() < 0.5:
            found[name] = "1"
    return found


def _led(book: Book, rule: Rule, env: Env, luck: random.Random) -> Env:
    """The case changed fact by fact until the rule's conditions hold; where no single change helps, any."""
    for _ in range(TURNS_MAX):
        parts = {part: evaluate(part, env) is True for part in conjuncts(rule.when)}
        if all(parts.values()):
            break
        failing = next(part for part, holds in parts.items() if not holds)
        trials = [
            _with(env, name, change.after)
            for name, changes in candidates(book, env, [failing]).items()
            for change in changes
        ]
        good = [trial for trial in trials if evaluate(failing, trial) is True]
        best = [t for t in good if all(evaluate(part, t) is True for part, holds in parts.items() if holds)]
        if not trials:
            break
        env = luck.choice(best or good or trials)
    return env


def _with(env: Env, fact: str, value: Value | None) -> Env:
    return replace(env, facts={**env.facts, fact: value})


def _varied(book: Book, no: int, env: Env, luck: random.Random) -> Iterator[Env]:
    """The case and neighbours of it, one to three facts away."""
    yield env
    choices = [change for changes in candidates(book, env).values() for change in changes]
    for _ in range(EXTRA - 1 if choices else 0):
        facts = dict(env.facts)
        for change in luck.sample(choices, min(len(choices), luck.randint(1, 3))):
            facts[change.fact] = change.after
        yield replace(env, facts=facts)


def _true(book: Book, env: Env) -> frozenset[int]:
    return frozenset(no for no, rule in enumerate(book.rules, 1) if evaluate(rule.when, env) is True)
