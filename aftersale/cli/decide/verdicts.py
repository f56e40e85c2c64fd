"""A file's cases as a DuckDB table of facts, and the lowered rulebook over it."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import duckdb

from aftersale.core.expression import UNKNOWN, Ref, Value
from aftersale.core.facts import Fact
from aftersale.core.lowering import Lowered, lower, lower_fact
from aftersale.core.records import Application, Order
from aftersale.core.rulebook import Book
from aftersale.intake.files.reading import Entry

FINISHED = ("refunded", "closed")
KINDS = {"bool": "BOOLEAN", "int": "BIGINT", "fen": "BIGINT", "timestamptz": "TIMESTAMPTZ"}
FIXED = {
    "line": "BIGINT",
    "case_id": "VARCHAR",
    "order_id": "VARCHAR",
    "version": "BIGINT",
    "title": "VARCHAR",
    "finished": "BOOLEAN",
    "refunded": "BOOLEAN",
    "refunded_full": "BOOLEAN",
    "decided_at": "TIMESTAMPTZ",
}
MEMORY = "256MB"


@dataclass(frozen=True, slots=True)
class Options:
    """How to look at the file: the shop's platform, the moment, and whether finished cases are put back."""

    platform: str | None
    now: datetime
    as_applied: bool


def column(fact: Fact) -> str:
    """The stored column of a fact: amounts carry their unit."""
    return f"{fact.name}_fen" if fact.type.kind == "fen" else fact.name


def columns(book: Book) -> dict[str, str]:
    """Column → DuckDB type: the fixed ones, every stored fact that the book reads, amount and due_at."""
    wanted = dict.fromkeys([*book.reads, "state", "amount", "due_at"])
    facts = [book.catalogue.facts[name] for name in wanted]
    return FIXED | {column(fact): KINDS.get(fact.type.kind, "VARCHAR") for fact in facts}


def write_facts(path: Path, entries: Iterable[Entry], book: Book, options: Options) -> int:
    """One CSV line per application, its order's facts beside its own; returns the number of orders."""
    names = list(columns(book))
    orders = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for entry in entries:
            orders += 1
            for application in entry.applications:
                known = _facts(entry, application, options)
                writer.writerow([_text(known.get(name)) for name in names])
    return orders


ORDER_FACTS = tuple(f.name for f in fields(Order) if f.name not in ("lines", "version"))
CASE_FACTS = tuple(f.name for f in fields(Application))


def _facts(entry: Entry, application: Application, options: Options) -> dict[str, object]:
    known: dict[str, object] = {name: getattr(entry.order, name) for name in ORDER_FACTS}
    known |= {name: getattr(application, name) for name in CASE_FACTS}
    finished = application.state in FINISHED
    full = application.amount_fen == entry.order.paid_fen if entry.order.paid_fen is not None else None
    known |= {"line": entry.line, "platform": options.platform, "finished": finished}
    known["refunded"] = application.state == "refunded"
    known |= {"refunded_full": full if application.state == "refunded" else None, "decided_at": options.now}
    if finished and options.as_applied:
        known |= _as_applied(entry.order, application, options.now)
    return known


def _as_applied(order: Order, application: Application, now: datetime) -> dict[str, object]:
    """What is true of an application in its first moment: nothing agreed, refused, sent back, disputed."""
    applied_at = application.applied_at or now
    known: dict[str, object] = {"state": "applied", "decided_at": applied_at, "intervened": False}
    known |= {"refusal_count": 0, "modification_count": 0, "due_at": None, "return_tracking_no": None}
    if order.shipped_at is not None and order.shipped_at > applied_at:
        known |= {"shipped": False, "shipped_at": None}
    return known


def _text(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def decide_table(
    conn: duckdb.DuckDBPyConnection, path: Path, book: Book, settings: Mapping[str, Value]
) -> Lowered:
    """Fills the table `verdict`: the facts, `rule_no` and a column `then_…` per key of an outcome."""
    kinds = columns(book)
    conn.execute("SET memory_limit = ?", [MEMORY])
    conn.execute("SET temp_directory = ?", [str(path.parent)])
    conn.execute("SET TimeZone = 'Asia/Shanghai'")
    typed = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
    conn.execute(
        f"CREATE TABLE fact AS SELECT * FROM read_csv($path, columns = {{{typed}}}, header = false,"
        " delim = ',', quote = '\"', escape = '\"', nullstr = '', parallel = false, auto_detect = false)"
        " QUALIFY row_number() OVER (PARTITION BY case_id ORDER BY version DESC, line DESC) = 1",
        {"path": str(path)},
    )
    lowered = _lowered(conn, book, settings)
    outputs = ", ".join(f"{lowered.output(key, 'rule_no')} AS then_{key}" for key in lowered.outputs)
    conn.execute(f"CREATE TABLE ruled AS SELECT *, {lowered.rule_no} AS rule_no FROM known")
    conn.execute(f"CREATE TABLE verdict AS SELECT *, {outputs} FROM ruled")
    return lowered


def _lowered(conn: duckdb.DuckDBPyConnection, book: Book, settings: Mapping[str, Value]) -> Lowered:
    """The book over the table `known`: the facts with each derived one computed once."""
    facts = book.catalogue.facts
    derived = [name for name, fact in facts.items() if fact.derived is not None and _readable(book, name)]

    def stored(name: str) -> str:
        return column(facts[name])

    columns = [
        f"{lower_fact(book.catalogue, name, 'duckdb', fact=stored, now='decided_at')} AS {stored(name)}"
        for name in derived
    ]
    conn.execute(f"CREATE TABLE known AS SELECT {', '.join(['*', *columns])} FROM fact")
    return lower(book, "duckdb", fact=stored, setting=settings, now="decided_at", given=derived)


def _readable(book: Book, name: str) -> bool:
    """Whether every stored fact behind a derived one is a column here."""
    return set(book.catalogue.stored_reads([Ref(name)])) <= set(book.reads)


@dataclass(frozen=True, slots=True)
class Tally:
    """Cases and their money under one name."""

    name: str
    cases: int
    amount_fen: int


def tallies(conn: duckdb.DuckDBPyConnection, by: str, where: str = "true") -> list[Tally]:
    """Cases and money by an SQL expression over `verdict`, most cases first."""
    rows = conn.execute(
        f"SELECT coalesce({by}::text, ''), count(*), coalesce(sum(amount_fen), 0)::bigint FROM verdict"
        f" WHERE ({where}) IS TRUE GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    return [Tally(*row) for row in rows]


def never_told(conn: duckdb.DuckDBPyConnection, book: Book) -> tuple[str, ...]:
    """The facts the book reads that no case of the file has."""
    names = [column(book.catalogue.facts[name]) for name in book.reads]
    counts = conn.execute(f"SELECT {', '.join(f'count({name})' for name in names)} FROM fact").fetchone()
    assert counts is not None
    return tuple(name for name, count in zip(book.reads, counts, strict=True) if not count)


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule that may have come first but read something unknown, in so many cases."""

    rule: str
    title: str
    cases: int
    lacking: tuple[str, ...]


def silent_rules(
    conn: duckdb.DuckDBPyConnection, book: Book, lowered: Lowered, lacking: Iterable[str]
) -> list[Silent]:
    """Rules unknown in a case which no earlier rule had decided; those that need no person come first."""
    tests = ", ".join(
        f"count(*) FILTER (({condition}) IS NULL AND (rule_no = 0 OR rule_no > {no}))"
        for no, condition in enumerate(lowered.conditions, 1)
    )
    counts = conn.execute(f"SELECT {tests} FROM ruled").fetchone()
    assert counts is not None
    missing = set(lacking)
    found = [
        Silent(
            rule.name,
            rule.title,
            count,
            tuple(n for n in book.catalogue.stored_reads([rule.when]) if n in missing),
        )
        for rule, count in zip(book.rules, counts, strict=True)
        if count
    ]
    people = {rule.name: rule.then.get("queue") not in (None, UNKNOWN) for rule in book.rules}
    return sorted(found, key=lambda silent: (people[silent.rule], -silent.cases))


def decisions(conn: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> Iterator[tuple[object, ...]]:
    """The named columns of every case, in the order of the file."""
    result = conn.execute(f"SELECT {', '.join(keys)} FROM verdict ORDER BY line, case_id")
    while rows := result.fetchmany(2048):
        yield from rows
