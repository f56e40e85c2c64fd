"""The indexes of some shops over the record, and the rows behind each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from django.db import connection

from aftersale.core.expression import Value
from aftersale.core.metrics import querying
from aftersale.core.metrics.counting import Count
from aftersale.core.metrics.definition import Lack, Metric
from aftersale.core.rulebook import resolve_settings
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.definitions import definitions

ROWS = queries("aftersale.metrics", "rows.sql")
WITH = {name: f"WITH {name} AS ({text})" for name, text in ROWS.items()}
RELATIONS = {name: name for name in WITH}


@dataclass(frozen=True, slots=True)
class Index:
    """`value`: None where there is nothing to count, or where the record lacks what `needs` names. `without`: what it
    was measured without."""

    metric: Metric
    top: int
    bottom: int
    value: Fraction | None
    needs: tuple[Lack, ...] = ()
    without: tuple[Lack, ...] = ()


def settings_of(platform: str | None, own: Mapping[str, object], now: datetime) -> Mapping[str, Value]:
    """The shop's values of the book `metrics`; `own`: its settings, those of other books included."""
    book = books.book("metrics")
    return resolve_settings(book, {k: v for k, v in own.items() if k in book.settings}, platform, now)


def measure(
    shop_ids: Sequence[int], codes: Sequence[str], settings: Mapping[str, Value], now: datetime
) -> Mapping[str, Index]:
    """By code, of all shops together; each set of rows is read once. What cannot be measured says what it needs."""
    known = definitions()
    metrics = [known.metric(code) for code in codes]
    counted = [one for one in metrics if one.top is not None and not known.missing(one)[0]]
    found: dict[str, tuple[int, int]] = {}
    for query in querying.queries(known, counted, "postgres", RELATIONS, settings, now):
        found |= query.read(_rows(query.rows, query.sql, shop_ids)[0])
    figures = querying.counts(counted, found)
    return {one.code: _index(one, figures.get(one.code)) for one in metrics}


def measure_by(
    shop_ids: Sequence[int], code: str, column: str, settings: Mapping[str, Value], now: datetime
) -> Mapping[Value, Index]:
    """One metric per value of a column that all its rows have (`shop_id`, `product_id`)."""
    known = definitions()
    metric = known.metric(code)
    found: dict[Value, dict[str, tuple[int, int]]] = {}
    for query in querying.queries(known, [metric], "postgres", RELATIONS, settings, now, [column]):
        for row in _rows(query.rows, query.sql, shop_ids):
            if row[0] is not None:
                found.setdefault(row[0], {}).update(query.read(row))
    return {
        value: _index(metric, querying.counts([metric], one)[metric.code]) for value, one in found.items()
    }


def rows_behind(
    shop_ids: Sequence[int],
    code: str,
    settings: Mapping[str, Value],
    now: datetime,
    part: str = "top",
) -> list[Mapping[str, Any]]:
    """The newest rows (at most 500) that the figure's `top` or `bottom` counts, as columns by name."""
    known = definitions()
    metric = known.metric(code)
    counted = metric.top if part == "top" else metric.bottom
    assert counted is not None, f"{code} has no {part}"
    sql = querying.rows_behind_sql(known, counted, "postgres", counted.rows, settings, now)
    names = known.rows[counted.rows].columns
    return [dict(zip(names, row, strict=True)) for row in _rows(counted.rows, sql, shop_ids)]


def _index(metric: Metric, found: Count | None) -> Index:
    needs, without = definitions().missing(metric)
    if found is None:
        return Index(metric, 0, 0, None, needs, without)
    return Index(metric, found.top, found.bottom, found.value, needs, without)


def _rows(name: str, sql: str, shop_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """`sql` reads the set of rows under its name; its literals may hold %."""
    whole = f"{WITH[name]}\n{sql.replace('%', '%%')}"
    with connection.cursor() as cursor:
        cursor.execute(whole, {"shop_ids": list(shop_ids)})
        return list(cursor.fetchall())
