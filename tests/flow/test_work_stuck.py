"""A worker that hangs or has lost a part ends by itself, so that its supervisor starts a fresh one (P10, F10, F15)."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from aftersale.health.pulse import Sign, trouble
from aftersale.work import forever, paced
from tests.conftest import Database


def thread(alive: bool) -> threading.Thread:
    """A thread that has ended, or this one."""
    if alive:
        return threading.current_thread()
    ended = threading.Thread(target=lambda: None)
    ended.start()
    ended.join()
    return ended


def test_the_watchdog_tells_hung_from_idle() -> None:
    sign, slow = Sign("act"), Sign("reconcile")
    running = {"act": (sign, thread(True)), "reconcile": (slow, thread(True))}
    assert trouble(running, 90.0) is None, "between turns nothing hangs"
    sign.since = time.monotonic() - 89.0
    assert trouble(running, 90.0) is None
    sign.since = time.monotonic() - 91.0
    assert trouble(running, 90.0) == "stage act has been in one turn for more than 90 s"
    sign.since, slow.since = None, time.monotonic() - 600.0
    assert trouble(running, 90.0) is None, "comparing ledgers takes its time"
    assert trouble({"act": (sign, thread(False))}, 90.0) == "stage act has ended"


def test_a_turn_is_noted_also_when_it_fails() -> None:
    sign, stopping, turns = Sign("decide"), threading.Event(), []

    def turn() -> int:
        assert sign.since is not None
        turns.append(1)
        if len(turns) == 2:
            stopping.set()
            return 3
        raise psycopg.OperationalError

    stopping.wait = lambda timeout=None: stopping.is_set()  # type: ignore[method-assign]
    forever(lambda: turn, stopping, sign)
    assert (sign.since, sign.did, len(turns)) == (None, 3, 2)


def test_paced() -> None:
    asked: list[int] = []

    def turn() -> int:
        asked.append(1)
        return 1 if len(asked) == 1 else 0

    slow = paced(turn, idle_s=60.0)
    assert [slow(), slow(), slow()] == [1, 0, 0]
    assert len(asked) == 2, "asked again at once after work, not after none"


@contextmanager
def worker(database: Database, *options: str) -> Iterator["subprocess.Popen[str]"]:
    asked = [sys.executable, "-m", "aftersale", "work", "--log", "json", *options]
    process = subprocess.Popen(asked, env=database.environment(), stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def stages(conn: psycopg.Connection) -> list[str]:
    query = "SELECT stage FROM worker WHERE seen_at > now() - interval '30 s' ORDER BY 1"
    return [row[0] for row in conn.execute(query)]


def wait_for_stages(conn: psycopg.Connection, wanted: list[str]) -> None:
    until = time.monotonic() + 30.0
    while stages(conn) != wanted and time.monotonic() < until:
        time.sleep(0.1)
    assert stages(conn) == wanted


def test_a_worker_that_hangs_in_a_turn_ends_with_70(embedded_database: Database) -> None:
    with (
        psycopg.connect(embedded_database.owner, autocommit=True) as conn,
        worker(embedded_database, "--stuck-s", "1.5") as process,
    ):
        wait_for_stages(conn, ["act", "decide", "jobs", "pull", "reconcile", "tidy", "watch"])
        with conn.transaction():
            conn.execute("LOCK arrival_todo IN ACCESS EXCLUSIVE MODE")  # its turns wait for us
            assert process.wait(15) == 70
        assert process.stderr is not None
        told = process.stderr.read()
    assert "stage decide has been in one turn for more than 2 s: this worker ends, to be started anew" in told
    assert told.count("\n") == len([line for line in told.splitlines() if line.startswith('{"time"')])


def test_a_worker_that_is_asked_to_stop_ends_well(embedded_database: Database) -> None:
    with psycopg.connect(embedded_database.owner, autocommit=True) as conn:
        with worker(embedded_database, "--only", "decide") as process:
            wait_for_stages(conn, ["decide", "watch"])
            process.terminate()
            assert process.wait(15) == 0
        rows = conn.execute("SELECT name, doing FROM worker").fetchall()
        row = conn.execute("SELECT reconcile_since IS NULL FROM instance").fetchone()
    assert all(f":{process.pid}:" in name and doing == "ended" for name, doing in rows)
    assert row == (True,), "the first start asks nothing"
