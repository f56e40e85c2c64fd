"""PostgreSQL, DuckDB and the evaluation in Python decide the same, on random books and rows with unknowns."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aftersale.core.language.dialects import array
from aftersale.core.look import decide, environment, evaluate, moments, next_look
from aftersale.core.lowering import Dialect, lower, sql_literal
from aftersale.core.rulebook import Book, parse_book, resolve_settings
from tests.core.books import COLUMNS, NOW, SETTINGS_TEXT, Row, book_texts, catalogue, rows

ROWS = rows(160)
BOOKS = int(os.environ.get("PARITY_BOOKS", "130"))
CATALOGUE = catalogue()
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIALECTS: tuple[Dialect, ...] = ("postgres", "duckdb")
PLAIN = f"""
book: plain
hit: first
facts: test
{SETTINGS_TEXT.strip()}
rules: [{{name: any, title: 任何, when: shipped, then: {{label: x}}}}]
"""


@dataclass(frozen=True)
class Engines:
    postgres: psycopg.Connection[Any]
    duck: duckdb.DuckDBPyConnection

    def ask(self, dialect: Dialect, sql: str) -> list[tuple[Any, ...]]:
        found = self.postgres.execute(sql.encode()) if dialect == "postgres" else self.duck.execute(sql)
        return found.fetchall()


@pytest.fixture(scope="module")
def engines(postgres_url: str) -> Iterator[Engines]:
    """Both hold the same rows, and a shop whose settings are columns."""
    with psycopg.connect(postgres_url, autocommit=True) as postgres, duckdb.connect() as duck:
        for dialect in DIALECTS:
            for sql in tables(dialect):
                postgres.execute(sql.encode()) if dialect == "postgres" else duck.execute(sql)
        yield Engines(postgres, duck)


def tables(dialect: Dialect, held: Sequence[Row] = ROWS) -> Iterator[str]:
    shop = resolve_settings(parse_book(PLAIN, CATALOGUE), {})
    values = ", ".join(_row(no, row, dialect) for no, row in enumerate(held))
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    yield "set timezone = 'Asia/Shanghai'"
    yield f"create temp table sample (no int, {columns})"
    yield f"insert into sample values {values}"
    knobs = ", ".join(f"{sql_literal(value, dialect)} as {name}" for name, value in shop.items())
    yield f"create temp table shop as select {knobs}"


def _row(no: int, row: Row, dialect: Dialect) -> str:
    return f"({no}, {', '.join(sql_literal(row[name], dialect) for name in COLUMNS)})"


@given(text=book_texts(), as_columns=st.booleans())
@settings(
    phases=(Phase.explicit, Phase.generate), max_examples=BOOKS, deadline=None,
    derandomize="PARITY_BOOKS" not in os.environ, suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_all_back_ends_agree(engines: Engines, text: str, as_columns: bool) -> None:
    book = parse_book(text, CATALOGUE)
    expected = [expected_of(book, row) for row in ROWS]
    for dialect in DIALECTS:
        check(expected, engines.ask(dialect, query(book, dialect, as_columns)), f"{dialect}\n{text}")


def check(expected: Sequence[tuple[Any, ...]], found: Sequence[tuple[Any, ...]], what: str) -> None:
    """Row for row the same; of the moments the SQL may name more than the evaluation, never too few."""
    assert [row[:-1] for row in found] == [row[:-1] for row in expected], what
    for sql_moments, (known, next_moment) in zip(
        (row[-1] for row in found), (row[-1] for row in expected), strict=True
    ):
        assert set(sql_moments) - {None} <= known, what
        assert next_moment is None or next_moment in sql_moments, what


def expected_of(book: Book, row: Row) -> tuple[Any, ...]:
    """Rule number, all rules that hold, the outcome, the moments where it may and does change."""
    chosen = resolve_settings(book, {})
    env = environment(book, row, chosen, NOW)
    verdict = decide(book, row, chosen, NOW)
    holds = [no for no, rule in enumerate(book.rules, 1) if evaluate(rule.when, env) is True]
    outcome = [micros(verdict.outcome.get(key)) for key in ("label", "amount", "due_at", "why")]
    turns = {micros(at) for at in moments(book, env)}
    return (verdict.rule_no, holds, *outcome, (turns, micros(next_look(book, row, chosen, NOW))))


def micros(value: object) -> object:
    return (value - EPOCH) // timedelta(microseconds=1) if isinstance(value, datetime) else value


def query(book: Book, dialect: Dialect, as_columns: bool) -> str:
    """One query over all rows; settings and now as columns of the query, or folded into it."""
    folded = resolve_settings(book, {})
    lowered = lower(
        book, dialect, fact=lambda name: f"t.{name}", now="t.at" if as_columns else NOW,
        setting=(lambda name: f"shop.{name}") if as_columns else folded,
    )  # fmt: skip
    first = lowered.rule_no if book.hit == "first" else "0"
    turns = [_epoch(moment, dialect) for moment in lowered.moments]
    values = [
        lowered.hits, lowered.output("label", "rule_no"), lowered.output("amount", "rule_no"),
        _epoch(f"({lowered.output('due_at', 'rule_no')})", dialect), lowered.output("why", "rule_no"),
        array(turns, "int", dialect),
    ]  # fmt: skip
    now = f"(select *, {sql_literal(NOW, dialect)} as at from sample)"
    ruled = f"(select t.*, {first} as rule_no from {now} t, shop)"
    return f"select rule_no, {', '.join(values)} from {ruled} t, shop order by no"


def _epoch(moment: str, dialect: Dialect) -> str:
    if dialect == "duckdb":
        return f"epoch_us({moment})"
    if dialect == "spark":
        return f"unix_micros(cast({moment} as timestamp))"
    return f"(extract(epoch from cast({moment} as timestamptz)) * 1000000)::bigint"
