"""One clock: from its terms, the pauses and the calendar to the moment it is due and how it stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Literal, TypeVar

from aftersale.core.clocks.calendar import (
    DAY_MINUTES,
    NOTHING,
    Calendar,
    add_working_time,
    at_minute,
    working_time_between,
)

Counted = Literal["plain", "working", "day"]
"""`plain`: hours as they pass; `working`: working time; `day`: up to a minute of a calendar day."""

Whose = Literal["platform", "promise", "own", "courier", "buyer"]
State = Literal["running", "paused", "met", "breached", "over"]
_Time = TypeVar("_Time", datetime, Fraction)


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that does not count on clocks that pause on `kind`; `until` None: it lasts."""

    kind: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the book says of one clock, its values read.

    `slot`: of the clocks that share one, the first in the book's order counts. `waits`: no deadline, but time
    that must pass before something may or must be done. `inclusive`: the due moment itself is still in time
    (of a wait: it still runs). `given_at`: the moment as somebody set it; it is computed from nothing.
    `lead`: how long before it is due people are told. `final`: nothing can be saved once it is missed.
    `severity`: what a miss does: 0 nothing, 1 annoys, 2 costs money or an index, 3 cannot be undone.
    """

    name: str
    title: str
    title_en: str
    requirement: str
    slot: str
    whose: Whose
    waits: bool = False
    inclusive: bool = True
    started_at: datetime | None = None
    length: timedelta = NOTHING
    counted: Counted = "plain"
    until_minute: int = DAY_MINUTES
    given_at: datetime | None = None
    done: bool = False
    done_at: datetime | None = None
    pauses_on: tuple[str, ...] = ()
    lead: timedelta = NOTHING
    cost: str | None = None
    cost_fen: int | None = None
    severity: int = 0
    final: bool = False
    holds_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clock:
    """How a clock stands at a moment.

    `due_at` of a paused clock is when it would be due if it went on now. `left`: until then, negative when past.
    `paused_s`: time not counted so far, in the clock's own time. `alert_at`: when people are told; never for
    a wait. `sure`: False when it passes public holidays that are not announced yet. `over`: a wait has ended.
    """

    terms: Terms
    due_at: datetime
    state: State
    left: timedelta
    paused_s: int
    alert_at: datetime | None
    sure: bool = True

    @property
    def name(self) -> str:
        return self.terms.name

    @property
    def open(self) -> bool:
        """Whether something is still to be done, in time or late."""
        return not is_done(self.terms)


@dataclass(frozen=True, slots=True)
class Course:
    """How far a clock got: when it is due, what was not counted, whether it stands still now."""

    due_at: datetime
    paused: timedelta
    stands: bool


def is_over(passed: _Time, allowed: _Time, *, inclusive: bool) -> bool:
    """Whether time has run out, told by moments or by lengths: only past the end when the end itself still
    counts (annex 0)."""
    return passed > allowed if inclusive else passed >= allowed


def is_done(terms: Terms) -> bool:
    return terms.done or terms.done_at is not None


def clock(terms: Terms, calendar: Calendar, now: datetime, pauses: Sequence[Pause] = ()) -> Clock:
    """The clock at the moment `now`. What is done later than `now` is not done yet."""
    if terms.done_at is not None and terms.done_at > now:
        raise AssertionError(f"{terms.name} is done at {terms.done_at}, after {now}")
    end = (terms.done_at or now).astimezone(UTC)
    course = run(terms, calendar, end, [one for one in pauses if one.kind in terms.pauses_on])
    state = _state(terms, course, end)
    alert_at = None if terms.waits else _earlier(course.due_at, terms, calendar)
    sure = terms.counted != "working" or calendar.is_sure(course.due_at)
    left = course.due_at - now.astimezone(UTC)
    return Clock(terms, course.due_at, state, left, int(course.paused.total_seconds()), alert_at, sure)


def run(terms: Terms, calendar: Calendar, end: datetime, pauses: Sequence[Pause]) -> Course:
    """The course up to `end`, every pause counted once and only from the start on."""
    if terms.given_at is not None:
        return Course(terms.given_at.astimezone(UTC), NOTHING, False)
    assert terms.started_at is not None, terms.name
    at, left, paused = terms.started_at.astimezone(UTC), terms.length, NOTHING
    for since, until, lasts in _joined(pauses, at, end):
        used = _passed(at, since, terms, calendar)
        if used >= left:
            break
        left -= used
        paused += _passed(since, until, terms, calendar)
        at = until
        if lasts:
            return Course(_later(at, left, terms, calendar), paused, True)
    return Course(_later(at, left, terms, calendar), paused, False)


def _state(terms: Terms, course: Course, end: datetime) -> State:
    over = is_over(end, course.due_at, inclusive=terms.inclusive)
    if is_done(terms):
        late = terms.done_at is not None and over and not terms.waits
        return "breached" if late else "met"
    if over:
        return "over" if terms.waits else "breached"
    return "paused" if course.stands else "running"


def _joined(
    pauses: Sequence[Pause], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, bool]]:
    """The paused parts of the time from `start` to `end`, in order and without overlap, and whether it lasts."""
    held: tuple[datetime, datetime, bool] | None = None
    for one in sorted(pauses, key=lambda pause: pause.since.astimezone(UTC)):
        since = max(one.since.astimezone(UTC), start)
        lasts = one.until is None or one.until > end
        until = end if one.until is None else min(one.until.astimezone(UTC), end)
        if until < since:
            continue
        if held is not None and since <= held[1]:
            held = held[0], max(held[1], until), held[2] or lasts
            continue
        if held is not None:
            yield held
        held = since, until, lasts
    if held is not None:
        yield held


def _later(start: datetime, length: timedelta, terms: Terms, calendar: Calendar) -> datetime:
    match terms.counted:
        case "plain":
            return start.astimezone(UTC) + length
        case "working":
            return add_working_time(start, length, calendar)
    return at_minute(calendar.day_of(start) + length, terms.until_minute, calendar)


def _earlier(due_at: datetime, terms: Terms, calendar: Calendar) -> datetime:
    """The lead before it, in working time where the clock counts that."""
    if terms.counted == "working":
        return add_working_time(due_at, -terms.lead, calendar)
    return due_at - terms.lead


def _passed(start: datetime, end: datetime, terms: Terms, calendar: Calendar) -> timedelta:
    return working_time_between(start, end, calendar) if terms.counted == "working" else end - start
