"""The note that lets a colleague take a case over (R-138, R-310)."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Note:
    """What was found, what the buyer was promised, what comes next, and when."""

    found: str | None = None
    promised: str | None = None
    next_step: str | None = None
    due: str | None = None


@dataclass(frozen=True, slots=True)
class NoteState:
    """`note_complete` is None for a note in one piece, which is not taken apart."""

    noted: bool
    note_complete: bool | None
    note_missing: tuple[str, ...]


def note_state(*, note: str | Note | None = None) -> NoteState:
    """Whether a note says anything, and which of its parts are empty."""
    if not isinstance(note, Note):
        return NoteState(bool((note or "").strip()), None, ())
    empty = tuple(one.name for one in fields(note) if not (getattr(note, one.name) or "").strip())
    return NoteState(len(empty) < len(fields(note)), not empty, empty)
