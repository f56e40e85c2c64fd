"""Which case a nameless parcel may belong to, with the reasons, likeliest first (R-080)."""

from collections.abc import Sequence
from dataclasses import dataclass

from aftersale.core.returns.anonymous import AnonymousParcel

_DIGITS = "0123456789"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WEIGHS = {
    "same_waybill": 100,
    "near_waybill": 40,
    "same_phone_tail": 25,
    "same_goods": 20,
    "like_goods": 8,
    "same_weight": 6,
    "other_weight": -6,
    "no_number": 5,
    "same_shop": 1,
}


@dataclass(frozen=True, slots=True)
class Awaited:
    """What an open case expects back. `skus` and `titles` of its goods; `weight_g` as such parcels weighed before."""

    shop_id: int
    case_id: str
    waybills: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    phone_tail: str | None = None
    weight_g: int | None = None


@dataclass(frozen=True, slots=True)
class Likely:
    """A case with what speaks for it; the reasons are codes."""

    awaited: Awaited
    reasons: tuple[str, ...]

    @property
    def score(self) -> int:
        return sum(_WEIGHS[reason] for reason in self.reasons)


def near(waybill: str) -> tuple[str, ...]:
    """Every waybill that one slip away reads like this one: a character wrong, lost, doubled or swapped."""
    found = dict.fromkeys((waybill,))
    for at, one in enumerate(waybill):
        before, after = waybill[:at], waybill[at + 1 :]
        others = _DIGITS if one in _DIGITS else _LETTERS if one in _LETTERS else ""
        found |= dict.fromkeys(before + other + after for other in others)
        found |= dict.fromkeys(before + more + waybill[at:] for more in _DIGITS)
        found[before + after] = None
        if after:
            found[before + after[0] + one + after[1:]] = None
    found |= dict.fromkeys(waybill + more for more in _DIGITS)
    return tuple(found)


def ranked(
    parcel: AnonymousParcel, shop_id: int, cases: Sequence[Awaited], tolerance_g: int
) -> tuple[Likely, ...]:
    """Those for which something speaks beyond the shop, likeliest first; ties in order of the case's number."""
    slips = frozenset(near(parcel.tracking_no or ""))
    found = [Likely(one, _reasons(parcel, shop_id, one, slips, tolerance_g)) for one in cases]
    return tuple(
        sorted(
            (one for one in found if one.score > _WEIGHS["no_number"] + _WEIGHS["same_shop"]),
            key=lambda one: (-one.score, one.awaited.case_id),
        )
    )


def _reasons(
    parcel: AnonymousParcel, shop_id: int, case: Awaited, slips: frozenset[str], tolerance_g: int
) -> tuple[str, ...]:
    told = []
    if parcel.tracking_no in case.waybills:
        told.append("same_waybill")
    elif slips & frozenset(case.waybills):
        told.append("near_waybill")
    if parcel.phone_tail and parcel.phone_tail == case.phone_tail:
        told.append("same_phone_tail")
    told += _goods(parcel.sku, case)
    if parcel.weight_g is not None and case.weight_g is not None:
        fits = abs(parcel.weight_g - case.weight_g) <= tolerance_g
        told.append("same_weight" if fits else "other_weight")
    if not case.waybills:
        told.append("no_number")
    if case.shop_id == shop_id:
        told.append("same_shop")
    return tuple(told)


def _goods(words: str | None, case: Awaited) -> list[str]:
    if not words:
        return []
    told = words.strip().lower()
    if told in {sku.lower() for sku in case.skus}:
        return ["same_goods"]
    return ["like_goods"] if any(told in title.lower() for title in (*case.titles, *case.skus)) else []
