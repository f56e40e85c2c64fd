"""What one seed means: which faults are on, how often each comes, how large the world is (swarm testing)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.faults.simulation.calls import TROUBLES
from tests.faults.simulation.market import AMOUNTS, KINDS, MOVES, SHOPS

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
    "expire": 0.5,
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
    theme: str = "swarm"
    kinds: tuple[str, ...] = KINDS
    amounts: tuple[int, ...] = AMOUNTS
    shops: tuple[str, ...] = SHOPS
    struck: tuple[str, ...] = ()  # which turns are struck; () = all
    wishes: tuple[str, ...] = ("agree", "agree", "undo", "agree_return", "note")  # what people do
    stale: float = 0.1  # how often people act on what they saw before
    restored: bool = False  # the database goes back to an earlier moment once


def planned(seed: int, chance: Random) -> Plan:
    """The plan of a seed: most draw from everything, the others dwell on what random faults seldom bring about."""
    theme = THEMES[seed % len(THEMES)]
    return DWELL[theme](drawn(chance), chance) if theme in DWELL else drawn(chance)


def _dwell(plan: Plan, theme: str, weights: dict[str, float], **changes: Any) -> Plan:
    return replace(
        plan, theme=theme, weights={**STEPS, **weights}, **{"skews": False, "budget": False, **changes}
    )


def _takeover(plan: Plan, chance: Random) -> Plan:
    """Senders stand still while others take up what they left, and go on later (P9)."""
    return _dwell(plan, "takeover", {"act": 9, "heir": 6, "resume": 4, "pull": 0.5, "person": 0.5, "move": 0.5, "wait": 1},
                  applications=chance.randint(1, 3), steps=chance.randint(30, 50), deeds={"halt": 0.5}, struck=("act",),
                  kinds=("unshipped",), switches=False, pushes={},
                  calls=chance.choice(({}, {"before": 0.2, "after": 0.2, "delayed": 0.1})))  # fmt: skip


def _withdrawal(plan: Plan, chance: Random) -> Plan:
    """Buyers withdraw while what was approved has not left yet (P12)."""
    return _dwell(plan, "withdrawal", {"push": 9, "desk": 9, "move": 4, "act": 1.5, "heir": 0.5, "wait": 1, "person": 2},
                  moves=("withdraw", "closes", "again"), deeds={}, pushes={}, switches=False,
                  calls=chance.choice(({}, {"after": 0.2})))  # fmt: skip


def _approval(plan: Plan, chance: Random) -> Plan:
    """Amounts that one person may not pay alone, and second persons who come late (P13, P14)."""
    return _dwell(plan, "approval", {"push": 8, "desk": 8, "person": 24, "act": 3, "wait": 4, "move": 1, "pull": 0.5},
                  applications=chance.randint(1, 2), kinds=("unshipped",), amounts=(45_000, 90_000, 250_000),
                  moves=("modify",), stale=0.3, wishes=("agree",) * 9 + ("undo",), deeds={}, pushes={},
                  steps=chance.randint(25, 45), switches=False, calls={})  # fmt: skip


def _budget(plan: Plan, chance: Random) -> Plan:
    """One automatic refund an hour, and many that want to leave (P18)."""
    return _dwell(plan, "budget", {"act": 10, "person": 0.5, "move": 0.2, "wait": 2}, applications=5, budget=True,
                  kinds=("unshipped",), amounts=(900, 4_999), shops=(chance.choice(SHOPS),), switches=False, pushes={},
                  deeds=chance.choice(({}, {"die": 0.15})), calls=chance.choice(({}, {"after": 0.4})))  # fmt: skip


def _switch(plan: Plan, chance: Random) -> Plan:
    """People stop and release all the time (P17)."""
    return _dwell(plan, "switch", {"person": 8, "act": 9}, switches=True, deeds={}, pushes={}, calls={})


def _restored(plan: Plan, chance: Random) -> Plan:
    """The database is put back to what it was a while ago, and the platform is not (P28)."""
    return _dwell(plan, "restored", {"act": 10, "move": 0.5, "person": 1, "pull": 3}, restored=True, switches=False,
                  steps=chance.randint(25, 45), kinds=("unshipped",), calls=chance.choice(({}, {"after": 0.2})),
                  deeds={}, pushes={})  # fmt: skip


def _dead(plan: Plan, chance: Random) -> Plan:
    """Workers die with what they had taken, and pushes do not come (P10)."""
    return _dwell(plan, "dead", {"pull": 8, "act": 8, "person": 0.5}, deeds={"die": 0.5}, pushes={"lose": 0.4}, calls={},
                  struck=("pull", "act"), switches=False)  # fmt: skip


def _click(plan: Plan, chance: Random) -> Plan:
    """People act on what they saw a while ago, several at once (P11)."""
    return _dwell(plan, "click", {"person": 14, "move": 4, "push": 8, "desk": 8}, moves=("modify", "again"), stale=0.6,
                  deeds=chance.choice(({}, {"halt": 0.3})), struck=("person",), switches=False, calls={})  # fmt: skip


def refusing(seed: int) -> Plan:
    """People refuse what rules and others agree to, and buyers change it; nothing comes late (a plan of its own)."""
    chance = Random(f"{seed}/refusing")
    return _dwell(drawn(chance), "refusing", {"push": 8, "desk": 8, "person": 10, "act": 8, "heir": 4, "wait": 4, "move": 3},
                  kinds=("return", "shipped"), shops=("demo2",), wishes=("refuse",) * 6 + ("undo_refuse", "agree_return", "agree"),
                  moves=("modify", "withdraw", "escalate"), switches=False, steps=chance.randint(30, 60),
                  applications=chance.randint(1, 3), deeds=chance.choice(({}, {"die": 0.3}, {"cut": 0.2})),
                  struck=("act", "heir"), pushes=chance.choice(({}, {"lose": 0.3}, {"twice": 0.3})),
                  calls=chance.choice(({}, {"before": 0.2, "after": 0.3}, {"http_500": 0.2, "limited": 0.1})))  # fmt: skip


DWELL: dict[str, Callable[[Plan, Random], Plan]] = {
    "takeover": _takeover, "withdrawal": _withdrawal, "approval": _approval, "budget": _budget, "switch": _switch,
    "restored": _restored, "dead": _dead, "click": _click,
}  # fmt: skip
THEMES = ("swarm", "takeover", "swarm", "withdrawal", "swarm", "approval", "swarm", "budget", "swarm", "switch",
          "swarm", "restored", "swarm", "dead", "swarm", "click")  # fmt: skip


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
