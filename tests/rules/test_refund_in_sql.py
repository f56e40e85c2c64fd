"""The shipped book in DuckDB says what it says in Python, on every row of the tables."""

from typing import Any

import duckdb

from aftersale.core.expression import Value
from aftersale.core.lowering import lower, sql_literal
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.rules.tables import NOW, Facts, case, table, verdict

TYPES = {"bool": "boolean", "int": "bigint", "fen": "bigint", "timestamptz": "timestamptz"}


def _row(facts: Facts, names: tuple[str, ...]) -> str:
    return f"({', '.join(_literal(facts.get(name)) for name in names)})"


def _literal(value: Value | None) -> str:
    return sql_literal(value, "duckdb")


def _in_sql(cases: list[Facts]) -> list[tuple[Any, ...]]:
    book = books.book()
    sql = lower(book, "duckdb", fact=lambda name: name, setting=resolve_settings(book, {}), now=NOW)
    typed = ", ".join(
        f"cast(c{no} as {TYPES.get(book.catalogue.facts[name].type.kind, 'varchar')}) as {name}"
        for no, name in enumerate(book.reads)
    )
    values = ", ".join(_row(facts, book.reads) for facts in cases)
    columns = ", ".join(f"c{no}" for no in range(len(book.reads)))
    outputs = ", ".join(sql.output(key, "rule_no") for key in ("action", "queue", "amount", "due_hours"))
    return duckdb.execute(
        f"with facts as (select {typed} from (values {values}) as t({columns})),"
        f" decided as (select *, {sql.rule_no} as rule_no from facts) select rule_no, {outputs} from decided"
    ).fetchall()


def test_every_row_of_the_tables_is_decided_alike() -> None:
    cases = [case(base, words) for base, words, _ in table("refund_rules", "table")]
    found = [verdict(facts) for facts in cases]
    keys = ("action", "queue", "amount", "due_hours")
    assert _in_sql(cases) == [(one.rule_no, *(one.outcome.get(key) for key in keys)) for one in found]
