"""The items of one appeal (fault, payment, freight): which are in vain, and what their results change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Result = Literal["success", "succeeded", "won", "failed", "fail", "failure", "lost", "rejected", "pending"]
WON, OPEN = frozenset({"success", "succeeded", "won"}), frozenset({"pending"})
Outcome = Literal["success", "failed"]


@dataclass(frozen=True, slots=True)
class AppealItems:
    """`drop_items`: cannot change anything any more; `strange_items`: not known to the platform.

    `item_results`: None = still open; `closed`: the result of every item is in. `counts_dispute` and
    `money_recovered` are None while nothing says so."""

    keep_items: tuple[str, ...]
    drop_items: tuple[str, ...]
    strange_items: tuple[str, ...]
    item_count: int | None
    kept_count: int | None
    strange_count: int
    warn: Literal[True] | None
    risk: str | None
    close_when: str | None
    closed: bool | None
    item_results: Mapping[str, Outcome | None]
    waiting_for: tuple[str, ...]
    counts_dispute: bool | None
    money_recovered: bool | None


def appeal_items(
    *,
    items: tuple[str, ...] | None = None,
    already_satisfied: tuple[str, ...] | None = None,
    result: Result | None = None,
    results: Mapping[str, Result | None] | None = None,
    was_counted_dispute: bool | None = None,
    dispute_items: tuple[str, ...],
    money_items: tuple[str, ...],
) -> AppealItems:
    """Items may be chosen together and wait for one another (R-187); one that is satisfied is dropped with a
    warning (R-189); a won dispute item takes the order out of the count, a won money item brings it (R-191).

    `result` is that of every item without its own in `results`. `items` None: not told."""
    chosen = tuple(dict.fromkeys(items if items is not None else results or ()))
    told = {one: _read((results or {}).get(one, result)) for one in chosen}
    satisfied = {*(already_satisfied or ())}
    if was_counted_dispute is False and not any(told.values()):
        satisfied |= {*dispute_items}
    dropped = tuple(one for one in chosen if one in satisfied)
    strange = tuple(one for one in chosen if one not in {*dispute_items, *money_items})
    kept = tuple(one for one in chosen if one not in {*dropped, *strange})
    untold = items is None and results is None
    return AppealItems(
        keep_items=kept, drop_items=dropped, strange_items=strange,
        item_count=None if untold else len(chosen), kept_count=None if untold else len(kept),
        strange_count=len(strange), warn=True if dropped else None,
        risk="counts_to_failure_limit" if dropped else None,
        close_when="all_item_results_received" if chosen else None,
        closed=all(told.values()) if chosen else None, item_results=told,
        waiting_for=tuple(one for one in chosen if told[one] is None),
        counts_dispute=_counts(told, dispute_items, was_counted_dispute),
        money_recovered=_recovered(told, money_items),
    )  # fmt: skip


def _read(told: str | None) -> Outcome | None:
    if told is None or told in OPEN:
        return None
    return "success" if told in WON else "failed"


def _counts(
    told: Mapping[str, Outcome | None], dispute_items: tuple[str, ...], was_counted: bool | None
) -> bool | None:
    return False if any(told.get(one) == "success" for one in dispute_items) else was_counted


def _recovered(told: Mapping[str, Outcome | None], money_items: tuple[str, ...]) -> bool | None:
    """Money that was not appealed for does not come; unknown while such an item is open."""
    results = [told[one] for one in money_items if one in told]
    if "success" in results:
        return True
    return None if None in results or not any(told.values()) else False
