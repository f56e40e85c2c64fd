"""What one seed means: which faults are on, how often each comes, how large the world is (swarm testing)."""

from dataclasses import dataclass
from random import Random

from tests.faults.simulation.calls import TROUBLES
from tests.faults.simulation.market import MOVES

DEEDS = ("die", "cut", "halt")
PUSHES = ("lose", "twice", "late")
STEPS = {
    "push": 6,
    "desk": 7,
    "act": 8,
    "heir": 3,
    "pull": 2,
    "move": 2,
    "wait": 4,
    "person": 3,
    "resume": 3,
    "effect": 1,
}


@dataclass(frozen=True)
class Plan:
    """The faults of one schedule. Rates are shares of turns, calls or messages; what is absent is off."""

    applications: int
    steps: int
    calls: dict[str, float]
    deeds: dict[str, float]
    pushes: dict[str, float]
    moves: tuple[str, ...]
    skews: bool
    switches: bool
    budget: bool
    weights: dict[str, float]


def drawn(chance: Random) -> Plan:
    """Each fault is on with a chance of its own; what is on comes seldom or often."""

    def some(names: tuple[str, ...], most: float, on: float = 0.3) -> dict[str, float]:
        return {name: chance.choice((0.05, 0.15, most)) for name in names if chance.random() < on}

    weights = {name: weight * chance.choice((0.5, 1.0, 2.0)) for name, weight in STEPS.items()}
    rates = some(TROUBLES, 0.4)
    share = max(1.0, sum(rates.values()) / 0.8)
    return Plan(
        applications=chance.randint(1, 4),
        steps=chance.randint(12, 36),
        calls={name: rate / share for name, rate in rates.items()},
        deeds=some(DEEDS, 0.3, 0.5),
        pushes=some(PUSHES, 0.4, 0.4),
        moves=tuple(name for name in MOVES if chance.random() < 0.5),
        skews=chance.random() < 0.1,
        switches=chance.random() < 0.2,
        budget=chance.random() < 0.15,
        weights=weights,
    )
