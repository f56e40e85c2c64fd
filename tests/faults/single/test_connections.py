"""Connections that die without a word, that are used up, or whose owner does nothing with them (F15, F16, F18, F19)."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aftersale.intake import door as doors
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database
from tests.faults.real.proxy import Proxy
from tests.flow.desk import Desk
from tests.flow.market import MarketDesk, fen
from tests.flow.paying import AGREE, approved, calls
from tests.flow.posts import applied, door, open_to_pushes, post


def through(database: Database, proxy: Proxy) -> str:
    return make_conninfo(
        database.app, host="127.0.0.1", port=proxy.port, sslmode="disable", gssencmode="disable"
    )


def upstream(database: Database) -> tuple[str, int]:
    parts = urlsplit(database.app)
    return str(parts.hostname), parts.port or 0


def test_a_database_that_falls_silent_does_not_silence_the_door(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F15: the connection stays open and says nothing; what is not on disk is not acknowledged, and the next one is."""
    open_to_pushes(desk)
    monkeypatch.setattr(doors, "STORE_S", 0.5)
    monkeypatch.setattr(doors, "SHOPS_KEPT_S", 3600.0)
    with Proxy(lambda: upstream(desk.database)) as proxy, door(through(desk.database, proxy)) as url:
        assert post(url, "taobao", applied()).status_code == 200
        proxy.silence()
        began = time.monotonic()
        assert post(url, "taobao", applied(version=2)).status_code == 503
        assert time.monotonic() - began < 5.0
        assert post(url, "taobao", applied(version=3)).status_code == 200
    assert desk.one("SELECT count(*) FROM arrival") == 2


def test_the_list_of_shops_is_not_waited_for_for_ever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    open_to_pushes(desk)
    monkeypatch.setattr(doors, "STORE_S", 0.5)
    with locked(desk.database, "shop"), door(desk.database.app) as url:
        assert post(url, "taobao", applied()).status_code == 503
    assert desk.one("SELECT count(*) FROM arrival") == 0


@contextmanager
def locked(database: Database, table: str) -> Iterator[psycopg.Connection]:
    """Somebody changes the table's shape and takes long about it (F19)."""
    with psycopg.connect(database.owner) as conn:
        conn.execute(f"LOCK {table} IN ACCESS EXCLUSIVE MODE")
        yield conn
        conn.rollback()


def test_a_worker_ends_its_statement_behind_a_lock_and_sends_nothing_twice(market: MarketDesk) -> None:
    """F19: the claim gives up, no call is made; once the table is free each refund leaves once."""
    rows = approved(market, 3)
    actor, agrees = market.actor(), calls(market, AGREE)
    actor.conn.execute("SET lock_timeout = '200ms'")
    actor.conn.commit()
    with locked(market.database, "intent"), pytest.raises(psycopg.errors.LockNotAvailable):
        actor.turn()
    assert calls(market, AGREE) == agrees
    assert actor.turn() == 3
    assert market.paid_here() == sorted((row["refund_id"], fen(row)) for row in rows)
    assert calls(market, AGREE) == agrees + 1


def test_a_forgotten_transaction_holds_up_only_what_it_has_locked(market: MarketDesk) -> None:
    """F18: idle in transaction with one refund in its hands; the others leave, this one when it lets go."""
    rows = approved(market, 3)
    kept = rows[0]["refund_id"]
    actor = market.actor()
    with psycopg.connect(market.database.owner) as forgotten:
        forgotten.execute("SELECT count(*) FROM intent")
        forgotten.execute("SELECT FROM intent WHERE case_id = %s FOR UPDATE", (kept,))
        assert actor.turn() == 2
        states = market.states()
        assert [states[row["refund_id"]] for row in rows] == ["approved", "done", "done"]
        forgotten.rollback()
    assert actor.turn() == 1
    assert market.states()[kept] == "done"


def test_a_session_of_ours_that_does_nothing_in_a_transaction_is_ended(embedded_database: Database) -> None:
    """F18: 60 s in earnest (tests/pg/test_pg_connect.py), a tenth of a second here."""
    quick = {**SETTINGS, "idle_in_transaction_session_timeout": "100ms"}
    with opened(embedded_database.app, settings=quick) as conn:
        conn.execute("SELECT 1")
        time.sleep(0.3)
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            conn.execute("SELECT 1")


@contextmanager
def web(database: Database, **more: str) -> Iterator[str]:
    asked = [sys.executable, "-m", "aftersale", "web", "--port", "0", "--json", "--processes", "1"]
    process = subprocess.Popen(
        asked, env={**database.environment(), **more}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.terminate()
        process.communicate()


def test_a_hundred_slow_clients_and_no_free_connection(desk: Desk, tmp_path: Path) -> None:
    """F16: who sends half a request waits alone; without a connection to the database the answer is a quick 503."""
    open_to_pushes(desk)
    with web(desk.database, AFTERSALE_HOME=str(tmp_path)) as url, ExitStack() as slow:
        assert post(url, "taobao", applied()).status_code == 200
        place = urlsplit(url)
        for n in range(100):
            one = slow.enter_context(socket.create_connection((str(place.hostname), place.port or 0)))
            path = b"/hooks/taobao/ming" if n % 2 else b"/accounts/login/"
            one.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{" % path)
        assert post(url, "taobao", applied(version=2)).status_code == 200
        with psycopg.connect(desk.database.admin, autocommit=True) as admin:
            name = admin.info.dbname
            admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                (name,),
            )
            assert _quickly(f"{url}/health") == (503, {"ok": False, "wrong": ["database_away"]})
            assert post(url, "taobao", applied(version=3)).status_code == 503
            admin.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
        assert post(url, "taobao", applied(version=4)).status_code == 200
    with psycopg.connect(desk.database.owner) as conn:
        assert conn.execute("SELECT count(*) FROM arrival").fetchone() == (3,)


def _quickly(url: str) -> tuple[int, dict[str, object]]:
    began = time.monotonic()
    answer = httpx2.get(url, trust_env=False, timeout=10)
    assert time.monotonic() - began < 3.0
    return answer.status_code, answer.json()
