"""What is planted is noticed: a share of the bugs here, all of them with `make faults` (P27)."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.planted.bugs import BUGS
from tests.faults.planted.hunt import Hunt
from tests.faults.planted.plant import Bug
from tests.faults.simulation.place import place, server

QUICK = ("no record first", "no ledger", "not freed", "eaten", "not decided anew")


@pytest.fixture(scope="module")
def hunt() -> Iterator[Hunt]:
    with server() as running, place(running, "sound") as sound:
        yield Hunt(running, sound)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.name in QUICK], ids=lambda bug: bug.name)
def test_a_planted_bug_is_noticed(hunt: Hunt, bug: Bug) -> None:
    caught = hunt.hunt(bug, schedules_max=60)
    assert caught.seed is not None, bug.sentence


def test_names_are_told_apart_and_the_money_promises_have_three_each() -> None:
    assert max(Counter(bug.name for bug in BUGS).values()) == 1
    promises = Counter(bug.promise for bug in BUGS)
    assert all(promises[one] >= 3 for one in ("P1", "P2", "P3", "P4", "P7"))
