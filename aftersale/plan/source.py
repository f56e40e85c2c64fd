"""Which column of a history holds which fact, and at which moment a row is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from aftersale.core.expression import Kind
from aftersale.core.facts import Fact
from aftersale.core.language.dialects import Dialect, sql_type
from aftersale.core.language.saying import closest, plain, saying, verbatim
from aftersale.core.rulebook import Book

AT = "decided_at"
CASE_ID = "case_id"
OTHERS = (CASE_ID, AT, "rule", "action", "queue")
FITS: Mapping[Kind, frozenset[str]] = {
    "bool": frozenset({"bool"}),
    "int": frozenset({"int"}),
    "fen": frozenset({"int"}),
    "text": frozenset({"text"}),
    "enum": frozenset({"text"}),
    "timestamptz": frozenset({"timestamptz", "timestamp"}),
}
WANTED = {
    "bool": saying("是非值"), "int": saying("整数"), "fen": saying("整数（分）"), "timestamptz": saying("时间"),
}  # fmt: skip


class UnusableData(Exception):
    """The data cannot be read as a history. `str()` is one line for a person, `told` the same with its values apart."""

    def __init__(self, say: str, /, **values: object) -> None:
        self.told = saying(say, **values) if values else verbatim(say)
        super().__init__(plain(self.told))


class Engine(Protocol):
    """Something that answers SQL about one file."""

    @property
    def dialect(self) -> Dialect: ...

    @property
    def relation(self) -> str:
        """What to select from."""
        ...

    @property
    def columns(self) -> Mapping[str, str]:
        """Name → bool, int, text, timestamp, timestamptz, or the engine's own name of another type."""
        ...

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Raises UnusableData where a value cannot be read."""
        ...

    def smallest(self, text: str, count: int) -> str:
        """SQL of an aggregate: the first values in order, as an array."""
        ...


@dataclass(frozen=True)
class Source:
    """`facts`: SQL of each stored fact that the books read; `missing`: those without a column, unknown in every
    row; `ignored`: columns that no book reads; `at`: a column, or one moment for all rows."""

    relation: str
    facts: Mapping[str, str]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    case_id: str | None
    at: str | datetime


def column(fact: Fact) -> str:
    """The stored column of a fact: amounts carry their unit."""
    return f"{fact.name}_fen" if fact.type.kind == "fen" else fact.name


def source_of(engine: Engine, books: Sequence[Book], *, at: datetime | None, now: datetime) -> Source:
    """`at`: decide every row at this moment; otherwise at its column decided_at, or `now` without one.

    Raises UnusableData for a column of the wrong type or one that is nearly a fact's."""
    catalogue = books[0].catalogue
    reads = [name for name in catalogue.facts if any(name in book.reads for book in books)]
    named = {column(catalogue.facts[name]): name for name in reads}
    known = {column(fact) for fact in catalogue.facts.values()} | set(OTHERS)
    strange = [name for name in engine.columns if name not in known]
    missing = tuple(name for text, name in named.items() if text not in engine.columns)
    _refuse_misspelt(strange, [column(catalogue.facts[name]) for name in missing])
    if len(missing) == len(reads):
        raise UnusableData(
            "文件里没有规则要读的列（%(columns)s …）；商家导出的表请先 aftersale import，再用 --data record",
            columns=list(named)[:4],
        )
    facts = {name: _typed(engine, text, catalogue.facts[name]) for text, name in named.items()}
    moment: str | datetime = at or (AT if AT in engine.columns else now)
    if moment == AT and engine.columns[AT] not in FITS["timestamptz"]:
        raise UnusableData("列 %(name)s 是 %(kind)s，应是时间", name=AT, kind=engine.columns[AT])
    ids = CASE_ID if CASE_ID in engine.columns else None
    return Source(engine.relation, facts, missing, tuple(strange), ids, moment)


def _refuse_misspelt(strange: Sequence[str], missing: Sequence[str]) -> None:
    for name in strange:
        near = closest(name, missing)
        if near and name not in OTHERS and abs(len(name) - len(plain(near).split()[-1])) <= 2:
            raise UnusableData(
                "不认识列 %(name)s%(nearest)s；改正列名，或删去这一列", name=name, nearest=near
            )


def _typed(engine: Engine, text: str, fact: Fact) -> str:
    """The column as the fact's type; a typed NULL where the file has none."""
    found, kind = engine.columns.get(text), fact.type.kind
    wanted = sql_type(kind, engine.dialect)
    if found is None:
        return f"cast(null as {wanted})"
    if found not in FITS[kind]:
        fits = WANTED.get(kind, saying("文本"))
        raise UnusableData(
            "列 %(name)s 的类型是 %(kind)s，应是%(wanted)s", name=text, kind=found, wanted=fits
        )
    return f"cast({text} as {wanted})" if found == "timestamp" else text
