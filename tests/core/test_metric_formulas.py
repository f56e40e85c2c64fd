"""Properties of the metric formulas, and what a definition file may not say."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import product
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.facts import RulebookError
from aftersale.core.metrics.counting import count, rows_behind
from aftersale.core.metrics.definition import parse_definitions
from aftersale.core.metrics.disputes import counts_dispute
from aftersale.core.metrics.promotion import hour_load, staffing
from aftersale.core.metrics.quality import in_tail, one_more_quality_refund, orders_needed, quality_tail
from aftersale.core.metrics.replies import unreplied_alarm
from aftersale.core.metrics.share import percent_text
from aftersale.core.metrics.standing import composite_index, is_worse
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from aftersale.rulebooks.definitions import definitions, directions
from aftersale.rulebooks.metric_page import page

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
COUNTS = st.integers(0, 10_000)
RATES = st.fractions(Fraction(1, 10_000), 1)


@given(COUNTS, COUNTS, RATES)
def test_orders_needed_is_the_least_number_that_reaches_the_target(
    refunds: int, orders: int, target: Fraction
) -> None:
    found = orders_needed(quality_refund_orders=refunds, orders=orders, quality_target=target)
    assert found.value is not None
    assert refunds <= target * (orders + found.value)
    if found.value:
        assert refunds > target * (orders + found.value - 1)
    assert found.target_met is (found.value == 0)


@given(COUNTS, st.integers(1, 10_000))
def test_one_more_refund_weighs_one_order(refunds: int, orders: int) -> None:
    found = one_more_quality_refund(orders=orders, quality_refund_orders=refunds)
    assert found.before is not None
    assert found.after_plus_one == found.before + Fraction(1, orders)


@given(st.lists(st.integers(1, 10_000), unique=True, max_size=60), st.fractions(0, 1))
def test_the_tail_holds_the_worst_share_a_begun_product_included(rates: list[int], part: Fraction) -> None:
    flagged = quality_tail(
        quality_rates_by_rank=tuple(map(Fraction, rates)), quality_tail_share=part
    ).flagged_ranks
    assert len(flagged) == ceil(len(rates) * part)
    assert list(flagged) == list(range(len(rates) - len(flagged) + 1, len(rates) + 1))


def test_a_hundred_products_have_ten_in_the_tail() -> None:
    tenth = Fraction(1, 10)
    assert [rank for rank in range(1, 101) if in_tail(rank, 100, tenth)] == list(range(91, 101))


@given(st.fractions(0, 1, max_denominator=10**6), st.integers(0, 4))
def test_displayed_percentages_are_rounded_half_up(rate: Fraction, decimals: int) -> None:
    exact = Decimal(rate.numerator * 100 * 10**9) / Decimal(rate.denominator * 10**9)
    assert (
        percent_text(rate, decimals, "half_up")
        == f"{exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)}%"
    )


@pytest.mark.parametrize(
    ("rounding", "shown"), [("half_up", "0.02%"), ("half_even", "0.02%"), ("down", "0.01%"), ("up", "0.02%")]
)
def test_roundings_of_a_half(rounding: str, shown: str) -> None:
    assert percent_text(Fraction(15, 100_000), 2, rounding) == shown  # type: ignore[arg-type]
    assert percent_text(Fraction(5, 100_000), 2, "half_even") == "0.00%"


@given(*[st.fractions(0, 100)] * 3)
def test_the_composite_lies_between_its_parts(a: Fraction, b: Fraction, c: Fraction) -> None:
    found = composite_index(
        rank_dispute=a, rank_refund_duration=b, rank_self_completion=c, composite_weights=(3, 2, 1),
        event_gate_index=Fraction(90),
    )  # fmt: skip
    assert found.value is not None
    assert min(a, b, c) <= found.value <= max(a, b, c)
    assert found.value * 6 == 3 * a + 2 * b + c
    assert found.event_signup_allowed is (found.value <= 90)


@given(COUNTS, st.integers(0, 30), st.fractions(1, 500))
def test_who_is_short_is_exactly_who_is_missing(planned: int, staff: int, each: Fraction) -> None:
    found = hour_load(planned_refunds=planned, staff=staff, per_person_per_hour=each)
    assert found.short_by is not None
    assert found.overloaded is (found.short_by > 0)
    assert (staff + found.short_by) * each >= planned
    people = staffing(refunds=planned, per_person_per_hour=each).staff
    assert people is not None
    assert people * each >= planned > (people - 1) * each or planned == 0


def test_directions_decide_what_is_worse() -> None:
    assert [is_worse(Fraction(1), Fraction(n), "smaller_better") for n in (0, 1, 2)] == [False, False, True]
    assert [is_worse(Fraction(1), Fraction(n), "larger_better") for n in (0, 1, 2)] == [True, False, False]
    assert directions()["reply_rate"] == "larger_better"
    assert directions()["index"] == "smaller_better"


COUNTING = """
intervention refund_success fault        decided     won   | counts
yes          yes            seller       -           no    | yes
yes          yes            seller       -           yes   | no
yes          yes            buyer        -           no    | no
yes          yes            undetermined -           no    | no
yes          no             seller       -           no    | no
yes          -              seller       -           no    | no
no           yes            seller       -           no    | no
yes          yes            buyer        2017-04-20  no    | yes
yes          no             courier      2017-04-20  no    | yes
no           yes            seller       2017-04-20  no    | no
yes          yes            buyer        2017-04-20  yes   | no
yes          yes            buyer        2017-04-21  no    | no
yes          yes            seller       2017-04-21  no    | yes
"""


@pytest.mark.parametrize("line", COUNTING.strip().splitlines()[1:])
def test_what_counts_as_a_dispute(line: str) -> None:
    truth = {"yes": True, "no": False, "-": None}
    intervention, refund, fault, decided, won, _, counts = line.split()
    found = counts_dispute(
        intervention=bool(truth[intervention]), refund_success=truth[refund], fault=fault,
        decided_on=None if decided == "-" else datetime.fromisoformat(decided).date(),
        fault_appeal_won=bool(truth[won]), dispute_rule_from_day=20170421,
    )  # fmt: skip
    assert found.counts_dispute is truth[counts]


@pytest.mark.parametrize(
    ("clock", "waited", "alert", "late"),
    [
        ("10:00:00", 119, False, False), ("10:00:00", 120, True, False), ("10:00:00", 180, True, False),
        ("10:00:00", 181, True, True), ("07:59:59", 600, False, False), ("08:00:00", 600, True, True),
        ("22:59:59", 600, True, True), ("23:00:00", 600, False, False),
    ],
)  # fmt: skip
def test_a_waiting_message_alarms(clock: str, waited: int, alert: bool, late: bool) -> None:
    found = unreplied_alarm(
        time=datetime.fromisoformat(f"2026-11-11T{clock}").time(), unreplied_s=Fraction(waited),
        warn_at_s=Fraction(120), three_min_limit_s=Fraction(180), three_min_from_minute=480,
        three_min_until_minute=1380,
    )  # fmt: skip
    assert (found.alert, found.late) == (alert, late)


# Definitions


def test_the_python_count_agrees_with_the_formula_of_the_question_door() -> None:
    """One rule of three minutes: the definition over rows and the function over delays."""
    from aftersale.core.metrics.replies import Inquirer, Inquiry, three_min_reply_rate

    settings = resolve_settings(books.book("metrics"), {})
    told = [
        ("a", "08:00:00", 180, None), ("a", "09:00:00", None, 181), ("b", "22:59:59", 900, 3),
        ("c", "23:00:00", None, None), ("d", "12:00:00", None, None),
    ]  # fmt: skip
    rows = [
        {
            "message_id": str(no), "user_id": user, "sent_at": NOW - timedelta(hours=1),
            "second_of_day": sum(int(part) * unit for part, unit in zip(at.split(":"), (3600, 60, 1), strict=True)),
            "human_reply_s": human, "robot_reply_s": robot,
        }
        for no, (user, at, human, robot) in enumerate(told)
    ]  # fmt: skip
    metric = definitions().metric("three_min")
    counted = count(definitions(), metric, {"message_row": rows}, settings, NOW)
    users = tuple(
        Inquirer(user, (Inquiry(datetime.fromisoformat(f"2026-11-11T{at}").time(), None,
                                None if human is None else Fraction(human), None if robot is None else Fraction(robot)),))
        for user, at, human, robot in told
    )  # fmt: skip
    found = three_min_reply_rate(
        users=users, three_min_limit_s=Fraction(180), three_min_from_minute=480, three_min_until_minute=1380
    )
    assert (counted.top, counted.bottom, counted.value) == (found.over, found.inquirers, found.value)
    assert (found.over, found.inquirers, found.value) == (2, 3, Fraction(1, 3))
    assert metric.top is not None
    behind = rows_behind(definitions(), metric.top, {"message_row": rows}, settings, NOW)
    assert [row["message_id"] for row in behind] == ["1", "4"]


def test_the_definition_counts_the_disputes_that_the_formula_counts() -> None:
    settings = resolve_settings(books.book("metrics"), {})
    metric = definitions().metric("dispute_refund_rate")
    for intervened, refunded, fault, day, won in product(
        (True, False),
        (True, False),
        ("seller", "buyer", None),
        (None, 20170420, 20170421),
        (True, False, None),
    ):
        row = {
            "order_id": "T1", "intervened": intervened, "fault": fault, "decided_day": day, "fault_appeal_won": won,
            "finished_at": NOW if refunded else None, "decided_at": NOW,
        }  # fmt: skip
        decided = None if day is None else datetime.strptime(str(day), "%Y%m%d").replace(tzinfo=UTC).date()
        formula = counts_dispute(
            intervention=intervened, refund_success=refunded, fault=fault, decided_on=decided,
            fault_appeal_won=bool(won), dispute_rule_from_day=20170421,
        )  # fmt: skip
        counted = count(definitions(), metric, {"case_row": [row]}, settings, NOW).top
        assert bool(counted) is formula.counts_dispute, row


def test_every_metric_is_told_in_both_languages_and_names_its_source() -> None:
    for metric in definitions().metrics.values():
        assert metric.says.endswith("。"), metric.code
        assert metric.says_en.endswith("."), metric.code
        assert metric.requirement.startswith("R-"), metric.code
        assert metric.title != metric.title_en


def test_what_the_record_lacks_is_said() -> None:
    known = definitions()
    unmeasured = {
        metric.code: [one.needs for one in known.missing(metric)[0]]
        for metric in known.metrics.values()
        if known.missing(metric)[0]
    }
    assert unmeasured == {
        "three_min_reply_rate": ["会话消息"], "thirty_sec_rate": ["会话消息"], "avg_response_s": ["会话消息"],
        "inquiry_conversion": ["会话消息"], "quick_reply_share": ["会话消息"], "automation_rate": ["工单"],
        "handling_h": ["工单"], "complaint_repurchase_rate": ["投诉"], "review_handled_rate": ["差评登记"],
    }  # fmt: skip


ROWS = "rows: [{name: one_row, title: 行, title_en: Rows, list: [{name: id, type: text, title: 号}, {name: at, type: timestamptz, title: 时}]}]"
HEAD = (
    "code: x, title: 某, title_en: X, says: 某。, says_en: X., unit: share, better: smaller, requirement: R-1"
)


@pytest.mark.parametrize(
    ("metric", "why"),
    [
        ("kind: count, top: {rows: one_rows, at: at, when: 'true', count: id}", "没有名为 one_rows 的行，最近的是 one_row"),
        ("kind: count, top: {rows: one_row, at: at, when: 'true', count: idd}", "没有列 idd，最近的是 id"),
        ("kind: count, top: {rows: one_row, at: at, when: 'idd = 1', count: id}", "idd"),
        ("kind: count, window: x_days, top: {rows: one_row, at: at, when: 'true', count: id}", "x_days 不是以天计的设置"),
        ("kind: share, top: {rows: one_row, at: at, when: 'true', count: id}", "share 要写 2 个计数"),
        ("kind: mean, top: {rows: one_row, at: at, when: 'true', count: id}", "只有 mean 求和"),
        ("kind: formula", "formula 要写 function"),
        ("kind: formula, function: f, of: [y]", "没有名为 y 的指标"),
        ("kind: sum", "kind 或 better"),
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_counted_is_refused(metric: str, why: str) -> None:
    with pytest.raises(RulebookError, match=r"metric_definitions|one_row") as refused:
        parse_definitions(f"{ROWS}\nmetrics: [{{{HEAD}, {metric}}}]", {})
    assert why in str(refused.value)


def test_two_metrics_may_not_share_a_name() -> None:
    with pytest.raises(RulebookError, match=r"x 已经是 x 的名字|出现了两次"):
        parse_definitions(f"{ROWS}\nmetrics: [{{{HEAD}, kind: entered}}, {{{HEAD}, kind: entered}}]", {})


def test_the_page_tells_every_metric() -> None:
    for language in ("zh", "en"):
        text = page(language)
        assert [code for code in definitions().metrics if f"- `{code}` ·" not in text] == []
    assert "记录里还没有会话消息，暂时量不出" in page("zh")
    assert "the record lacks conversations: not measurable yet" in page("en")
