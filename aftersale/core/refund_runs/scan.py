"""The batch scan over tracking texts: which refunds are ready because their parcel comes back (R-065, R-066)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Result = Literal["ready_to_refund", "manual_tracking_check"]
Why = Literal["marked", "read", "no_marker", "no_text", "doubtful_wording", "reader_disagrees", "blind_spot"]

_CLAUSE = re.compile(r"[,，。;；!！?？、:：\s\[\]【】()（）]+")
_COMING_BACK = frozenset({"refused", "returning", "returned"})


@dataclass(frozen=True, slots=True)
class ReturnScan:
    """`marker`: the word found; `blind_spot`: the reader sees a return that the words do not show."""

    result: Result
    why: Why
    marker: str | None = None
    blind_spot: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """`reading`: the state that core/tracking read of the whole trace; None where it was not asked or was in doubt."""

    id: int | str
    tracking_summary: str | None = None
    courier: str | None = None
    reading: str | None = None


@dataclass(frozen=True, slots=True)
class ReturnScans:
    """Ids by result. `blind_spots` is the part of the manual list to begin with."""

    ready_to_refund: tuple[int | str, ...]
    manual_tracking_check: tuple[int | str, ...]
    blind_spots: tuple[int | str, ...]


def scan_return(
    *,
    tracking_summary: str | None = None,
    courier: str | None = None,
    reading: str | None = None,
    return_markers: tuple[str, ...],
    courier_return_markers: tuple[str, ...],
    no_return_words: tuple[str, ...],
    return_doubt_words: tuple[str, ...],
) -> ReturnScan:
    """Ready only when the text says that the parcel comes back and the reader, where asked, does not disagree.

    No marker is never proof of no return: a person looks, first of all where the reader sees one (R-066).
    `courier_return_markers`: 'courier=word'; `no_return_words`: words that hold a marker and mean something else;
    `return_doubt_words`: in the same clause they make of it a condition, a wish or a thing taken back."""
    if not (tracking_summary or "").strip():
        return ReturnScan("manual_tracking_check", "no_text")
    markers = (*return_markers, *_of(courier, courier_return_markers))
    clauses = [_without(clause, no_return_words) for clause in _CLAUSE.split(tracking_summary or "")]
    marked = [(clause, found) for clause in clauses if (found := _first(clause, markers))]
    sure = next((found for clause, found in marked if not _first(clause, return_doubt_words)), None)
    if not marked:
        seen = reading in _COMING_BACK
        return ReturnScan("manual_tracking_check", "blind_spot" if seen else "no_marker", None, seen)
    if reading is not None and reading not in _COMING_BACK:
        return ReturnScan("manual_tracking_check", "reader_disagrees", marked[0][1])
    if sure is None and reading is None:
        return ReturnScan("manual_tracking_check", "doubtful_wording", marked[0][1])
    return ReturnScan("ready_to_refund", "marked" if sure else "read", sure or marked[0][1])


def scan_returns(
    *,
    parcels: tuple[Parcel, ...],
    return_markers: tuple[str, ...],
    courier_return_markers: tuple[str, ...],
    no_return_words: tuple[str, ...],
    return_doubt_words: tuple[str, ...],
) -> ReturnScans:
    """The scan over many refunds, ids in the order given."""
    scans: Mapping[int | str, ReturnScan] = {
        one.id: scan_return(
            tracking_summary=one.tracking_summary,
            courier=one.courier,
            reading=one.reading,
            return_markers=return_markers,
            courier_return_markers=courier_return_markers,
            no_return_words=no_return_words,
            return_doubt_words=return_doubt_words,
        )
        for one in parcels
    }
    ready = tuple(one for one, scan in scans.items() if scan.result == "ready_to_refund")
    manual = tuple(one for one, scan in scans.items() if scan.result != "ready_to_refund")
    return ReturnScans(ready, manual, tuple(one for one in manual if scans[one].blind_spot))


def _of(courier: str | None, entries: tuple[str, ...]) -> tuple[str, ...]:
    pairs = (entry.partition("=") for entry in entries)
    return tuple(word for name, _, word in pairs if courier is not None and name == courier and word)


def _without(clause: str, words: tuple[str, ...]) -> str:
    for word in words:
        clause = clause.replace(word, "")
    return clause


def _first(clause: str, words: tuple[str, ...]) -> str | None:
    """The longest of the words that the clause holds."""
    return max((word for word in words if word and word in clause), key=len, default=None)
