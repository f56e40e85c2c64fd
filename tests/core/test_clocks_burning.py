"""What burns next, what people are told, and which waits squeeze a deadline."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.clocks.burning import alerts, burns_next, next_change, squeezed
from aftersale.core.clocks.clock import Clock, Pause, Terms, clock
from aftersale.core.clocks.reading import clocks
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.core.clock_terms import OFFICE, START, TICK, h, pause, terms


@pytest.fixture(autouse=True, scope="module")
def server_elsewhere() -> Iterator[None]:
    """The machine's own zone plays no part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def burning(*all_terms: Terms, now: float = 5, pauses: Sequence[Pause] = ()) -> list[Clock]:
    return [clock(one, OFFICE, START + h(now), pauses) for one in all_terms]


def names(found: Sequence[Clock]) -> str:
    return " ".join(one.name for one in found)


def test_what_burns_next_is_by_time_then_by_what_it_costs() -> None:
    found = burning(
        terms(name="late", length=h(9)),
        terms(name="z_irreversible", severity=3),
        terms(name="money", severity=2, cost_fen=100),
        terms(name="more_money", severity=2, cost_fen=101),
        terms(name="b_nothing"),
        terms(name="_nothing"),
        terms(name="a_nothing", cost_fen=0),
        terms(name="a_fen", cost_fen=1),
        terms(name="soonest", length=h(8), given_at=None),
        terms(name="overdue", length=h(1)),
    )
    assert (
        names(burns_next(found))
        == "overdue soonest late z_irreversible more_money money a_fen _nothing a_nothing b_nothing"
    )
    assert burns_next(reversed(found)) == burns_next(found)


def test_what_cannot_burn() -> None:
    found = burning(
        terms(name="wait", waits=True),
        terms(name="wait_over", waits=True, length=h(1)),
        terms(name="done", done=True),
        terms(name="buyers", whose="buyer", length=h(1), pauses_on=()),
        terms(name="paused"),
        terms(name="lost", length=h(1), final=True, pauses_on=()),
        terms(name="still_final", final=True, pauses_on=()),
        terms(name="overdue", length=h(1), pauses_on=()),
        pauses=[pause(2)],
    )
    assert names(burns_next(found)) == "overdue still_final"
    told = alerts(found, START + h(5))
    assert [(one.clock.name, one.level) for one in told] == [
        ("lost", "breached"),
        ("overdue", "breached"),
        ("wait_over", "over"),
    ]


def test_alerts_begin_with_the_lead() -> None:
    early = terms(lead=h(4))
    for now, level in ((6 - 1 / 3600, None), (6, "soon"), (10, "soon"), (10.5, "breached")):
        found = alerts(burning(early, now=now), START + h(now))
        assert [one.level for one in found] == ([level] if level else [])
    assert alerts(burning(terms(lead=h(4), waits=True), now=9), START + h(9)) == ()
    assert alerts(burning(terms(), now=10), START + h(10))[0].level == "soon"


def test_the_next_change() -> None:
    first, second = terms(lead=h(4)), terms(length=h(7), inclusive=False, lead=h(1))
    ends = START + h(10) + TICK
    for now, change in ((0, START + h(6)), (6, START + h(7)), (7, ends), (11, None)):
        assert next_change(burning(first, second, now=now), START + h(now)) == change
    assert next_change(burning(terms(waits=True)), START + h(5)) == ends
    assert next_change(burning(terms(waits=True, inclusive=False)), START + h(5)) == START + h(10)
    assert next_change(burning(terms(done=True)), START) is None
    assert next_change(burning(terms(), now=3, pauses=[pause(2)]), START + h(3)) is None
    assert next_change((), START) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 6), st.booleans(), st.booleans()), max_size=4))
def test_between_now_and_the_next_change_nothing_changes(made: list[tuple[int, int, bool, bool]]) -> None:
    many = [
        terms(name=f"c{no}", length=h(length), lead=h(lead), waits=waits, inclusive=inclusive)
        for no, (length, lead, waits, inclusive) in enumerate(made)
    ]

    def told(now: datetime) -> list[tuple[str, str]]:
        found = [clock(one, OFFICE, now) for one in many]
        return [(one.name, one.state) for one in found] + [
            (one.clock.name, one.level) for one in alerts(found, now)
        ]

    now = START + h(5)
    change = next_change([clock(one, OFFICE, now) for one in many], now)
    if change is None:
        assert told(now) == told(now + h(100))
    else:
        assert told(now) == told(change - TICK) != told(change)


def test_a_wait_that_outlasts_a_deadline_is_told() -> None:
    book = books.book("deadlines")
    found = {"platform": "pdd", "return_dispute": True, "rights_appeal_wanted": True, "rapid_refund": True}
    chosen = resolve_settings(book, {})

    def both(returned: float, refunded: float, **more: Any) -> list[tuple[str, str]]:
        moments = {"returned_at": START + h(returned), "refund_success_at": START + h(refunded)}
        read = clocks(book, {**found, **moments, **more}, chosen, OFFICE, START + h(refunded))
        return [(one.wait.name, one.deadline.name) for one in squeezed(read)]

    rights = ("return_dispute_wait", "rights_appeal")
    assert both(-24, 0) == []
    assert both(-24 + 1 / 3600, 0) == [rights]
    assert both(0, 0) == [rights]
    assert both(97, 0) == [rights, ("return_dispute_wait", "rapid_refund_appeal")]
    assert both(96, 0) == [rights]
    assert both(0, 0, appealed_at=START) == []


def test_squeezes_are_exact_at_every_boundary() -> None:
    wait = terms(name="wait", waits=True, holds_up=("end", "unknown"), length=h(5))
    end = terms(name="end", length=h(5))
    for wait_in, end_in, length, tight in (
        (False, True, h(5), False),
        (False, True, h(5) - TICK, True),
        (True, True, h(5), True),
        (True, True, h(5) + TICK, False),
        (False, False, h(5), True),
        (False, False, h(5) + TICK, False),
    ):
        pair = burning(replace(wait, inclusive=wait_in), replace(end, inclusive=end_in, length=length), now=1)
        assert [(one.wait.name, one.deadline.name) for one in squeezed(pair)] == [("wait", "end")] * tight
    assert squeezed(burning(wait, replace(end, done=True, length=h(1)))) == ()
    assert squeezed(burning(replace(wait, done=True), replace(end, length=h(1)))) == ()
