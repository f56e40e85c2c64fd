"""Whose folder, whose account, how much room: what the embedded server is given."""

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aftersale.pg import Refused, install
from aftersale.pg.cluster import postmaster
from aftersale.pg.connect import opened
from aftersale.pg.home import Home
from aftersale.pg.install import Account, run_as
from aftersale.pg.server import start
from tests.pg.processes import User, environment, gone

NOBODY = 65534
TRY = """
import sys
from pathlib import Path
from aftersale.pg import Refused
from aftersale.pg.server import start
try:
    start(Path(sys.argv[1]))
except Refused as refused:
    sys.exit(refused.why)
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as other users")


def refused(home: Path) -> Refused:
    with pytest.raises(Refused) as caught:
        start(home)
    assert "\n" not in caught.value.why
    assert not home.is_dir() or postmaster(Home(home)) is None
    return caught.value


def test_home_that_is_a_file(tmp_path: Path) -> None:
    home = tmp_path / "var"
    home.write_text("")
    assert refused(home).code == "folder_taken"


def test_home_with_data_of_another_version(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        version = server.home.data / "PG_VERSION"
    version.write_text("16\n")
    found = refused(tmp_path)
    assert found.code == "folder_version"
    assert found.why == (
        f"{version.parent} was made by PostgreSQL 16, this is 18: dump it there and load it here"
    )


def test_home_with_data_but_without_its_passwords(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        state = server.home.state_file
    state.unlink()
    found = refused(tmp_path)
    assert found.code == "folder_taken"
    assert str(state) in found.why
    assert not state.exists()


def test_home_with_damaged_passwords(tmp_path: Path) -> None:
    (tmp_path / "postgres.json").write_text('{"port": 1')
    assert refused(tmp_path).code == "state_broken"


def test_home_with_other_things_where_the_data_goes(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "postgres" / "data" / "holiday.jpg").write_text("beach")
    assert refused(tmp_path).code == "folder_taken"
    assert (tmp_path / "postgres" / "data" / "holiday.jpg").read_text() == "beach"


@pytest.fixture
def python() -> str:
    """A Python that an ordinary user can run; the one of these tests may lie in a private folder."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        tried = run_as(
            Account(NOBODY, NOBODY), Path("/"), "env", *(f"{k}={v}" for k, v in environment().items()),
            candidate, "-c", "import aftersale.pg.server",
        )  # fmt: skip
        if tried.returncode == 0:
            return candidate
    pytest.skip("no Python here that an ordinary user can run with these packages")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike tmp_path, one that other users can enter; it belongs to one of them."""
    folder = Path(tempfile.gettempdir()) / f"aftersale-test-{os.getpid()}"
    folder.mkdir(mode=0o755)
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_ordinary_user(open_folder: Path, python: str) -> None:
    user = User(open_folder, python, NOBODY)
    found = postmaster(Home(open_folder))
    assert found is not None
    assert Path(f"/proc/{found.pid}").stat().st_uid == NOBODY
    user.kill()
    assert gone(found.pid)


@needs_root
def test_root_runs_the_server_as_the_owner_of_the_home(open_folder: Path, python: str) -> None:
    with start(open_folder) as server:
        found = postmaster(server.home)
        assert found is not None
        assert Path(f"/proc/{found.pid}").stat().st_uid == NOBODY
    user = User(open_folder, python, NOBODY)
    user.end()


@needs_root
def test_ordinary_user_in_a_home_of_root(open_folder: Path, python: str) -> None:
    os.chown(open_folder, 0, 0)
    tried = subprocess.run(
        [python, "-c", TRY, str(open_folder)], cwd="/", env=environment(), capture_output=True,
        check=False, text=True, user=NOBODY, group=NOBODY, extra_groups=[],
    )  # fmt: skip
    assert tried.stderr == (
        f"AFTERSALE_HOME {open_folder} belongs to another user: run as that user, or name another folder\n"
    )
    assert list(open_folder.iterdir()) == []


@needs_root
def test_private_binaries_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Home and binaries below a folder that only root can enter."""
    private, shared = tmp_path / "private", tmp_path / "shared"
    private.mkdir(mode=0o700)
    site = Path(install.binaries(None)).parents[2]
    for name in (install.WHEEL, f"{install.WHEEL}.libs"):
        shutil.copytree(site / name, private / name)
    tmp_path.chmod(0o755)
    monkeypatch.syspath_prepend(str(private))
    monkeypatch.setenv("PYTHONPATH", str(private))
    monkeypatch.setattr(install, "SHARED", shared)
    who = Account(NOBODY, NOBODY)
    assert not who.reaches(private)
    found = install.binaries(who)
    assert shared in found.parents
    assert sorted(path.name for path in shared.iterdir()) == ["copy.lock", f"{install.WHEEL}-0.6.0"]
    assert private.stat().st_mode & 0o777 == 0o700


@needs_root
def test_home_below_a_private_folder(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    with start(private / "var") as server, opened(server.url("app")) as connection:
        found = postmaster(server.home)
        assert found is not None
        assert Path(f"/proc/{found.pid}").stat().st_uid != 0
        assert connection.execute("select 1").fetchone() == (1,)
    assert private.stat().st_mode & 0o777 == 0o700
    assert (private / "var/postgres/data/PG_VERSION").read_text() == "18\n"


@needs_root
def test_data_restored_by_root_is_handed_over(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        pass
    for path in (server.home.folder, *server.home.folder.rglob("*")):
        os.chown(path, 0, 0)
    with start(tmp_path) as server, opened(server.url("app")) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    size = f"size={request.param}m"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=False)
    if made.returncode != 0:
        pytest.skip("this machine lets nobody mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        file.writelines(b"\0" * 4096 for _ in range(120 * 256))
    return ballast


@needs_root
@pytest.mark.parametrize("small_disk", [12, 36], indirect=True)
def test_disk_full_while_making_the_data(small_disk: Path) -> None:
    found = refused(small_disk)
    assert found.code == "disk_full"
    assert found.why == f"the disk of {small_disk} is full: free some space and start again"
    assert not (small_disk / "postgres/data").exists()


@needs_root
@pytest.mark.parametrize("small_disk", [40], indirect=True)
def test_disk_full_between_data_and_database_then_enlarged(small_disk: Path) -> None:
    with pytest.raises(Refused) as caught:
        start(small_disk)
    assert caught.value.why == f"the disk of {small_disk} is full: free some space and start again"
    state = Home(small_disk).load()
    assert state is not None
    assert state.prepared is False
    subprocess.run(["mount", "-o", "remount,size=120m", str(small_disk)], check=True)
    with start(small_disk) as server, opened(server.url("app")) as connection:
        assert connection.execute("select current_database()").fetchone() == ("aftersale",)


@needs_root
@pytest.mark.parametrize("small_disk", [120], indirect=True)
def test_disk_full_at_a_later_start_then_freed(small_disk: Path) -> None:
    with start(small_disk) as server, opened(server.url("owner")) as connection:
        connection.execute("create table notes as select 'committed' as note")
        connection.commit()
    ballast = fill(small_disk)
    assert refused(small_disk).code == "disk_full"
    ballast.unlink()
    with start(small_disk) as server, opened(server.url("owner")) as connection:
        assert connection.execute("select note from notes").fetchone() == ("committed",)


@needs_root
@pytest.mark.parametrize("small_disk", [120], indirect=True)
def test_server_that_died_on_a_full_disk_comes_back_once_there_is_room(small_disk: Path) -> None:
    with start(small_disk) as server:
        with opened(server.url("owner")) as connection:
            connection.execute("create table notes as select 'committed' as note")
        ballast = fill(small_disk)
        found = postmaster(server.home)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)
        assert gone(found.pid)
        assert refused(small_disk).code == "disk_full"
        ballast.unlink()
        assert gone_file(server.home.trouble)
        with start(small_disk), opened(server.url("owner")) as connection:
            assert connection.execute("select note from notes").fetchone() == ("committed",)


def gone_file(path: Path, within_s: float = 30) -> bool:
    """Whether the file is removed in time."""
    until = time.monotonic() + within_s
    while path.exists() and time.monotonic() < until:
        select.select([], [], [], 0.05)
    return not path.exists()
