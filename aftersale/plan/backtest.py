"""What a book would have done: cases, money and people's time by rule, in one pass over the rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aftersale.core.expression import FALSE, Lit
from aftersale.core.language.folding import Folder, acting
from aftersale.core.lowering import Lowered
from aftersale.plan.ruling import MONEY, Ruling, Standing, known
from aftersale.plan.source import Engine, Source

MINUTES_DEFAULT = 5


@dataclass(frozen=True)
class Minutes:
    """People's minutes for one case, by queue; `usual` for queues that are not named."""

    usual: int = MINUTES_DEFAULT
    by_queue: Mapping[str, int] = field(default_factory=dict)

    def of(self, standing: Standing) -> int:
        if standing.way != "person":
            return 0
        return self.by_queue.get(standing.queue or "", self.usual)


@dataclass(frozen=True, slots=True)
class Line:
    """One rule. `amount_fen`: what its cases ask for; `pays_fen`: what automation would pay by itself."""

    rule: str
    title: str
    way: Literal["automatic", "person", "nothing"]
    queue: str | None
    cases: int
    amount_fen: int
    pays_fen: int
    minutes: int


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule that can never speak over this file, and the facts the file lacks for it."""

    rule: str
    title: str
    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backtest:
    """`lines`: only rules that spoke, most cases first. `cases` counts rows; with `hit: collect` a row may count
    under several rules or none."""

    book: str
    version: str
    cases: int
    lines: tuple[Line, ...]
    silent: tuple[Silent, ...]

    def total(self, way: Literal["automatic", "person", "nothing"]) -> int:
        return sum(line.cases for line in self.lines if line.way == way)

    @property
    def automatic_share(self) -> float:
        """Of the cases in which something is to be done; 0 when there are none."""
        automatic, person = self.total("automatic"), self.total("person")
        return automatic / (automatic + person) if automatic + person else 0.0

    @property
    def pays_fen(self) -> int:
        return sum(line.pays_fen for line in self.lines)

    @property
    def minutes(self) -> int:
        return sum(line.minutes for line in self.lines)


def backtest(engine: Engine, source: Source, ruling: Ruling, minutes: Minutes | None = None) -> Backtest:
    """Raises UnusableData where the file holds what its columns cannot."""
    lowered = ruling.lowered(source, engine.dialect)
    told = ruling.book.hit == "first"
    found = _first(engine, source, ruling, lowered) if told else _all(engine, source, ruling, lowered)
    cases = sum(counts[0] for counts in found.values()) if told else found.pop(-1)[0]
    lines = _lines(ruling, found, minutes or Minutes())
    return Backtest(ruling.book.name, ruling.book.version, cases, lines, silent(ruling, source))


def tally_sql(source: Source, ruling: Ruling, lowered: Lowered, engine_sql: str) -> str:
    """Rows by rule number: count, the sum asked for, and the sum of each distinct amount that a rule may pay."""
    sums = [f"sum({text})" for text in (_asked(ruling, source), *amounts(lowered))]
    inner = f"SELECT *, {lowered.rule_no} AS rule_no FROM ({engine_sql}) AS known"
    return f"SELECT rule_no, count(*), {', '.join(sums)} FROM ({inner}) AS ruled GROUP BY rule_no"


def amounts(lowered: Lowered) -> list[str]:
    """SQL of the distinct amounts in outcomes."""
    return [text for text in dict.fromkeys(lowered.outputs.get(MONEY, ())) if text != "null"]


def _asked(ruling: Ruling, source: Source) -> str:
    return MONEY if MONEY in source.facts else "cast(null as bigint)"


Counts = dict[int, tuple[int, int, int]]
"""Rule number → cases, amount asked for, amount paid."""


def _first(engine: Engine, source: Source, ruling: Ruling, lowered: Lowered) -> Counts:
    rows = engine.rows(tally_sql(source, ruling, lowered, known(source, [ruling.book], engine.dialect)))
    return {row[0]: (row[1], row[2] or 0, paid(ruling, lowered, row[0], row[3:])) for row in rows}


def paid(ruling: Ruling, lowered: Lowered, rule_no: int, sums: Sequence[int | None]) -> int:
    """The sum of the amount that this rule names; 0 when automation does not pay."""
    if not ruling.standings[rule_no].pays or MONEY not in lowered.outputs:
        return 0
    by_text = dict(zip(amounts(lowered), sums, strict=True))
    return by_text.get(lowered.outputs[MONEY][rule_no]) or 0


def _all(engine: Engine, source: Source, ruling: Ruling, lowered: Lowered) -> Counts:
    """Every rule that is TRUE; under -1 all rows."""
    asked = _asked(ruling, source)
    tests = [
        f"count(*) FILTER (WHERE {test}), sum({asked}) FILTER (WHERE {test})" for test in lowered.conditions
    ]
    rows = known(source, [ruling.book], engine.dialect)
    (found,) = engine.rows(f"SELECT {', '.join(['count(*)', *tests])} FROM ({rows}) AS known")
    counts = {no: (found[2 * no - 1], found[2 * no] or 0, 0) for no in range(1, len(tests) + 1)}
    return {-1: (found[0], 0, 0), **{no: count for no, count in counts.items() if count[0]}}


def _lines(ruling: Ruling, found: Counts, minutes: Minutes) -> tuple[Line, ...]:
    made = []
    for no, (cases, amount_fen, pays_fen) in found.items():
        one = ruling.standings[no]
        time = cases * minutes.of(one)
        made.append(Line(one.rule, one.title, one.way, one.queue, cases, amount_fen, pays_fen, time))
    return tuple(sorted(made, key=lambda line: (-line.cases, line.rule)))


def silent(ruling: Ruling, source: Source) -> tuple[Silent, ...]:
    """Rules that need a fact which no row has. Settings that switch a rule off do not count."""
    if not source.missing:
        return ()
    book, missing = ruling.book, set(source.missing)
    on = Folder(ruling.settings, None)
    off = Folder(ruling.settings, None, {name: Lit(None) for name in _never(book.catalogue.facts, missing)})
    found = []
    for rule in book.rules:
        if acting(on.fold(rule.when)) != FALSE and acting(off.fold(rule.when)) == FALSE:
            needed = book.catalogue.stored_reads([rule.when])
            found.append(Silent(rule.name, rule.title, tuple(name for name in needed if name in missing)))
    return tuple(found)


def _never(facts: Mapping[str, object], missing: Iterable[str]) -> Iterable[str]:
    return [name for name in missing if name in facts]


@dataclass(frozen=True, slots=True)
class Overlap:
    """`later` would have spoken in so many cases that `first` decided before it."""

    first: str
    later: str
    cases: int


def overlaps(engine: Engine, source: Source, ruling: Ruling) -> tuple[Overlap, ...]:
    """Most cases first. One pass, but every condition is tested on every row."""
    lowered = ruling.lowered(source, engine.dialect)
    tests = ", ".join(f"count(*) FILTER (WHERE {test})" for test in lowered.conditions)
    rows = known(source, [ruling.book], engine.dialect)
    inner = f"SELECT *, {lowered.rule_no} AS rule_no FROM ({rows}) AS known"
    found = engine.rows(f"SELECT rule_no, {tests} FROM ({inner}) AS ruled GROUP BY rule_no")
    rules = ruling.book.rules
    made = [
        Overlap(rules[no - 1].name, rules[later].name, cases)
        for no, *counts in found
        for later, cases in enumerate(counts)
        if no and later >= no and cases
    ]
    return tuple(sorted(made, key=lambda one: (-one.cases, one.first, one.later)))
