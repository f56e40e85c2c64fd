"""What of a case goes into its log (R-344, R-369)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaseLog:
    log_entries: int
    entries: tuple[str, ...]


def audit(*, actions: tuple[str, ...], refused: tuple[str, ...] = ()) -> CaseLog:
    """One entry for each action that took place, repeats included; a refused one took none."""
    entries = tuple(one for one in actions if one not in refused)
    return CaseLog(len(entries), entries)
