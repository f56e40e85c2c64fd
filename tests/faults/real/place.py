"""One lane of real processes: a PostgreSQL, a sandbox, a webhook door and workers, with fault proxies between them."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.types.json import Jsonb

from aftersale.cli import children
from aftersale.clock import follow
from aftersale.connectors.phone import without_numbers
from aftersale.demo import sandbox_shops
from aftersale.pg import Refused, cluster
from aftersale.pg.connect import opened
from aftersale.pg.home import Home
from aftersale.pg.server import Server, start
from aftersale.sandbox.control import Control, State
from tests.faults.real.proxy import Proxy
from tests.faults.real.wire import Http, Postgres
from tests.faults.real.zygote import Zygote

START = datetime(2026, 11, 10, 16, tzinfo=UTC)  # midnight of 11-11 in Shanghai
SPEED = 20.0
BACK_S = 60.0
SMALL = "shared_buffers = '128MB'\n"  # several servers share the machine
QUICK = ("--calls-per-s", "500", "--lease-s", "0.8", "--ask-after-s", "0.2", "--pull-every-s", "1")


# Half of all calls may fail here, and hours of the shops' time pass in a second: neither shall open a breaker.
PATIENT = {"error_ratio_max": 100, "unknown_age_max_minutes": 1_000_000}


@dataclass
class Acknowledged:
    """Bodies that the door answered with 2xx, as they are stored (no buyer's number): sha256 → how often."""

    bodies: Counter[bytes] = field(default_factory=Counter)

    def seen(self, body: bytes, status: int) -> None:
        if 200 <= status < 300:
            self.bodies[sha256(without_numbers(body)).digest()] += 1


class Place:
    """What runs, and how it is killed. `url` is that of the calls' proxy, `done` counts what was done to it."""

    def __init__(self, home: Path, server: Server, stack: ExitStack, seed: int, applications: int) -> None:
        self.home, self.server, self.seed = home, server, seed
        self.direct = False
        self.leave_server: Callable[[], None] = lambda: (
            None
        )  # the first one; it stops when nobody else uses it
        self.acknowledged, self.done = Acknowledged(), Counter[str]()
        self.database = stack.enter_context(Proxy(self._database, Postgres))
        self.door_port = _free_port()
        self.pushes = stack.enter_context(
            Proxy(lambda: ("127.0.0.1", self.door_port), lambda: Http("push", self.acknowledged.seen))
        )
        self.zygote = Zygote(self.environment())
        stack.callback(self._end_zygote)
        sandbox = _sandbox(home, seed, applications, self.pushes.port)
        stack.callback(lambda: children.stop([sandbox]))
        there = urlsplit(children.address(sandbox, home / "sandbox.log"))
        self.sandbox_url = there.geturl()
        self.control = stack.enter_context(Control(self.sandbox_url))
        self.calls = stack.enter_context(Proxy(lambda: ("127.0.0.1", there.port or 0), lambda: Http("call")))
        self.workers: list[int] = []
        self.paused: list[int] = []
        self.ending: list[int] = []
        self.door: int | None = None
        self.processes, self._asks = threading.RLock(), threading.Lock()
        self._kept: dict[str, psycopg.Connection[Any]] = {}
        self._trouble = 0
        self._authorise()
        self.speed(SPEED)

    def environment(self) -> dict[str, str]:
        """What the processes of this place get: its home, and its database through the proxy unless `direct`."""
        if self.direct:
            return {**_without_urls(), "AFTERSALE_HOME": str(self.home)}
        urls = {"DATABASE_URL": self._proxied("app"), "DATABASE_OWNER_URL": self._proxied("owner")}
        return {**os.environ, "AFTERSALE_HOME": str(self.home), **urls}

    def move(self, home: Path, server: Server, *, direct: bool = False) -> None:
        """From now on this home and this server; everything that ran on the old ones is gone."""
        self.kill_workers()
        self.kill_door()
        self.zygote.close()
        self.database.reset()
        self._forget()
        self.home, self.server, self.direct = home, server, direct
        self.zygote = Zygote(self.environment())
        self.speed(SPEED)

    def _end_zygote(self) -> None:
        self.zygote.close()

    def work_only(self, part: str) -> None:
        """One worker that does only this part."""
        with self.processes:
            self.workers.append(self.zygote.start(["work", *QUICK, "--only", part], self.home / "work.log"))

    def _database(self) -> tuple[str, int]:
        running = cluster.postmaster(self.server.home)
        return "127.0.0.1", running.port if running else self.server.port

    def _proxied(self, role: Any) -> str:
        parts = urlsplit(self.server.url(role))
        host = f"{parts.username}:{parts.password}@127.0.0.1:{self.database.port}"
        return f"postgresql://{host}/aftersale?sslmode=disable&gssencmode=disable&application_name=door"

    def _authorise(self) -> None:
        shops = [(shop.code, shop.platform, shop.session) for shop in self.control.state().shops]
        with self.connect("owner") as conn:
            sandbox_shops(conn, f"http://127.0.0.1:{self.calls.port}", shops, START - timedelta(hours=1))
            conn.execute("UPDATE shop SET settings = settings || %s", (Jsonb(PATIENT),))

    def connect(self, role: Any = "app") -> psycopg.Connection[Any]:
        """The judge's own way in, past the proxies; a killed database is back within BACK_S."""
        until = time.monotonic() + BACK_S
        while True:
            try:
                return opened(self.server.url(role), application="judge", settings={})
            except Refused:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def patiently(self, work: Callable[[psycopg.Connection[Any]], Any], role: Any = "app") -> Any:
        """Work that is safe to repeat, repeated while the database is away; on a connection that is kept."""
        until = time.monotonic() + BACK_S
        with self._asks:
            while True:
                try:
                    conn = self._kept.get(role) or self._kept.setdefault(role, self.connect(role))
                    result = work(conn)
                    conn.commit()
                    return result
                except psycopg.OperationalError:
                    if role in self._kept:
                        self._kept.pop(role).close()
                    if time.monotonic() > until:
                        raise

    def speed(self, speed: float) -> State:
        state = self.control.speed(speed)
        self.patiently(lambda conn: follow(conn, state.now, speed))
        return state

    def jump(self, span: timedelta) -> State:
        """Both clocks go on by `span`; what is due in between has happened when this returns."""
        state = self.control.jump(self.control.state().now + span)
        self.patiently(lambda conn: follow(conn, state.now, SPEED))
        return state

    def calls_in_trouble(self) -> int:
        """How often the sandbox's own fault script struck since the last question."""
        before, self._trouble = self._trouble, self.control.faults_fired()
        return self._trouble - before

    def have(self, workers: int) -> None:
        """The door and so many workers live; what is missing is started, as a supervisor would."""
        with self.processes:
            self.workers = [pid for pid in self.workers if self._lives(pid)]
            while len(self.workers) < workers:
                self.workers.append(self.zygote.start(["work", *QUICK], self.home / "work.log"))
            if self.door is None or not self._lives(self.door):
                asked = ["web", "--port", str(self.door_port), "--processes", "1"]
                self.door = self.zygote.start(asked, self.home / "web.log")

    def _lives(self, pid: int) -> bool:
        code = self.zygote.ended(pid)
        if code is not None:
            self.done[f"ended by itself: {code}"] += 1
        return code is None

    def kill_database(self, again: bool = False) -> None:
        """SIGKILL for the postmaster; `again`: once more as soon as its successor recovers."""
        self._kill_database()
        if again:
            until = time.monotonic() + 5.0
            while cluster.postmaster(self.server.home) is None and time.monotonic() < until:
                time.sleep(0.002)
            self._kill_database()
            self.done["database killed while recovering"] += 1

    def _kill_database(self) -> None:
        running = cluster.postmaster(self.server.home)
        if running is not None:
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGKILL)
            self.done["database killed"] += 1

    def kill_workers(self) -> None:
        with self.processes:
            while self.workers:
                self._kill(self.workers.pop())
                self.done["worker killed"] += 1

    def kill_door(self) -> None:
        with self.processes:
            if self.door is not None:
                self._kill(self.door)
                self.door = None
                self.done["door killed"] += 1

    def _kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        while self.zygote.ended(pid) is None:
            time.sleep(0.002)

    def pause_workers(self) -> None:
        """SIGSTOP; they count as gone until `resume`."""
        with self.processes:
            for pid in self.workers:
                os.kill(pid, signal.SIGSTOP)
                self.done["worker paused"] += 1
            self.paused, self.workers = [*self.paused, *self.workers], []

    def resume(self) -> None:
        with self.processes:
            for pid in self.paused:
                os.kill(pid, signal.SIGCONT)
            self.workers, self.paused = [*self.workers, *self.paused], []

    def ask_to_end(self) -> None:
        """SIGTERM for the workers; `ended` says whether they obeyed."""
        with self.processes:
            for pid in self.workers:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
                self.done["worker asked to end"] += 1
            self.ending, self.workers = [*self.ending, *self.workers], []

    def ended(self, patience_s: float) -> bool:
        """Whether everybody who was asked to end did; the others are killed."""
        until = time.monotonic() + patience_s
        with self.processes:
            while self.ending and time.monotonic() < until:
                self.ending = [pid for pid in self.ending if self.zygote.ended(pid) is None]
                time.sleep(0.005)
            obeyed = not self.ending
            while self.ending:
                self._kill(self.ending.pop())
        return obeyed

    def fewer(self, workers: int) -> None:
        """Those beyond so many are asked to end."""
        with self.processes:
            kept, self.workers = self.workers[:workers], self.workers[workers:]
            if self.workers:
                self.ask_to_end()
            self.workers = kept

    def _forget(self) -> None:
        with self._asks:
            while self._kept:
                self._kept.popitem()[1].close()

    def close(self) -> None:
        self._forget()
        self.resume()
        self.ask_to_end()
        self.ended(2.0)
        self.kill_door()


@contextmanager
def place(home: Path, seed: int, applications: int, prepared: Path | None = None) -> Iterator[Place]:
    """Everything of one lane, ended at exit; begins with a copy of what `prepare` made, or makes it itself."""
    if prepared is None:
        prepare(home)
    else:
        home.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", f"{prepared}/.", str(home)], check=True)
        at = Home(home)
        state = at.load()
        assert state is not None
        at.save(replace(state, port=0))  # each lane has its own
    with ExitStack() as stack:
        server = start(home)
        left = stack.enter_context(ExitStack())
        left.callback(server.stop)
        made = Place(home, server, stack, seed, applications)
        made.leave_server = left.close
        stack.callback(made.close)
        yield made


def prepare(home: Path) -> None:
    """A migrated database, its server stopped again."""
    server = start(home)
    try:
        (server.home.data / "local.conf").write_text(SMALL)
        environment = {**_without_urls(), "AFTERSALE_HOME": str(home)}
        subprocess.run(children.command("migrate"), check=True, stdout=subprocess.DEVNULL, env=environment)
    finally:
        server.stop()


def _without_urls() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("DATABASE_")}


def _sandbox(home: Path, seed: int, applications: int, port: int) -> subprocess.Popen[str]:
    options: Mapping[str, object] = {
        "--speed": 0, "--start": START.isoformat(), "--seed": seed, "--applications": applications, "--days": 2,
        "--shops": 2, "--qps": 2000, "--push-url": f"http://127.0.0.1:{port}/hooks",
        "--ledger": home / "ledger.jsonl",
    }  # fmt: skip
    arguments = [str(part) for pair in options.items() for part in pair]
    return children.start(["sandbox", "--json", *arguments], os.environ, home / "sandbox.log")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
