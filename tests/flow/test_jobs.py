"""Jobs: begun with what asked for them, told while they run, stopped, taken up again, given up."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from aftersale.core.refusal import Refusal
from aftersale.jobs import kinds, queue
from aftersale.jobs.run import TRIES_MAX, Runner
from aftersale.jobs.running import Running, Unfit
from aftersale.pg.connect import SETTINGS, limited, opened
from tests.conftest import Database
from tests.files.made_up import REFUND_ROWS, REFUNDS

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MING = "客服小明"


@pytest.fixture
def runner(database: Database) -> Runner:
    return made(database)


def made(database: Database, ending: Callable[[], bool] = lambda: False) -> Runner:
    def connect() -> Connection[Any]:
        return opened(database.app, settings=SETTINGS, autocommit=True)

    return Runner(connect, limited(database.app, "jobs", SETTINGS), ending)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_registered", {})
    kinds.register("count", count)
    kinds.register("unfit", unfit)
    kinds.register("broken", broken)


def count(conn: Connection[Any], running: Running) -> None:
    total = int(running.asked["to"])
    for number in range(1, total + 1):
        running.progress(number, total)
        if running.stopped():
            return running.finish({"counted": number}, "停在半路。")
    running.attach("counted.txt", "text/plain", str(total).encode())
    running.finish({"counted": total}, "数完了。")


def unfit(conn: Connection[Any], running: Running) -> None:
    raise Unfit("文件是空的；请重新导出。")


def broken(conn: Connection[Any], running: Running) -> None:
    raise ZeroDivisionError


def rows(database: Database, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database.owner) as conn:
        return conn.execute(query).fetchall()  # type: ignore[arg-type]


def begin(database: Database, kind: str, **asked: object) -> int:
    with opened(database.app, settings=SETTINGS) as conn:
        return queue.start(conn, kind, MING, None, asked, NOW)


def test_a_job_is_done_and_tells_how_far_it_is(database: Database, runner: Runner) -> None:
    number = begin(database, "count", to=3)
    assert rows(database, "SELECT state, done FROM job") == [("waiting", 0)]
    assert runner.turn() == 1
    told = rows(database, "SELECT id, state, done, total, result, said, tries, ended_at IS NOT NULL FROM job")
    assert told == [(number, "done", 3, 3, {"counted": 3}, "数完了。", 1, True)]
    assert rows(database, "SELECT job_id, name, body FROM job_file") == [(number, "counted.txt", b"3")]
    assert runner.turn() == 0
    assert rows(database, "SELECT count(*) FROM procrastinate_jobs") == [(0,)]


def test_what_was_rolled_back_never_runs(embedded_database: Database) -> None:
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        queue.start(conn, "count", MING, None, {"to": 3}, NOW)
        conn.rollback()
    assert made(embedded_database).turn() == 0
    assert rows(embedded_database, "SELECT * FROM job_file") == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("unfit", "文件是空的；请重新导出。"),
        ("broken", "任务出错停止了，已经做完的部分仍然有效；请管理员查看日志。"),
        ("unheard_of", "这个版本不认识这种任务；请升级工作进程后重新开始。"),
    ],
)
def test_a_failure_says_why(embedded_database: Database, kind: str, said: str) -> None:
    begin(embedded_database, kind)
    made(embedded_database).turn()
    assert rows(embedded_database, "SELECT state, said FROM job") == [("failed", said)]


def test_a_job_is_stopped_by_the_one_who_began_it(embedded_database: Database) -> None:
    waiting, running = begin(embedded_database, "count", to=1), begin(embedded_database, "stopping")

    def stopping(conn: Connection[Any], job: Running) -> None:
        assert not job.stopped()
        with opened(embedded_database.app, settings=SETTINGS) as other:
            assert isinstance(queue.stop(other, running, "外人老吴"), Refusal)
            assert queue.stop(other, running, MING) is None
        job._asked_at = float("-inf")
        assert job.stopped()
        job.finish({"counted": 0}, "停在半路。")

    kinds.register("stopping", stopping)
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        assert queue.stop(conn, waiting, MING) is None
    made(embedded_database).turn()
    told = rows(embedded_database, "SELECT id, state, done, said FROM job ORDER BY id")
    assert told == [
        (waiting, "stopped", 0, "还没有开始就停止了，什么都没有做。"),
        (running, "stopped", 0, "停在半路。"),
    ]
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        assert queue.stop(conn, running, MING) == Refusal("ended", "这项任务已经结束，不能再停止。")


def test_a_worker_that_ends_leaves_its_job_to_the_next(embedded_database: Database) -> None:
    ending = threading.Event()

    def slow(conn: Connection[Any], running: Running) -> None:
        running.progress(1, None)
        ending.set()
        running.progress(2, None)
        raise AssertionError("past a safe point of a worker that ends")

    kinds.register("count", slow)
    begin(embedded_database, "count", to=2)
    assert made(embedded_database, ending.is_set).turn() == 0
    assert rows(embedded_database, "SELECT state, tries FROM job") == [("waiting", 0)]
    kinds.register("count", count)
    assert made(embedded_database).turn() == 1
    assert rows(embedded_database, "SELECT state, tries, said FROM job") == [("done", 1, "数完了。")]


def test_the_job_of_a_killed_worker_is_taken_up_again_and_given_up_at_last(
    embedded_database: Database,
) -> None:
    number = begin(embedded_database, "count", to=2)
    for tries in range(TRIES_MAX + 1):
        killed(embedded_database, number, tries)
        if tries == 0:
            assert rows(embedded_database, "SELECT state FROM job") == [("running",)]
            assert made(embedded_database).turn() == 1
            assert rows(embedded_database, "SELECT state, tries FROM job") == [("done", 2)]
    assert made(embedded_database).turn() == 1
    assert rows(embedded_database, "SELECT state, result FROM job") == [("failed", {})]


def killed(database: Database, number: int, tries: int) -> None:
    """As a worker leaves it that was killed a minute ago, in its `tries`-th try."""
    with psycopg.connect(database.owner) as conn:
        conn.execute(
            "UPDATE job SET state = 'running', tries = %s, ended_at = NULL, result = '{}' WHERE id = %s",
            (tries + 1, number),
        )
        conn.execute("DELETE FROM procrastinate_jobs")
        conn.execute(
            "WITH gone AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
            " RETURNING id)"
            " INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, worker_id, attempts)"
            " SELECT 'aftersale', 'aftersale.job', jsonb_build_object('job_id', %s::bigint), 'doing', id, 0 FROM gone",
            (number,),
        )


def test_a_real_worker_does_what_people_started_and_ends_when_asked(embedded_database: Database) -> None:
    with psycopg.connect(embedded_database.owner) as conn:
        conn.execute(
            "INSERT INTO shop (id, code, name, platform) OVERRIDING SYSTEM VALUE VALUES (1, 'tea', '青山茶铺', 'tmall')"
        )
        conn.execute(
            "INSERT INTO upload (shop_id, by_whom, name, body) VALUES (1, %s, '退款.csv', %s)",
            (MING, f"{REFUNDS}\n{REFUND_ROWS}".encode("gb18030")),
        )
    with opened(embedded_database.app, settings=SETTINGS) as conn:
        queue.start(conn, "file_import", MING, 1, {"upload": 1, "mapping": None, "rows": 3}, NOW)
    command = [sys.executable, "-m", "aftersale", "work", "--only", "jobs"]
    with subprocess.Popen(command, env=embedded_database.environment(), stderr=subprocess.PIPE) as worker:
        until(
            lambda: rows(embedded_database, "SELECT state FROM job") not in ([("waiting",)], [("running",)])
        )
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=60)
    assert worker.returncode == 0, said.decode()
    told = rows(embedded_database, "SELECT state, result FROM job")
    assert told == [("done", {"inserted": 3, "updated": 0, "unchanged": 0, "rejected": 0, "rows": 3})]
    assert rows(embedded_database, "SELECT case_id FROM cases ORDER BY 1") == [
        ("9001",),
        ("9002",),
        ("9003",),
    ]


def until(true: Callable[[], bool], s: float = 60.0) -> None:
    """Waits for it; fails after so long."""
    end = time.monotonic() + s
    while not true():
        assert time.monotonic() < end, "it did not come"
        threading.Event().wait(0.1)
