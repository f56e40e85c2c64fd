"""Restoring: a new home as the server was at a moment. The home that was lost is never touched."""

import json
import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from aftersale.pg import Refused
from aftersale.pg.backup.folder import Folder
from aftersale.pg.connect import opened
from aftersale.pg.home import Home, home_at
from aftersale.pg.server import start

# Paths are seen from the data folder. A segment that was still being filled is called partial.
RECOVERY = """\
restore_command = 'cp "../wal/%f" "%p" || cp "../wal/%f.partial" "%p"'
recovery_target_action = 'promote'
"""


RECOVERY_S_MAX = 6 * 3600
POLL_S = 0.05


@dataclass(frozen=True)
class Restored:
    """`base`: the copy it began with. `at`: the moment asked for, None: all there was."""

    home: Path
    base: Path
    at: datetime | None


def restore(folder: Path, home: Path, at: datetime | None = None) -> Restored:
    """Make `home`, which must be new, as the server was at `at` (aware; None: the last moment). Raises `Refused`.

    What was committed by then is there, nothing later is. The server is stopped again when this returns.
    """
    place, target = Folder(folder.expanduser().absolute()), home_at(home)
    base = _base(place, at)
    if target.folder.exists() or target.state_file.exists():
        raise Refused("home_taken", f"{target.root} already holds a database: name a new folder")
    try:
        _lay_out(place, base, target, at)
        with start(target.root) as server:
            _finish(target, server.url("admin", "postgres"))
        shutil.rmtree(target.folder / "wal")
    except BaseException as error:
        shutil.rmtree(target.folder, ignore_errors=True)
        target.state_file.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Refused("restore_failed", f"{error.filename}: {error.strerror}") from None
        raise
    return Restored(target.root, base, at)


def _base(place: Folder, at: datetime | None) -> Path:
    """The newest copy that was complete at `at`."""
    label, bases = place.label(), place.bases()
    if label is None or not bases:
        raise Refused("no_backup", f"{place.root} holds no backup: `aftersale backup` makes one")
    if at is None:
        return bases[-1][1]
    if label.until is None or at > label.until:
        raise Refused(
            "too_late", f"the backups in {place.root} reach until {label.until}: name an earlier moment"
        )
    fitting = [path for moment, path in bases if moment <= at]
    if not fitting:
        raise Refused(
            "too_early", f"the oldest backup in {place.root} is of {bases[0][0]}: name a later moment"
        )
    return fitting[-1]


def _lay_out(place: Folder, base: Path, target: Home, at: datetime | None) -> None:
    target.folder.mkdir(mode=0o700)
    target.log.mkdir(mode=0o700)
    shutil.copytree(base, target.data)
    shutil.copytree(place.wal, target.folder / "wal")
    (target.data / "recovery.signal").touch()
    # The copy holds what the old server was told by ALTER SYSTEM; ours is read last and wins.
    aim = f"recovery_target_time = '{at.isoformat()}'\n" if at else ""
    with (target.data / "postgresql.auto.conf").open("a") as file:
        file.write(RECOVERY + aim)
    state = json.loads(place.passwords.read_text("utf-8"))
    target.state_file.touch(mode=0o600)
    target.state_file.write_text(json.dumps({**state, "port": 0}))
    target.give(target.state_file)


def _finish(target: Home, url: str) -> None:
    """Wait until it is what was asked for; then what told the server to recover is told no longer."""
    until = time.monotonic() + RECOVERY_S_MAX
    with closing(opened(url, application="aftersale restore", autocommit=True)) as connection:
        while _recovering(target, connection):
            if time.monotonic() > until:
                raise Refused(
                    "recovering", f"the restore takes longer than {RECOVERY_S_MAX} s, see {target.log}"
                )
            time.sleep(POLL_S)
        for name in ("restore_command", "recovery_target_action", "recovery_target_time"):
            connection.execute(sql.SQL("ALTER SYSTEM RESET {}").format(sql.Identifier(name)))
        connection.execute("SELECT pg_reload_conf()")


def _recovering(target: Home, connection: psycopg.Connection) -> bool:
    try:
        return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
    except psycopg.OperationalError:
        why = f"the changes in the backup end before the moment asked for, see {target.log}"
        raise Refused("restore_failed", why) from None
