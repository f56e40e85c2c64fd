"""What was asked of a backtest, done."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aftersale.core.expression import Value
from aftersale.core.facts import RulebookError
from aftersale.core.rulebook import Book, resolve_settings
from aftersale.plan.backtest import Backtest, Minutes, Overlap, backtest, overlaps
from aftersale.plan.compare import Comparison, compare
from aftersale.plan.duck import Duck
from aftersale.plan.ruling import Ruling
from aftersale.plan.source import Engine, Source, UnusableData, column, source_of
from aftersale.plan.spark import Spark
from aftersale.plan.sweep import VALUES_MAX, Point, sweep
from aftersale.rulebooks.told import told_settings, told_value

RECORD = "record"
MINUTES_MAX = 1440


@dataclass(frozen=True)
class Wish:
    """The command's options, books read. `told`: settings of the book as values, over `values`."""

    book: Book
    values: Sequence[str] = ()
    against: Book | None = None
    sweep: str | None = None
    overlaps: bool = False
    engine: str = "duckdb"
    master: str = "local[*]"
    at: datetime | None = None
    minutes: Sequence[str] = ()
    examples: int = 5
    told: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """Everything found; `compared`, `swept` and `overlapping` only where asked for."""

    data: str
    result: Backtest
    automatic_share: float
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    compared: Comparison | None = None
    swept_setting: str | None = None
    swept_kind: str | None = None
    swept: tuple[Point, ...] = ()
    overlapping: tuple[Overlap, ...] = ()


def tried(
    wish: Wish, path: Path, own: Mapping[str, object], progress: Callable[[float], None] | None = None
) -> Trial:
    """`own`: the shop's settings, under those told. Raises RulebookError, UnusableData."""
    books = [wish.book, *([wish.against] if wish.against else [])]
    _refuse_unlike(books, wish)
    told = {**told_settings(wish.book, wish.values), **wish.told}
    ruling, minutes = _ruling(wish.book, own, told), _minutes(wish.minutes)
    name, values = _swept(wish.book, wish.sweep) if wish.sweep else (None, ())
    engine = _engine(wish, path, progress)
    try:
        source = source_of(engine, books, at=wish.at, now=datetime.now(UTC))
        found = backtest(engine, source, ruling, minutes)
        made = Trial(path.name, found, found.automatic_share, source.missing, source.ignored)
        return _more(made, wish, engine, source, (ruling, own, minutes, name, values))
    finally:
        engine.close()


def _more(made: Trial, wish: Wish, engine: Engine, source: Source, known: tuple[Any, ...]) -> Trial:
    ruling, own, minutes, name, values = known
    if wish.against is not None:
        old = _ruling(wish.against, own, {})
        found = compare(engine, source, old, ruling, examples=wish.examples, minutes=minutes)
        made = replace(made, compared=found)
    if name is not None:
        points = sweep(engine, source, ruling, name, values, minutes)
        kind = wish.book.settings[name].type.kind
        made = replace(made, swept_setting=name, swept_kind=kind, swept=points)
    return replace(made, overlapping=overlaps(engine, source, ruling)) if wish.overlaps else made


def _refuse_unlike(books: Sequence[Book], wish: Wish) -> None:
    first = books[0]
    if any(book.catalogue.name != first.catalogue.name for book in books):
        raise RulebookError(first.name, None, "--against", "两本规则书读的事实目录不同，不能比较")
    if first.hit == "collect" and (wish.against or wish.sweep or wish.overlaps):
        raise RulebookError(
            first.name, None, None, "hit: collect 的规则书没有先后，不能用 --against、--sweep 和 --overlaps"
        )


def _ruling(book: Book, own: Mapping[str, object], told: Mapping[str, Value]) -> Ruling:
    """A shop's settings that the book does not have belong to other books."""
    mine = {name: value for name, value in own.items() if name in book.settings}
    return Ruling(book, resolve_settings(book, {**mine, **told}))


def _engine(wish: Wish, path: Path, progress: Callable[[float], None] | None) -> Duck | Spark:
    if path.suffix not in (".parquet", ".csv"):
        raise UnusableData("%(path)s：数据应是 .parquet 或 .csv 文件，或者 record", path=str(path))
    if not path.is_file():
        raise UnusableData("%(path)s：没有这个文件", path=str(path))
    kinds = {column(fact): str(fact.type.kind) for fact in wish.book.catalogue.facts.values() if fact.stored}
    kinds |= {"decided_at": "timestamptz"}
    return (
        Spark(path, kinds, master=wish.master)
        if wish.engine == "spark"
        else Duck(path, kinds, progress=progress)
    )


def _minutes(told: Sequence[str]) -> Minutes:
    usual, by_queue = Minutes().usual, dict[str, int]()
    for word in told:
        queue, _, text = word.rpartition("=")
        if not text.isdecimal() or int(text) > MINUTES_MAX:
            raise UnusableData("--minutes %(word)s：应写成 6 或 in_transit=8，以分钟计", word=word)
        if queue:
            by_queue[queue] = int(text)
        else:
            usual = int(text)
    return Minutes(usual, by_queue)


def _swept(book: Book, told: str) -> tuple[str, tuple[Value, ...]]:
    """`name=a..b/step` or `name=a,b,c`. Raises RulebookError."""
    name, _, text = told.partition("=")
    if name not in book.settings:
        told_settings(book, [f"{name}="])
    setting = book.settings[name]
    if ".." in text:
        low, _, rest = text.partition("..")
        high, _, step = rest.partition("/")
        ends = [told_value(book, setting, part or "1") for part in (low, high, step)]
        first, last, by = (part if type(part) is int else 0 for part in ends)
        if by <= 0:
            raise RulebookError(book.name, None, f"--sweep {told}", "应写成 名称=从..到/步长，步长大于 0")
        values: tuple[Value, ...] = tuple(range(first, last + 1, by))
    else:
        values = tuple(told_value(book, setting, part.strip()) for part in text.split(","))
    if not 0 < len(values) <= VALUES_MAX:
        say, place = "要 1 到 %(most)s 个值，得到的是 %(n)s 个", f"--sweep {told}"
        raise RulebookError(book.name, None, place, say, most=VALUES_MAX, n=len(values))
    return name, values
