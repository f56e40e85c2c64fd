"""Other processes that use the server, to be killed; and waiting for a process to be gone."""

import os
import select
import subprocess
import sys
from pathlib import Path

HOLD = """
import sys
from pathlib import Path
from aftersale.pg.server import start
server = start(Path(sys.argv[1]))
print(server.url("owner"), flush=True)
sys.stdin.read()
"""


class User:
    """A process that holds the server of `home` until it is told to end, or is killed."""

    def __init__(self, home: Path, python: str = sys.executable, uid: int | None = None) -> None:
        self.process = subprocess.Popen(
            [python, "-c", HOLD, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            cwd="/", env=environment(), user=uid, group=uid, extra_groups=None if uid is None else [],
        )  # fmt: skip
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("postgresql://aftersale_owner:")

    def end(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def environment() -> dict[str, str]:
    """So that any Python of this version finds the same packages."""
    path = [str(Path(__file__).parents[2]), *(entry for entry in sys.path if entry.endswith("-packages"))]
    return {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}


def gone(pid: int, within_s: float = 20) -> bool:
    """Whether the process ends in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], within_s)[0])
    finally:
        os.close(handle)


def keeper_pid(home: Path) -> int:
    """The keeper of this home."""
    found = [pid for pid in _pids() if _command(pid)[1:] == ["-m", "aftersale.pg.keeper", str(home)]]
    assert len(found) == 1
    return found[0]


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
