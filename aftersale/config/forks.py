"""Several processes that do the same work, forked from one that has loaded everything, until it is asked to end."""

import ctypes
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

log = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1
AGAIN_S = 1.0  # one that ended by itself is started again, but not more often than this
ENDS = (signal.SIGTERM, signal.SIGINT)


class Forks:
    """One process for each of `works`. A work gets no threads, connections or loops of ours; it makes its own."""

    def __init__(self, works: Sequence[Callable[[], None]]) -> None:
        self._works = works
        self._running: dict[int, int] = {}
        self._asked: int | None = None

    def run(self) -> None:
        """Returns never: ends by the signal that asked for it, once everybody has ended."""
        for number in ENDS:
            signal.signal(number, self._end)
        for each in range(len(self._works)):
            self._start(each)
        while self._running:
            pid, status = os.wait()
            place = self._running.pop(pid, None)
            if place is not None and self._asked is None:
                log.error(
                    "a process of the pages ended (%s), another takes its place",
                    os.waitstatus_to_exitcode(status),
                )
                time.sleep(AGAIN_S)
                self._start(place)
        self._leave()

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._asked = number
        for pid in self._running:
            os.kill(pid, signal.SIGTERM)

    def _start(self, place: int) -> None:
        """Who asks us to end meanwhile is heard once the new process is known to us."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        if self._asked is None:
            parent, pid = os.getpid(), os.fork()
            if pid == 0:
                self._become(place, parent)
            self._running[pid] = place
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    def _become(self, place: int, parent: int) -> NoReturn:
        code = 1
        try:
            for number in ENDS:
                signal.signal(number, signal.SIG_DFL)
            os.setpgid(0, 0)  # Ctrl-C is the first process's to hear
            _die_with(parent)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
            self._works[place]()
            code = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _leave(self) -> None:
        assert self._asked is not None
        signal.signal(self._asked, signal.SIG_DFL)
        signal.raise_signal(self._asked)


def _die_with(parent: int) -> None:
    """Killed when the first process is: nobody is left who would tell us to end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
