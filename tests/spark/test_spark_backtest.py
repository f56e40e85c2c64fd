"""Spark on two workers finds what DuckDB finds: histogram, changes, sweep and overlaps."""

from pathlib import Path
from typing import Any

import pytest

from aftersale.bench.bulk import made_up
from aftersale.bench.world import START
from aftersale.core.rulebook import resolve_settings
from aftersale.plan.backtest import backtest, overlaps
from aftersale.plan.compare import compare
from aftersale.plan.duck import Duck
from aftersale.plan.ruling import Ruling
from aftersale.plan.source import Engine, UnusableData, source_of
from aftersale.plan.spark import Spark
from aftersale.plan.sweep import sweep
from aftersale.rulebooks import books
from tests.spark.conftest import MASTER

BOOK = books.book("refund")


def _everything(engine: Engine) -> list[Any]:
    source = source_of(engine, [BOOK], at=START, now=START)
    usual, other = (
        Ruling(BOOK, resolve_settings(BOOK, chosen)) for chosen in ({}, {"unshipped_auto_refund_max": 10_000})
    )
    return [
        backtest(engine, source, usual),
        compare(engine, source, usual, other),
        sweep(engine, source, usual, "seven_day_hours", [0, 24, 168]),
        overlaps(engine, source, usual),
    ]


@pytest.mark.usefixtures("spark")
def test_both_engines_find_the_same(tmp_path: Path) -> None:
    path = made_up(tmp_path, 20_000, lambda line: None)
    duck, spark = Duck(path), Spark(path, master=MASTER)
    assert _everything(duck) == _everything(spark)
    duck.close()


def test_the_cluster_has_two_workers(spark: Any) -> None:
    driver_and_executors = spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size()
    assert driver_and_executors == 3


@pytest.mark.usefixtures("spark")
def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    path.write_text("no parquet", "utf-8")
    with pytest.raises(UnusableData, match=r"^Spark：") as found:
        Spark(path, master=MASTER)
    assert "\n" not in str(found.value)
