"""docs/faults.md: each fault and each promise, and where it is asserted. `python -m tests.faults.catalogue` writes it."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.faults.planted.bugs import BUGS
from tests.faults.real.drills import DRILLS
from tests.faults.simulation.calls import TROUBLES
from tests.faults.simulation.draw import DEEDS, PUSHES, Plan
from tests.faults.simulation.market import MOVES

TESTS = Path(__file__).parent.parent
SAID = Path(__file__).with_suffix(".yaml")
DOCUMENT = TESTS.parent / "docs" / "faults.md"
FAULTS = [f"F{n}" for n in range(1, 61)]
PROMISES = [f"P{n}" for n in range(1, 31)]
DRAWN = {*TROUBLES, *DEEDS, *PUSHES, *MOVES, *Plan.__annotations__}
TITLE = """# Faults and promises

Made from [tests/faults/catalogue.yaml](../tests/faults/catalogue.yaml) by `python -m tests.faults.catalogue`; a test
holds that every test named here exists. What the promises mean for a shop is in [safety.md](safety.md).
"""


@dataclass(frozen=True)
class Entry:
    """One fault or promise: tests as (file, function), what the simulation draws, drills, and what is missing."""

    name: str
    what: str
    then: str
    tests: tuple[tuple[str, str], ...]
    simulation: tuple[str, ...]
    drills: tuple[str, ...]
    missing: str

    @property
    def planted(self) -> tuple[str, ...]:
        return tuple(bug.name for bug in BUGS if bug.promise == self.name)


@cache
def entries(part: str) -> tuple[Entry, ...]:
    """Of `faults` or `promises`, in their order."""
    said: Mapping[str, Mapping[str, Any]] = yaml.safe_load(SAID.read_text("utf-8"))[part]
    return tuple(_entry(name, told) for name, told in said.items())


def _entry(name: str, told: Mapping[str, Any]) -> Entry:
    asserted = tuple((file, one) for file, ones in told.get("tests", {}).items() for one in ones)
    drawn, drills = tuple(told.get("simulation", ())), tuple(told.get("drill", ()))
    return Entry(name, told["what"], told.get("then", ""), asserted, drawn, drills, told.get("missing", ""))


def wrong() -> list[str]:
    """What the catalogue says that is not so, a line each."""
    all_of = (*entries("faults"), *entries("promises"))
    found = [
        f"{one.name}: neither a test nor a reason" for one in all_of if not one.tests and not one.missing
    ]
    found += [
        f"{one.name}: no {test} in tests/{file}"
        for one in all_of
        for file, test in one.tests
        if test not in functions(file)
    ]
    found += [f"{one.name}: {n} is never drawn" for one in all_of for n in one.simulation if n not in DRAWN]
    return found + [f"{one.name}: no drill {n}" for one in all_of for n in one.drills if n not in DRILLS]


@cache
def functions(file: str) -> frozenset[str]:
    """The tests that pytest collects of a file; empty when there is no such file."""
    path = TESTS / file
    if not path.exists() or not path.name.startswith("test_"):
        return frozenset()
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        n.name for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("test_")
    )


def document() -> str:
    """docs/faults.md."""
    told = Counter(bool(one.tests) for one in entries("faults"))
    head = f"{TITLE}\nOf 60 faults {told[True]} are asserted; {told[False]} cannot happen here yet, with the reason.\n"
    faults = ["\n## Faults\n", *_lines(entries("faults"))]
    return "\n".join([head, *faults, "\n## Promises\n", *_lines(entries("promises"))]) + "\n"


def _lines(all_of: Sequence[Entry]) -> Iterator[str]:
    for one in all_of:
        yield f"- **{one.name}** {one.what}{': ' + one.then if one.then else ''}"
        where = [f"[{test.removeprefix('test_')}](../tests/{file})" for file, test in one.tests]
        where += [f"drawn by the simulation: {', '.join(one.simulation)}"] if one.simulation else []
        where += [f"drill: {', '.join(one.drills)}"] if one.drills else []
        where += [f"planted: {', '.join(one.planted)}"] if one.planted else []
        yield from (f"  - {place}" for place in where)
        if one.missing:
            yield f"  - not asserted: {one.missing}"


if __name__ == "__main__":
    sys.stderr.writelines(f"{line}\n" for line in wrong())
    DOCUMENT.write_text(document(), encoding="utf-8")
