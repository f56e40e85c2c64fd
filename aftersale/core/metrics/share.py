"""Divisions that may have nothing to divide by, and roundings that are exact."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Literal

Rounding = Literal["half_up", "half_even", "down", "up"]


Number = Fraction | int

DECIMALS_MAX = 6


def share(part: Number | None, whole: Number | None) -> Fraction | None:
    """part / whole; None when one is unknown or the whole is empty (n/a, R-231)."""
    return Fraction(part) / Fraction(whole) if part is not None and whole else None


def mean(values: Sequence[Number]) -> Fraction | None:
    return share(sum(values, Fraction(0)), len(values))


def percent_text(rate: Fraction, decimals: int, rounding: Rounding) -> str:
    """1/20000 → '0.01%' with two decimals, half up."""
    decimals = min(max(decimals, 0), DECIMALS_MAX)
    scaled = rate * 100 * 10**decimals
    match rounding:
        case "half_up":
            number = floor(scaled + Fraction(1, 2))
        case "half_even":
            number = round(scaled)
        case "down":
            number = floor(scaled)
        case "up":
            number = ceil(scaled)
    whole, part = divmod(number, 10**decimals)
    return f"{whole}.{part:0{decimals}d}%" if decimals else f"{whole}%"
