"""Run schedules over a planted bug until one of them notices it."""

import time
from dataclasses import dataclass, field

from aftersale.pg.server import Server
from tests.faults.judge import Finding
from tests.faults.planted.plant import Bug
from tests.faults.simulation.place import Place, place
from tests.faults.simulation.runs import run_seeds

SCHEDULES_MAX = 300


@dataclass(frozen=True)
class Caught:
    """Which seed noticed the bug, after how many schedules; None when none did."""

    bug: Bug
    seed: int | None
    schedules: int
    seconds: float
    finding: Finding | None


@dataclass
class Hunt:
    """`sound` is a place without bugs: what a seed finds there, too, says nothing about a bug."""

    server: Server
    sound: Place
    _passes: dict[int, bool] = field(default_factory=dict)

    def passes(self, seed: int) -> bool:
        """Does the product as it is keep every promise with this seed?"""
        if seed not in self._passes:
            self._passes[seed] = not run_seeds(self.sound, [seed]).failed
        return self._passes[seed]

    def hunt(self, bug: Bug, schedules_max: int = SCHEDULES_MAX, first: int = 0) -> Caught:
        """Plant it in a database of its own and look for it, from seed `first` on."""
        began, found = time.monotonic(), None
        with place(self.server, "planted") as here, bug.plant(here):
            for seed in range(first, schedules_max):
                told = run_seeds(here, [seed])
                if told.failed:
                    found = (seed, told.failed[seed][0])
                    break
        seconds = time.monotonic() - began
        if found is None:
            return Caught(bug, None, schedules_max, seconds, None)
        seed, finding = found
        if not self.passes(seed):  # asked only now that the bug is out again
            return self.hunt(bug, schedules_max, seed + 1)
        return Caught(bug, seed, seed + 1, seconds, finding)
