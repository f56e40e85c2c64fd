"""Advisory locks on files: who uses the server, who is starting it, who keeps it."""

import fcntl
import os
import time
from pathlib import Path

POLL_S = 0.02


class Lock:
    """A lock on `path`. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_shared(self) -> bool:
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        return self._try(fcntl.LOCK_EX)

    def wait_shared(self, timeout_s: float) -> bool:
        return self._wait(fcntl.LOCK_SH, timeout_s)

    def wait_exclusive(self, timeout_s: float) -> bool:
        return self._wait(fcntl.LOCK_EX, timeout_s)

    def release(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_UN)

    def deleted(self) -> bool:
        """Whether the file was removed, so that newcomers lock another one."""
        return os.fstat(self.fd).st_nlink == 0

    def close(self) -> None:
        os.close(self.fd)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait(self, kind: int, timeout_s: float) -> bool:
        until = time.monotonic() + timeout_s
        while not self._try(kind):
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)
        return True
