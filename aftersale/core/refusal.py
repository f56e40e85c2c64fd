"""The value of an expected refusal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done: a stable `code` for machines and one clear line for people."""

    code: str
    why: str
