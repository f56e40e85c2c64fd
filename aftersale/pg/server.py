"""The embedded server as this process sees it: started or attached, released, addressed."""

import contextlib
import errno
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from aftersale.pg import Refused, cluster, roles
from aftersale.pg.home import Home, Role, State, fresh_state, home_at, unusable
from aftersale.pg.locks import Lock

ROLES: dict[Role, str] = {"app": "aftersale_app", "owner": "aftersale_owner", "admin": "postgres"}
PACKAGES = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """A running server that stays while this object, or any other process's, is in use."""

    home: Home
    users: Lock
    keeper: subprocess.Popen[bytes] | None
    pid: int

    @property
    def port(self) -> int:
        return self._state().port

    def url(self, role: Role, database: str = "aftersale") -> str:
        """A libpq URL, password included. The port may change at a restart: ask anew."""
        state = self._state()
        return f"postgresql://{ROLES[role]}:{state.password(role)}@127.0.0.1:{state.port}/{database}"

    def create_database(self, name: str) -> None:
        """One more database of the same owner and application role; one that exists is left as it is."""
        roles.create_database(self.url("admin", "postgres"), name)
        roles.prepare(self.url("owner", name))

    def stop(self) -> None:
        """Let go of the server; it stops, before this returns, when nobody else uses it."""
        if os.getpid() != self.pid:  # a fork shares its parent's lock and must not drop it
            return self.users.close()
        if self.users.try_exclusive():
            cluster.stop(self.home)
        elif not self.users.try_shared():  # the keeper was quicker: wait for it to finish
            self.users.wait_shared(cluster.STOP_S_MAX)
        self.users.close()
        if self.keeper is not None and cluster.postmaster(self.home) is None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # somebody may just have come
                self.keeper.wait(timeout=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _state(self) -> State:
        state = self.home.load()
        assert state is not None
        return state


def start(home: Path, port: int | None = None) -> Server:
    """Start the server of this home, or attach to it; raises `Refused`.

    1. Hold the users' lock, so that the keeper does not stop the server any more.
    2. One process at a time: make the data folder, have a keeper, wait until it is ready.
    """
    place = home_at(home)
    try:
        return _start(place, port)
    except OSError as error:
        raise unusable(place.root, error) from error


def _start(home: Home, port: int | None) -> Server:
    users, starting = home.lock(home.users_lock), home.lock(home.start_lock)
    try:
        if not users.wait_shared(2 * cluster.STOP_S_MAX):
            raise Refused("stopping", f"the server of {home.root} does not finish stopping, see {home.log}")
        if not starting.wait_exclusive(cluster.START_S_MAX):
            raise Refused("starting", f"another process takes too long to start the server of {home.root}")
        keeper = _running(home, port)
        _prepare(home)
    except BaseException:
        users.close()
        raise
    finally:
        starting.close()
    return Server(home, users, keeper, os.getpid())


def _running(home: Home, port: int | None) -> subprocess.Popen[bytes] | None:
    """Have a keeper and a ready server; the keeper, when it is ours."""
    state = home.load()
    cluster.refuse_foreign(home, state)
    if state is None:
        home.save(state := fresh_state())
    if not home.initialised():
        cluster.init(home, state)
    home.trouble.unlink(missing_ok=True)  # an old one; the keeper's next attempt is near
    until = time.monotonic() + cluster.START_S_MAX
    while _kept(home):
        running = cluster.postmaster(home)
        if running is not None and running.ready:
            _refuse_other_port(running, port)
            return None
        if running is None and home.trouble.exists():
            raise _trouble(home)
        if time.monotonic() > until:
            raise Refused("recovering", cluster.RECOVERING)
        time.sleep(cluster.POLL_S)
    return _spawn_keeper(home, port)


def _refuse_other_port(running: cluster.Postmaster, port: int | None) -> None:
    if port is not None and port != running.port:
        why = f"the server already runs on port {running.port}, not on {port}: stop its users first"
        raise Refused("port_other", why)


def _trouble(home: Home) -> Refused:
    """Why the keeper could not bring the server back; it goes on trying."""
    try:
        code, why = json.loads(home.trouble.read_text("utf-8"))
    except ValueError:
        return unusable(home.root, OSError(errno.ENOSPC, "no space"))
    return Refused(code, why)


def _kept(home: Home) -> bool:
    """Whether a keeper is alive."""
    lock = home.lock(home.keeper_lock)
    free = lock.try_exclusive()
    lock.close()
    return not free


def _spawn_keeper(home: Home, port: int | None) -> subprocess.Popen[bytes]:
    path = os.pathsep.join(filter(None, (str(PACKAGES), os.environ.get("PYTHONPATH"))))
    asked = [sys.executable, "-m", "aftersale.pg.keeper", str(home.root), *([str(port)] if port else [])]
    with home.keeper_log.open("ab") as log:
        keeper = subprocess.Popen(
            asked, cwd="/", env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=log, start_new_session=True,
        )  # fmt: skip
    home.give(home.keeper_log)
    assert keeper.stdout is not None
    with keeper.stdout as answers:
        answer = answers.readline()
    if answer == b"null\n":
        return keeper
    keeper.wait()
    if not answer:
        raise Refused("keeper_failed", f"the process that keeps PostgreSQL failed, see {home.keeper_log}")
    raise Refused(*json.loads(answer))


def _prepare(home: Home) -> None:
    """Roles and database, once; repeated when the first start was cut short."""
    state = home.load()
    assert state is not None
    if state.prepared:
        return
    try:
        _make_roles(state)
    except psycopg.Error as error:
        raise cluster.failed(home, str(error)) from error
    home.save(replace(state, prepared=True))


def _make_roles(state: State) -> None:
    server = f"127.0.0.1:{state.port}"
    admin = f"postgresql://postgres:{state.admin}@{server}/postgres"
    roles.create(admin, owner_password=state.owner, app_password=state.app)
    roles.create_database(admin, "aftersale")
    roles.prepare(f"postgresql://aftersale_owner:{state.owner}@{server}/aftersale")
