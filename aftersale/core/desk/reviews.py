"""Bad reviews and buyers' voices: the register, its dashboard, the list by product (R-322, R-323, R-325)."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aftersale.core.language.grammar import SHANGHAI

NEW = "open"
Day = date


@dataclass(frozen=True, slots=True)
class Registered:
    """`known`: the sku is in the product table; its columns are copied into the record, never typed again."""

    record: Mapping[str, Any]
    known: bool


@dataclass(frozen=True, slots=True)
class Review:
    """`category` and `name` as copied when the review was registered; `time` and `date` stand in for
    `at` where a list names them so."""

    sku: str | None = None
    reason: str | None = None
    category: str | None = None
    name: str | None = None
    state: str | None = None
    at: datetime | None = None
    time: datetime | None = None
    date: Day | None = None
    rating: int | None = None
    text: str | None = None
    handler: str | None = None
    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Counts by each dimension; what is not filled in counts nowhere but in `total`. `entries`: positions of the
    reviews that the drill-down shows."""

    total: int
    by_sku: Mapping[str, int]
    by_category: Mapping[str, int]
    by_reason: Mapping[str, int]
    by_day: Mapping[str, int]
    by_state: Mapping[str, int]
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """An opinion or complaint; `reported`: marked for the platform, `answered`: the buyer has our feedback."""

    sku: str
    text: str
    state: str | None = None
    reported: bool = False
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Voices:
    """Texts by product, the open ones of each first; `open`: how many have no answer yet."""

    by_sku: Mapping[str, tuple[str, ...]]
    open: int
    reported: int


def register_review(
    *,
    sku: str,
    product_table: Mapping[str, Mapping[str, Any]],
    review: str | None = None,
    rating: int | None = None,
    reason: str | None = None,
    handler: str | None = None,
    state: str | None = None,
) -> Registered:
    """An entry of the register, with everything the product table says of the sku (R-322)."""
    product = product_table.get(sku)
    own = {"text": review, "rating": rating, "reason": reason, "handler": handler, "state": state or NEW}
    return Registered(
        {"sku": sku, "name": None, "category": None, **(product or {}), **own}, product is not None
    )


def review_dashboard(
    *,
    reviews: tuple[Review, ...],
    sku: str | None = None,
    category: str | None = None,
    reason: str | None = None,
    state: str | None = None,
) -> Dashboard:
    """Counts by product, category, reason, day and state; a chosen value of any narrows them all (R-323)."""
    chosen = {"sku": sku, "category": category, "reason": reason, "state": state}
    kept = [
        (position, one)
        for position, one in enumerate(reviews)
        if all(wanted in (None, getattr(one, name)) for name, wanted in chosen.items())
    ]
    own = [one for _, one in kept]
    return Dashboard(
        len(own),
        _counts(own, lambda one: one.sku),
        _counts(own, lambda one: one.category),
        _counts(own, lambda one: one.reason),
        _counts(own, _day),
        _counts(own, lambda one: one.state),
        tuple(position for position, _ in kept),
    )


def _day(one: Review) -> str | None:
    at = one.at or one.time
    day = one.date if at is None else at.astimezone(SHANGHAI).date()
    return None if day is None else day.isoformat()


def _counts(reviews: list[Review], key: Callable[[Review], str | None]) -> dict[str, int]:
    """Most frequent first, then in order of appearance."""
    return dict(Counter(found for one in reviews if (found := key(one)) is not None).most_common())


def voice_list(*, voices: tuple[Voice, ...]) -> Voices:
    """What buyers say, by product, with what still waits for feedback (R-325)."""
    ordered = sorted(voices, key=lambda one: one.answered)
    products = dict.fromkeys(one.sku for one in voices)
    return Voices(
        {sku: tuple(one.text for one in ordered if one.sku == sku) for sku in products},
        sum(not one.answered for one in voices),
        sum(one.reported for one in voices),
    )
