"""A disk that is full, and one that does not keep what it was given (F13, F14)."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from aftersale.pg import Refused
from aftersale.pg.connect import opened
from aftersale.pg.server import Server, start
from tests.conftest import Database, _migrated
from tests.flow.market import fen, market_desk
from tests.flow.paying import AGREE, approved, calls
from tests.flow.posts import applied, door, open_to_pushes, post
from tests.pg.cluster import Urls
from tests.sandbox.running import START, running

BACK_S = 60.0
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(folder)], check=False
    ).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def migrated(server: Server) -> Database:
    urls = _migrated(Urls(server.url("admin"), server.url("owner"), server.url("app")))
    return Database(urls.owner, urls.app, urls.admin)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """Not a byte is left, and what PostgreSQL had in reserve for its log is used up."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    try:
        yield
    finally:
        ballast.unlink()


def patiently(url: str) -> psycopg.Connection:
    """A connection as soon as there is one again."""
    until = time.monotonic() + BACK_S
    while True:
        try:
            return opened(url)
        except Refused:
            assert time.monotonic() < until, "the database did not come back by itself"
            time.sleep(0.2)


@needs_root
def test_on_a_full_disk_no_money_moves_and_afterwards_each_refund_leaves_once(small_disk: Path) -> None:
    """F13: no intent row, no call. The alarm is the 503 and the log; nobody repairs anything by hand."""
    with (
        start(small_disk) as server,
        running("--applications", "400", "--shops", "2", "--qps", "10000") as sandbox,
    ):
        sandbox.control.jump(START.replace(hour=10))
        database = migrated(server)
        with market_desk(database, sandbox) as market:
            rows = approved(market, 3)
            agrees, actor = calls(market, AGREE), market.actor()
            open_to_pushes(market)
            with full(small_disk), door(database.app) as url:
                _use_up_the_log(database)
                with pytest.raises(psycopg.Error):
                    actor.turn()
                assert post(url, "taobao", applied()).status_code == 503
                assert calls(market, AGREE) == agrees
            patiently(database.app).close()
            market.conn = patiently(database.app)
            actor = market.actor()
            while actor.turn():
                pass
            assert calls(market, AGREE) == agrees + 1
            assert market.paid_here() == sorted((row["refund_id"], fen(row)) for row in rows)
            assert market.one("SELECT count(*) FROM arrival WHERE source = 'taobao'") == 0


def _use_up_the_log(database: Database) -> None:
    """Write until the server itself stops: it may not go on without its log."""
    with suppress(psycopg.Error, Refused), opened(database.admin, autocommit=True) as admin:
        for _ in range(100):
            admin.execute(
                "SELECT pg_switch_wal(), pg_logical_emit_message(true, 'fill', repeat('x', 1000000))"
            )


@needs_root
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes the disk fail: apt install strace")
def test_a_commit_that_the_disk_did_not_keep_is_not_acknowledged(tmp_path: Path) -> None:
    """F14: PostgreSQL stops at once; what it acknowledged before is there afterwards, what it did not, nobody counts on."""
    with start(tmp_path) as server:
        with opened(server.url("owner"), autocommit=True) as conn:
            conn.execute("CREATE TABLE note (n int)")
            conn.execute("INSERT INTO note VALUES (1)")
            with _failing_disk(conn.info.backend_pid), pytest.raises(psycopg.OperationalError):
                conn.execute("INSERT INTO note VALUES (2)")
        with patiently(server.url("owner")) as conn:
            kept = {row[0] for row in conn.execute("SELECT n FROM note")}
            conn.execute("INSERT INTO note VALUES (3)")
        assert 1 in kept


@contextmanager
def _failing_disk(pid: int) -> Iterator[None]:
    """Every flush of this process ends with an I/O error."""
    inject = [f"--inject={call}:error=EIO" for call in ("fdatasync", "fsync", "sync_file_range")]
    asked = ["strace", "-f", "-p", str(pid), "-e", "trace=fdatasync,fsync,sync_file_range", *inject]
    process = subprocess.Popen(asked, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    if "attached" not in (said := process.stderr.readline()):
        pytest.skip(f"this machine lets nobody watch a process: {said.strip()}")
    try:
        yield
    finally:
        process.kill()
        process.communicate()
