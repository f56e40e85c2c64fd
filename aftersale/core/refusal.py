"""The value of an expected refusal."""

from dataclasses import dataclass, field
from datetime import datetime

from aftersale.core.language.saying import Saying, plain


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done: a stable `code` for machines and one clear line for people.

    `who` was first, `at` that moment, when somebody else had done it already. `fen`: the limit that was exceeded.
    `told`: `why` with its values apart, where it has any.
    """

    code: str
    why: str
    who: str = field(default="", kw_only=True)
    at: datetime | None = field(default=None, kw_only=True)
    fen: int | None = field(default=None, kw_only=True)
    told: Saying | None = field(default=None, kw_only=True, hash=False)


def refusal_of(code: str, told: Saying) -> Refusal:
    """A refusal whose line has values."""
    return Refusal(code, plain(told), told=told)
