"""A person's jobs as the pages show them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import PurePath
from typing import Any

from django.utils.translation import gettext as _

from aftersale.cases.rows import first, read
from aftersale.jobs.table import MIME
from aftersale.people.jobs import words
from aftersale.people.templatetags.desk import rough
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.jobs", "jobs.sql")
PAGE_ROWS = 50


@dataclass(frozen=True)
class Job:
    """`took_s`: real seconds it has run so far, None before it began. `asked` and `result` are JSON."""

    id: int
    kind: str
    shop_code: str | None
    shop_name: str | None
    state: str
    done: int
    total: int | None
    asked: str
    result: str
    said: str
    created_at: datetime
    stop_asked: bool
    took_s: float | None

    @property
    def open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def title(self) -> str:
        """The kind, and what it is about where who asked said so."""
        about = self.given.get("title")
        kind = words.kind(self.kind)
        return _("%(kind)s：%(about)s") % {"kind": kind, "about": about} if about else kind

    @cached_property
    def given(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.asked)
        return found

    @cached_property
    def found(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = json.loads(self.result)
        return found

    @property
    def address(self) -> str:
        """The page that shows what came of it; empty when that is the job's own."""
        page = str(self.given.get("page", ""))
        return page if page.startswith("/") and not page.startswith("//") else ""

    @property
    def state_word(self) -> str:
        return words.state(self.state)

    @property
    def rate(self) -> int:
        """Items a second, 0 when not known."""
        return round(self.done / self.took_s) if self.took_s and self.took_s >= 1 else 0

    @property
    def left(self) -> str:
        """The time it still needs, roughly; empty when not known."""
        if not self.total or not self.done or not self.took_s or self.took_s < 1:
            return ""
        left_s = self.took_s / self.done * max(self.total - self.done, 0)
        return rough(timedelta(seconds=left_s)) if left_s >= 60 else _("不到 1 分钟")

    @property
    def sentence(self) -> str:
        """What is going on or came of it."""
        if self.open:
            return words.going_on(self.state, self.stop_asked)
        return words.came_of_it(self.kind, self.state, self.found, self.said)


@dataclass(frozen=True, slots=True)
class File:
    """A file that a job left."""

    id: int
    job_id: int
    name: str
    mime: str
    bytes: int

    @property
    def title(self) -> str:
        return shown_name(self.name, self.mime)

    @property
    def size_known(self) -> bool:
        """Not of a table: it is written out when somebody takes it."""
        return self.mime != MIME


@dataclass(frozen=True, slots=True)
class Body:
    """A file with its content."""

    name: str
    mime: str
    body: memoryview | bytes


def shown_name(name: str, mime: str) -> str:
    """What a file is called; of a table in the reader's language."""
    return f"{_(PurePath(name).stem)}.csv" if mime == MIME else name


def mine(by: str, before: int | None = None) -> list[Job]:
    """A page of the person's jobs, newest first, and one more where there is another page."""
    return read(Job, SQL["mine"], {"by": by, "id": None, "before": before, "rows": PAGE_ROWS + 1})


def job_for(by: str, job_id: int) -> Job | None:
    """The job, or None when it does not exist or is another's."""
    return first(Job, SQL["mine"], {"by": by, "id": job_id, "before": None, "rows": 1})


def files_of(by: str, job_id: int) -> list[File]:
    return read(File, SQL["files"], {"by": by, "id": job_id})


def file_of(by: str, job_id: int, file: int) -> Body | None:
    return first(Body, SQL["file"], {"by": by, "id": job_id, "file": file})
