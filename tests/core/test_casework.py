"""Weights, promises and urgency: what must hold whatever the numbers are."""

from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.casework.complexity import OrderMarks, order_complexity
from aftersale.core.casework.freight_texts import address_notice
from aftersale.core.casework.promises import RISKS, promise_standing
from aftersale.core.casework.urgency import OpenCase, most_urgent
from aftersale.core.casework.weights import compare_weights
from aftersale.core.look import decide
from aftersale.core.money import Fen
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.rules.tables import NOW

REMEDIES = books.book("remedies")
DEFAULTS = resolve_settings(REMEDIES, {})
GRAMS = st.integers(0, 2_000).map(lambda tenths: Fraction(tenths, 10))


@given(GRAMS, GRAMS, GRAMS, st.integers(0, 50))
def test_only_two_lighter_parcels_prove_that_something_is_missing(
    repack: Fraction, warehouse: Fraction, courier: Fraction, tolerance: int
) -> None:
    found = compare_weights(
        repack_weight_g=repack,
        warehouse_weight_g=warehouse,
        courier_weight_g=courier,
        weight_tolerance_g=Fraction(tolerance),
    )
    lighter = [repack - one > tolerance for one in (warehouse, courier)]
    near = [abs(repack - one) <= tolerance for one in (warehouse, courier)]
    assert (found.weight_result == "missing_confirmed") == all(lighter)
    assert (found.weight_result == "match") == all(near)
    assert found.weights_missing == ()


def test_a_missing_weight_proves_nothing() -> None:
    for repack, warehouse, courier in product(
        (None, Fraction(500)), (None, Fraction(100)), (None, Fraction(100))
    ):
        if None in (repack, warehouse, courier):
            found = compare_weights(
                repack_weight_g=repack,
                warehouse_weight_g=warehouse,
                courier_weight_g=courier,
                weight_tolerance_g=Fraction(20),
            )
            assert found.weight_result is None
            assert len(found.weights_missing) == [repack, warehouse, courier].count(None)


@given(st.integers(0, 100_000), st.integers(1, 72), st.booleans())
def test_a_promised_resend_is_late_beyond_its_deadline_and_never_at_it(
    minutes: int, deadline: int, kept: bool
) -> None:
    hours = Fraction(minutes, 60)
    found = promise_standing(
        promise="resend",
        hours_to_fulfil=hours if kept else None,
        hours_since_promise=None if kept else hours,
        resend_promise_hours=deadline,
    )
    assert found.breached == found.appeal_blocked == (minutes > 60 * deadline)
    assert found.risk == (RISKS if found.breached else ())
    assert found.alert == found.appeal_risk == (not kept)


CASES = st.lists(
    st.builds(
        OpenCase,
        id=st.text("abcdef", min_size=1, max_size=3),
        fault=st.sampled_from([None, "seller", "buyer", "courier", "undetermined"]),
        hours_left=st.none() | st.integers(0, 5).map(Fraction),
    ),
    max_size=8,
)


@given(CASES, st.booleans())
def test_the_order_holds_every_case_once_and_deadlines_come_first(cases: list[OpenCase], same: bool) -> None:
    found = most_urgent(cases=tuple(cases), same_deadline=same)
    assert sorted(found.order) == sorted(one.id for one in cases)
    assert found.first == (found.order[0] if cases else None)
    soonest = min((one.hours_left for one in cases if one.hours_left is not None), default=None)
    if not same and soonest is not None:
        assert found.first in {one.id for one in cases if one.hours_left == soonest}
    if same and any(one.fault == "seller" for one in cases):
        assert found.first in {one.id for one in cases if one.fault == "seller"}


def test_an_order_paid_in_parts_is_complex_whatever_its_kind_says() -> None:
    assert order_complexity(order=OrderMarks(order_kind="spot", deposit=Fen(1))).marks == ("presale",)
    assert (
        order_complexity(order=OrderMarks(order_kind="spot", deposit=Fen(0), balance=Fen(0))).complex is False
    )


def test_words_of_a_notice_must_stand_in_one_clause() -> None:
    patterns = ("拒收 到付",)
    found = [
        address_notice(
            return_address_text=text,
            notice_refuse_collect=patterns,
            notice_tags_intact=("吊牌",),
            notice_resale_unaffected=("二次销售",),
            notice_non_quality_freight=("非质量 运费",),
        ).missing
        for text in ("拒收一切到付件", "破损拒收。可以到付", "到付拒收")
    ]
    assert ["refuse_collect" in missing for missing in found] == [False, True, True]


KNOWN = st.sampled_from([None, True, False])
PROVEN = st.fixed_dictionaries(
    {
        "platform": st.sampled_from(["tmall", "taobao", "pdd", None]),
        "reason": st.sampled_from(
            ["quality", "spoiled", "defect", "courier_damage", "fake", "no_longer_want", None]
        ),
        "quality_confirmed": st.just(True),
        "goods_worthless": KNOWN,
        "return_prohibited": KNOWN,
        "compensation_refused": KNOWN,
        "exchange_refused": KNOWN,
        "resend_refused": KNOWN,
        "return_refused": KNOWN,
        "buyer_demands_return": KNOWN,
        "item_value": st.sampled_from([None, 999, 1000, 1001]),
        "return_freight": st.sampled_from([None, 1000]),
        "contact_count": st.sampled_from([None, 0, 3]),
    }
)


@given(PROVEN)
def test_a_proven_problem_is_always_answered_by_help_and_never_refused(facts: dict[str, object]) -> None:
    found = decide(REMEDIES, facts, DEFAULTS, NOW).outcome  # type: ignore[arg-type]
    assert found["refuse_allowed"] is False
    assert found["action"] in {
        "offer_compensation",
        "offer_exchange",
        "offer_exchange_or_repair",
        "resend",
        "agree_return_refund",
        "direct_refund",
        "negotiate_with_buyer",
    }
    if facts["buyer_demands_return"] and not facts["return_refused"]:
        assert found["action"] in {"agree_return_refund", "direct_refund"}
