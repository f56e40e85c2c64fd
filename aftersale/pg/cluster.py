"""The embedded cluster: made, started and stopped through its own initdb and pg_ctl."""

import errno
import os
import re
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

from aftersale.pg import Refused, conf
from aftersale.pg.home import Home, State
from aftersale.pg.install import MAJOR, Account, account, binaries, run_as

START_S_MAX = 300  # recovery after a crash replays up to max_wal_size
STOP_S_MAX = 60
LEFTOVER_S_MAX = 30
POLL_S = 0.05
FULL = "No space left on device|Disk quota exceeded|Check free disk space"
TAKEN = "Address already in use|could not create any TCP/IP sockets"
RECOVERING = f"PostgreSQL still recovers after {START_S_MAX} s: start again later"
HERE = "/proc/self/cwd"  # the working folder, whatever lies above it


@dataclass(frozen=True)
class Postmaster:
    """A running server, read from its postmaster.pid."""

    pid: int
    port: int
    ready: bool


def postmaster(home: Home) -> Postmaster | None:
    """The server that runs on this home's data, if any."""
    try:
        lines = (home.data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    if not _alive(pid, home.data):
        return None
    if len(lines) < 8:
        return Postmaster(pid, 0, False)
    return Postmaster(pid, int(lines[3]), lines[7].strip() == "ready")


def init(home: Home, state: State) -> None:
    """Make the data folder, whole or not at all; raises `Refused`."""
    if home.data.exists() and any(home.data.iterdir()):
        raise Refused("folder_taken", f"{home.data} holds something else than our data: move it away")
    who = account(home)
    new = home.folder / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    for path in (home.folder, home.log, new):
        path.mkdir(mode=0o700, exist_ok=True)
        _hand_over(path, who)
    _write(home, who, new, "../password", state.admin)
    asked = (
        "initdb", "--username=postgres", "--pwfile=../password", "--auth=scram-sha-256",
        "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C",
        "--data-checksums", "--no-instructions", "--pgdata", _seen(new, who),
    )  # fmt: skip
    done = _run(who, new, *asked)
    (home.folder / "password").unlink(missing_ok=True)
    if done.returncode != 0:
        shutil.rmtree(new, ignore_errors=True)
        raise _reason(home, done.stderr, f"initdb failed in {home.folder}")
    new.rename(home.data)


def up(home: Home, port: int | None) -> None:
    """Have the server running, recovered and ready; raises `Refused`. `port`: insist on this one."""
    if _ready(home):
        return
    until = time.monotonic() + LEFTOVER_S_MAX
    while said := _started(home, port):
        leftover = "pre-existing shared memory block" in said  # backends about to notice that it died
        raced = port is None and re.search(TAKEN, said)
        if not (leftover or raced) or time.monotonic() > until:
            raise _reason(home, said, f"PostgreSQL did not start, see {home.log}")
        time.sleep(POLL_S)


def _ready(home: Home) -> bool:
    """Whether a server runs; one that is just starting or stopping is waited for."""
    until = time.monotonic() + START_S_MAX
    while (running := postmaster(home)) is not None and not running.ready:
        if time.monotonic() > until:
            raise Refused("recovering", RECOVERING)
        time.sleep(POLL_S)
    return running is not None


def _started(home: Home, port: int | None) -> str:
    """One attempt; what PostgreSQL said when it failed, empty when the server is ready."""
    state = home.load()
    assert state is not None
    who = account(home)
    for tree in (home.folder, home.log, home.data):  # a backup restored by root belongs to root
        _hand_over(tree, who)
    _clear_stale(home)
    chosen = replace(state, port=_port(port, state.port))
    _write(home, who, home.data, "postgresql.conf", conf.text(chosen.port, conf.memory_mb()))
    if chosen != state:
        home.save(chosen)
    sizes = {path: path.stat().st_size for path in home.log.iterdir()}
    asked = ("pg_ctl", "start", "-s", "-w", "-t", str(START_S_MAX), "-l", "../log/start.log")
    done = _run(who, home.data, *asked, "-D", _seen(home.data, who))
    return "" if done.returncode == 0 else done.stderr + _logged(home, sizes) or "it said nothing"


def stop(home: Home) -> None:
    """Stop the server, if it runs; committed data is safe either way."""
    who = account(home)
    for mode in ("fast", "immediate"):
        if postmaster(home) is None:
            return
        asked = ("pg_ctl", "stop", "-s", "-w", "-t", str(STOP_S_MAX), "-m", mode)
        _run(who, home.data, *asked, "-D", _seen(home.data, who))


def failed(home: Home, said: str) -> Refused:
    """The line for a first preparation that PostgreSQL refused with this message."""
    return _reason(home, said, f"PostgreSQL could not be prepared, see {home.log}")


def refuse_foreign(home: Home, state: State | None) -> None:
    """Refuse data that this program did not make, or made with another PostgreSQL."""
    if not home.initialised():
        return
    if state is None:
        raise Refused(
            "folder_taken",
            f"{home.data} is a database whose passwords ({home.state_file}) are missing: "
            "restore that file, or move the folder away",
        )
    major = (home.data / "PG_VERSION").read_text().strip()
    if major != str(MAJOR):
        raise Refused(
            "folder_version",
            f"{home.data} was made by PostgreSQL {major}, this is {MAJOR}: dump it there and load it here",
        )


def _run(who: Account | None, cwd: Path, program: str, *asked: str) -> subprocess.CompletedProcess[str]:
    return run_as(who, cwd, str(binaries(who) / program), *asked)


def _write(home: Home, who: Account | None, cwd: Path, name: str, text: str) -> None:
    """A file written by the server's account itself: root must not follow links in a folder of others."""
    done = run_as(who, cwd, "sh", "-c", 'cat > "$1"', "sh", name, given=text)
    if done.returncode != 0:
        raise _reason(home, done.stderr, f"{cwd / name} cannot be written")


def _seen(folder: Path, who: Account | None) -> str:
    """How `who`, started in `folder`, names it.

    Below a private folder, such as the home of root, the full path is closed to the account, but its working
    folder is not, and PostgreSQL never leaves that.
    """
    if who is None or who.reaches(folder):
        return str(folder)
    if os.path.exists(HERE):
        return HERE
    raise Refused(
        "folder_unreachable",
        f"the account that runs PostgreSQL cannot enter {folder}: move AFTERSALE_HOME out of private folders",
    )


def _hand_over(tree: Path, who: Account | None) -> None:
    if who is not None and tree.stat().st_uid != who.uid:
        for path in (tree, *tree.rglob("*")):
            os.chown(path, who.uid, who.gid, follow_symlinks=False)


def _alive(pid: int, data: Path) -> bool:
    """Whether process `pid` is this data's server, and neither dead, a zombie nor a reused number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    status = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return True
    try:
        name, _, rest = status.read_text().partition(" (")[2].rpartition(") ")
        if name != "postgres" or rest.startswith("Z"):
            return False
        return Path(f"/proc/{pid}/cwd").readlink() == data.resolve()
    except FileNotFoundError:
        return False
    except PermissionError:
        return True


def _clear_stale(home: Home) -> None:
    """Remove a postmaster.pid whose process is dead but unreaped, or whose number has a new owner.

    PostgreSQL would take it for a running server and refuse. Backends that outlive their postmaster
    still keep a second one out: they hold the shared memory, which is checked without the file.
    """
    pid_file = home.data / "postmaster.pid"
    if pid_file.exists() and postmaster(home) is None:
        pid_file.unlink()


def _port(asked: int | None, remembered: int) -> int:
    if asked is not None:
        if not _free(asked):
            raise port_taken(asked)
        return asked
    return remembered if remembered and _free(remembered) else _any_port()


def port_taken(port: int) -> Refused:
    return Refused(
        "port_taken",
        f"port {port} of 127.0.0.1 is taken by another program: stop that one, or change AFTERSALE_PG_PORT",
    )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _logged(home: Home, sizes: dict[Path, int]) -> str:
    """What the server wrote to its logs since they had these sizes."""
    texts = []
    for path in sorted(home.log.iterdir()):
        with path.open(errors="replace") as file:
            file.seek(sizes.get(path, 0))
            texts.append(file.read(20_000))
    return "".join(texts)


def _reason(home: Home, said: str, otherwise: str) -> Refused:
    """The one line for what PostgreSQL's programs said."""
    if re.search(FULL, said):
        return Refused("disk_full", f"the disk of {home.root} is full: free some space and start again")
    if re.search(TAKEN, said):
        state = home.load()
        return port_taken(state.port if state else 0)
    if "server did not start in time" in said:
        return Refused("recovering", RECOVERING)
    if "Permission denied" in said or "wrong ownership" in said:
        return Refused("folder_taken", f"{home.data} belongs to another user: {_last(said)}")
    return Refused("start_failed", f"{otherwise}: {_last(said)}")


def _last(said: str) -> str:
    """The line that names the cause: the last one that PostgreSQL calls fatal, or the last at all."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    fatal = [line for line in lines if re.search(r"FATAL|PANIC|error:|denied", line)]
    return (fatal or lines or ["it said nothing"])[-1]
