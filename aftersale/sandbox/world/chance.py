"""Chance that depends only on the seed and on whom it concerns, never on the order of calls."""

import hashlib
from collections.abc import Mapping
from random import Random
from typing import TypeVar

T = TypeVar("T")

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000


def stream(*names: object) -> Random:
    """The chance of these names: always the same numbers."""
    digest = hashlib.blake2b("/".join(map(str, names)).encode(), digest_size=8).digest()
    return Random(int.from_bytes(digest, "big"))


def pick(chance: Random, weights: Mapping[T, float]) -> T:
    """One key, in proportion to its weight."""
    point = chance.random() * sum(weights.values())
    for key, weight in weights.items():
        point -= weight
        if point < 0:
            return key
    return key


def between(chance: Random, low_ms: float, high_ms: float) -> int:
    """A duration of [low_ms, high_ms)."""
    return int(low_ms + chance.random() * (high_ms - low_ms))
