"""SQL that counts rows: one SELECT per set of rows, for the record (PostgreSQL) and for files (DuckDB)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aftersale.core.expression import Value
from aftersale.core.lowering import Dialect, Lowered, lower, lower_fact
from aftersale.core.metrics.counting import Count
from aftersale.core.metrics.definition import Definitions, Measure, Metric

ROWS_MAX = 500


@dataclass(frozen=True)
class Query:
    """`sql` gives the `by` columns and then, a measure, its distinct keys, or its sum and how many values it has."""

    rows: str
    sql: str
    by: tuple[str, ...]
    measures: tuple[Measure, ...]

    def read(self, row: Sequence[Value | None]) -> Mapping[str, tuple[int, int]]:
        """One row of the answer: rule name of the measure → its two numbers."""
        numbers = iter([int(str(value)) for value in row[len(self.by) :]])
        found = {}
        for one in self.measures:
            counted = next(numbers)
            found[one.rule] = (counted, counted if one.key else next(numbers))
        return found


def queries(
    definitions: Definitions,
    metrics: Sequence[Metric],
    dialect: Dialect,
    relations: Mapping[str, str],
    settings: Mapping[str, Value],
    now: datetime,
    by: Sequence[str] = (),
) -> tuple[Query, ...]:
    """Everything that the metrics need, each set of rows read once. `relations`: SQL of a table or subquery that has
    the columns of a set (and those of `by`). Texts hold literals: psycopg needs their % doubled."""
    wanted: dict[str, dict[str, Measure]] = {}
    for metric in metrics:
        for one in metric.measures:
            wanted.setdefault(one.rows, {})[one.rule] = one
    return tuple(
        _query(
            definitions, name, tuple(measures.values()), dialect, relations[name], settings, now, tuple(by)
        )
        for name, measures in wanted.items()
    )


def counts(metrics: Sequence[Metric], found: Mapping[str, tuple[int, int]]) -> Mapping[str, Count]:
    """The metrics of what their queries gave, by code; what no query gave is 0."""
    made = {}
    for metric in metrics:
        assert metric.top is not None, f"{metric.code} is not counted"
        top, values = found.get(metric.top.rule, (0, 0))
        bottom = values if metric.bottom is None else found.get(metric.bottom.rule, (0, 0))[0]
        made[metric.code] = Count(metric, top, bottom)
    return made


def rows_behind_sql(
    definitions: Definitions,
    measure: Measure,
    dialect: Dialect,
    relation: str,
    settings: Mapping[str, Value],
    now: datetime,
    limit: int = ROWS_MAX,
) -> str:
    """The rows that a measure counts, newest first."""
    condition = _conditions(definitions, measure.rows, dialect, settings, now)[measure.rule]
    columns = ", ".join(f"r.{name}" for name in definitions.rows[measure.rows].columns)
    at = _column(definitions, measure.rows, measure.at, dialect, now)
    return (
        f"SELECT {columns} FROM {relation} AS r WHERE ({condition}) IS TRUE "
        f"ORDER BY {at} DESC, {columns} LIMIT {limit}"
    )


def _query(
    definitions: Definitions,
    rows: str,
    measures: tuple[Measure, ...],
    dialect: Dialect,
    relation: str,
    settings: Mapping[str, Value],
    now: datetime,
    by: tuple[str, ...],
) -> Query:
    conditions = _conditions(definitions, rows, dialect, settings, now)
    columns = [f"r.{name}" for name in by]
    for no, one in enumerate(measures):
        chosen = f"FILTER (WHERE {conditions[one.rule]})"
        column = _column(definitions, rows, one.key or one.total or "", dialect, now)
        if one.key:
            columns.append(f"count(DISTINCT {column}) {chosen} AS m{no}")
        else:
            columns += [
                f"coalesce(sum({column}) {chosen}, 0) AS m{no}",
                f"count({column}) {chosen} AS n{no}",
            ]
    grouped = f" GROUP BY {', '.join(f'r.{name}' for name in by)}" if by else ""
    return Query(rows, f"SELECT {', '.join(columns)} FROM {relation} AS r{grouped}", by, measures)


def _conditions(
    definitions: Definitions, rows: str, dialect: Dialect, settings: Mapping[str, Value], now: datetime
) -> Mapping[str, str]:
    book = definitions.books[rows]
    lowered: Lowered = lower(book, dialect, fact=lambda name: f"r.{name}", setting=settings, now=now)
    return {rule.name: text for rule, text in zip(book.rules, lowered.conditions, strict=True)}


def _column(definitions: Definitions, rows: str, name: str, dialect: Dialect, now: datetime) -> str:
    catalogue = definitions.rows[rows].catalogue
    return lower_fact(catalogue, name, dialect, fact=lambda column: f"r.{column}", now=now)
