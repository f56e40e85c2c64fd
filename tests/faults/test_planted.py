"""What is planted is noticed: a share of the bugs here, all of them with `make faults` (P27)."""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.faults.planted.bugs import BUGS
from tests.faults.planted.hunt import Hunt, seeds_for
from tests.faults.planted.plant import Bug
from tests.faults.simulation.place import place, server

QUICK = (
    "no record first",
    "no ledger",
    "not freed",
    "eaten",
    "not decided anew",
    "no epoch",
    "withdrawn and paid",
    "sends at once",
)


@pytest.fixture(scope="module")
def hunt() -> Iterator[Hunt]:
    with server() as running, place(running, "sound") as sound:
        yield Hunt(running, sound)


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.name in QUICK], ids=lambda bug: bug.name)
def test_a_planted_bug_is_noticed(hunt: Hunt, bug: Bug) -> None:
    caught = hunt.hunt(bug, schedules_max=60)
    assert caught.finding is not None, bug.sentence


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.check], ids=lambda bug: bug.name)
def test_what_no_schedule_shows_is_noticed_by_its_check(hunt: Hunt, bug: Bug) -> None:
    caught = hunt.hunt(bug)
    assert caught.finding is not None, bug.sentence
    assert caught.finding.promise == bug.promise


def test_names_are_told_apart_and_each_promise_has_three() -> None:
    assert max(Counter(bug.name for bug in BUGS).values()) == 1
    promises = Counter(bug.promise for bug in BUGS)
    assert {one for one, count in promises.items() if count < 3} == set()
    assert set(promises) == {f"P{number}" for number in (*range(1, 16), 17, 18, 28, 30)}


def test_the_schedules_of_a_theme_come_first() -> None:
    seeds = seeds_for("takeover", 6)
    assert seeds == [1, 17, 33, 49, 0, 2]
