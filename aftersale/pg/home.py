"""AFTERSALE_HOME: where the embedded server's data, passwords and locks lie."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from aftersale.pg import Refused
from aftersale.pg.locks import Lock

Role = Literal["app", "owner", "admin"]


@dataclass(frozen=True)
class State:
    """What is remembered between starts. `port` 0: none chosen yet."""

    port: int
    admin: str = field(repr=False)
    owner: str = field(repr=False)
    app: str = field(repr=False)
    prepared: bool = False

    def password(self, role: Role) -> str:
        return {"admin": self.admin, "owner": self.owner, "app": self.app}[role]


def fresh_state() -> State:
    admin, owner, app = (secrets.token_urlsafe(24) for _ in range(3))
    return State(0, admin, owner, app)


@dataclass(frozen=True)
class Home:
    """The folder. `postgres/` below it belongs to the account that runs the server."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "postgres"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def state_file(self) -> Path:
        return self.root / "postgres.json"

    @property
    def users_lock(self) -> Path:
        return self.root / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.root / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.root / "keeper.lock"

    @property
    def keeper_log(self) -> Path:
        return self.root / "keeper.log"

    @property
    def trouble(self) -> Path:
        """Why the keeper could not bring the server back; absent while all is well."""
        return self.root / "keeper.trouble"

    def initialised(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    def load(self) -> State | None:
        try:
            return State(**json.loads(self.state_file.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise Refused("state_broken", f"{self.state_file} is damaged: restore it from a backup") from None

    def save(self, state: State) -> None:
        """Write the state, passwords included, readable by the owner alone; all of it or nothing."""
        part = self.state_file.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(json.dumps(asdict(state), indent=1))
            file.flush()
            os.fsync(file.fileno())
        self.give(part)
        part.replace(self.state_file)

    def lock(self, path: Path) -> Lock:
        """A lock on one of this home's files, made when absent."""
        lock = Lock(path)
        self.give(path)
        return lock

    def give(self, path: Path) -> None:
        """Let a file that root made in another person's folder belong to that person."""
        if os.geteuid() == 0:
            owner = self.root.stat()
            os.chown(path, owner.st_uid, owner.st_gid)


def home_at(root: Path) -> Home:
    """The home at `root`, made when absent; raises `Refused` when this process cannot use it."""
    root = root.expanduser().absolute()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise Refused("folder_taken", f"AFTERSALE_HOME {root} is a file: name a folder") from None
    except OSError as error:
        raise unusable(root, error) from None
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise unusable(root, PermissionError())
    return Home(root)


def unusable(root: Path, error: OSError) -> Refused:
    """The line for a folder that the operating system refuses."""
    if error.errno == 28:
        return Refused("disk_full", f"the disk of {root} is full: free some space and start again")
    if not isinstance(error, PermissionError):
        return Refused("folder_unusable", f"AFTERSALE_HOME {root} cannot be used: {error.strerror}")
    return Refused(
        "folder_taken",
        f"AFTERSALE_HOME {root} belongs to another user: run as that user, or name another folder",
    )
