"""One setting tried with many values in one pass.

A rule's conjuncts that read the setting are its atoms; whatever else the rules say is the same for every value. Each
row is ruled with all atoms TRUE and with all atoms FALSE. Where both give the same rule no value matters, since a
conjunct can only keep a rule from speaking. For the other rows a number tells for which values each atom is TRUE.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from aftersale.core.expression import FALSE, TRUE, Knob, Node, Value, both, walk
from aftersale.core.lowering import Lowered
from aftersale.core.rulebook import Book, Const
from aftersale.plan.backtest import Minutes, amounts, backtest, paid
from aftersale.plan.ruling import MONEY, Ruling, known
from aftersale.plan.source import Engine, Source

VALUES_MAX = 60
ATOMS_MAX = 3


@dataclass(frozen=True, slots=True)
class Point:
    """What the book does with one value of the setting. `rules`: cases by rule."""

    value: Value
    automatic: int
    person: int
    pays_fen: int
    minutes: int
    rules: Mapping[str, int]


def sweep(
    engine: Engine,
    source: Source,
    ruling: Ruling,
    name: str,
    values: Sequence[Value],
    minutes: Minutes | None = None,
) -> tuple[Point, ...]:
    """One point a value, in their order. `hit: first` books only; at most VALUES_MAX values."""
    assert 0 < len(values) <= VALUES_MAX, "the command checks it"
    times = minutes or Minutes()
    found = atoms(ruling.book, name)
    if len(found) > ATOMS_MAX or _in_amounts(ruling.book, name):
        return tuple(_one(engine, source, _with(ruling, name, value), value, times) for value in values)
    tallies = _tallies(engine, source, ruling, name, values, found)
    return tuple(_point(ruling, value, tally, times) for value, tally in zip(values, tallies, strict=True))


def atoms(book: Book, name: str) -> tuple[Node, ...]:
    """The distinct conjuncts of rules that read the setting."""
    parts = (part for rule in book.rules for part in rule.conjuncts if _reads(part, name))
    return tuple(dict.fromkeys(parts))


def _reads(node: Node, name: str) -> bool:
    return any(isinstance(part, Knob) and part.name == name for part in walk(node))


def _in_amounts(book: Book, name: str) -> bool:
    thens = [rule.then.get(MONEY) for rule in book.rules] + [book.otherwise.get(MONEY)]
    return any(then is not None and not isinstance(then, Const) and _reads(then, name) for then in thens)


def _with(ruling: Ruling, name: str, value: Value) -> Ruling:
    return replace(ruling, settings={**ruling.settings, name: value})


def _one(engine: Engine, source: Source, ruling: Ruling, value: Value, times: Minutes) -> Point:
    found = backtest(engine, source, ruling, times)
    rules = {line.rule: line.cases for line in found.lines}
    return Point(value, found.total("automatic"), found.total("person"), found.pays_fen, found.minutes, rules)


Tally = Counter[int]
Truths = tuple[bool, ...]


@dataclass
class _Sums:
    """Of one value: cases and money by rule number."""

    cases: Tally
    pays_fen: int = 0


def _tallies(
    engine: Engine, source: Source, ruling: Ruling, name: str, values: Sequence[Value], found: Sequence[Node]
) -> list[_Sums]:
    vectors = list(product((True, False), repeat=len(found)))
    ruled = {vector: _assuming(ruling, found, vector).lowered(source, engine.dialect) for vector in vectors}
    lowered = ruled[vectors[0]]
    rows = engine.rows(
        _sql(engine, source, ruling, ruled, _masks(engine, source, ruling, name, values, found))
    )
    tallies = [_Sums(Counter()) for _ in values]
    for row in rows:
        numbers = dict(zip(vectors, row, strict=False))
        masks = row[len(vectors) : len(vectors) + len(found)]
        count, *sums = row[len(vectors) + len(found) :]
        for place, tally in enumerate(tallies):
            vector = tuple(bool((mask or 0) >> place & 1) for mask in masks)
            no = numbers[vector] if numbers[vectors[0]] != numbers[vectors[-1]] else numbers[vectors[0]]
            tally.cases[no] += count
            tally.pays_fen += paid(ruling, lowered, no, sums)
    return tallies


def _assuming(ruling: Ruling, found: Sequence[Node], vector: Truths) -> Ruling:
    """The book with every atom settled."""
    settled: dict[Node, Node] = {
        atom: TRUE if truth else FALSE for atom, truth in zip(found, vector, strict=True)
    }
    rules = tuple(
        replace(rule, when=both("and", tuple(settled.get(part, part) for part in rule.conjuncts)))
        for rule in ruling.book.rules
    )
    return replace(ruling, book=replace(ruling.book, rules=rules))


def _masks(
    engine: Engine, source: Source, ruling: Ruling, name: str, values: Sequence[Value], found: Sequence[Node]
) -> list[str]:
    """Per atom a number whose bits say for which values it is TRUE."""
    made = []
    for atom in found:
        rule = replace(ruling.book.rules[0], when=atom)
        alone = replace(ruling, book=replace(ruling.book, rules=(rule,)))
        tests = [_with(alone, name, value).lowered(source, engine.dialect).conditions[0] for value in values]
        bits = [f"CASE WHEN {test} THEN {1 << place} ELSE 0 END" for place, test in enumerate(tests)]
        made.append(f"cast({' + '.join(bits)} as bigint)")
    return made


def _sql(
    engine: Engine, source: Source, ruling: Ruling, ruled: Mapping[Truths, Lowered], masks: Sequence[str]
) -> str:
    """Groups of: the rule per settled truths, the masks, count, sums. Middle truths only where they matter."""
    first, *middle, last = ruled
    lowered = ruled[first]
    rows = known(source, [ruling.book], engine.dialect)
    ends = f"{ruled[first].rule_no} AS no_first, {ruled[last].rule_no} AS no_last"
    within = [f"({ruled[vector].rule_no})" for vector in middle] + list(masks)
    names = [f"inner_{place}" for place in range(len(within))]
    guarded = [
        f"CASE WHEN no_first <> no_last THEN {text} END AS {name}"
        for text, name in zip(within, names, strict=True)
    ]
    keys = ["no_first", *names[: len(middle)], "no_last", *names[len(middle) :]]
    sums = "".join(f", sum({text})" for text in amounts(lowered))
    inner = f"SELECT *, {ends} FROM ({rows}) AS known"
    return (
        f"SELECT {', '.join(keys)}, count(*){sums} FROM (SELECT *, {', '.join(guarded)} FROM ({inner}) AS ends)"
        f" AS ruled GROUP BY {', '.join(keys)}"
    )


def _point(ruling: Ruling, value: Value, tally: _Sums, times: Minutes) -> Point:
    standings = ruling.standings
    cases = {no: count for no, count in tally.cases.items() if count}
    return Point(
        value,
        sum(count for no, count in cases.items() if standings[no].way == "automatic"),
        sum(count for no, count in cases.items() if standings[no].way == "person"),
        tally.pays_fen,
        sum(count * times.of(standings[no]) for no, count in cases.items()),
        {standings[no].rule: count for no, count in sorted(cases.items())},
    )
