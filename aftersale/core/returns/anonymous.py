"""Parcels that came back without a name, and the cases they may belong to (R-080)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnonymousParcel:
    """As the warehouse registers it."""

    sku: str | None = None
    phone_tail: str | None = None
    tracking_no: str | None = None
    weight_g: int | None = None
    photo: str | None = None


@dataclass(frozen=True, slots=True)
class OpenCase:
    """What an open case expects back."""

    id: int | str
    sku: str | None = None
    phone_tail: str | None = None
    tracking_no: str | None = None
    weight_g: int | None = None


@dataclass(frozen=True, slots=True)
class ParcelMatch:
    """`match`: the one case that is certain. `candidates`: for a person to choose from, likeliest first."""

    match: int | str | None
    register: bool
    queue: str | None
    candidates: tuple[int | str, ...]


def match_parcel(
    *,
    anonymous_parcel: AnonymousParcel,
    open_cases: tuple[OpenCase, ...] | None = None,
    anonymous_weight_tolerance_g: int,
) -> ParcelMatch:
    """Certain: the same waybill, or the same article and phone tail with nothing against it, and no second such case.

    Every parcel is registered; what is not certain waits in `anonymous_unmatched`."""
    scored = [
        (score, one.id)
        for one in open_cases or ()
        if (score := _likeness(anonymous_parcel, one, anonymous_weight_tolerance_g)) > 0
    ]
    best = max((score for score, _ in scored), default=0)
    top = [case for score, case in scored if score == best]
    certain = top[0] if best >= _CERTAIN and len(top) == 1 else None
    ranked = tuple(case for _, case in sorted(scored, key=lambda pair: -pair[0]))
    return ParcelMatch(certain, True, None if certain is not None else "anonymous_unmatched", ranked)


_CERTAIN = 4


def _likeness(parcel: AnonymousParcel, case: OpenCase, tolerance_g: int) -> int:
    """0 nothing in common; from `_CERTAIN` on the parcel is the case's. Weight only tells equals apart."""
    if _same(parcel.tracking_no, case.tracking_no):
        return 10
    article, phone = _same(parcel.sku, case.sku), _same(parcel.phone_tail, case.phone_tail)
    if not (article or phone):
        return 0
    against = article is False or phone is False
    return (1 if against else 4 if article and phone else 2) + _weight(parcel, case, tolerance_g)


def _weight(parcel: AnonymousParcel, case: OpenCase, tolerance_g: int) -> int:
    if parcel.weight_g is None or case.weight_g is None:
        return 0
    return 1 if abs(parcel.weight_g - case.weight_g) <= tolerance_g else -1


def _same(left: str | None, right: str | None) -> bool | None:
    """None: one of them is unknown."""
    return left.strip().lower() == right.strip().lower() if left and right else None
