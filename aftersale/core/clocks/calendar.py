"""When a shop works, and arithmetic in working time. Days begin in the shop's zone, lengths are real time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from aftersale.core.language.grammar import SHANGHAI

DAY_MINUTES = 1440
CLOSED_DAYS_MAX = 400
DAY = timedelta(days=1)
NOTHING = timedelta(0)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Shift:
    """Minutes after midnight, start inclusive and end exclusive; an end past 1440 lies in the next day."""

    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        assert 0 <= self.start_minute < DAY_MINUTES, self
        assert self.start_minute < self.end_minute <= self.start_minute + DAY_MINUTES, self


Shifts = tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week`: shifts from Monday to Sunday; `days`: the dates that differ (no shifts: closed).

    `sure_until`: up to this date the public holidays are announced, beyond it estimated; None: none matter.
    """

    week: tuple[Shifts, Shifts, Shifts, Shifts, Shifts, Shifts, Shifts]
    days: Mapping[date, Shifts] = field(default_factory=dict)
    zone: tzinfo = SHANGHAI
    sure_until: date | None = None

    def shifts(self, day: date) -> Shifts:
        """Those that begin on the day."""
        return self.days.get(day, self.week[day.weekday()])

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def is_sure(self, at: datetime) -> bool:
        """Whether the working days up to the moment are known, and not estimated."""
        return self.sure_until is None or self.day_of(at) <= self.sure_until


def add_working_time(start: datetime, duration: timedelta, calendar: Calendar) -> datetime:
    """The first moment by which so much working time has passed since `start`; of a negative duration the
    last moment since which it has. Nothing added is `start` itself. The calendar works at least sometimes."""
    start = start.astimezone(UTC)
    if duration < NOTHING:
        return _subtract(start, -duration, calendar)
    for begins, ends in _ahead(start, calendar):
        if duration <= ends - begins:
            return begins + duration if duration else start
        duration -= ends - begins
    raise AssertionError(f"no working time in {CLOSED_DAYS_MAX} days after {start}")


def working_time_between(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Working time from `start` to `end`; negative when `end` is the earlier one."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end < start:
        return -working_time_between(end, start, calendar)
    first, last = calendar.day_of(start), calendar.day_of(end)
    days = (first + n * DAY for n in range((last - first).days + 1))
    spans = (_clipped(span, start, end) for day in days for span in _worked(day, calendar))
    return sum((ends - begins for begins, ends in spans if ends > begins), NOTHING)


def midnight(day: date, calendar: Calendar) -> datetime:
    """When the day begins where the shop is."""
    return datetime.combine(day, time(), calendar.zone).astimezone(UTC)


def at_minute(day: date, minute: int, calendar: Calendar) -> datetime:
    """That many minutes after the day's midnight as clocks show it; 1440 is the next midnight."""
    whole, rest = divmod(minute, DAY_MINUTES)
    hour, minute = divmod(rest, 60)
    return datetime.combine(day + whole * DAY, time(hour, minute), calendar.zone).astimezone(UTC)


def _subtract(end: datetime, duration: timedelta, calendar: Calendar) -> datetime:
    for begins, ends in _behind(end, calendar):
        if duration <= ends - begins:
            return ends - duration
        duration -= ends - begins
    raise AssertionError(f"no working time in {CLOSED_DAYS_MAX} days before {end}")


def _ahead(start: datetime, calendar: Calendar) -> Iterator[Span]:
    """Working spans after `start`, first to last, the first cut at it."""
    day, closed = calendar.day_of(start), 0
    while closed <= CLOSED_DAYS_MAX:
        spans = [(max(begins, start), ends) for begins, ends in _worked(day, calendar) if ends > start]
        yield from spans
        day, closed = day + DAY, 0 if spans else closed + 1


def _behind(end: datetime, calendar: Calendar) -> Iterator[Span]:
    """Working spans before `end`, last to first, the first cut at it."""
    day, closed = calendar.day_of(end), 0
    while closed <= CLOSED_DAYS_MAX:
        spans = [(begins, min(ends, end)) for begins, ends in _worked(day, calendar) if begins < end]
        yield from reversed(spans)
        day, closed = day - DAY, 0 if spans else closed + 1


def _worked(day: date, calendar: Calendar) -> list[Span]:
    """The working spans within one day, in order, overlapping shifts counted once."""
    begins, ends = midnight(day, calendar), midnight(day + DAY, calendar)
    shifts = [(day - DAY, shift) for shift in calendar.shifts(day - DAY)]
    shifts += [(day, shift) for shift in calendar.shifts(day)]
    spans = sorted(_clipped(_span(on, shift, calendar), begins, ends) for on, shift in shifts)
    found: list[Span] = []
    for span in spans:
        if found and span[0] <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], span[1]))
        elif span[1] > span[0]:
            found.append(span)
    return found


def _span(day: date, shift: Shift, calendar: Calendar) -> Span:
    return at_minute(day, shift.start_minute, calendar), at_minute(day, shift.end_minute, calendar)


def _clipped(span: Span, begins: datetime, ends: datetime) -> Span:
    return max(span[0], begins), min(span[1], ends)
