"""One clock: pauses, working time, what is done; what burns next, who is told, what leaves no moment to act."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersale.core.clocks.calendar import Calendar, add_working_time, working_time_between
from aftersale.core.clocks.clock import Pause, clock, is_over
from aftersale.core.clocks.formulas import DeadlineAlert, deadline_alert
from aftersale.core.clocks.reading import clocks
from aftersale.core.clocks.windows import frees_at, in_rolling_days, on_same_day
from aftersale.core.language.grammar import SHANGHAI
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.core.clock_terms import DAILY, OFFICE, START, TICK, h, hours, pause, terms


@pytest.fixture(autouse=True, scope="module")
def server_elsewhere() -> Iterator[None]:
    """The machine's own zone plays no part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


PAUSED = [
    # pauses, hours from the start to now → due, hours paused, state
    ([], 5, 10, 0, "running"),
    ([pause(2, 4)], 5, 12, 2, "running"),
    ([pause(2, 4)], 12, 12, 2, "running"),
    ([pause(2, 4)], 12.5, 12, 2, "breached"),
    ([pause(2, 4)], 3, 11, 1, "paused"),
    ([pause(2, 4)], 4, 12, 2, "running"),
    ([pause(2, 4)], 2, 10, 0, "paused"),
    ([pause(2, 4)], 1, 10, 0, "running"),
    ([pause(2)], 7, 15, 5, "paused"),
    ([pause(2)], 200, 208, 198, "paused"),
    # what overlaps or touches is counted once
    ([pause(2, 4), pause(3, 6)], 7, 14, 4, "running"),
    ([pause(3, 6), pause(2, 4)], 7, 14, 4, "running"),
    ([pause(2, 6), pause(3, 4)], 7, 14, 4, "running"),
    ([pause(2, 4), pause(4, 5)], 7, 13, 3, "running"),
    ([pause(2, 4), pause(5, 6)], 7, 13, 3, "running"),
    ([pause(2, 4), pause(3)], 7, 15, 5, "paused"),
    ([pause(2), pause(3, 4)], 7, 15, 5, "paused"),
    ([pause(2, 4), pause(2, 4)], 7, 12, 2, "running"),
    # before the start, after the end, of another kind: nothing
    ([pause(-5, -1)], 5, 10, 0, "running"),
    ([pause(-5, 1)], 5, 11, 1, "running"),
    ([pause(-5, -1), pause(2, 4)], 7, 12, 2, "running"),
    ([pause(10, 20)], 30, 10, 0, "breached"),
    ([pause(11, 20)], 30, 10, 0, "breached"),
    ([pause(9.5, 20)], 30, 20.5, 10.5, "breached"),
    ([pause(2, 4), pause(11.5)], 30, 30.5, 20.5, "paused"),
    ([pause(2, 4, "other")], 5, 10, 0, "running"),
    ([pause(6, 8)], 5, 10, 0, "running"),
]


@pytest.mark.parametrize(("pauses", "now", "due", "paused", "state"), PAUSED)
def test_pauses(pauses: list[Pause], now: float, due: float, paused: float, state: str) -> None:
    found = clock(terms(), OFFICE, START + h(now), pauses)
    assert (hours(found.due_at - START), found.paused_s / 3600, found.state) == (due, paused, state)
    assert found.left == found.due_at - (START + h(now))


def test_a_pause_that_comes_after_the_end_changes_nothing_even_if_both_are_told_at_once() -> None:
    done = terms(done_at=START + h(8))
    for pauses in ([pause(9, 500)], [pause(8, 500)], [pause(9)]):
        found = clock(done, OFFICE, START + h(600), pauses)
        assert (found.due_at, found.paused_s, found.state) == (START + h(10), 0, "met")
    found = clock(done, OFFICE, START + h(600), [pause(7, 500)])
    assert (found.due_at, found.paused_s, found.state) == (START + h(11), 3600, "met")


def test_pauses_of_working_time_count_working_time() -> None:
    """Of a night only the working hours are given back: asked at 17:00, answered at 10:00, two hours."""
    own = terms(counted="working", length=h(8))
    found = clock(own, OFFICE, START + h(26), [pause(8, 25)])
    assert (found.due_at, found.paused_s) == (START + h(26.5), 2 * 3600)
    assert clock(own, OFFICE, START + h(26)).due_at == START + h(24.5)


def test_lead_of_working_time_reaches_back_over_the_night() -> None:
    own = terms(counted="working", length=h(8), lead=h(4))
    found = clock(own, OFFICE, START)
    assert (found.due_at, found.alert_at) == (START + h(24.5), START + h(5.5))
    assert clock(terms(lead=h(4)), OFFICE, START).alert_at == START + h(6)


@pytest.mark.parametrize(
    ("changes", "now", "state"),
    [
        ({"done": True}, 50, "met"),
        ({"done_at": START + h(10)}, 50, "met"),
        ({"done_at": START + h(10) + TICK}, 50, "breached"),
        ({"done": True, "done_at": START + h(10) + TICK}, 50, "breached"),
        ({"inclusive": False, "done_at": START + h(10)}, 50, "breached"),
        ({"inclusive": False, "done_at": START + h(10) - TICK}, 50, "met"),
        ({"waits": True, "done_at": START + h(40)}, 50, "met"),
        ({"waits": True, "done": True}, 50, "met"),
        ({"waits": True}, 50, "over"),
        ({"waits": True}, 10, "running"),
        ({"waits": True, "inclusive": False}, 10, "over"),
        ({"inclusive": False}, 10, "breached"),
        ({"given_at": START + h(3), "started_at": None}, 3, "running"),
        ({"given_at": START + h(3), "started_at": None}, 3.5, "breached"),
    ],
)
def test_states(changes: dict[str, Any], now: float, state: str) -> None:
    found = clock(terms(**changes), OFFICE, START + h(now))
    assert found.state == state
    assert found.open is (not changes.keys() & {"done", "done_at"})


def test_what_is_done_later_than_now_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(AssertionError, match="a is done at"):
        clock(terms(done_at=START + TICK), OFFICE, START)
    assert clock(terms(done_at=START), OFFICE, START).state == "met"


def test_days_end_at_midnight_where_the_shop_is() -> None:
    for length, minute, due in (
        (0, 1440, "2026-01-06T00:00"),
        (1, 1440, "2026-01-07T00:00"),
        (1, 720, "2026-01-06T12:00"),
        (0, 0, "2026-01-05T00:00"),
    ):
        daily = terms(counted="day", length=timedelta(days=length), until_minute=minute)
        for start in (START, START.astimezone(UTC), START.replace(hour=0), START.replace(hour=23, minute=59)):
            found = clock(replace(daily, started_at=start), OFFICE, START)
            assert found.due_at == datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)


def test_days_are_not_rolling() -> None:
    """23:59 on Monday and 00:00 on Tuesday are a minute apart and a day."""
    daily = terms(counted="day", length=timedelta(days=1), inclusive=False)
    late = replace(daily, started_at=START.replace(hour=23, minute=59))
    assert clock(late, OFFICE, START).due_at == datetime(2026, 1, 7, tzinfo=SHANGHAI)
    assert clock(terms(length=timedelta(days=1)), OFFICE, START).due_at == START + h(24)


def test_a_clock_that_passes_unknown_holidays_says_so() -> None:
    ends = Calendar(week=DAILY, sure_until=START.date())
    own = terms(counted="working", length=h(7.5))
    assert clock(own, ends, START).sure is True
    assert clock(replace(own, length=h(7.5) + TICK), ends, START).sure is False
    assert clock(terms(length=h(900)), ends, START).sure is True
    assert clock(replace(own, length=h(900)), OFFICE, START).sure is True


def test_own_targets_stand_still_while_the_buyer_is_asked() -> None:
    """Only the shop's own target pauses, and only as the shop wants; the platform's clock never does."""
    book = books.book("deadlines")
    facts: dict[str, Any] = {
        "platform": "tmall", "aftersale_type": "return_refund", "state": "applied", "applied_at": START,
        "due_at": START + h(48),
    }  # fmt: skip
    waits = [pause(2, 5, "waiting_for_buyer")]

    def states(now: float, **changes: object) -> dict[str, tuple[str, float]]:
        found = clocks(book, facts, resolve_settings(book, changes), OFFICE, START + h(now), waits)
        return {one.name: (one.state, hours(one.due_at - START)) for one in found}

    assert states(3) == {"platform_deadline": ("running", 48), "agree_return": ("paused", 25)}
    assert states(6) == {"platform_deadline": ("running", 48), "agree_return": ("running", 27)}
    assert states(6, own_target_pauses=[])["agree_return"] == ("running", 24)
    assert states(6, own_target_calendar="working", own_target_pauses=[])["agree_return"] == ("running", 73.5)


@pytest.mark.parametrize(
    ("passed", "deadline", "lead", "alert", "breached"),
    [
        ("10", 24, 4, False, False),
        ("19.99", 24, 4, False, False),
        ("20", 24, 4, True, False),
        ("24", 24, 4, True, False),
        ("24.01", 24, 4, True, True),
        ("25", 24, 4, True, True),
        ("43", 48, 4, False, False),
        ("44", 48, 4, True, False),
        ("48", 48, 4, True, False),
        ("23", 24, 0, False, False),
        ("24", 24, 0, True, False),
        ("47", 48, 100, True, False),
    ],
)
def test_a_deadline_by_its_age(passed: str, deadline: int, lead: int, alert: bool, breached: bool) -> None:
    given = {
        "hours_passed": Fraction(passed),
        "deadline_hours": Fraction(deadline),
        "deadline_lead_hours": Fraction(lead),
    }
    left = Fraction(deadline) - Fraction(passed)
    assert deadline_alert(**given) == DeadlineAlert(alert, breached, left)  # type: ignore[arg-type]
    assert deadline_alert(**given, done=True) == DeadlineAlert(False, False, left)  # type: ignore[arg-type]


def test_a_negative_lead_does_not_silence_a_breach() -> None:
    found = deadline_alert(
        hours_passed=Fraction(25), deadline_hours=Fraction(24), deadline_lead_hours=Fraction(-4)
    )
    assert (found.alert, found.breached) == (True, True)


def test_rolling_days_and_calendar_days() -> None:
    now = datetime(2026, 1, 8, 0, 30, tzinfo=SHANGHAI)
    week = [now - timedelta(days=7), now - timedelta(days=7) + TICK, now - h(1), now, now + TICK]
    assert in_rolling_days(week, now, 7) == 3
    assert in_rolling_days(week, now, 1) == 2
    assert in_rolling_days([], now, 7) == 0
    day = [now - h(0.5) - TICK, now - h(0.5), now, now + h(1)]
    assert on_same_day(day, now) == 2
    assert on_same_day([one.astimezone(UTC) for one in day], now.astimezone(UTC)) == 2
    assert on_same_day(day, now, UTC) == 3


def test_when_the_next_contact_is_free() -> None:
    moments = [START, START + h(1), START + h(2)]
    assert frees_at(moments, 7, 4) is None
    assert frees_at(moments, 7, 3) == START + timedelta(days=7)
    assert frees_at(moments[::-1], 7, 2) == START + h(1) + timedelta(days=7)
    assert frees_at([], 7, 1) is None
    at = frees_at(moments, 7, 3)
    assert at is not None
    assert at.utcoffset() == timedelta(0)
    assert [in_rolling_days(moments, at + step, 7) for step in (-TICK, timedelta(0))] == [3, 2]


def test_boundaries() -> None:
    for passed, inclusive, exclusive in ((-TICK, False, False), (h(0), False, True), (TICK, True, True)):
        assert is_over(START + passed, START, inclusive=True) is inclusive
        assert is_over(START + passed, START, inclusive=False) is exclusive


SPANS = st.lists(
    st.tuples(st.integers(-5, 40), st.one_of(st.none(), st.integers(0, 20))).map(
        lambda one: pause(one[0], None if one[1] is None else one[0] + one[1])
    ),
    max_size=5,
)
KINDS = st.sampled_from(["plain", "working"])
VIEWERS = st.sampled_from([ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), UTC])


@settings(max_examples=200, deadline=None)
@given(SPANS, st.integers(0, 60), st.integers(0, 60), KINDS, st.booleans())
def test_a_pause_only_gives_time_and_gives_it_once(
    pauses: list[Pause], now: int, length: int, counted: str, inclusive: bool
) -> None:
    made = terms(counted=counted, length=h(length), inclusive=inclusive)
    at = START + h(now)
    found, without = clock(made, OFFICE, at, pauses), clock(made, OFFICE, at)
    assert found.due_at >= without.due_at
    assert found == clock(made, OFFICE, at, [*reversed(pauses), *pauses])
    assert clock(made, OFFICE, at, [*pauses, pause(1, 2)]).due_at >= found.due_at
    passed = working_time_between if counted == "working" else lambda a, b, _: b - a
    ran = passed(START, found.due_at, OFFICE)
    assert ran == h(length) + timedelta(seconds=found.paused_s)


@settings(max_examples=200, deadline=None)
@given(SPANS, st.integers(0, 60), st.integers(0, 60), KINDS, VIEWERS)
def test_a_clock_is_the_same_for_every_viewer(
    pauses: list[Pause], now: int, length: int, counted: str, viewer: ZoneInfo
) -> None:
    made, at = terms(counted=counted, length=h(length), lead=h(3)), START + h(now)
    seen = [Pause(p.kind, p.since.astimezone(viewer), p.until and p.until.astimezone(viewer)) for p in pauses]
    elsewhere = replace(made, started_at=START.astimezone(viewer))
    here, there = clock(made, OFFICE, at, pauses), clock(elsewhere, OFFICE, at.astimezone(viewer), seen)
    assert replace(there, terms=made) == here
    assert (there.due_at.utcoffset(), there.alert_at and there.alert_at.utcoffset()) == (timedelta(0),) * 2
    given_at = clock(replace(elsewhere, given_at=START.astimezone(viewer)), OFFICE, at)
    assert (given_at.due_at, given_at.due_at.utcoffset()) == (START, timedelta(0))


def test_clocks_of_a_viewer_whose_clocks_go_forward_keep_their_hours() -> None:
    """24 hours are 24 hours, also where the wall shows 25."""
    away = datetime(2026, 3, 7, 12, tzinfo=ZoneInfo("America/New_York"))
    found = clock(terms(started_at=away, length=h(24)), OFFICE, away)
    assert found.due_at - away.astimezone(UTC) == h(24)
    ends = add_working_time(away, h(1), OFFICE)
    assert (ends, ends.utcoffset()) == (datetime(2026, 3, 9, 10, tzinfo=SHANGHAI), timedelta(0))
    assert add_working_time(away, timedelta(0), OFFICE).utcoffset() == timedelta(0)
