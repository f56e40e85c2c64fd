"""PostgreSQL, DuckDB, Spark and the evaluation in Python decide the same, on random books and rows with unknowns.

SPARK_PARITY_BOOKS=100 makes 100,000 pairs of a book and a row; without it the run is short.
"""

import os
from collections.abc import Iterator
from typing import Any

import duckdb
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aftersale.core.rulebook import parse_book, resolve_settings
from aftersale.pg.server import start
from tests.core.books import COLUMNS, book_texts, rows
from tests.core.test_parity import CATALOGUE, PLAIN, check, expected_of, query, tables

ROWS = rows(1000, seed=1111)
BOOKS = int(os.environ.get("SPARK_PARITY_BOOKS", "5"))


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[psycopg.Connection[Any]]:
    with (
        start(tmp_path_factory.mktemp("spark")) as server,
        psycopg.connect(server.url("admin", "postgres"), autocommit=True) as conn,
    ):
        for sql in tables("postgres", ROWS):
            conn.execute(sql.encode())
        yield conn


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as conn:
        for sql in tables("duckdb", ROWS):
            conn.execute(sql)
        yield conn


@pytest.fixture(scope="module")
def sampled(spark: Any) -> Any:
    """The same rows and the same shop in Spark."""
    kinds = {"text": "string", "timestamptz": "timestamp"}
    schema = ", ".join(f"{name} {kinds.get(kind, kind)}" for name, kind in COLUMNS.items())
    held = [(no, *(row[name] for name in COLUMNS)) for no, row in enumerate(ROWS)]
    spark.createDataFrame(held, f"no int, {schema}").createOrReplaceTempView("sample")
    shop = resolve_settings(parse_book(PLAIN, CATALOGUE), {})
    kinds = {bool: "boolean", int: "bigint", str: "string", tuple: "array<string>"}
    schema = ", ".join(f"{name} {kinds[type(value)]}" for name, value in shop.items())
    held = [tuple(list(value) if isinstance(value, tuple) else value for value in shop.values())]
    spark.createDataFrame(held, schema).createOrReplaceTempView("shop")
    return spark


@given(text=book_texts(), as_columns=st.booleans())
@settings(
    phases=(Phase.explicit, Phase.generate), max_examples=BOOKS, deadline=None,
    derandomize="SPARK_PARITY_BOOKS" not in os.environ, suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_all_four_back_ends_agree(
    postgres: psycopg.Connection[Any],
    duck: duckdb.DuckDBPyConnection,
    sampled: Any,
    text: str,
    as_columns: bool,
) -> None:
    book = parse_book(text, CATALOGUE)
    expected = [expected_of(book, row) for row in ROWS]
    check(expected, postgres.execute(query(book, "postgres", as_columns).encode()).fetchall(), text)
    check(expected, duck.execute(query(book, "duckdb", as_columns)).fetchall(), text)
    check(expected, [tuple(row) for row in sampled.sql(query(book, "spark", as_columns)).collect()], text)
