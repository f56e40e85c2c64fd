"""How a bug is planted: an SQL text changed in what was loaded, a function replaced, or the schema weakened."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.faults.judge import Finding
from tests.faults.simulation.place import Place

Planting = Callable[[Place], AbstractContextManager[None]]


@dataclass(frozen=True)
class Bug:
    """One planted bug: the promise it breaks, one sentence, and how it is planted in a place of its own.

    `theme`: the schedules that are asked first. `check`: no schedule can show it, this does.
    """

    name: str
    promise: str
    sentence: str
    plant: Planting
    theme: str = "swarm"
    check: Callable[[Place], list[Finding]] | None = None


@contextmanager
def attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    """`owner.name` is `value`."""
    kept = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, kept)


def code(owner: Any, name: str, make: Callable[[Any], Any]) -> Planting:
    """A function, replaced by what `make` makes of it."""
    return lambda place: attribute(owner, name, make(getattr(owner, name)))


def text(module: Any, attribute_name: str, block: str, *changes: tuple[str, str]) -> Planting:
    """A named SQL block with words changed; each must be there, so that no bug is planted into nothing."""

    def plant(place: Place) -> AbstractContextManager[None]:
        loaded = dict(getattr(module, attribute_name))
        for old, new in changes:
            assert old in loaded[block], f"{block} no longer says {old!r}"
            loaded[block] = loaded[block].replace(old, new)
        return attribute(module, attribute_name, loaded)

    return plant


def schema(*statements: str) -> Planting:
    """DDL in the bug's own database."""

    @contextmanager
    def plant(place: Place) -> Iterator[None]:
        for statement in statements:
            place.admin.execute(statement)
        yield

    return plant


def function(name: str, *changes: tuple[str, str]) -> Planting:
    """A function of the database with words changed."""

    @contextmanager
    def plant(place: Place) -> Iterator[None]:
        row = place.admin.execute(
            "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", (name,)
        ).fetchone()
        assert row is not None, f"no function {name}"
        body = str(row[0])
        for old, new in changes:
            assert old in body, f"{name} no longer says {old!r}"
            body = body.replace(old, new)
        place.admin.execute(body)
        yield

    return plant


def both(*plantings: Planting) -> Planting:
    """A fence and what would stop before it: two lines of defence must fall for the bug to show."""

    @contextmanager
    def plant(place: Place) -> Iterator[None]:
        if not plantings:
            yield
            return
        with plantings[0](place), both(*plantings[1:])(place):
            yield

    return plant
