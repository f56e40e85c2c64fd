"""A courier's list of events, checked, in the order in which things happened."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

from aftersale.core.records import BadInput

SHANGHAI = timezone(timedelta(hours=8))
EVENTS_MAX = 2000
TEXT_MAX = 500
_DIGITS = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[T\s]*(?:(\d{1,2})[:时](\d{1,2})(?:[:分](\d{1,2}))?)?"
    r"(?:[.,]\d+)?\D*?(Z|[+-]\d{2}:?\d{2})?\s*$"
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line; `at` is None where the courier gave no usable time, `no` is its place in the list given."""

    no: int
    at: datetime | None
    text: str
    code: str | None = None


def events_of(given: object) -> tuple[Event, ...] | BadInput:
    """`given`: a list of {time, text, code?}. BadInput where it is no such list; a bad time is no fault."""
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return BadInput("events", "events 应当是 {time, text, code?} 的列表")
    if len(given) > EVENTS_MAX:
        return BadInput("events", f"一条轨迹最多 {EVENTS_MAX} 条，这里有 {len(given)} 条")
    found = []
    for no, entry in enumerate(given):
        if not isinstance(entry, Mapping):
            return BadInput(f"events[{no}]", "应当是 {time, text, code?}")
        text, code = entry.get("text"), entry.get("code")
        if not isinstance(text, str | None):
            return BadInput(f"events[{no}].text", "应当是文字")
        if isinstance(code, bool) or not isinstance(code, str | int | None):
            return BadInput(f"events[{no}].code", "应当是文字或整数")
        written = "" if code is None else str(code).strip()
        found.append(Event(no, moment(entry.get("time")), (text or "")[:TEXT_MAX], written or None))
    return tuple(found)


def moment(given: object) -> datetime | None:
    """Aware; without an offset it is Shanghai's. None where it cannot be read. Numbers are epoch s or ms."""
    if isinstance(given, datetime):
        return given if given.tzinfo else given.replace(tzinfo=SHANGHAI)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return _epoch(float(given))
    if not isinstance(given, str):
        return None
    text = given.strip()
    if text.isdigit() and len(text) in (10, 13):
        return _epoch(float(text))
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        return _by_parts(text)
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _epoch(number: float) -> datetime | None:
    seconds = number / 1000 if number > 1e11 else number
    return datetime.fromtimestamp(seconds, UTC) if 946_684_800 <= seconds <= 4_102_444_800 else None


def _by_parts(text: str) -> datetime | None:
    match = _DIGITS.match(text)
    if match is None:
        return None
    numbers = [int(part) if part else 0 for part in match.groups()[:6]]
    try:
        at = datetime(*numbers[:3], *numbers[3:], tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    offset = match[7]
    if offset is None:
        return at
    try:
        return datetime.fromisoformat(f"{at:%Y-%m-%dT%H:%M:%S}{'+00:00' if offset == 'Z' else offset}")
    except ValueError:
        return at


def in_order(events: Sequence[Event], ranks: Mapping[int, int]) -> tuple[Event, ...]:
    """Oldest first, each once. `ranks`: how far on its way an event's parcel is, by `no`; it settles what time
    and the order of the list leave open. An event without time stays beside its neighbour in the list."""
    newest_first = _newest_first(events, ranks)
    listed = list(reversed(events)) if newest_first else list(events)
    ordered = sorted(_timed(listed), key=lambda pair: pair[0])
    once: dict[tuple[datetime | None, str], Event] = {}
    for _, event in ordered:
        once.setdefault((event.at, event.text.strip()), event)
    return tuple(once.values())


def _newest_first(events: Sequence[Event], ranks: Mapping[int, int]) -> bool:
    times = [event.at for event in events if event.at is not None]
    falling = sum(a > b for a, b in pairwise(times))
    rising = sum(a < b for a, b in pairwise(times))
    if falling != rising:
        return falling > rising
    if falling:
        return False
    known = [ranks[event.no] for event in events if event.no in ranks]
    return len(known) > 1 and known[0] > known[-1]


def _timed(listed: Sequence[Event]) -> list[tuple[datetime, Event]]:
    """Each with a time to sort by: its own, else that of the one before it in the list, else after it."""
    first = next((event.at for event in listed if event.at is not None), datetime(2000, 1, 1, tzinfo=UTC))
    timed, last = [], first
    for event in listed:
        last = event.at or last
        timed.append((last, event))
    return timed
