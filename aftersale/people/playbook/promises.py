"""Promises on the page: what was promised, until when, and how it stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from aftersale.cases.rows import read
from aftersale.core.clocks.reading import clocks
from aftersale.core.playbooks.notes import Note, note_state
from aftersale.core.refusal import Refusal
from aftersale.people.playbook.found import SQL, Known, ruling, settings_of
from aftersale.rulebooks import books
from aftersale.rulebooks.calendar import calendar_of

KINDS = ("answer", "resend", "ship", "restock", "other")


@dataclass(frozen=True, slots=True)
class Promise:
    id: int
    kind: str
    text: str
    amount_fen: int | None
    due_at: datetime
    state: str
    by_whom: str
    at: datetime
    settled_by: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Handover:
    """`seen_at` None: on top of the page for whom it is."""

    id: int
    from_whom: str
    to_whom: str | None
    department: str | None
    found: str
    promised: str
    next_step: str
    due: str
    at: datetime
    seen_by: str | None
    seen_at: datetime | None

    def is_for(self, name: str, role: str) -> bool:
        return self.seen_at is None and (self.to_whom == name or self.department == role)


def promises_of(where: Mapping[str, Any]) -> list[Promise]:
    return read(Promise, SQL["promises"], where)


def handovers_of(where: Mapping[str, Any]) -> list[Handover]:
    return read(Handover, SQL["handovers"], where)


def due_of(kind: str, given: datetime | None, own: str, platform: str, now: datetime) -> datetime | None:
    """The moment given, else the one that the book of deadlines counts for this kind; None: somebody must name one."""
    if given is not None:
        return given
    terms = settings_of("deadlines", own, platform, now)
    calendar = calendar_of(settings_of("calendar", own, platform, now))
    found = clocks(books.book("deadlines"), {"promise": kind, "promised_at": now}, terms, calendar, now)
    return next((one.due_at for one in found if one.terms.whose == "promise"), None)


def handover_fault(
    known: Known, texts: Sequence[str], own: str, platform: str, now: datetime
) -> Refusal | None:
    """Why the book does not let this case be handed over with such a note."""
    state = note_state(note=Note(*texts))
    facts = {**known.facts, "noted": state.noted, "note_complete": state.note_complete}
    said = ruling("handover", facts, own, platform, now).outcome
    if said["allowed"] is True:
        return None
    lacking = _("、").join(PARTS[name]() for name in state.note_missing)
    return Refusal("note", _("交接要写全，还缺：%(parts)s") % {"parts": lacking})


PARTS: Mapping[str, Callable[[], str]] = {
    "found": lambda: _("查到什么"),
    "promised": lambda: _("答应了什么"),
    "next_step": lambda: _("下一步做什么"),
    "due": lambda: _("什么时候"),
}
