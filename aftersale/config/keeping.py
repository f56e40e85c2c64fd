"""Several processes that serve the same socket: kept running by the first one, which serves nothing."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import parent_process, set_executable
from multiprocessing.process import BaseProcess
from pathlib import Path
from socket import socket
from typing import Any

from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from aftersale.config.env import environment
from aftersale.config.log import to_stderr
from aftersale.pg import Refused

log = logging.getLogger(__name__)
OURS = ("SIGHUP", "SIGQUIT", "SIGTTIN", "SIGTTOU")
OTHER_RELEASE = ("migrations", "limits")


def keep(config: Config, listening: socket) -> None:
    """Until SIGTERM or SIGINT. Exits with 1 when a process cannot even start: then nothing would come of another."""
    told = logging.getLogger("uvicorn.error")
    told.setLevel(logging.INFO)  # at this level it tells who died, beside much else
    told.addFilter(lambda record: record.levelno > logging.INFO or str(record.msg).endswith("died"))
    _of_this_release()
    before = {name: signal.getsignal(getattr(signal, name)) for name in OURS if hasattr(signal, name)}
    keeping = _Keeping(config, [listening])
    for name, handler in before.items():  # a terminal that closes ends us, unless nohup said otherwise
        signal.signal(getattr(signal, name), handler)
    keeping.run()
    if any(one.exitcode == STARTUP_FAILURE for one in keeping.processes):
        sys.exit(1)


class _Keeping(Multiprocess):
    """Uvicorn's own, that lets go of what belongs to the others."""

    def init_processes(self) -> None:
        super().init_processes()
        self._let_go()

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        self._let_go()

    def _let_go(self) -> None:
        """While we hold the other end of its pipe, a process that died looks like one that takes long to answer."""
        for one in self.processes:
            one.child_conn.close()

    def terminate_all(self) -> None:
        """Whoever connects from here on is refused at once, however long the last one takes."""
        for one in self.sockets:
            one.close()
        super().terminate_all()


def _of_this_release() -> None:
    """A process that is replaced while a link already leads to the next release still begins with ours."""
    python = Path(sys.executable)
    set_executable(str(python.parent.resolve() / python.name))
    sys.path[:] = [str(Path(place).resolve()) if place else place for place in sys.path]


def begins(check: Callable[[], None], make: Callable[[], Any]) -> Any:
    """What `make` gives, in a process that the first one started; it ends when it cannot, and when the first one does.

    `check` raises Refused; a database that is merely away holds nothing up.
    """
    first = parent_process()
    assert first is not None
    to_stderr(environment().log)
    threading.Thread(target=_end_after, args=(first,), name="first process", daemon=True).start()
    try:
        _check(check)
        return make()
    except Exception:
        log.critical("a process of the pages cannot start", exc_info=True)
        sys.exit(STARTUP_FAILURE)


def _check(check: Callable[[], None]) -> None:
    try:
        check()
    except Refused as refused:
        if refused.code in OTHER_RELEASE:
            raise


def _end_after(first: BaseProcess) -> None:
    """Whoever kills the first process means all of them: nobody is left who would tell us to end."""
    first.join()
    os._exit(1)
