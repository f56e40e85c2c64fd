"""Counting rows in Python: what the SQL of `querying` says, for rows in hand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from aftersale.core.expression import Ref, Value
from aftersale.core.look import Facts, environment, evaluate
from aftersale.core.metrics.definition import Definitions, Measure, Metric

Rows = Mapping[str, Iterable[Facts]]
"""Per set of rows, its rows by column; an absent column is unknown."""


@dataclass(frozen=True, slots=True)
class Count:
    """`top`: distinct keys, or a sum; `bottom`: distinct keys, or how many values were summed."""

    metric: Metric
    top: int
    bottom: int

    @property
    def value(self) -> Fraction | None:
        return self.metric.value(self.top, self.bottom)


def count(
    definitions: Definitions, metric: Metric, rows: Rows, settings: Mapping[str, Value], now: datetime
) -> Count:
    """The metric over the rows. `settings`: of the book `metrics`, resolved."""
    assert metric.top is not None, f"{metric.code} is not counted"
    top, values = _count(definitions, metric.top, rows, settings, now)
    if metric.bottom is None:
        return Count(metric, top, values)
    return Count(metric, top, _count(definitions, metric.bottom, rows, settings, now)[0])


def count_by(
    definitions: Definitions, metric: Metric, rows: Rows, settings: Mapping[str, Value], now: datetime
) -> Mapping[Value, Count]:
    """The metric per value of its `by` column; rows without one are left out."""
    assert metric.by is not None, f"{metric.code} has no `by`"
    groups: dict[Value, dict[str, list[Facts]]] = {}
    for name in {one.rows for one in metric.measures}:
        for row in rows.get(name, ()):
            value = row.get(metric.by)
            if value is not None:
                groups.setdefault(value, {}).setdefault(name, []).append(row)
    return {value: count(definitions, metric, found, settings, now) for value, found in groups.items()}


def rows_behind(
    definitions: Definitions, measure: Measure, rows: Rows, settings: Mapping[str, Value], now: datetime
) -> list[Facts]:
    """The rows that a measure counts."""
    book = definitions.books[measure.rows]
    condition = next(rule.when for rule in book.rules if rule.name == measure.rule)
    return [
        row
        for row in rows.get(measure.rows, ())
        if evaluate(condition, environment(book, row, settings, now)) is True
    ]


def _count(
    definitions: Definitions, measure: Measure, rows: Rows, settings: Mapping[str, Value], now: datetime
) -> tuple[int, int]:
    """(distinct keys, the same) or (sum, rows with a value)."""
    found = rows_behind(definitions, measure, rows, settings, now)
    book = definitions.books[measure.rows]
    column = Ref(measure.key or measure.total or "")
    values = [evaluate(column, environment(book, row, settings, now)) for row in found]
    known = [value for value in values if value is not None]
    if measure.key:
        return len(set(known)), len(set(known))
    assert all(type(value) is int for value in known), f"{measure.total} is not a number"
    return sum(value for value in known if isinstance(value, int)), len(known)
