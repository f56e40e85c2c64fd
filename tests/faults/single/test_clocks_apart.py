"""A worker whose own clock is a day ahead, and one an hour behind, while the platform's stands still (F38, P6)."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from aftersale.clock import follow
from tests.conftest import Database
from tests.flow.market import MarketDesk, market_desk
from tests.flow.paying import AGREE, approved, calls
from tests.sandbox.running import START, running

FAKETIME = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
TURNS_S = 1.0


@pytest.fixture
def market(embedded_database: Database) -> Iterator[MarketDesk]:
    with running("--applications", "400", "--shops", "2", "--qps", "10000") as sandbox:
        sandbox.control.jump(START + timedelta(hours=10))
        with market_desk(embedded_database, sandbox) as desk:
            follow(desk.conn, desk.now, 0.0)
            yield desk


@contextmanager
def worker(market: MarketDesk, offset: str, home: Path) -> Iterator[None]:
    """A sender whose every clock is off by so much."""
    asked = [sys.executable, "-m", "aftersale", "work", "--only", "act", "--calls-per-s", "2000"]
    fake = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": offset}
    environment = {**market.database.environment(), **fake, "AFTERSALE_HOME": str(home)}
    process = subprocess.Popen(asked, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(20) == 0


@pytest.mark.skipif(FAKETIME is None, reason="needs another clock: apt install faketime")
def test_nothing_is_early_and_no_lease_is_stolen(market: MarketDesk, tmp_path: Path) -> None:
    first, second, early, taken = (row["refund_id"] for row in approved(market, 4))
    for case_id in (second, early):
        _set(market, case_id, f"due_at = '{market.now + timedelta(minutes=30)}'")
    _set(market, taken, "state = 'sending'")
    agrees = calls(market, AGREE)
    with worker(market, "+1d", tmp_path):
        _until_done(market, first)
        time.sleep(TURNS_S)
    with worker(market, "-1h", tmp_path):
        _set(market, second, f"due_at = '{market.now}'")
        _until_done(market, second)
        time.sleep(TURNS_S)
    states = market.states()
    assert (states[early], states[taken]) == ("approved", "sending")
    assert calls(market, AGREE) == agrees + 2
    assert sorted(case_id for case_id, _ in market.paid_here()) == sorted([first, second])
    assert market.one("SELECT count(*) FROM ledger WHERE at <> %s", market.now) == 0


def _set(market: MarketDesk, case_id: str, what: str) -> None:
    market.conn.execute(f"UPDATE intent SET {what} WHERE money AND case_id = %s", (case_id,))
    market.conn.commit()


def _until_done(market: MarketDesk, case_id: str) -> None:
    until = time.monotonic() + 20.0
    while market.states()[case_id] != "done":
        assert time.monotonic() < until, market.all("SELECT case_id, state FROM intent")
        time.sleep(0.1)
