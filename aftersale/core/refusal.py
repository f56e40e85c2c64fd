"""The value of an expected refusal."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done: a stable `code` for machines and one clear line for people.

    `who` was first, `at` that moment, when somebody else had done it already.
    """

    code: str
    why: str
    who: str = field(default="", kw_only=True)
    at: datetime | None = field(default=None, kw_only=True)
