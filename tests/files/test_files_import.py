"""`aftersale import FILE --shop CODE`: the same reading into the record, once."""

import json
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Database
from tests.files.made_up import REFUND_ROWS, REFUNDS, REPORT, REPORT_ROWS, Run, aftersale, sheet, written

COUNTS = ("rows", "inserted", "updated", "unchanged", "rejected")


@pytest.fixture
def shop(embedded_database: Database) -> Database:
    with psycopg.connect(embedded_database.owner) as conn:
        conn.execute("INSERT INTO shop (code, name, platform) VALUES ('demo', '小店', 'tmall')")
    return embedded_database


def imported(database: Database, path: Path) -> tuple[int, ...]:
    run = ran(database, path)
    found = json.loads(run.out)
    assert found["rows"] == sum(found[name] for name in COUNTS[1:])
    return tuple(found[name] for name in COUNTS)


def ran(database: Database, path: Path, shop: str = "demo") -> Run:
    return aftersale("import", path, "--shop", shop, "--json", environment=database.environment())


def stored(database: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database.owner) as conn:
        return conn.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


def test_the_second_import_changes_nothing(shop: Database, tmp_path: Path) -> None:
    text = f"{REPORT}\n{REPORT_ROWS}"
    assert imported(shop, written(tmp_path / "a.csv", text)) == (4, 4, 0, 0, 0)
    before = stored(shop, "SELECT * FROM orders ORDER BY order_id")
    assert imported(shop, written(tmp_path / "a.csv", text)) == (4, 0, 0, 4, 0)
    assert imported(shop, written(tmp_path / "b.csv", text, "gb18030")) == (4, 0, 0, 4, 0)
    rows = [line.split(",") for line in text.splitlines()]
    assert imported(shop, sheet(tmp_path / "c.xlsx", rows)) == (4, 0, 0, 4, 0)
    assert stored(shop, "SELECT * FROM orders ORDER BY order_id") == before


def test_a_newer_export_updates_only_what_moved(shop: Database, tmp_path: Path) -> None:
    imported(shop, written(tmp_path / "a.csv", f"{REPORT}\n{REPORT_ROWS}"))
    moved = REPORT_ROWS.replace("1001,100.00,100.00", "1001,100.00,40.00").replace(
        "10:05:00,0.00", "10:05:00,60.00"
    )
    assert imported(shop, written(tmp_path / "b.csv", f"{REPORT}\n{moved}")) == (4, 1, 0, 3, 0)
    assert imported(shop, written(tmp_path / "a.csv", f"{REPORT}\n{REPORT_ROWS}")) == (4, 0, 0, 4, 0)
    assert stored(shop, "SELECT case_id, amount_fen FROM cases WHERE order_id = '1001'") == [
        ("1001-refund", 6000)
    ]


def test_refunds_become_cases_and_bad_rows_are_parked_once(shop: Database, tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", f"{REFUNDS}\n{REFUND_ROWS}9004,2004,,1,x,5,仅退款,,,退款成功,,,,,\n")
    assert imported(shop, path) == (4, 3, 0, 0, 1)
    assert imported(shop, path) == (4, 0, 0, 3, 1)
    assert stored(shop, "SELECT case_id, state, amount_fen FROM cases ORDER BY case_id") == [
        ("9001", "applied", 2950),
        ("9002", "applied", 3000),
        ("9003", "refunded", 5000),
    ]
    parked = stored(shop, "SELECT count(*) FROM parked")
    assert parked == [(1,)]
    assert ran(shop, path).code == 1


def test_an_unknown_shop_is_one_line_and_nothing_is_stored(shop: Database, tmp_path: Path) -> None:
    run = ran(shop, written(tmp_path / "a.csv", f"{REPORT}\n{REPORT_ROWS}"), shop="nobody")
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert "nobody" in run.err
    assert stored(shop, "SELECT count(*) FROM orders") == [(0,)]
