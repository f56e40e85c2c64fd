"""A rulebook as SQL for PostgreSQL, DuckDB and Spark, with nothing left per row that can be settled before."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from aftersale.core.expression import (
    FALSE,
    FLIPPED,
    SECONDS,
    TRUE,
    UNKNOWN,
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
    Ref,
    Shift,
    Value,
    conjuncts,
)
from aftersale.core.facts import Catalogue, names
from aftersale.core.language.dialects import (
    Dialect,
    among,
    counted_span,
    json_text,
    just_after,
    known_of,
    quotient,
    span,
    sql_literal,
    sql_type,
)
from aftersale.core.language.folding import Folder, Rules, branched
from aftersale.core.look import is_strict
from aftersale.core.rulebook import Book, Const, Output

__all__ = ["Dialect", "Lowered", "levels", "lower", "lower_fact", "sql_literal"]

Texts = Callable[[str], str]
_ATOMS = (Lit, Ref, Knob, Call, Case)


@dataclass(frozen=True)
class Lowered:
    """`rule_no`: int, the first rule that is TRUE, 0 = otherwise. `hits`: int list of all that are TRUE.
    `conditions`: one boolean per rule. `moments`: timestamptz, maybe NULL, at which an age comparison or an
    effective date changes its value. `looks`: the same, each only where the rest of a rule that reads it holds
    (NULL elsewhere), since that rule cannot begin or cease to speak there. Texts hold literals of the book: psycopg needs their % doubled."""

    rule_no: str
    hits: str
    conditions: tuple[str, ...]
    moments: tuple[str, ...]
    looks: tuple[str, ...]
    outputs: Mapping[str, tuple[str, ...]]
    types: Mapping[str, str]

    def output(self, key: str, rule_no: str) -> str:
        """The `then` value of the rule whose number the SQL `rule_no` gives, of the type `types[key]`."""
        default, *values = self.outputs[key]
        numbers: dict[str, list[str]] = {}
        for no, value in enumerate(values, 1):
            if value != default:
                numbers.setdefault(value, []).append(str(no))
        if not numbers:
            return default if default != "null" else f"cast(null as {self.types[key]})"
        arms = " ".join(
            f"when {rule_no} in ({', '.join(nos)}) then {value}" for value, nos in numbers.items()
        )
        return f"case {arms} else {default} end"


def lower(
    book: Book,
    dialect: Dialect,
    *,
    fact: Texts,
    setting: Texts | Mapping[str, Value],
    now: str | datetime,
    given: Collection[str] = (),
) -> Lowered:
    """The book as SQL. `fact`, `setting` and `now` give SQL texts; a list setting is an array. Settings given
    as values and `now` as a datetime are folded in, and rules that they rule out disappear. Derived facts in
    `given` are columns of the caller's; others are expanded."""
    writer = _Writer(book.catalogue, dialect, fact, *_constants(book, setting), now, frozenset(given))
    conditions = [writer.fold(rule.when) for rule in book.rules]
    outputs = {
        key: tuple(
            writer.output(then.get(key, UNKNOWN)) for then in [book.otherwise, *(r.then for r in book.rules)]
        )
        for key in book.outputs
    }
    return Lowered(
        _first(conditions, writer), _hits(conditions, writer), tuple(map(writer.sql, conditions)),
        _moments(book, writer), _looks(book, writer), outputs,
        {key: sql_type(kind.kind, dialect) for key, kind in book.outputs.items()},
    )  # fmt: skip


def lower_fact(
    catalogue: Catalogue,
    name: str,
    dialect: Dialect,
    *,
    fact: Texts,
    now: str | datetime,
    given: Collection[str] = (),
) -> str:
    """A derived fact as SQL, for a caller who computes it once per row and then lowers with it `given`."""
    writer = _Writer(catalogue, dialect, fact, {}, lambda name: name, now, frozenset(given))
    made = catalogue.facts[name].derived
    if dialect == "duckdb" and isinstance(made, Case) and catalogue.facts[name].type.kind == "enum":
        return writer.coded(made, catalogue.facts[name].values)
    return writer.sql(Ref(name))


def levels(book: Book) -> tuple[tuple[str, ...], ...]:
    """The derived facts that the book reads, each after those that it is derived from."""
    facts = book.catalogue.facts
    read = [part.name for part in book.walk() if isinstance(part, Ref)]
    waiting = [name for name in dict.fromkeys(read) if facts[name].derived is not None]
    found: list[tuple[str, ...]] = []
    while waiting:
        below = set(waiting)
        ready = tuple(n for n in waiting if below.isdisjoint(names(cast("Node", facts[n].derived))))
        found.append(ready)
        waiting = [name for name in waiting if name not in ready]
    return tuple(found)


def _constants(book: Book, setting: Texts | Mapping[str, Value]) -> tuple[Mapping[str, Value], Texts]:
    """Known settings, and the texts of the rest; a text `true` or `false` is known too."""
    if isinstance(setting, Mapping):
        return setting, lambda name: name
    texts = {name: setting(name) for name in book.settings}
    known = {"true": True, "false": False}
    return {
        name: known[text.lower()] for name, text in texts.items() if text.lower() in known
    }, texts.__getitem__


def _first(conditions: list[Node], writer: "_Writer") -> str:
    """Split on enums and booleans that are columns: how many rules a row meets decides the speed. Spark compiles
    what it runs, and only so much of it."""
    facts = writer.catalogue.facts
    columns = {
        name: (True, False) if fact.type.kind == "bool" else fact.values
        for name, fact in facts.items()
        if fact.type.kind in ("bool", "enum") and (fact.stored or name in writer.given)
        if writer.dialect != "spark"
    }
    split = branched(tuple(enumerate(conditions, 1)), columns, few=writer.dialect == "duckdb")
    arms = [f"when {writer.sql(test)} then {_chain(inside, writer)}" for test, inside in split.arms]
    default = _chain(split.otherwise, writer)
    return f"case {' '.join(arms)} else {default} end" if arms else default


def _chain(rules: Rules, writer: "_Writer") -> str:
    arms = [f"when {writer.sql(node)} then {no}" for no, node in rules if node != TRUE]
    default = next((str(no) for no, node in rules if node == TRUE), "0")
    return f"case {' '.join(arms)} else {default} end" if arms else default


def _hits(conditions: list[Node], writer: "_Writer") -> str:
    arms = [
        str(no) if condition == TRUE else f"case when {writer.sql(condition)} then {no} end"
        for no, condition in enumerate(conditions, 1)
        if condition not in (FALSE, UNKNOWN)
    ]
    return known_of(arms, writer.dialect)


def _moments(book: Book, writer: "_Writer") -> tuple[str, ...]:
    """Of the rules that the settings leave, also of those not yet in force, and of the outcomes."""
    lasting = replace(writer, now="now()")
    found: dict[str, None] = {}
    for part in book.walk(writer.given, [lasting.fold(node) for node in book.nodes()]):
        found |= dict.fromkeys(_moment(part, writer))
    return tuple(found)


def _looks(book: Book, writer: "_Writer") -> tuple[str, ...]:
    lasting = replace(writer, now="now()")
    gates: dict[str, dict[str, None]] = {}

    def moving(node: Node) -> list[str]:
        return [text for part in book.walk(writer.given, [node]) for text in _moment(part, writer)]

    for rule in book.rules:
        parts = conjuncts(lasting.fold(rule.when))
        gate = " and ".join(f"({writer.sql(part)})" for part in parts if not moving(part)) or "true"
        for text in (text for part in parts for text in moving(part)):
            gates.setdefault(text, {})[gate] = None
    for node in book.nodes()[len(book.rules) :]:
        for text in moving(lasting.fold(node)):
            gates.setdefault(text, {})["true"] = None
    return tuple(f"case when {' or '.join(gate)} then {text} end" for text, gate in gates.items())


def _moment(part: Node, writer: "_Writer") -> list[str]:
    if isinstance(part, Age):
        return [writer.moment(part)]
    return [sql_literal(part.at, writer.dialect)] if isinstance(part, After) else []


@dataclass(frozen=True)
class _Writer:
    catalogue: Catalogue
    dialect: Dialect
    fact: Texts
    known: Mapping[str, Value]
    setting: Texts
    now: str | datetime
    given: frozenset[str]

    @property
    def fold(self) -> Callable[[Node], Node]:
        return Folder(self.known, None if isinstance(self.now, str) else self.now).fold

    def output(self, item: Output) -> str:
        if not isinstance(item, Const):
            return self.sql(self.fold(item))
        if isinstance(item.value, list) and all(isinstance(part, str) for part in item.value):
            return sql_literal(tuple(item.value), self.dialect)
        return json_text(json.dumps(item.value, ensure_ascii=False, default=str), self.dialect)

    def sql(self, node: Node) -> str:
        match node:
            case Lit(value):
                return sql_literal(value, self.dialect)
            case Ref(name):
                return self._ref(name)
            case Knob(name):
                known = self.known.get(name)
                return self.setting(name) if known is None else sql_literal(known, self.dialect)
            case Compare(op, left, right):
                return f"{self._part(left)} {op} {self._part(right)}"
            case Logic(op, items):
                return f" {op} ".join(self._part(item) for item in items)
            case Not(IsNull(item)):
                return f"{self._part(item)} is not null"
            case Not(IsTruth(item, truth)):
                return f"{self._part(item)} is not {'true' if truth else 'false'}"
            case Not(item):
                return f"not {self._part(item)}"
            case In(item, options):
                return self._in(item, options)
            case IsNull(item):
                return f"{self._part(item)} is null"
            case IsTruth(item, truth):
                return f"{self._part(item)} is {'true' if truth else 'false'}"
            case _:
                return self._sql_of_values(node)

    def _sql_of_values(self, node: Node) -> str:
        match node:
            case Age(name, op):
                at, now = self._age(node)
                return f"{at} {FLIPPED[op] if self.catalogue.facts[name].since else op} {now}"
            case After(at):
                return f"{self._now()} >= {sql_literal(at, self.dialect)}"
            case Case(branches, otherwise):
                arms = " ".join(f"when {self.sql(when)} then {self.sql(value)}" for when, value in branches)
                return f"case {arms} else {self.sql(otherwise)} end"
            case Call(name, items):
                return self._call(name, [self.sql(item) for item in items])
            case Arith(op, left, right):
                return f"{self._part(left)} {op} {self._part(right)}"
            case Shift(moment, sign, count, seconds):
                return f"{self._part(moment)} {'+' if sign == 1 else '-'} {self._span(count, seconds)}"
        raise AssertionError(node)

    def coded(self, made: Case, values: tuple[str, ...]) -> str:
        """A derived enum as DuckDB's own, which compares as a number."""
        kind = f"enum({', '.join(sql_literal(value, self.dialect) for value in values)})"
        arms = [
            f"when {self.sql(self.fold(when))} then {self._part(self.fold(value))}::{kind}"
            for when, value in made.branches
        ]
        return f"case {' '.join(arms)} else {self._part(self.fold(made.otherwise))}::{kind} end"

    def _part(self, node: Node) -> str:
        text = self.sql(node)
        return text if isinstance(node, _ATOMS) else f"({text})"

    def _ref(self, name: str) -> str:
        fact = self.catalogue.facts[name]
        if name in self.given:
            return self.fact(name)
        if fact.moment:
            return self._ref(fact.moment)
        return self.fact(name) if fact.derived is None else self._part(self.fold(fact.derived))

    def _in(self, item: Node, options: tuple[Lit, ...] | Knob) -> str:
        if not isinstance(options, Knob):
            return f"{self._part(item)} in ({', '.join(map(self.sql, options))})"
        return among(self._part(item), self.sql(options), self.dialect)

    def _call(self, name: str, parts: list[str]) -> str:
        if name == "percent_of":
            return quotient(f"({parts[0]}) * ({parts[1]})", 100, self.dialect)
        plain = f"{name}({', '.join(parts)})"
        if name == "coalesce":
            return plain
        known = " and ".join(f"({part}) is not null" for part in parts)
        return f"case when {known} then {plain} end"

    def _age(self, age: Age) -> tuple[str, str]:
        """The moment the age counts from, and the moment to compare it with."""
        fact = self.catalogue.facts[age.fact]
        at = self._part(Ref(cast("str", fact.moment)))
        seconds = SECONDS[fact.type.kind]
        if isinstance(age.bound, Lit) and isinstance(self.now, datetime):
            span = timedelta(seconds=cast("int", age.bound.value) * seconds)
            return at, sql_literal(self.now - span if fact.since else self.now + span, self.dialect)
        return at, f"{self._now()} {'-' if fact.since else '+'} {self._span(age.bound, seconds)}"

    def moment(self, age: Age) -> str:
        """The moment at which the comparison changes: at its threshold or one microsecond later."""
        fact = self.catalogue.facts[age.fact]
        at = self._part(Ref(cast("str", fact.moment)))
        text = (
            f"{at} {'+' if fact.since else '-'} {self._span(self.fold(age.bound), SECONDS[fact.type.kind])}"
        )
        return just_after(text, self.dialect) if is_strict(age.op, fact) else text

    def _now(self) -> str:
        return self.now if isinstance(self.now, str) else sql_literal(self.now, self.dialect)

    def _span(self, count: Node, seconds: int) -> str:
        if isinstance(count, Lit):
            return span(cast("int", count.value), seconds, self.dialect)
        return counted_span(self._part(count), seconds, self.dialect)
