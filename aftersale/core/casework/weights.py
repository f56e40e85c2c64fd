"""Three weights against a claim that something is missing (R-149)."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

WeightResult = Literal["match", "missing_confirmed", "conflict"]


@dataclass(frozen=True, slots=True)
class Weighed:
    """`weight_result` is None while a weight is missing; `weights_missing` names it."""

    weight_result: WeightResult | None
    weights_missing: tuple[str, ...] = ()


def compare_weights(
    *,
    repack_weight_g: Fraction | None = None,
    warehouse_weight_g: Fraction | None = None,
    courier_weight_g: Fraction | None = None,
    weight_tolerance_g: Fraction,
    weight_result: WeightResult | None = None,
) -> Weighed:
    """Compares what a full parcel weighs with what the warehouse and the courier weighed, in grams (R-149).

    Both within the tolerance (inclusive): match. Both lighter by more: missing_confirmed. Anything else is a conflict.
    A `weight_result` that people noted stands where not all weights are known."""
    if repack_weight_g is None or warehouse_weight_g is None or courier_weight_g is None:
        named = {"repack": repack_weight_g, "warehouse": warehouse_weight_g, "courier": courier_weight_g}
        missing = tuple(f"{name}_weight_g" for name, weight in named.items() if weight is None)
        return Weighed(weight_result, () if weight_result else missing)
    lacking = (repack_weight_g - warehouse_weight_g, repack_weight_g - courier_weight_g)
    if all(abs(grams) <= weight_tolerance_g for grams in lacking):
        return Weighed("match")
    return Weighed(
        "missing_confirmed" if all(grams > weight_tolerance_g for grams in lacking) else "conflict"
    )
