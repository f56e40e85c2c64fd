"""The stage that runs jobs: as long as there are any, a procrastinate worker with two at a time."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from procrastinate import App, PsycopgConnector
from psycopg import Connection, Error

from aftersale.jobs.kinds import run_of
from aftersale.jobs.queue import QUEUE, SQL, TASK, defer
from aftersale.jobs.running import Interrupted, Running, Unfit

log = logging.getLogger(__name__)
LEASE_S = 30.0
AT_ONCE = 2
TRIES_MAX = 3
LOOK_S = 0.3
LEAVE_S = 20.0
KEPT_DAYS = 7


@dataclass
class Runner:
    """`connect` gives a fresh connection in autocommit; `pool` is what the queue's own connections are made of."""

    connect: Callable[[], Connection[Any]]
    pool: dict[str, Any]
    ending: Callable[[], bool] = lambda: False
    after: Callable[[], None] = lambda: None
    done: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.conn = self.connect()

    def turn(self) -> int:
        """Runs what waits, and what came meanwhile; how many jobs ended. A worker that is gone loses its after LEASE_S."""
        self.done = 0
        self.conn.execute(SQL["forget_files"], {"days": KEPT_DAYS})
        row = self.conn.execute(SQL["due"], {"queue": QUEUE, "lease_s": LEASE_S}).fetchone()
        if row == (True,):
            asyncio.run(self._serve())
            self.conn.execute(SQL["forget_queue"], {"queue": QUEUE})
        return self.done

    async def _serve(self) -> None:
        """One worker of procrastinate, until nothing waits or runs, or this process is to end."""
        connector = PsycopgConnector(kwargs=self.pool, min_size=1, max_size=3)
        app = App(connector=connector)
        app.task(name=TASK, queue=QUEUE)(self.one)
        async with app.open_async():
            for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=LEASE_S):
                await app.job_manager.retry_job(job)
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=AT_ONCE,
                    wait=True,
                    fetch_job_polling_interval=LOOK_S,
                    listen_notify=False,
                    install_signal_handlers=False,
                    shutdown_graceful_timeout=LEAVE_S,
                    stalled_worker_timeout=LEASE_S,
                )
            )
            await self._until_idle(app, worker)

    async def _until_idle(self, app: App, worker: "asyncio.Task[None]") -> None:
        idle = 0
        while not worker.done() and not self.ending() and idle < 3:
            await asyncio.sleep(LOOK_S)
            busy = [
                one
                for status in ("todo", "doing")
                for one in await app.job_manager.list_jobs_async(queue=QUEUE, status=status)
            ]
            idle = 0 if busy else idle + 1
        worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            log.debug("no job is left")

    def one(self, job_id: int) -> None:
        """One job, on connections of its own, in a thread of its own."""
        with self.connect() as telling, self.connect() as conn:
            row = telling.execute(SQL["take"], {"id": job_id}).fetchone()
            if row is None:
                return
            number, kind, shop_id, by, asked, tries = row
            running = Running(number, by, shop_id, asked, tries, telling, self.ending)
            try:
                self._run(kind, conn, running)
            except Interrupted:
                with telling.transaction():
                    if telling.execute(SQL["give_back"], {"id": job_id}).fetchone():
                        defer(telling, job_id)
                return
            finally:
                self.after()
            self.done += 1

    def _run(self, kind: str, conn: Connection[Any], running: Running) -> None:
        run = run_of(kind)
        if running.tries > TRIES_MAX:
            return running.fail(
                "运行它的进程每次都没有回来，任务已放弃；请缩小范围再试，或请管理员查看日志。"
            )
        if run is None:
            return running.fail("这个版本不认识这种任务；请升级工作进程后重新开始。")
        try:
            run(conn, running)
        except Interrupted:
            raise
        except Unfit as unfit:
            return running.fail(str(unfit), unfit.told)
        except Exception as error:
            log.exception("job %s (%s) failed", running.job_id, kind)
            away = isinstance(error, Error)
            return running.fail(
                "数据库中断了这项任务，已经做完的部分仍然有效；请稍后重新开始。"
                if away
                else "任务出错停止了，已经做完的部分仍然有效；请管理员查看日志。"
            )
        if not running.ended:
            running.finish({}, "")
