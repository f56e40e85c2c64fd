"""What is frozen at purchase: every source over lines, units and parts, to the fen."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.refunds import FREIGHT, RECIPIENTS, Gift, Line, Part, Purchase, Source, Unit, freeze
from aftersale.core.refunds.shares import even, spread
from aftersale.core.refusal import Refusal
from tests.core.test_refund_cases import frozen


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [
        (1000, (1, 1, 1), (334, 333, 333)),
        (2, (1, 1, 1), (1, 1, 0)),
        (4200, (15000, 6000), (3000, 1200)),
        (100, (1, 2, 3), (17, 33, 50)),
        (10, (5, 4, 1), (5, 4, 1)),
        (9, (5, 4, 1), (4, 4, 1)),
        (1, (1, 3), (0, 1)),
        (1, (0, 1), (0, 1)),
        (5, (0, 0, 0), (2, 2, 1)),
        (0, (3, 4), (0, 0)),
        (0, (), ()),
        (7, (9,), (7,)),
    ],
)
def test_largest_remainder(amount: int, weights: tuple[int, ...], parts: tuple[int, ...]) -> None:
    assert spread(amount, weights) == parts


def test_nothing_to_spread_or_to_spread_over() -> None:
    with pytest.raises(AssertionError, match=r"^only what is there can be spread"):
        spread(-1, (1,))
    with pytest.raises(AssertionError, match=r"^nothing to spread over"):
        spread(1, ())


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=12), st.data())
def test_shares_are_near_their_proportion_and_lose_nothing(weights: list[int], data: st.DataObject) -> None:
    whole = sum(weights)
    amount = data.draw(st.integers(0, whole))
    parts = spread(amount, weights)
    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))
    assert all(
        abs(part * whole - amount * weight) < whole or not whole
        for part, weight in zip(parts, weights, strict=True)
    )


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.integers(1, 50))
def test_an_even_split_never_shrinks(amount: int, more: int, count: int) -> None:
    parts, larger = even(amount, count), even(amount + more, count)
    assert sum(parts) == amount
    assert max(parts) - min(parts) <= 1
    assert list(parts) == sorted(parts, reverse=True)
    assert all(before <= after for before, after in zip(parts, larger, strict=True))


def cells(text: str) -> dict[str, tuple[int, ...]]:
    return {f"{unit.line_id}{unit.unit_no}{unit.part_id}": row for unit, row in frozen(text).shares.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "goods A 3.00 x3 \n shop 0.10 \n platform 0.10 \n cash 2.80",
            {"A1": (4, 3, 93), "A2": (3, 4, 93), "A3": (3, 3, 94), "freight1": (0, 0, 0)},
            id="the second source's rest goes on where the first one's ended",
        ),
        pytest.param(
            "goods A 0.02 x2 \n shop 0.01 \n platform 0.01",
            {"A1": (1, 0), "A2": (0, 1), "freight1": (0, 0)},
            id="no piece is paid for twice",
        ),
        pytest.param(
            "goods A 1.00 \n goods B 3.00 \n freight 1.00 \n shop 1.00 \n points 2.00 \n cash 2.00",
            {"A1": (25, 38, 37), "B1": (75, 112, 113), "freight1": (0, 50, 50)},
            id="discounts are for goods, payments for the freight too",
        ),
        pytest.param(
            "goods A 1.00 \n goods B 1.00 \n freight 2.00 \n other 1.00 on B,freight \n unpaid 3.00",
            {"A1": (0, 100), "B1": (33, 67), "freight1": (67, 133)},
            id="a source on named lines",
        ),
        pytest.param(
            "goods A 1.00 x2 \n goods B 1.00 \n surcharge 0.03 \n cash 2.03",
            {"A1": (51,), "A2": (51,), "B1": (101,), "freight1": (0,)},
            id="a surcharge raises the goods",
        ),
        pytest.param(
            "goods K 1.00 x2 a=1.00 b=1.00 c=1.00 \n shop 0.05 \n cash 0.95",
            {
                "K1a": (1, 16), "K1b": (1, 16), "K1c": (1, 15),
                "K2a": (1, 16), "K2b": (1, 16), "K2c": (0, 16), "freight1": (0, 0),
            },
            id="parts of a kit make up the kit",
        ),
        pytest.param(
            "goods A 1.00 \n goods G 0.00 gift:A=0.50 \n surcharge 0.50 \n cash 1.50",
            {"A1": (150,), "G1": (0,), "freight1": (0,)},
            id="a gift costs nothing",
        ),
    ],
)  # fmt: skip
def test_frozen_shares(text: str, expected: dict[str, tuple[int, ...]]) -> None:
    assert cells(text) == expected


GOOD = Purchase((Line("A", 100), Line("B", 100)), (Source("s", "shop", 50), Source("p", "cash", 160)), 10)


@pytest.mark.parametrize(
    ("purchase", "refusal"),
    [
        (Purchase((), ()), Refusal("no_lines", "订单里没有商品")),
        (replace(GOOD, freight_fen=-1), Refusal("negative", "订单里有负的金额")),
        (replace(GOOD, surcharge_fen=-1), Refusal("negative", "订单里有负的金额")),
        (replace(GOOD, lines=(Line("A", -1),)), Refusal("negative", "订单里有负的金额")),
        (replace(GOOD, sources=(Source("p", "cash", -1),)), Refusal("negative", "订单里有负的金额")),
        (replace(GOOD, lines=(Line("A", 1, parts=(Part("x", -1),)),)), Refusal("negative", "订单里有负的金额")),
        (replace(GOOD, lines=(Line("A", 1, 0),)), Refusal("quantity", "商品的件数至少是 1")),
        (replace(GOOD, lines=(Line("A", 1), Line("A", 1))), Refusal("repeated", "订单里有重复的编号")),
        (replace(GOOD, lines=(Line("freight", 1),)), Refusal("repeated", "订单里有重复的编号")),
        (replace(GOOD, sources=GOOD.sources * 2), Refusal("repeated", "订单里有重复的编号")),
        (replace(GOOD, lines=(Line("A", 1, parts=(Part("x", 1),) * 2),)), Refusal("repeated", "订单里有重复的编号")),
        (
            replace(GOOD, sources=(Source("s", "shop", 1, ("Y", "A", "X", "freight")),)),
            Refusal("unknown_line", "订单里没有这些商品行：X, Y"),
        ),
        (
            replace(GOOD, lines=(Line("A", 1, gift=Gift(("freight",), 1)),)),
            Refusal("unknown_line", "订单里没有这些商品行：freight"),
        ),
        (
            replace(GOOD, lines=(Line("A", 1, gift=Gift((), 1)),)),
            Refusal("unknown_line", "赠品没有写明随哪些商品赠送"),
        ),
        (
            replace(GOOD, sources=(Source("s", "shop", 201),)),
            Refusal("over_value", "s 比它能抵的商品多出 ¥0.01"),
        ),
        (
            replace(GOOD, sources=(Source("s", "shop", 60), Source("t", "shop", 91, ("A",)))),
            Refusal("over_value", "t 比它能抵的商品多出 ¥0.21"),
        ),
        (replace(GOOD, freight_fen=11), Refusal("not_covered", "还有 ¥0.01 没有说明由谁支付")),
    ],
)  # fmt: skip
def test_what_does_not_add_up(purchase: Purchase, refusal: Refusal) -> None:
    assert freeze(purchase) == refusal


def test_a_purchase_that_adds_up_is_frozen_once_and_for_all() -> None:
    split = freeze(GOOD)
    assert not isinstance(split, Refusal)
    assert split.goods() == (Unit("A", 1), Unit("B", 1))
    assert split.payments() == (1,)
    assert (split.paid_fen(Unit("A", 1)), split.paid_fen(FREIGHT)) == (75, 10)
    assert freeze(GOOD) == split


def test_every_funder_has_somebody_behind_it() -> None:
    assert {name for name, one in RECIPIENTS.items() if one == "buyer"} == {
        "cash", "deposit", "balance", "gift_card", "points", "voucher",
    }  # fmt: skip
    assert {one for name, one in RECIPIENTS.items() if name in ("shop", "platform", "other")} == {
        "shop", "platform", "other",
    }  # fmt: skip
