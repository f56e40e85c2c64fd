"""One definition, three ways of counting: PostgreSQL, DuckDB and Python agree; and the record is measured as told."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

import duckdb
import psycopg
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
os.environ.setdefault("AFTERSALE_SECRET_KEY", "only-for-tests")

import django

django.setup()

# ruff: noqa: E402
from django.db import connections

from aftersale.core.expression import Value
from aftersale.core.facts import Fact
from aftersale.core.lowering import Dialect, sql_literal
from aftersale.core.metrics.counting import count, count_by, rows_behind
from aftersale.core.metrics.querying import counts, queries, rows_behind_sql
from aftersale.core.rulebook import resolve_settings
from aftersale.metrics import measure
from aftersale.rulebooks import books
from aftersale.rulebooks.definitions import definitions
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order

KNOWN = definitions()
COUNTED = [metric for metric in KNOWN.metrics.values() if metric.top is not None]
SETTINGS = resolve_settings(books.book("metrics"), {})
NOW = datetime(2026, 11, 30, 4, 0, 0, 7, tzinfo=UTC)
TYPES = {"bool": "boolean", "int": "bigint", "timestamptz": "timestamptz"}
SEEDS = range(int(os.environ.get("METRIC_SEEDS", "3")))
Row = dict[str, Value | None]

MICROS = {"postgres": "(extract(epoch from {0}) * 1000000)::bigint", "duckdb": "epoch_us({0})"}
MOMENTS: list[Value] = [
    NOW - timedelta(days=days) + timedelta(microseconds=us)
    for days in (-1, 0, 1, 28, 30, 31)
    for us in (-1, 0, 1)
]
WHOLE: list[Value] = [-1, 0, 30, 31, 179, 180, 181, 28_799, 28_800, 82_799, 82_800, 20170420, 20170421]
WORDS: list[Value] = ["a", "b", "c", "d", "quality", "fake", "no_longer_want", "50%", "o'clock"]


def _pool(fact: Fact) -> list[Value]:
    match fact.type.kind:
        case "bool":
            return [True, False]
        case "int":
            return WHOLE
        case "timestamptz":
            return MOMENTS
        case "enum":
            return list(fact.values)
    return WORDS


def _rows(seed: int, size: int = 500) -> Mapping[str, list[Row]]:
    """Keys repeat, a fifth of everything is unknown, numbers and moments lie on and beside the thresholds."""
    luck = Random(seed)
    return {
        name: [
            {
                column: None if luck.random() < 0.2 else luck.choice(_pool(rows.catalogue.facts[column]))
                for column in rows.columns
            }
            for _ in range(size)
        ]
        for name, rows in KNOWN.rows.items()
    }


def _tables(rows: Mapping[str, list[Row]], dialect: Dialect) -> Iterator[str]:
    for name, listed in rows.items():
        facts = KNOWN.rows[name].catalogue.facts
        columns = {one: TYPES.get(facts[one].type.kind, "text") for one in KNOWN.rows[name].columns}
        yield f"create temp table {name} ({', '.join(f'{one} {kind}' for one, kind in columns.items())})"
        told = [f"({', '.join(sql_literal(row[one], dialect) for one in columns)})" for row in listed]
        yield f"insert into {name} values {', '.join(told)}"


class Engine:
    """One database with the rows in tables named like their sets."""

    def __init__(
        self, dialect: Dialect, connection: "psycopg.Connection | duckdb.DuckDBPyConnection"
    ) -> None:
        self.dialect: Dialect = dialect
        self.connection = connection

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        return self.connection.execute(sql.encode() if self.dialect == "postgres" else sql).fetchall()  # type: ignore[arg-type, return-value]

    def counts(self, by: str | None = None) -> dict[object, dict[str, tuple[int, int]]]:
        """Per value of `by`: code → its two numbers."""
        metrics = [one for one in COUNTED if one.by == by or by is None]
        relations = {name: name for name in KNOWN.rows}
        found: dict[object, dict[str, tuple[int, int]]] = {}
        for query in queries(KNOWN, metrics, self.dialect, relations, SETTINGS, NOW, [by] if by else []):
            for row in self.ask(query.sql):
                found.setdefault(row[0] if by else None, {}).update(query.read(row))  # type: ignore[arg-type]
        return {
            key: {code: (one.top, one.bottom) for code, one in counts(metrics, numbers).items()}
            for key, numbers in found.items()
        }

    def behind(self, code: str) -> list[tuple[object, ...]]:
        measured = KNOWN.metrics[code].top
        assert measured is not None
        sql = rows_behind_sql(KNOWN, measured, self.dialect, measured.rows, SETTINGS, NOW, 10_000)
        facts = KNOWN.rows[measured.rows].catalogue.facts
        shown = [
            f"{MICROS[self.dialect].format(name)} AS {name}"
            if facts[name].type.kind == "timestamptz"
            else name
            for name in KNOWN.rows[measured.rows].columns
        ]
        return self.ask(f"SELECT {', '.join(shown)} FROM ({sql}) found")


@pytest.fixture(params=SEEDS)
def engines(
    request: pytest.FixtureRequest, embedded_database: Database
) -> Iterator[tuple[Mapping[str, list[Row]], list[Engine]]]:
    rows = _rows(request.param)
    with psycopg.connect(embedded_database.app, autocommit=True) as postgres, duckdb.connect() as duck:
        found = [Engine("postgres", postgres), Engine("duckdb", duck)]
        for engine in found:
            engine.ask("set timezone = 'Asia/Shanghai'") if engine.dialect == "duckdb" else None
            for sql in _tables(rows, engine.dialect):
                engine.connection.execute(sql.encode() if engine.dialect == "postgres" else sql)  # type: ignore[arg-type]
        yield rows, found


def test_three_ways_of_counting_agree(engines: tuple[Mapping[str, list[Row]], list[Engine]]) -> None:
    rows, found = engines
    expected = {}
    for metric in COUNTED:
        one = count(KNOWN, metric, rows, SETTINGS, NOW)
        expected[metric.code] = (one.top, one.bottom)
        assert one.bottom > 0 or metric.kind == "count", f"{metric.code} is not exercised"
    for engine in found:
        assert engine.counts()[None] == expected, engine.dialect


def test_they_agree_per_group(engines: tuple[Mapping[str, list[Row]], list[Engine]]) -> None:
    rows, found = engines
    for metric in COUNTED:
        if metric.by is None:
            continue
        expected = {
            key: (one.top, one.bottom)
            for key, one in count_by(KNOWN, metric, rows, SETTINGS, NOW).items()
            if one.top or one.bottom
        }
        assert expected
        for engine in found:
            grouped = {key: all_[metric.code] for key, all_ in engine.counts(metric.by).items() if key}
            assert {key: two for key, two in grouped.items() if any(two)} == expected, engine.dialect


def test_the_rows_behind_a_figure_are_those_counted(
    engines: tuple[Mapping[str, list[Row]], list[Engine]],
) -> None:
    rows, found = engines
    for metric in COUNTED:
        assert metric.top is not None
        listed = rows_behind(KNOWN, metric.top, rows, SETTINGS, NOW)
        columns = KNOWN.rows[metric.top.rows].columns
        expected = sorted(repr(tuple(_us(row[one]) for one in columns)) for row in listed)
        for engine in found:
            got = sorted(repr(row) for row in engine.behind(metric.code))
            assert got == expected, (engine.dialect, metric.code)


def test_a_parquet_file_is_counted_like_the_rows_in_it(tmp_path: Path) -> None:
    rows = _rows(0)
    metric = KNOWN.metric("refund_duration_h")
    expected = count(KNOWN, metric, rows, SETTINGS, NOW)
    with duckdb.connect() as duck:
        for sql in _tables({"case_row": rows["case_row"]}, "duckdb"):
            duck.execute(sql)
        duck.execute(f"copy case_row to '{tmp_path}/cases.parquet'")
        relations = {"case_row": f"read_parquet('{tmp_path}/cases.parquet')"}
        (query,) = queries(KNOWN, [metric], "duckdb", relations, SETTINGS, NOW)
        found = duck.execute(query.sql).fetchall()
    assert counts([metric], query.read(found[0]))[metric.code] == expected
    assert expected.value is not None


def _us(value: object) -> object:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (value - epoch) // timedelta(microseconds=1) if isinstance(value, datetime) else value


# The record


@pytest.fixture
def desk(embedded_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in embedded_database.environment().items():
        monkeypatch.setenv(name, value)
    connections.close_all()
    made = Desk(embedded_database)
    yield made
    made.close()
    connections.close_all()


def _told(desk: Desk) -> None:
    """Four orders paid at ten; three cases on two of them, refunded by the platform; one still open."""
    for no in ("T1", "T2", "T3", "T4"):
        desk.tell(order(no))
    desk.tell(application("R1", order_id="T1", reason="quality"))
    desk.tell(application("R2", order_id="T1", reason="spoiled", intervened=True))
    desk.tell(
        application(
            "R3", order_id="T2", reason="no_longer_want", aftersale_type="return_refund", amount_fen=100
        )
    )
    desk.tell(application("R4", order_id="T3", reason="quality"))
    desk.wait(hours=6)
    for case, order_id, kind, reason, intervened in (
        ("R1", "T1", "unshipped_refund_only", "quality", False),
        ("R2", "T1", "unshipped_refund_only", "spoiled", True),
        ("R3", "T2", "return_refund", "no_longer_want", False),
    ):
        desk.tell(
            application(
                case, 2, order_id=order_id, aftersale_type=kind, reason=reason, intervened=intervened,
                state="refunded", amount_fen=100,
            )
        )  # fmt: skip


def test_the_record_is_measured_in_orders(desk: Desk) -> None:
    _told(desk)
    codes = ("quality_refund_rate", "refund_dispute_rate", "self_completion_rate", "refund_duration_h",
             "refund_duration_return_h", "aftersale_orders", "dispute_refund_rate", "three_min")  # fmt: skip
    found = measure.measure([1], codes, SETTINGS, desk.now)
    figures = {code: (one.top, one.bottom, one.value) for code, one in found.items()}
    assert figures == {
        "quality_refund_rate": (1, 4, Fraction(1, 4)),  # R1 and R2 are one order, R4 is not refunded
        "refund_dispute_rate": (1, 4, Fraction(1, 4)),
        "self_completion_rate": (2, 3, Fraction(2, 3)),
        "refund_duration_h": (64_800, 3, Fraction(6)),
        "refund_duration_return_h": (21_600, 1, Fraction(6)),
        "aftersale_orders": (3, 3, Fraction(3)),
        "dispute_refund_rate": (0, 4, Fraction(0)),  # nobody found the seller at fault
        "three_min_reply_rate": (0, 0, None),
    }
    assert [one.needs for one in found["three_min_reply_rate"].needs] == ["会话消息"]
    assert [one.needs for one in found["quality_refund_rate"].without] == ["恶意订单投诉的结果"]
    assert (found["refund_duration_h"].needs, found["refund_duration_h"].without) == ((), ())


def test_a_shop_sees_only_its_own(desk: Desk) -> None:
    _told(desk)
    assert measure.measure([2], ["aftersale_orders"], SETTINGS, desk.now)["aftersale_orders"].top == 0
    assert measure.rows_behind([2], "aftersale_orders", SETTINGS, desk.now) == []


def test_a_figure_leaves_the_window_after_thirty_days(desk: Desk) -> None:
    _told(desk)
    for left, counted in ((timedelta(microseconds=1), 1), (timedelta(), 0)):
        at = NOON + timedelta(hours=6) + timedelta(days=30) - left
        assert (
            measure.measure([1], ["quality_refund_rate"], SETTINGS, at)["quality_refund_rate"].top == counted
        )


def test_a_changed_setting_changes_the_figure(desk: Desk) -> None:
    _told(desk)
    own = measure.settings_of(
        "tmall", {"quality_reasons": ["no_longer_want"], "small_amount_max": 5}, desk.now
    )
    assert [row["case_id"] for row in measure.rows_behind([1], "quality_refund_rate", own, desk.now)] == [
        "R3"
    ]
    usual = measure.settings_of("tmall", {}, desk.now)
    rows = measure.rows_behind([1], "quality_refund_rate", usual, desk.now)
    assert sorted(row["case_id"] for row in rows) == ["R1", "R2"]


def test_figures_per_shop_column(desk: Desk) -> None:
    _told(desk)
    found = measure.measure_by([1], "refund_dispute_rate", "shop_id", SETTINGS, desk.now)
    assert {key: (one.top, one.bottom) for key, one in found.items()} == {1: (1, 4)}
