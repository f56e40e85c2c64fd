"""A set of evidence: kinds, marks, what is missing and what is wrong with it (R-171 – R-182)."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Item:
    """One piece as it is stored; `hash`: `content_hash` of the file."""

    kind: str
    hash: str | None = None
    captured_at: datetime | None = None
    uploader: str | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class Kit:
    """`complete`: nothing required is missing. `warnings`: recommended kinds that lack, they never block.

    `doubtful`: kinds of pieces without mark, time or uploader, filed before, or of another order."""

    complete: bool
    missing: tuple[str, ...]
    missing_any_of: tuple[str, ...]
    warnings: tuple[str, ...]
    doubtful: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    image_count: int
    largest_bytes: int | None


@dataclass(frozen=True, slots=True)
class Validity:
    """`reason`: the first of `faults`."""

    valid: bool
    reason: str | None
    faults: tuple[str, ...]


def content_hash(content: bytes) -> str:
    """The mark by which the same file is known again: SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def evidence_kit(
    *,
    evidence: tuple[Item | str, ...] | None = None,
    order: str | None = None,
    evidence_required: tuple[str, ...] = (),
    evidence_any_of: tuple[str, ...] = (),
    evidence_recommended: tuple[str, ...] = (),
) -> Kit:
    """What is at hand against what is needed; a kind alone counts as a piece, a doubtful piece does not."""
    items = tuple(one for one in evidence or () if isinstance(one, Item))
    doubtful = _doubtful(items, order)
    at_hand = {one for one in evidence or () if isinstance(one, str)}
    at_hand |= {one.kind for one in items if one not in doubtful}
    missing = _lacking(evidence_required, at_hand)
    any_of = () if at_hand & set(evidence_any_of) else evidence_any_of
    return Kit(
        not missing and not any_of, missing, any_of, _lacking(evidence_recommended, at_hand),
        tuple(dict.fromkeys(one.kind for one in doubtful)),
    )  # fmt: skip


def _lacking(wanted: Iterable[str], at_hand: set[str]) -> tuple[str, ...]:
    return tuple(one for one in wanted if one not in at_hand)


def _doubtful(items: tuple[Item, ...], order: str | None) -> tuple[Item, ...]:
    found: list[Item] = []
    for place, one in enumerate(items):
        unmarked = one.hash is None or one.captured_at is None or not one.uploader
        twice = any(one.hash == other.hash for other in items[:place])
        foreign = order is not None and one.order is not None and one.order != order
        found += [one] if unmarked or twice or foreign else []
    return tuple(found)


def pictures(*, image_sizes: tuple[int, ...] | None = None) -> Pictures:
    """How many pictures there are and how large the largest is, in bytes (R-171)."""
    sizes = image_sizes or ()
    return Pictures(len(sizes), max(sizes, default=None))


def proof_validity(*, faults: tuple[str, ...] = ()) -> Validity:
    """A proof is valid when its book names no fault (R-166 – R-169)."""
    return Validity(not faults, faults[0] if faults else None, faults)
