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
from statistics import mean
from typing import Any

import duckdb
import msgspec

from aftersale.bench.figures import Figure
from aftersale.bench.world import START
from aftersale.core.facts import Fact
from aftersale.core.look import decide
from aftersale.core.lowering import lower, lower_fact
from aftersale.core.rulebook import Book
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

Tell = Callable[[str], None]
MEMORY, FILE_MEMORY = "400MB", "1GB"
SAMPLE = 2000
READABLE = {"timestamptz": "epoch_us({})"}
SUMS = {"bool": "sum({}::tinyint)", "int": "sum({})", "fen": "sum({})", "timestamptz": "sum(epoch_us({}))"}
_SQL = queries("aftersale.bench", "cases.sql")


def bulk(folder: Path, rows: int, repetitions: int, tell: Tell) -> list[Figure]:
    """Every figure `bulk.*`; the file is made once and kept in `folder`."""
    book = books.book("refund")
    path = _file(folder, rows, tell)
    deciding, adding = verdicts(book, path), sums(book, path)
    speeds: list[float] = []
    ratio: list[float] = []
    with duckdb.connect() as conn:
        _limits(conn)
        _per_s(conn, deciding, rows)
        anchors = [_per_s(conn, adding, rows)]
        for repetition in range(repetitions):
            speeds.append(_per_s(conn, deciding, rows))
            anchors.append(_per_s(conn, adding, rows))
            ratio.append(speeds[-1] / mean(anchors[-2:]))
            tell(f"bulk {repetition + 1}/{repetitions}: {speeds[-1]:,.0f} rows/s, {ratio[-1]:.2f} × anchor")
        slow = _python_per_s(conn, book, path)
    return [
        Figure("bulk.rows", tuple(speeds)),
        Figure("bulk.scan", tuple(anchors)),
        Figure("bulk.ratio", tuple(ratio)),
        Figure("bulk.memory", (_memory_mb(path),)),
        Figure("bulk.python_ratio", tuple(speed / slow for speed in speeds)),
    ]


def verdicts(book: Book, path: Path) -> str:
    """Which rule speaks for how many cases and about how much money."""
    facts = book.catalogue.facts
    given = [name for name, fact in facts.items() if fact.derived is not None]
    texts = (
        f"{lower_fact(book.catalogue, name, 'duckdb', fact=_stored(book), now=START)} AS {name}"
        for name in given
    )
    settings = {name: setting.default for name, setting in book.settings.items()}
    lowered = lower(book, "duckdb", fact=_stored(book), setting=settings, now=START, given=given)
    known = f"SELECT *, {', '.join(texts)} FROM read_parquet('{path}')"
    ruled = f"SELECT amount_fen, {lowered.rule_no} AS rule_no FROM ({known})"
    return f"SELECT rule_no, count(*), sum(amount_fen) FROM ({ruled}) GROUP BY rule_no"


def sums(book: Book, path: Path) -> str:
    """One sum for every column that the book reads; texts by their bytes."""
    facts = [book.catalogue.facts[name] for name in book.reads]
    parts = ", ".join(SUMS.get(fact.type.kind, "sum(strlen({}))").format(column(fact)) for fact in facts)
    return f"SELECT {parts} FROM read_parquet('{path}')"


def column(fact: Fact) -> str:
    """The stored column of a fact: amounts carry their unit."""
    return f"{fact.name}_fen" if fact.type.kind == "fen" else fact.name


def _stored(book: Book) -> Callable[[str], str]:
    return lambda name: column(book.catalogue.facts[name])


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
    facts = [book.catalogue.facts[name] for name in book.reads]
    columns = ", ".join(READABLE.get(fact.type.kind, "{}").format(column(fact)) for fact in facts)
    found = conn.execute(f"SELECT {columns} FROM read_parquet('{path}') LIMIT {SAMPLE}").fetchall()
    rows = [{fact.name: _read(fact, value) for fact, value in zip(facts, row, strict=True)} for row in found]
    settings = {name: setting.default for name, setting in book.settings.items()}
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


def _file(folder: Path, rows: int, tell: Tell) -> Path:
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
