"""What lies in a folder of backups."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from aftersale.pg import Refused

NAME = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True)
class Label:
    """Whose backups these are. `until`: restoring is possible up to this moment, by the server's clock."""

    system: str
    timeline: int
    slot: str
    until: datetime | None = None


@dataclass(frozen=True)
class Folder:
    """A folder of backups of one server."""

    root: Path

    @property
    def base(self) -> Path:
        return self.root / "base"

    @property
    def wal(self) -> Path:
        return self.root / "wal"

    @property
    def passwords(self) -> Path:
        """The home's postgres.json, without which a restored database lets nobody in."""
        return self.root / "postgres.json"

    @property
    def lock(self) -> Path:
        return self.root / "backup.lock"

    def label(self) -> Label | None:
        """Raises `Refused` when backup.json is damaged."""
        try:
            told = json.loads((self.root / "backup.json").read_text("utf-8"))
            until = told.pop("until")
            return Label(**told, until=datetime.fromisoformat(until) if until else None)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            raise Refused("backup_broken", f"{self.root / 'backup.json'} is damaged") from None

    def save(self, label: Label) -> None:
        until = label.until.isoformat() if label.until else None
        write_private(self.root / "backup.json", json.dumps({**asdict(label), "until": until}, indent=1))

    def reached(self, until: datetime) -> None:
        """All changes before `until` are in the folder."""
        label = self.label()
        assert label is not None
        self.save(replace(label, until=until))

    def bases(self) -> list[tuple[datetime, Path]]:
        """Whole copies by the moment at which they were complete, oldest first."""
        paths = self.base.glob("*Z") if self.base.exists() else ()
        return sorted((_moment(path), path) for path in paths)


def fresh_label(system: str, timeline: int) -> Label:
    return Label(system, timeline, f"aftersale_{secrets.token_hex(4)}")


def write_private(path: Path, text: str) -> None:
    """All of it or nothing, readable by the owner alone."""
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _moment(path: Path) -> datetime:
    return datetime.strptime(path.name, NAME).replace(tzinfo=UTC)
