"""Where the platform keeps things, and what can be done in batches (R-276, R-295)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    path: str


@dataclass(frozen=True, slots=True)
class Batches:
    """Every function shows what it would do, has a cap, and reports each item."""

    functions: tuple[str, ...]
    preview: bool = True
    capped: bool = True
    result_per_item: bool = True


def team_scripts_place(*, team_scripts_path: str) -> Place:
    """The label of the platform's own menu for team scripts (R-276)."""
    return Place(team_scripts_path)


def batches_offered(*, batch_functions: tuple[str, ...]) -> Batches:
    """What the desk can do with many orders at once (R-295)."""
    return Batches(batch_functions)
