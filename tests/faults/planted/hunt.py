"""Run schedules over a planted bug until one of them notices it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aftersale.pg.server import Server
from tests.faults.judge import Finding
from tests.faults.planted.plant import Bug
from tests.faults.simulation.draw import THEMES
from tests.faults.simulation.place import Place, place
from tests.faults.simulation.runs import run_seeds

SCHEDULES_MAX = 120


@dataclass(frozen=True)
class Caught:
    """What noticed the bug, if anything: a seed after so many schedules, or no seed but the bug's own check."""

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

    def hunt(self, bug: Bug, schedules_max: int = SCHEDULES_MAX) -> Caught:
        """Plant it in a database of its own and look for it, in the schedules of its theme first."""
        began = time.monotonic()
        if bug.check:
            return self._checked(bug, bug.check)
        seeds, tried = seeds_for(bug.theme, schedules_max), 0
        while tried < len(seeds):
            with place(self.server, "planted") as here, bug.plant(here):
                for seed in seeds[tried:]:
                    tried += 1
                    told = run_seeds(here, [seed])
                    if told.failed:
                        break
            if not told.failed:
                break
            if self.passes(seed):  # asked only now that the bug is out again
                return Caught(bug, seed, tried, time.monotonic() - began, told.failed[seed][0])
        return Caught(bug, None, tried, time.monotonic() - began, None)

    def _checked(self, bug: Bug, check: Callable[[Place], list[Finding]]) -> Caught:
        began = time.monotonic()
        assert check(self.sound) == [], f"the sound product does not pass {check.__name__}"
        with place(self.server, "planted") as here, bug.plant(here):
            found = check(here)
        return Caught(bug, None, 0, time.monotonic() - began, found[0] if found else None)


def seeds_for(theme: str, count: int) -> list[int]:
    """Seeds of the theme for the first two thirds, then whatever comes."""
    dwelling = [seed for seed in range(count * len(THEMES)) if THEMES[seed % len(THEMES)] == theme][
        : count * 2 // 3
    ]
    return dwelling + [seed for seed in range(count * 2) if seed not in dwelling][: count - len(dwelling)]
