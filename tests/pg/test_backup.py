"""A backup gives back exactly what was there at a moment, and nothing that came later (P28)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Queue
from threading import Event, Thread

import psycopg
import pytest

from aftersale.pg import Refused
from aftersale.pg.backup import catch_up, follow, restore, take
from aftersale.pg.server import start


@contextmanager
def written(home: Path) -> Iterator[psycopg.Connection]:
    """A connection to the home's server, in autocommit."""
    with start(home) as server, psycopg.connect(server.url("owner"), autocommit=True) as conn:
        yield conn


def moment(conn: psycopg.Connection) -> datetime:
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    return row[0]


def notes(home: Path) -> list[str]:
    with written(home) as conn:
        return [row[0] for row in conn.execute("SELECT text FROM note ORDER BY text")]


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[datetime]]:
    """A folder with a copy and later changes; moments before the second note, the third, and after all."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("backup") / "daily"
    moments = []
    with written(home) as conn:
        conn.execute("CREATE TABLE note (text text)")
        conn.execute("INSERT INTO note VALUES ('1 before the copy')")
        take(home, folder)
        for text in ("2 after the copy", "3 later"):
            moments.append(moment(conn))
            conn.execute("INSERT INTO note VALUES (%s)", (text,))
        moments.append(moment(conn))
        until = catch_up(home, folder).until
        conn.execute("INSERT INTO note VALUES ('4 never backed up')")
    assert moments[-1] < until
    return folder, [*moments, until]


def test_restore_to_a_moment(backed_up: tuple[Path, list[datetime]], tmp_path: Path) -> None:
    folder, moments = backed_up
    restored = restore(folder, tmp_path / "then", moments[1])
    assert restored.at == moments[1]
    assert notes(tmp_path / "then") == ["1 before the copy", "2 after the copy"]


def test_restore_all(backed_up: tuple[Path, list[datetime]], tmp_path: Path) -> None:
    folder, _ = backed_up
    restore(folder, tmp_path / "all")
    assert notes(tmp_path / "all") == ["1 before the copy", "2 after the copy", "3 later"]
    with written(tmp_path / "all") as conn:
        conn.execute("INSERT INTO note VALUES ('5 life goes on')")
        row = conn.execute("SELECT pg_is_in_recovery(), current_setting('hot_standby')").fetchone()
    assert row == (False, "on")


def test_restore_to_the_last_moment(backed_up: tuple[Path, list[datetime]], tmp_path: Path) -> None:
    folder, moments = backed_up
    restore(folder, tmp_path / "last", moments[-1])
    assert notes(tmp_path / "last") == ["1 before the copy", "2 after the copy", "3 later"]


def refused(folder: Path, home: Path, at: datetime | None = None) -> str:
    with pytest.raises(Refused) as caught:
        restore(folder, home, at)
    return caught.value.code


def test_restore_refuses(backed_up: tuple[Path, list[datetime]], tmp_path: Path) -> None:
    folder, moments = backed_up
    assert refused(tmp_path / "nothing", tmp_path / "a") == "no_backup"
    assert refused(folder, tmp_path / "b", moments[-1] + timedelta(seconds=1)) == "too_late"
    assert refused(folder, tmp_path / "c", datetime(2020, 1, 1, tzinfo=UTC)) == "too_early"
    (tmp_path / "taken" / "postgres").mkdir(parents=True)
    assert refused(folder, tmp_path / "taken") == "home_taken"
    assert list((tmp_path / "taken" / "postgres").iterdir()) == []


def test_a_folder_is_of_one_server(backed_up: tuple[Path, list[datetime]], tmp_path: Path) -> None:
    folder, _ = backed_up
    with pytest.raises(Refused) as caught:
        take(tmp_path / "another", folder)
    assert caught.value.code == "backup_other"


def test_only_the_newest_copies_stay(tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "copies"
    with written(home) as conn:
        conn.execute("CREATE TABLE note (text text)")
        for n in range(3):
            conn.execute("INSERT INTO note VALUES (%s)", (str(n),))
            take(home, folder, keep=2)
    assert len(list((folder / "base").iterdir())) == 2
    restore(folder, tmp_path / "again")
    assert notes(tmp_path / "again") == ["0", "1", "2"]


def test_following_loses_nothing(tmp_path: Path) -> None:
    """What is committed while it follows can be restored without another word to the server."""
    home, folder = tmp_path / "home", tmp_path / "followed"
    reached: Queue[datetime] = Queue()
    stopping = Event()
    with written(home) as conn:
        conn.execute("CREATE TABLE note (text text)")
        following = Thread(target=follow, args=(home, folder, stopping, reached.put, 0.3))
        following.start()
        reached.get(timeout=30)
        conn.execute("INSERT INTO note VALUES ('while it follows')")
        committed = moment(conn)
        while reached.get(timeout=30) < committed:
            pass
        with pytest.raises(Refused) as caught:
            take(home, folder)
        stopping.set()
        following.join(30)
    assert caught.value.code == "backup_running"
    restore(folder, tmp_path / "new", committed)
    assert notes(tmp_path / "new") == ["while it follows"]
