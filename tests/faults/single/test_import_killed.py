"""A large file with a bad row, its import killed half way, and the file taken in again (F59)."""

import json
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Database
from tests.files.made_up import REPORT, aftersale, written

ROWS = 8_000  # make faults takes 50,000: --import-rows


def test_half_an_import_is_continued_by_repeating_it(
    embedded_database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    rows = int(request.config.getoption("--import-rows", None) or ROWS)
    lines = [_row(n, "100.00" if n else "一百") for n in range(rows)]
    file = written(tmp_path / "orders.csv", "\n".join([REPORT, *lines]))
    asked = ("import", file, "--shop", "ming", "--json")
    with psycopg.connect(embedded_database.owner, autocommit=True) as conn:
        conn.execute("INSERT INTO shop (code, name, platform) VALUES ('ming', '小明的店', 'tmall')")
        killed = subprocess.Popen(
            [sys.executable, "-m", "aftersale", *map(str, asked)], env=embedded_database.environment()
        )
        while (went_in := _count(conn, "orders")) < rows // 4:
            assert killed.poll() is None, "it ended before it could be killed"
            time.sleep(0.05)
        killed.kill()
        killed.wait()
        assert _count(conn, "orders") < rows - 1, "it was done before it was killed"
        again = json.loads(aftersale(*asked, environment=embedded_database.environment()).out)
        assert (again["rejected"], again["rows"]) == (1, rows)
        assert again["inserted"] + again["unchanged"] == rows - 1
        assert again["unchanged"] >= went_in
        assert (_count(conn, "orders"), _count(conn, "parked")) == (rows - 1, 1)


def _row(n: int, paid: str) -> str:
    return f"{100_000 + n},100.00,{paid},上海,2026-11-01 10:00:00,2026-11-01 10:05:00,0.00"


def _count(conn: psycopg.Connection, table: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
