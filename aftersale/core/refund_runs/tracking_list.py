"""The list of waybills that is run through a tracking tool (R-065, R-366)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listed:
    id: int | str
    type: str
    tracking: str | None = None


@dataclass(frozen=True, slots=True)
class TrackingList:
    """`without_number`: shipped refunds that cannot be scanned."""

    exported: tuple[str, ...]
    without_number: tuple[int | str, ...]


def tracking_list(*, cases: tuple[Listed, ...], scanned_types: tuple[str, ...]) -> TrackingList:
    """Waybills of refunds whose parcel has left, each once, in the order of the cases."""
    shipped = [one for one in cases if one.type in scanned_types]
    numbers = [number for one in shipped if (number := (one.tracking or "").strip())]
    return TrackingList(
        tuple(dict.fromkeys(numbers)), tuple(one.id for one in shipped if not (one.tracking or "").strip())
    )
