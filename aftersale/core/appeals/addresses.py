"""Whether the shop supplied its return address when the platform asked for it (R-215)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from aftersale.core.clocks.clock import is_over


@dataclass(frozen=True, slots=True)
class AddressSupply:
    """`waiting`: not supplied and still in time; None: nobody knows since when it is asked for."""

    address_supply: Literal["in_time", "late", "waiting", "overdue"] | None


def address_supply(
    *,
    hours_to_supply: Fraction | None = None,
    hours_passed: Fraction | None = None,
    return_address_hours: int,
) -> AddressSupply:
    """`hours_to_supply`: from the request to the address, None while it is missing; `hours_passed`: until now."""
    hours = hours_to_supply if hours_to_supply is not None else hours_passed
    if hours is None:
        return AddressSupply(None)
    over = is_over(hours, Fraction(return_address_hours), inclusive=True)
    if hours_to_supply is None:
        return AddressSupply("overdue" if over else "waiting")
    return AddressSupply("late" if over else "in_time")
