"""The refund book over a file of made-up cases by DuckDB, against DuckDB only reading and adding up its columns."""

import hashlib
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from typing import Any

import duckdb
import msgspec

from aftersale.bench.figures import Figure
from aftersale.bench.world import START
from aftersale.core.expression import Value
from aftersale.core.facts import Fact
from aftersale.core.look import decide
from aftersale.core.rulebook import Book
from aftersale.pg.sql import queries
from aftersale.plan.backtest import tally_sql
from aftersale.plan.duck import Duck
from aftersale.plan.history import clustering
from aftersale.plan.ruling import Ruling, known
from aftersale.plan.source import Source, column, source_of
from aftersale.rulebooks import books

Tell = Callable[[str], None]
MEMORY, FILE_MEMORY = "400MB", "1GB"
SAMPLE = 2000
READABLE = {"timestamptz": "epoch_us({})"}
SUMS = {"bool": "sum({}::tinyint)", "int": "sum({})", "fen": "sum({})", "timestamptz": "sum(epoch_us({}))"}
_SQL = queries("aftersale.bench", "cases.sql")


def bulk(folder: Path, rows: int, repetitions: int, tell: Tell) -> list[Figure]:
    """Every figure `bulk.*`; the files are made once and kept in `folder`."""
    book = books.book("refund")
    path = made_up(folder, rows, tell)
    with duckdb.connect() as conn:
        _limits(conn)
        speeds, anchors, ratio = _measured(conn, book, path, rows, repetitions)
        tell(f"bulk, in the order of application: {median(ratio):.2f} × anchor")
        alike = _clustered(conn, path, book, tell)
        _, _, clustered = _measured(conn, book, alike, rows, repetitions)
        tell(f"bulk, clustered as an export: {median(clustered):.2f} × anchor")
        slow = _python_per_s(conn, book, path)
    return [
        Figure("bulk.rows", tuple(speeds)),
        Figure("bulk.scan", tuple(anchors)),
        Figure("bulk.ratio", tuple(ratio)),
        Figure("bulk.clustered", tuple(clustered)),
        Figure("bulk.memory", (_memory_mb(path),)),
        Figure("bulk.python_ratio", tuple(speed / slow for speed in speeds)),
    ]


def _measured(
    conn: duckdb.DuckDBPyConnection, book: Book, path: Path, rows: int, repetitions: int
) -> tuple[list[float], list[float], list[float]]:
    """Rows a second, of the anchor, and their ratios; each run lies between two anchors over the same file."""
    deciding, adding = verdicts(book, path), sums(book, path)
    _per_s(conn, deciding, rows)
    speeds, anchors, ratio = list[float](), [_per_s(conn, adding, rows)], list[float]()
    for _ in range(repetitions):
        speeds.append(_per_s(conn, deciding, rows))
        anchors.append(_per_s(conn, adding, rows))
        ratio.append(speeds[-1] / mean(anchors[-2:]))
    return speeds, anchors, ratio


def _clustered(conn: duckdb.DuckDBPyConnection, path: Path, book: Book, tell: Tell) -> Path:
    """The same rows as `aftersale backtest --export` orders them."""
    order = ", ".join(clustering(book))
    made = path.with_name(f"{path.stem}-by-{order.replace(', ', '-')}.parquet")
    if not made.exists():
        tell("clustering them, once")
        part = made.with_suffix(".part")
        conn.execute("SET memory_limit = ?", [FILE_MEMORY])
        conn.execute(
            f"COPY (SELECT * FROM '{path}' ORDER BY {order}, applied_at) TO '{part}' (FORMAT parquet, COMPRESSION zstd)"
        )
        part.rename(made)
        _limits(conn)
    return made


def verdicts(book: Book, path: Path) -> str:
    """What `aftersale backtest` asks: which rule speaks for how many cases and about how much money."""
    source = _source(book, path)
    ruling = Ruling(book, _defaults(book))
    return tally_sql(source, ruling, ruling.lowered(source, "duckdb"), known(source, [book], "duckdb"))


def sums(book: Book, path: Path) -> str:
    """One sum for every column that the book reads; texts by their bytes."""
    parts = ", ".join(
        SUMS.get(fact.type.kind, "sum(strlen({}))").format(column(fact)) for fact in _read_facts(book, path)
    )
    return f"SELECT {parts} FROM read_parquet('{path}')"


def _source(book: Book, path: Path) -> Source:
    engine = Duck(path)
    try:
        return source_of(engine, [book], at=START, now=START)
    finally:
        engine.close()


def _read_facts(book: Book, path: Path) -> list[Fact]:
    """Those that the file has a column for; the others are unknown in every row."""
    missing = _source(book, path).missing
    return [book.catalogue.facts[name] for name in book.reads if name not in missing]


def _defaults(book: Book) -> dict[str, Value]:
    return {name: setting.default for name, setting in book.settings.items()}


def _limits(conn: duckdb.DuckDBPyConnection, memory: str = MEMORY) -> None:
    conn.execute("SET memory_limit = ?", [memory])
    conn.execute("SET TimeZone = 'Asia/Shanghai'")
    conn.execute("SET enable_progress_bar = false")


def _per_s(conn: duckdb.DuckDBPyConnection, sql: str, rows: int) -> float:
    began = time.perf_counter()
    conn.execute(sql).fetchall()
    return rows / (time.perf_counter() - began)


def _python_per_s(conn: duckdb.DuckDBPyConnection, book: Book, path: Path) -> float:
    """Rows a second of the evaluator in Python, one thread, rows already dicts."""
    facts = _read_facts(book, path)
    columns = ", ".join(READABLE.get(fact.type.kind, "{}").format(column(fact)) for fact in facts)
    found = conn.execute(f"SELECT {columns} FROM read_parquet('{path}') LIMIT {SAMPLE}").fetchall()
    rows = [{fact.name: _read(fact, value) for fact, value in zip(facts, row, strict=True)} for row in found]
    settings = _defaults(book)
    began = time.perf_counter()
    for row in rows:
        decide(book, row, settings, START)
    return len(rows) / (time.perf_counter() - began)


def _read(fact: Fact, value: Any) -> Any:
    if fact.type.kind != "timestamptz" or value is None:
        return value
    return datetime.fromtimestamp(value / 1_000_000, UTC)


def _memory_mb(path: Path) -> float:
    """Peak memory of a process that does nothing else."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, str(path)], check=True, capture_output=True, text=True
    )
    return float(msgspec.json.decode(done.stdout)["memory_mb"])


def made_up(folder: Path, rows: int, tell: Tell) -> Path:
    """`rows` cases as Parquet, in the order of application."""
    sql = _SQL["cases"].format(rows=rows)
    path = folder / f"cases-{rows}-{hashlib.sha256(sql.encode()).hexdigest()[:12]}.parquet"
    if not path.exists():
        tell(f"making {rows:,} cases, once")
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with duckdb.connect() as conn:
            _limits(conn, FILE_MEMORY)
            conn.execute(_SQL["chance"])
            conn.execute(f"COPY ({sql}) TO '{part}' (FORMAT parquet, COMPRESSION zstd)")
        part.rename(path)
    return path


def main() -> None:
    """Decide one file and tell the peak memory of this process, imports and parsing included."""
    with duckdb.connect() as conn:
        _limits(conn)
        conn.execute(verdicts(books.book("refund"), Path(sys.argv[1]))).fetchall()
    sys.stdout.write(msgspec.json.encode({"memory_mb": _peak_mb()}).decode())


def _peak_mb() -> float:
    """Of this very program: what getrusage tells includes the parent's memory at the fork."""
    status = Path("/proc/self/status")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
