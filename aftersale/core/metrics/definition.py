"""What each index counts, read from one file: sets of rows, and conditions over them in the rule language."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, cast

from aftersale.core.facts import Catalogue, RulebookError, check_keys, check_name, load_catalogue, read_yaml
from aftersale.core.language.grammar import nearest
from aftersale.core.metrics.standing import Direction
from aftersale.core.rulebook import Book, Setting, parse_book

Kind = Literal["share", "complement", "mean", "count", "formula", "entered"]
COUNTED: tuple[Kind, ...] = ("share", "complement", "mean", "count")
DIRECTIONS: Mapping[str, Direction] = {"smaller": "smaller_better", "larger": "larger_better"}
_FILE = "metric_definitions"
_ROWS_KEYS = {"name", "title", "title_en", "needs", "needs_en", "lacks", "list"}
_METRIC_KEYS = {
    "code", "title", "title_en", "says", "says_en", "unit", "better", "requirement", "also", "kind", "window",
    "by", "divide", "top", "bottom", "function", "of", "page",
}  # fmt: skip
_NEEDED = ("code", "title", "title_en", "says", "says_en", "unit", "better", "requirement", "kind")
_MEASURE_KEYS = {"rows", "at", "when", "count", "sum"}


@dataclass(frozen=True, slots=True)
class Lack:
    """A column that the record does not have. `without`: an index is measured all the same."""

    needs: str
    needs_en: str
    without: bool = False


@dataclass(frozen=True)
class RowSet:
    """`needs`: what the record lacks to have these rows at all; None when it has them."""

    name: str
    title: str
    title_en: str
    catalogue: Catalogue
    needs: Lack | None
    lacks: Mapping[str, Lack]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name, fact in self.catalogue.facts.items() if fact.stored)


@dataclass(frozen=True, slots=True)
class Measure:
    """Rows of a set that meet `when` at `at` (within the window): distinct values of `key`, or the sum of `total`
    and the rows that have a value. `rule`: the name of the whole condition in the set's book."""

    rows: str
    rule: str
    when: str
    at: str
    key: str | None
    total: str | None


@dataclass(frozen=True, slots=True)
class Metric:
    """`window`: a setting in days; `by`: the column it is counted by; `of`: the metrics a formula is made of;
    `page`: where the platform shows its own figure (R-246)."""

    code: str
    title: str
    title_en: str
    says: str
    says_en: str
    unit: str
    better: Direction
    requirement: str
    kind: Kind
    also: tuple[str, ...] = ()
    window: str | None = None
    by: str | None = None
    divide: int = 1
    top: Measure | None = None
    bottom: Measure | None = None
    function: str | None = None
    of: tuple[str, ...] = ()
    page: str | None = None

    @property
    def measures(self) -> tuple[Measure, ...]:
        return tuple(one for one in (self.top, self.bottom) if one is not None)

    def value(self, top: int, bottom: int) -> Fraction | None:
        """The figure of its counts; None where there is nothing to divide by."""
        if self.kind == "count":
            return Fraction(top)
        if not bottom:
            return None
        return Fraction(bottom - top if self.kind == "complement" else top, bottom * self.divide)


@dataclass(frozen=True)
class Definitions:
    """`books`: per set of rows, the conditions of all measures over it as rules."""

    rows: Mapping[str, RowSet]
    metrics: Mapping[str, Metric]
    books: Mapping[str, Book]
    names: Mapping[str, str] = field(default_factory=dict)

    def metric(self, name: str) -> Metric:
        """By its code or another name of the field. Raises KeyError, which names the nearest."""
        code = self.names.get(name)
        if code is None:
            raise KeyError(f"没有名为 {name} 的指标{nearest(name, self.names)}")
        return self.metrics[code]

    def missing(self, metric: Metric) -> tuple[tuple[Lack, ...], tuple[Lack, ...]]:
        """What the record lacks for it: (without which it cannot be measured, without which it is measured)."""
        found: dict[Lack, None] = {}
        for measure in metric.measures:
            rows = self.rows[measure.rows]
            found |= dict.fromkeys([rows.needs] if rows.needs else [])
            found |= {rows.lacks[name]: None for name in self.reads(measure) if name in rows.lacks}
        return tuple(one for one in found if not one.without), tuple(one for one in found if one.without)

    def reads(self, measure: Measure) -> tuple[str, ...]:
        """The columns that a measure reads."""
        book = self.books[measure.rows]
        rule = next(one for one in book.rules if one.name == measure.rule)
        named = [name for name in (measure.key, measure.total) if name]
        return tuple(dict.fromkeys([*book.catalogue.stored_reads([rule.when]), *named]))


def parse_definitions(text: str, settings: Mapping[str, Setting]) -> Definitions:
    """Reads the file; conditions are checked against the rows and the settings. Raises RulebookError."""
    data = read_yaml(text, _FILE)
    check_keys(_FILE, None, data, ("rows", "metrics"), ("rows", "metrics"))
    rows = _once((_row_set(entry) for entry in data["rows"]), "name")
    metrics = _once((_metric(entry, rows, settings) for entry in data["metrics"]), "code")
    books = {name: _book(one, metrics.values(), settings) for name, one in rows.items()}
    names: dict[str, str] = {}
    for metric in metrics.values():
        for name in (metric.code, *metric.also):
            if name in names:
                raise RulebookError(_FILE, metric.code, "also", f"{name} 已经是 {names[name]} 的名字")
            names[name] = metric.code
        strange = [one for one in metric.of if one not in metrics]
        if strange:
            raise RulebookError(
                _FILE, metric.code, "of", f"没有名为 {strange[0]} 的指标{nearest(strange[0], metrics)}"
            )
    return Definitions(rows, metrics, books, names)


def _once(found: Iterable[Any], key: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for one in found:
        name = getattr(one, key)
        if name in named:
            raise RulebookError(_FILE, name, None, "出现了两次")
        named[name] = one
    return named


def _row_set(entry: Any) -> RowSet:
    """Each moment gets its age in days, which windows are compared with."""
    named = entry.get("name") if isinstance(entry, dict) else None
    check_keys(_FILE, named, entry, _ROWS_KEYS, ("name", "title", "title_en", "list"))
    ages = [
        {
            "name": _age(fact["name"]),
            "type": "days",
            "since": fact["name"],
            "title": f"{fact['title']}后的天数",
        }
        for fact in entry["list"]
        if fact.get("type") == "timestamptz"
    ]
    catalogue = load_catalogue(json.dumps({"facts": entry["name"], "list": [*entry["list"], *ages]}))
    lacks = {name: Lack(**lack) for name, lack in (entry.get("lacks") or {}).items()}
    strange = [name for name in lacks if name not in catalogue.facts]
    if strange:
        raise RulebookError(_FILE, named, "lacks", f"没有名为 {strange[0]} 的列")
    needs = Lack(entry["needs"], entry.get("needs_en") or entry["needs"]) if entry.get("needs") else None
    return RowSet(entry["name"], entry["title"], entry["title_en"], catalogue, needs, lacks)


def _age(moment: str) -> str:
    return f"days_since_{moment.removesuffix('_at')}"


def _metric(entry: Any, rows: Mapping[str, RowSet], settings: Mapping[str, Setting]) -> Metric:
    code = entry.get("code") if isinstance(entry, dict) else None
    check_keys(_FILE, code, entry, _METRIC_KEYS, _NEEDED)
    kind, window = cast("Kind", entry["kind"]), entry.get("window")
    if kind not in ("formula", "entered", *COUNTED) or entry["better"] not in DIRECTIONS:
        raise RulebookError(_FILE, code, "kind", "kind 或 better 的取值不对")
    if window is not None and (window not in settings or settings[window].type.kind != "days"):
        raise RulebookError(_FILE, code, "window", f"{window} 不是以天计的设置{nearest(window, settings)}")
    parts = {"share": 2, "complement": 2, "mean": 1, "count": 1}.get(kind, 0)
    if [("top" in entry), ("bottom" in entry)] != [parts > 0, parts > 1]:
        raise RulebookError(_FILE, code, "top", f"{kind} 要写 {parts} 个计数（top、bottom）")
    if (kind == "formula") != ("function" in entry):
        raise RulebookError(_FILE, code, "function", "formula 要写 function，其他不写")
    top, bottom = (
        _measure(str(code), part, entry[part], window, rows) if part in entry else None
        for part in ("top", "bottom")
    )
    if top and (top.total is not None) != (kind == "mean"):
        raise RulebookError(_FILE, code, "top", "只有 mean 求和")
    return Metric(
        check_name(_FILE, code), entry["title"], entry["title_en"], entry["says"], entry["says_en"], entry["unit"],
        DIRECTIONS[entry["better"]], entry["requirement"], kind, tuple(entry.get("also") or ()), window,
        entry.get("by"), int(entry.get("divide") or 1), top, bottom, entry.get("function"),
        tuple(entry.get("of") or ()), entry.get("page"),
    )  # fmt: skip


def _measure(code: str, part: str, entry: Any, window: str | None, rows: Mapping[str, RowSet]) -> Measure:
    check_keys(_FILE, code, entry, _MEASURE_KEYS, ("rows", "at", "when"))
    if entry["rows"] not in rows:
        raise RulebookError(_FILE, code, part, f"没有名为 {entry['rows']} 的行{nearest(entry['rows'], rows)}")
    facts = rows[entry["rows"]].catalogue.facts
    key, total = entry.get("count"), entry.get("sum")
    for name in (entry["at"], key or total):
        if name not in facts:
            raise RulebookError(
                _FILE, code, part, f"{entry['rows']} 没有列 {name}{nearest(str(name), facts)}"
            )
    when = f"({entry['when']})"
    if window:
        when += f" and {_age(entry['at'])} >= 0 and {_age(entry['at'])} < :{window}"
    return Measure(entry["rows"], f"{code}_{part}", when, entry["at"], key, total)


def _book(rows: RowSet, metrics: Iterable[Metric], settings: Mapping[str, Setting]) -> Book:
    """The conditions of all measures over one set of rows; their names are the rules'."""
    rules = [
        {
            "name": one.rule,
            "title": metric.title,
            "when": one.when,
            "then": {},
            "requirement": metric.requirement,
        }
        for metric in metrics
        for one in metric.measures
        if one.rows == rows.name
    ]
    written = {"book": rows.name, "title": rows.title, "hit": "collect", "facts": rows.name, "rules": rules}
    return parse_book(json.dumps(written), rows.catalogue, settings)
