"""Taking: a whole copy with `pg_basebackup`, and every change since with `pg_receivewal` over a slot of its own.

The slot makes the server keep what was not fetched yet; conf.py bounds how much, so that a forgotten folder
cannot fill the disk.
"""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from aftersale.pg import Refused
from aftersale.pg.backup.folder import NAME, Folder, Label, fresh_label, write_private
from aftersale.pg.connect import opened, parsed
from aftersale.pg.install import binaries
from aftersale.pg.locks import Lock
from aftersale.pg.server import start
from aftersale.pg.sql import queries

QUERIES = queries(__package__, "backup.sql")
PROGRAM_S_MAX = 3600
KEEP = 7
MARK_EVERY_S = 10.0
COPY_EVERY = timedelta(days=1)


@dataclass(frozen=True)
class Taken:
    """`base`: the new whole copy, None when only changes were fetched. `until`: restoring works up to here."""

    base: Path | None
    until: datetime
    size_bytes: int


def take(home: Path, folder: Path, *, keep: int = KEEP) -> Taken:
    """A whole copy of the server of `home` and all changes up to now; the newest `keep` copies stay. Raises `Refused`."""
    with _at_work(home, folder) as (url, place):
        _slot(url, place)
        base = _copy(url, place)
        until = _fetch(url, place)
        _prune(place, keep)
        _note(home, folder, until)
        return Taken(base, until, sum(f.stat().st_size for f in base.rglob("*") if f.is_file()))


def catch_up(home: Path, folder: Path) -> Taken:
    """All changes up to now on top of the copies in `folder`; takes a copy when there is none. Raises `Refused`."""
    if not Folder(folder.absolute()).bases():
        return take(home, folder)
    with _at_work(home, folder) as (url, place):
        _slot(url, place)
        until = _fetch(url, place)
        _note(home, folder, until)
        return Taken(None, until, 0)


def follow(
    home: Path,
    folder: Path,
    stopping: threading.Event,
    told: Callable[[datetime], object],
    every_s: float = MARK_EVERY_S,
) -> None:
    """Fetch every change as it happens until `stopping`; `told` hears how far the folder reaches. Raises `Refused`."""
    if not Folder(folder.absolute()).bases():
        take(home, folder)
    with _at_work(home, folder) as (url, place):
        slot = _slot(url, place).slot
        asked = ["-D", str(place.wal), "-S", slot, "--no-password", "--status-interval=1"]
        with subprocess.Popen(
            _line("pg_receivewal", asked), env=_secret(url), stderr=subprocess.PIPE
        ) as child:
            try:
                while not stopping.is_set():
                    until = _followed(url, slot, child, lambda: stopping.wait(every_s))
                    if until is not None:
                        place.reached(until)
                        _note(home, folder, until)
                        told(until)
                        _fresh_copy(url, place, until)
            finally:
                child.terminate()


def _fresh_copy(url: str, place: Folder, now: datetime) -> None:
    """A whole copy a day, so that a restore need not replay more than that."""
    if now - place.bases()[-1][0] > COPY_EVERY:
        _copy(url, place)
        _prune(place, KEEP)


def _followed(
    url: str, slot: str, child: subprocess.Popen[bytes], wait: Callable[[], object]
) -> datetime | None:
    """A moment up to which everything came in while we waited; None when the follower lags."""
    until, position = _mark(url)
    wait()
    if child.poll() is not None:
        said = child.stderr.read().decode(errors="replace") if child.stderr else ""
        raise Refused("backup_failed", f"pg_receivewal ended: {_last(said)}")
    with closing(_admin(url)) as connection:
        row = connection.execute(QUERIES["received"], {"slot": slot, "lsn": position}).fetchone()
    return until if row == (True,) else None


@contextmanager
def _at_work(home: Path, folder: Path) -> Iterator[tuple[str, Folder]]:
    """The server's administrator URL and the folder, which no other process writes meanwhile."""
    place = Folder(folder.expanduser().absolute())
    with start(home) as server:
        try:
            for path in (place.root, place.base, place.wal):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = Lock(place.lock)
        except OSError as error:
            raise Refused("backup_folder", f"{place.root} cannot be written: {error.strerror}") from None
        try:
            if not lock.try_exclusive():
                raise Refused("backup_running", f"another process is writing backups into {place.root}")
            write_private(place.passwords, server.home.state_file.read_text("utf-8"))
            yield server.url("admin", "postgres"), place
        finally:
            lock.close()


def _slot(url: str, place: Folder) -> Label:
    """The folder's label, and its slot on the server; one that was lost is made anew."""
    with closing(_admin(url)) as connection:
        row = connection.execute(QUERIES["identity"]).fetchone()
        assert row is not None
        label = place.label() or fresh_label(row[0], row[1])
        if (label.system, label.timeline) != (row[0], row[1]):
            raise Refused(
                "backup_other", f"{place.root} holds backups of another database: name a new folder"
            )
        connection.execute(QUERIES["drop_lost"], {"slot": label.slot})
        connection.execute(QUERIES["make_slot"], {"slot": label.slot})
    place.save(label)
    return label


def _copy(url: str, place: Folder) -> Path:
    part = place.base / "part"
    shutil.rmtree(part, ignore_errors=True)
    asked = ["-D", str(part), "--checkpoint=fast", "--wal-method=stream", "--no-password"]
    _run("pg_basebackup", asked, _secret(url))
    with closing(_admin(url)) as connection:
        row = connection.execute(QUERIES["moment"]).fetchone()
    assert row is not None
    moment: datetime = row[0]
    whole = place.base / moment.strftime(NAME)
    part.rename(whole)
    return whole


def _fetch(url: str, place: Folder) -> datetime:
    """All that was committed before this call; that moment."""
    label = place.label()
    assert label is not None
    until, position = _mark(url)
    _run(
        "pg_receivewal",
        ["-D", str(place.wal), "-S", label.slot, "--no-password", "--endpos", position],
        _secret(url),
    )
    place.reached(until)
    return until


def _mark(url: str) -> tuple[datetime, str]:
    """A moment, and the position behind a commit that is later; a third commit lies behind both."""
    with closing(_admin(url)) as connection:
        row = connection.execute(QUERIES["moment"]).fetchone()
        connection.execute(QUERIES["commit"])
        position = connection.execute(QUERIES["position"]).fetchone()
        connection.execute(QUERIES["commit"])
    assert row is not None
    assert position is not None
    return row[0], position[0]


def _prune(place: Folder, keep: int) -> None:
    """Older copies go, and the changes that only they needed."""
    bases = place.bases()
    for _, path in bases[: max(0, len(bases) - keep)]:
        shutil.rmtree(path)
    oldest = place.bases()[0][1]
    first = re.search(r"\(file ([0-9A-F]{24})\)", (oldest / "backup_label").read_text("utf-8"))
    assert first is not None, f"{oldest} has no start in its backup_label"
    for path in place.wal.iterdir():
        if re.match(r"[0-9A-F]{24}", path.name) and path.name[8:24] < first[1][8:24]:
            path.unlink()


def _note(home: Path, folder: Path, until: datetime) -> None:
    """For whoever asks when the last backup was (health/)."""
    text = json.dumps({"folder": str(folder.absolute()), "until": until.isoformat()})
    write_private(home.expanduser().absolute() / "backup.json", text)


def _admin(url: str) -> psycopg.Connection:
    return opened(url, application="aftersale backup", autocommit=True)


def _secret(url: str) -> dict[str, str]:
    """The connection as libpq's variables: a command line can be read by everybody on the machine."""
    parts = parsed(url)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD"}
    given = {name: str(parts[key]) for key, name in names.items() if key in parts}
    return {"PATH": os.defpath, "LC_ALL": "C", "PGAPPNAME": "aftersale backup", **given}


def _line(program: str, asked: list[str]) -> list[str]:
    return [str(binaries(None) / program), *asked]


def _run(program: str, asked: list[str], environment: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            _line(program, asked), env=environment, capture_output=True, text=True, errors="replace",
            check=False, timeout=PROGRAM_S_MAX,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Refused("backup_failed", f"{program} did not finish within {PROGRAM_S_MAX} s") from None
    if done.returncode != 0:
        raise Refused("backup_failed", f"{program} failed: {_last(done.stderr)}")


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
