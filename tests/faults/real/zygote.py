"""A process that has imported everything and forks real `aftersale` processes, so that a start costs milliseconds.

Reads one JSON line for each wish and answers with one: {"start": [arguments], "log": path} → pid,
{"ended": pid} → its exit code (negative: the signal) or null while it lives.
"""

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

PR_SET_PDEATHSIG = 1
NOT_OURS = ("aftersale.bench", "aftersale.sandbox", "aftersale.demo", "aftersale.__main__")
SERVING = ("uvicorn.loops.auto", "uvicorn.loops.uvloop", "uvicorn.protocols.http.auto",
           "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.off")  # fmt: skip


class Zygote:
    """The harness's end."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.real.zygote"], env=dict(environment), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent,  # noqa: PLW1509
        )  # fmt: skip
        self._lock = threading.Lock()
        assert self._ask({"ended": 0}) is None

    def start(self, arguments: list[str], log: Path) -> int:
        """`aftersale ARGUMENTS` as a process of its own; its pid."""
        return int(self._ask({"start": arguments, "log": str(log)}))

    def ended(self, pid: int) -> int | None:
        """Its exit code (reaped, so ask once), or None while it lives."""
        code: int | None = self._ask({"ended": pid})
        return code

    def close(self) -> None:
        """Every process that still lives dies with it."""
        self._process.kill()
        self._process.wait()

    def _ask(self, wish: Mapping[str, object]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(wish) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


def die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _import_everything() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django
    import httpx2

    import aftersale

    django.setup()
    for found in walk_packages(aftersale.__path__, "aftersale."):
        if not found.name.startswith(NOT_OURS):
            import_module(found.name)
    for name in SERVING:
        import_module(name)
    httpx2.Client().close()  # it imports as late as it can
    _hurry()
    _trust_once()
    _read_once()


def _hurry() -> None:
    """A worker waits less before it looks for a killed database again, and looks a little less often for work."""
    from aftersale import work

    vars(work).update(AGAIN_S=0.2, IDLE_S=0.3)


def _read_once() -> None:
    """What every door and worker reads before it serves, and a courier's push the lexicon: once for all forks."""
    from django.db.migrations.loader import MigrationLoader
    from django.urls import get_resolver

    from aftersale.limits import publish
    from aftersale.people.settings.known import index
    from aftersale.rulebooks import books, tracking

    publish.version()
    index()
    tracking.reader()
    _ = get_resolver().url_patterns
    MigrationLoader(None)
    _compile_once(books.book("refund"), books.actions())


def _trust_once() -> None:
    """Nothing here speaks TLS: the certificates of the machine are read once."""
    from httpx2._transports import default

    names = vars(default)
    context = names["create_ssl_context"]()
    names["create_ssl_context"] = lambda *_args, **_named: context


def _compile_once(book: Any, actions: Any) -> None:
    """The rulebook's statement is a function of its version: every fork uses what was compiled here."""
    from aftersale.decide import run, verdict

    compiled = {differ: verdict.statement(book, actions, shops_differ=differ) for differ in (False, True)}
    vars(run)["statement"] = lambda *_, shops_differ: compiled[shops_differ]


def _fork(arguments: list[str], log: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent()
        nothing, told = os.open(os.devnull, os.O_RDONLY), os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(nothing, 0)
        os.dup2(told, 1)
        os.dup2(told, 2)
        from aftersale.cli import main

        main(arguments, standalone_mode=True)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 1
    finally:
        sys.stdout.flush()
        os._exit(code)


def _ended(pid: int) -> int | None:
    if pid == 0:
        return None
    try:
        done, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return os.waitstatus_to_exitcode(status) if done else None


def main() -> None:
    """Answer wishes until the harness is gone."""
    _import_everything()
    gc.freeze()  # no fork need look through what all have
    for line in sys.stdin:
        wish = json.loads(line)
        answer = _fork(wish["start"], wish["log"]) if "start" in wish else _ended(wish["ended"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
