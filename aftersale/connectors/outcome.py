"""What became of one call to the outside: every connector answers with one of these values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ok:
    """Done, as the other side says; `body` is its answer without the envelope."""

    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused for good: the same call would be refused again. Nothing was done."""

    code: str
    sub_code: str
    message: str


@dataclass(frozen=True, slots=True)
class TryLater:
    """Nothing was done; the same call may succeed after `after_s` seconds."""

    after_s: float
    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have been done: only a query of the object can tell."""

    why: str


Answer = Ok | Rejected | TryLater | Unknown
