"""Windows at their exact boundaries, items and results, orders and chances, outlook and address (group K)."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.appeals.addresses import AddressSupply, address_supply
from aftersale.core.appeals.complaints import (
    ComplaintOrders,
    MonthUse,
    complaint_orders,
    complaints_this_month,
    in_month,
)
from aftersale.core.appeals.items import AppealItems, appeal_items
from aftersale.core.appeals.outlook import (
    OpenCase,
    Prediction,
    Risk,
    escalation_order,
    escalation_risk,
    predicted_failure,
)
from aftersale.core.appeals.windows import Kind, ShownClock, Window, window_of
from aftersale.core.clocks.calendar import Calendar
from aftersale.core.clocks.clock import Clock, Terms, clock

NOW = datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=8)))
ALWAYS = Calendar(week=((), (), (), (), (), (), ()))
HOUR, US = timedelta(hours=1), timedelta(microseconds=1)
WAIT, RIGHTS, RAPID = "return_dispute_wait", "rights_appeal", "rapid_refund_appeal"
HOURS = {WAIT: 72, RIGHTS: 48, RAPID: 168}


def _clock(name: str, age: timedelta) -> Clock:
    """Of the clock book: a wait may be acted on at its due moment, a deadline is kept at it."""
    waits = name == WAIT
    terms = Terms(
        name, f"{name}的标题", name, "R-195", slot=name, whose="platform", waits=waits, inclusive=not waits,
        started_at=NOW - age, length=HOURS[name] * HOUR,
        holds_up=(RIGHTS, RAPID) if waits else (),
    )  # fmt: skip
    return clock(terms, ALWAYS, NOW)


def _window(kind: Kind, **ages: timedelta) -> Window:
    return window_of(kind, [_clock(name, age) for name, age in ages.items()])


@pytest.mark.parametrize(
    ("kind", "name", "hours"),
    [("rights", RIGHTS, 48), ("freight", RIGHTS, 48), ("rapid_refund", RAPID, 168)],
)
def test_the_last_moment_is_in_time_and_the_next_is_not(kind: Kind, name: str, hours: int) -> None:
    stands = [_window(kind, **{name: hours * HOUR + beside}).window for beside in (-US, 0 * US, US)]
    assert stands == ["open", "open", "passed"]


@pytest.mark.parametrize("kind", ["return_dispute"])
def test_a_dispute_opens_at_the_end_of_its_wait(kind: Kind) -> None:
    stands = [_window(kind, **{WAIT: 72 * HOUR + beside}).window for beside in (-US, 0 * US, US)]
    assert stands == ["early", "open", "open"]


@pytest.mark.parametrize(
    ("kind", "clocks", "stand"),
    [
        # what it is counted from is unknown
        ("rights", {}, None),
        ("freight", {RAPID: 1}, None),
        ("rapid_refund", {RIGHTS: 1}, None),
        ("rapid_refund", {WAIT: 80}, None),
        ("return_dispute", {RIGHTS: 1, RAPID: 1}, None),
        # a rapid refund in one of the scenes waits and ends
        ("rapid_refund", {RAPID: 60, WAIT: 71}, "early"),
        ("rapid_refund", {RAPID: 60, WAIT: 72}, "open"),
        ("rapid_refund", {RAPID: 169, WAIT: 80}, "passed"),
        ("rapid_refund", {RAPID: 169, WAIT: 10}, "passed"),
        ("return_dispute", {RAPID: 168, WAIT: 72}, "open"),
        ("return_dispute", {RAPID: 169, WAIT: 72}, "passed"),
        ("return_dispute", {RAPID: 168, WAIT: 71}, "early"),
        # the rights clock warns a dispute, and the wait a rights appeal, but neither decides the other
        ("return_dispute", {RIGHTS: 200, WAIT: 72}, "open"),
        ("rights", {RIGHTS: 20, WAIT: 10}, "open"),
        ("freight", {RIGHTS: 48, WAIT: 10}, "open"),
    ],
)
def test_two_clocks_of_one_appeal(kind: Kind, clocks: dict[str, int], stand: str | None) -> None:
    found = _window(kind, **{name: hours * HOUR for name, hours in clocks.items()})
    assert found.window == stand
    assert {one.clock for one in found.clocks} == set(clocks)


@pytest.mark.parametrize(
    ("deadline", "since", "returned", "warned"),
    [
        (RIGHTS, 6 * HOUR, 30 * HOUR, False),  # the wait ends at the deadline itself, which is still in time
        (RIGHTS, 6 * HOUR, 30 * HOUR - US, True),
        (RIGHTS, 6 * HOUR, 30 * HOUR + US, False),
        (RIGHTS, 50 * HOUR, 80 * HOUR, False),
        (RIGHTS, 60 * HOUR, 80 * HOUR, True),
        (RAPID, 100 * HOUR, 4 * HOUR, False),
        (RAPID, 100 * HOUR, 4 * HOUR - US, True),
    ],
)
def test_a_wait_that_outlasts_the_deadline_is_warned_of(
    deadline: str, since: timedelta, returned: timedelta, warned: bool
) -> None:
    found = _window("return_dispute", **{deadline: since, WAIT: returned})
    assert (found.warn, found.warning) == ((True, "wait_outlasts_window") if warned else (None, None))


def test_both_clocks_are_shown_with_their_moments() -> None:
    found = _window("return_dispute", **{RAPID: 60 * HOUR, WAIT: 70 * HOUR + 30 * timedelta(minutes=1)})
    assert found.opens_at == NOW + 1.5 * HOUR
    assert found.closes_at == NOW + 108 * HOUR
    assert found.clocks == (
        ShownClock(RAPID, f"{RAPID}的标题", NOW + 108 * HOUR, "running", Fraction(108)),
        ShownClock(WAIT, f"{WAIT}的标题", NOW + 1.5 * HOUR, "running", Fraction(3, 2)),
    )
    late = _window("rights", **{RIGHTS: 48 * HOUR + US})
    assert late.clocks[0].left_hours == Fraction(-1, 3_600_000_000)
    assert late.clocks[0].state == "breached"
    assert (late.opens_at, late.closes_at) == (None, NOW - US)
    assert _window("rights", **{RIGHTS: -24 * HOUR}).clocks[0].left_hours == 72
    assert _window("return_dispute", **{WAIT: HOUR}).closes_at is None


def test_other_clocks_of_the_case_do_not_matter() -> None:
    other = Terms("evidence", "举证", "Evidence", "R-170", slot="evidence", whose="platform", started_at=NOW)
    found = window_of("rights", [clock(other, ALWAYS, NOW), _clock(RIGHTS, HOUR)])
    assert [one.clock for one in found.clocks] == [RIGHTS]
    assert window_of("rights", []) == Window(None, None, None, (), None, None)


@given(kind=st.sampled_from(get_args(Kind)), age=st.integers(0, 400), later=st.integers(0, 400))
def test_a_window_that_has_passed_never_opens_again(kind: Kind, age: int, later: int) -> None:
    order = [None, "early", "open", "passed"]
    ages = [{WAIT: hours * HOUR, RIGHTS: hours * HOUR, RAPID: hours * HOUR} for hours in (age, age + later)]
    before, after = (_window(kind, **one).window for one in ages)
    assert order.index(before) <= order.index(after)


def _items(**told: Any) -> AppealItems:
    return appeal_items(dispute_items=("fault",), money_items=("payment", "freight"), **told)


def test_items_chosen_together_wait_for_all_results() -> None:
    assert _items(items=("fault", "freight")) == AppealItems(
        keep_items=("fault", "freight"), drop_items=(), strange_items=(), item_count=2, kept_count=2, strange_count=0,
        warn=None, risk=None, close_when="all_item_results_received", closed=False,
        item_results={"fault": None, "freight": None}, waiting_for=("fault", "freight"), counts_dispute=None,
        money_recovered=None,
    )  # fmt: skip


def test_what_is_satisfied_is_dropped_with_a_warning() -> None:
    found = _items(items=("fault", "freight", "payment", "fault"), already_satisfied=("freight", "other"))
    assert (found.keep_items, found.drop_items) == (("fault", "payment"), ("freight",))
    assert (found.item_count, found.kept_count) == (3, 2)
    assert (found.warn, found.risk) == (True, "counts_to_failure_limit")


def test_an_order_that_does_not_count_needs_no_fault_appeal() -> None:
    assert _items(items=("fault", "freight"), was_counted_dispute=False).drop_items == ("fault",)
    both = _items(items=("fault", "freight"), was_counted_dispute=False, already_satisfied=("freight",))
    assert (both.drop_items, both.keep_items) == (("fault", "freight"), ())
    assert _items(items=("fault", "freight"), was_counted_dispute=True).drop_items == ()
    assert _items(items=("fault", "freight")).drop_items == ()
    won = _items(items=("fault",), was_counted_dispute=False, result="success")
    assert (won.drop_items, won.counts_dispute) == ((), False)


def test_items_that_the_platform_does_not_know() -> None:
    found = _items(items=("fault", "reputation"))
    assert (found.keep_items, found.strange_items, found.strange_count) == (("fault",), ("reputation",), 1)


def test_nothing_chosen_and_nothing_told() -> None:
    empty = _items(items=())
    assert (empty.item_count, empty.kept_count, empty.closed, empty.close_when) == (0, 0, None, None)
    untold = _items(result="success", was_counted_dispute=True)
    assert (untold.item_count, untold.kept_count, untold.counts_dispute, untold.money_recovered) == (
        None, None, True, None,
    )  # fmt: skip
    assert _items(results={"fault": "won"}).keep_items == ("fault",)
    assert _items(results={}).item_count == 0


@pytest.mark.parametrize(
    ("items", "results", "was", "counts", "money", "closed"),
    [
        ("fault", {"fault": "success"}, True, False, False, True),
        ("fault", {"fault": "failed"}, True, True, False, True),
        ("fault", {"fault": "rejected"}, None, None, False, True),
        ("fault", {"fault": "pending"}, True, True, None, False),
        ("fault", {"fault": None}, True, True, None, False),
        ("payment", {"payment": "won"}, True, True, True, True),
        ("freight", {"freight": "succeeded"}, False, False, True, True),
        ("payment", {"payment": "lost"}, True, True, False, True),
        ("fault payment", {"fault": "success"}, True, False, None, False),
        ("fault payment freight", {"payment": "fail", "freight": "success"}, True, True, True, False),
        ("fault payment freight", {"payment": "failure"}, True, True, None, False),
        ("payment freight", {"payment": "failure", "freight": "failed"}, True, True, False, True),
    ],
)
def test_what_results_change(
    items: str,
    results: dict[str, Any],
    was: bool | None,
    counts: bool | None,
    money: bool | None,
    closed: bool,
) -> None:
    found = _items(items=tuple(items.split()), results=results, was_counted_dispute=was)
    assert (found.counts_dispute, found.money_recovered, found.closed) == (counts, money, closed)
    assert (found.waiting_for == ()) is closed


def test_a_result_of_all_is_that_of_each_without_its_own() -> None:
    found = _items(items=("fault", "payment"), result="failed", results={"fault": "success"})
    assert found.item_results == {"fault": "success", "payment": "failed"}
    assert (found.counts_dispute, found.money_recovered) == (False, False)


def test_orders_listed_and_described() -> None:
    assert complaint_orders(listed_orders=("A", "A", "B"), described_order="A") == ComplaintOrders(
        2, False, ("B",)
    )
    assert complaint_orders(listed_orders=("A", "B"), described_orders=("B",), described_order="A") == (
        ComplaintOrders(2, True, ())
    )
    assert complaint_orders(listed_orders=(17,), described_order="17") == ComplaintOrders(1, True, ())
    assert complaint_orders(listed_orders=("A",)) == ComplaintOrders(1, None, ())
    assert complaint_orders(listed_orders=(), described_order="A") == ComplaintOrders(0, True, ())
    assert complaint_orders(described_order="A") == ComplaintOrders(None, None, ())


def test_the_month_is_that_of_the_shop() -> None:
    first = datetime(2025, 12, 31, 16, tzinfo=UTC)  # midnight in Shanghai
    assert complaints_this_month(filed_at=(first - US, first, NOW, NOW + US), now=NOW) == MonthUse(2)
    assert complaints_this_month(filed_at=(NOW.replace(year=2025),), now=NOW) == MonthUse(0)
    assert complaints_this_month(filed_at=(first,), now=first + HOUR) == MonthUse(1)
    assert in_month([first - US], NOW, UTC) == 0
    assert in_month([first], first + HOUR, UTC) == 1


def test_a_prediction_names_the_first_reason() -> None:
    assert predicted_failure() == Prediction("no_known_obstacle", False, None, ())
    assert predicted_failure(reasons=("abuse", "late")) == Prediction(
        "fail", True, "abuse", ("abuse", "late")
    )


WEIGHTS = {
    "risk_own_fault": 3, "risk_refusal": 2, "risk_modification": 1, "risk_unanswered_day": 5, "risk_anger": 7,
    "risk_no_tracking": 11, "senior_queue_risk": 8,
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "score", "reasons", "queue"),
    [
        ({}, 0, (), None),
        ({"fault": "seller"}, 3, ("own_fault",), None),
        ({"fault": "buyer"}, 0, (), None),
        ({"refusals": 3}, 6, ("refusals",), None),
        ({"refusals": 4}, 8, ("refusals",), "senior"),
        ({"refusals": -1, "modifications": -1}, 0, (), None),
        ({"modifications": 7}, 7, ("modifications",), None),
        ({"hours_unanswered": Fraction(47, 2)}, 0, (), None),
        ({"hours_unanswered": Fraction(24)}, 5, ("unanswered",), None),
        ({"hours_unanswered": Fraction(-1)}, 0, (), None),
        ({"hours_unanswered": Fraction(49)}, 10, ("unanswered",), "senior"),
        ({"anger_words": ("12315", "12315")}, 7, ("anger",), None),
        ({"no_tracking": True}, 11, ("no_tracking",), "senior"),
        ({"no_tracking": False}, 0, (), None),
        (
            {"fault": "seller", "refusals": 1, "modifications": 9, "anger_words": ("投诉",)},
            21,
            ("modifications", "anger", "own_fault", "refusals"),
            "senior",
        ),
    ],
)
def test_the_risk_of_a_case(
    told: dict[str, Any], score: int, reasons: tuple[str, ...], queue: str | None
) -> None:
    assert escalation_risk(**told, **WEIGHTS) == Risk(score, reasons, queue)  # type: ignore[arg-type]


def test_the_senior_queue_takes_the_riskiest_first() -> None:
    everything = OpenCase(
        "客服小明的单", "seller", refusals=1, modifications=1, hours_unanswered=Fraction(24), anger_words=("投诉",),
        no_tracking=True,
    )  # fmt: skip
    found = escalation_order(
        cases=(OpenCase("B"), OpenCase("C"), everything, OpenCase("D", "seller")), **WEIGHTS
    )
    assert found.first == "客服小明的单"
    assert found.order == ("客服小明的单", "D", "B", "C")
    assert found.risks[0] == Risk(
        29,
        ("no_tracking", "anger", "unanswered", "own_fault", "refusals", "modifications"),
        "senior",
        "客服小明的单",
    )
    assert found.risks[1] == Risk(3, ("own_fault",), None, "D")
    assert escalation_order(cases=(), **WEIGHTS).first is None


@pytest.mark.parametrize(
    ("supplied", "passed", "found"),
    [
        ("23.99", None, "in_time"),
        ("24", None, "in_time"),
        ("24.01", None, "late"),
        ("24", "30", "in_time"),
        ("25", "25", "late"),
        (None, "24", "waiting"),
        (None, "24.01", "overdue"),
        (None, None, None),
    ],
)
def test_the_return_address(supplied: str | None, passed: str | None, found: Any) -> None:
    hours = [None if one is None else Fraction(one) for one in (supplied, passed)]
    assert address_supply(
        hours_to_supply=hours[0], hours_passed=hours[1], return_address_hours=24
    ) == AddressSupply(found)
