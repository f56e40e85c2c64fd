"""Refusals in schedules of their own: workers die, answers are lost, buyers change their mind, colleagues agree."""

from collections import Counter

from tests.faults.judge import refusals
from tests.faults.simulation.draw import refusing
from tests.faults.simulation.place import place, server
from tests.faults.simulation.schedule import Schedule


def test_what_is_refused_is_refused_once_whatever_fails() -> None:
    states: Counter[str] = Counter()
    wrong = {}
    with server() as running, place(running, "refusals") as here:
        for seed in range(60):
            one = Schedule(here, seed, refusing(seed))
            found = [*one.run().findings, *refusals(here.admin, one.world.theirs().applications)]
            if found:
                wrong[seed] = found
            query = "SELECT state, count(*)::int FROM intent WHERE kind = 'refuse' GROUP BY 1"
            states.update(dict(here.admin.execute(query).fetchall()))
    assert wrong == {}
    assert states["done"] >= 10
    assert {"done", "refused", "cancelled"} <= set(states)
