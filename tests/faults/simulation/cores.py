"""Who only ever waits for one another stays on one core: waking the other core costs more than most statements."""

import os
import sys
from contextlib import suppress


def shared_out(jobs: int) -> list[int | None]:
    """A core for each of so many jobs; None where the system cannot keep a process on one."""
    if sys.platform != "linux":
        return [None] * jobs
    cores = sorted(os.sched_getaffinity(0))
    return [cores[number % len(cores)] for number in range(jobs)]


def stay(core: int | None, pid: int = 0) -> None:
    """This process, or `pid`, runs on that core from here on."""
    if sys.platform == "linux" and core is not None:
        with suppress(OSError):  # it may have ended
            os.sched_setaffinity(pid, {core})
