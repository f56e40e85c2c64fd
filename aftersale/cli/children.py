"""Child processes that never outlive us, also when we are killed."""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from aftersale.cli import fail

PR_SET_PDEATHSIG = 1
STOP_PATIENCE_S = 10.0


def start(
    arguments: list[str], environment: Mapping[str, str], log: Path | None = None
) -> subprocess.Popen[str]:
    """`aftersale ARGUMENTS` as a child; its stdout is a pipe, its stderr goes to `log`."""
    parent = os.getpid()

    def die_with_parent() -> None:
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    stderr = log.open("ab") if log else None
    return subprocess.Popen(
        command(*arguments),
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - runs before any thread of ours exists in the child
    )


def command(*arguments: str) -> list[str]:
    """The command line of a sibling command."""
    return [sys.executable, "-m", "aftersale", *arguments]


def address(child: subprocess.Popen[str], log: Path) -> str:
    """The address that a child prints as {"url": ...}; ends us with one line when it ends instead."""
    assert child.stdout is not None
    line = child.stdout.readline()
    if not line:
        child.wait()
        last = log.read_text(encoding="utf-8", errors="replace").strip().rsplit("\n", 1)[-1]
        fail(last or "一个进程没有启动，也没有留下原因")
    url: str = json.loads(line)["url"]
    return url


def stop(children: list[subprocess.Popen[str]]) -> None:
    """Ask all to stop, wait, and end those that do not."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        try:
            child.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
