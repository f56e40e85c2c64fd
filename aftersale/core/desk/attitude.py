"""Attitude complaints (R-224): the platform's measures are the shop's own table, none is made up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attitude:
    """`measure` is None where the shop's table does not name the level."""

    record: tuple[str, ...]
    severity_level: str | None
    measure: str | None


def attitude_complaint(
    *, severity_level: str | int | None = None, attitude_measures: tuple[str, ...]
) -> Attitude:
    """What is recorded of a complaint about the tone of an agent; `attitude_measures`: level=measure."""
    level = None if severity_level is None else str(severity_level)
    table = dict(entry.split("=", 1) for entry in attitude_measures if "=" in entry)
    return Attitude(("severity_level", "measure"), level, table.get(level or ""))
