"""Schedules of faults over the real domain code: a fair share here, thousands with `make faults`."""

from collections.abc import Iterator

import pytest

from aftersale.pg.server import Server
from tests.faults.simulation.place import Place, place, server
from tests.faults.simulation.points import FLOWS, crash_points
from tests.faults.simulation.runs import run_seeds
from tests.faults.simulation.schedule import Schedule


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with server() as one:
        yield one


@pytest.fixture(scope="module")
def here(running: Server) -> Iterator[Place]:
    with place(running, "schedules") as one:
        yield one


def test_twenty_schedules_break_no_promise(here: Place) -> None:
    told = run_seeds(here, range(20))
    assert told.failed == {}
    assert told.done == 20
    assert {state for _, state in told.cells} >= {
        "approved",
        "sending",
        "unknown",
        "done",
        "refused",
        "cancelled",
    }


def test_a_seed_is_the_same_schedule_every_time_and_in_every_place(running: Server, here: Place) -> None:
    seeds = range(32, 48)  # each theme once
    first = [Schedule(here, seed).run().hash for seed in seeds]
    with place(running, "elsewhere") as other:
        second = [Schedule(other, seed).run().hash for seed in reversed(seeds)]
    assert first == second[::-1]
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("flow", ["unshipped at Tmall", "answer lost", "approval"])
def test_a_crash_at_every_twelfth_statement_or_call_costs_nothing(here: Place, flow: str) -> None:
    told = crash_points(here, FLOWS[flow], every=12, deeds=("die",))
    assert told.failed == {}
    assert told.points >= FLOWS[flow].points_min // 12
