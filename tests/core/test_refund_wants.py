"""What each kind of want takes, and every ceiling from both sides."""

import pytest

from aftersale.core.refunds import (
    Amount,
    Claim,
    Everything,
    Freight,
    OverCeiling,
    Refund,
    Unit,
    Units,
    Want,
    given_back,
    refund,
    standing,
)
from aftersale.core.refusal import Refusal
from tests.core.test_refund_cases import frozen, play, want

TWO = "goods A 20.00 x2 \n goods B 5.00 \n freight 3.00 \n cash 28.00"
KIT = "goods K 99.00 x2 pot=70.00 cup=30.00 \n shop 1.99 \n cash 97.01"
GIFT = "goods A 90.00 x3 \n goods G 0.00 x2 gift:A=15.00,{policy} \n cash 90.00"
PAID_TWICE = "goods A 100.00 \n deposit 20.00 as first \n cash 80.00 as second"


@pytest.mark.parametrize(
    ("bought", "steps"),
    [
        pytest.param(TWO, "10.01 of A#1 -> over_unit 10.00 \n 10.00 of A#1 -> 10.00", id="a piece"),
        pytest.param(TWO, "20.01 of A -> over_line 20.00 \n 20.00 of A -> 20.00", id="a line"),
        pytest.param(TWO, "28.01 of order -> over_order 28.00 \n 28.00 of order -> 28.00", id="the order"),
        pytest.param(
            TWO,
            "26.00 of order -> 26.00 \n freight 2.01 -> over_freight 2.00 \n freight 2.00 -> 2.00",
            id="an amount of the order takes the freight last",
        ),
        pytest.param(TWO, "25.00 of order -> 25.00 \n freight -> 3.00", id="an amount that the goods cover"),
        pytest.param(
            TWO, "A x3 -> over_quantity 2 \n A x2 -> 20.00 \n A x1 -> over_quantity 0", id="a quantity"
        ),
        pytest.param(
            TWO, "A#2 -> 10.00 \n A x2 -> over_quantity 1 \n A x1 -> 10.00", id="the pieces still whole"
        ),
        pytest.param(
            TWO,
            "A#1 -> 10.00 \n 0.01 of A#1 -> over_unit 0.00 \n 10.01 of A -> over_line 10.00",
            id="a piece that has left takes no amount",
        ),
        pytest.param(
            PAID_TWICE,
            "20.01 of order by first -> over_payment 20.00 \n 20.00 of A by first -> 20.00 = deposit 20.00"
            "\n 80.01 of A#1 by second -> over_payment 80.00 \n 80.00 of A#1 -> 80.00 = cash 80.00",
            id="one payment of several",
        ),
        pytest.param(
            "goods A 10.00 \n freight 5.00 \n deposit 3.00 as first \n cash 12.00",
            "2.50 of order by first -> 2.50 \n 0.51 of order by first -> over_payment 0.50 \n freight -> 4.50",
            id="one payment's part of the goods, then of the freight",
        ),
        pytest.param(
            TWO,
            "0.01 of A#1 -> 0.01 \n A#1 -> 9.99 \n A#2 -> 10.00 \n cancel 1 \n A#2 -> unit_refunded 0.00"
            "\n A#1 -> 0.01 \n A#1 -> unit_refunded 0.00",
            id="what was cancelled is owed for its own piece",
        ),
        pytest.param(
            "goods A 10.00 \n goods B 10.00 \n gift_card 6.00 on A as card \n cash 14.00",
            "5.00 of order by card -> 5.00 = gift_card 5.00 \n A x1 -> 5.00 = gift_card 1.00 cash 4.00",
            id="one payment of one line only",
        ),
        pytest.param(
            "goods A 150.00 \n goods B 60.00 \n shop 20.00 min 200.00 claw_back \n cash 190.00",
            "B x1 -> 40.00 \n B#1 -> unit_refunded 0.00 \n 1.00 of B -> over_line 0.00",
            id="what a claim holds is not owed",
        ),
        pytest.param(
            "goods Z 0.00 \n goods A 9.00 \n cash 9.00", "9.00 of order -> 9.00", id="a free line first"
        ),
        pytest.param(TWO, "freight 0.01 -> 0.01 \n 0.01 of A -> 0.01", id="one fen"),
        pytest.param(
            "goods A 1.00 x2 \n shop 0.02 min 1.00 claw_back \n cash 0.98",
            "A x1 -> 0.48 \n A x1 -> 0.50",
            id="one fen clawed back",
        ),
        pytest.param(
            "goods A 100.00 \n deposit 20.00 as first \n unpaid 80.00",
            "80.00 of order -> over_order 20.00 \n everything -> 20.00 = deposit 20.00 unpaid 80.00",
            id="a deposit whose balance was never paid",
        ),
        pytest.param(
            KIT,
            "K#1/cup -> 14.55 \n K x2 -> over_quantity 1 \n K#1/pot -> 33.95 \n K#2/pot K#2/cup -> 48.51",
            id="parts of a kit come back one by one",
        ),
        pytest.param(KIT, "K x1 -> 48.50 \n K x1 -> 48.51", id="whole kits"),
        pytest.param(
            GIFT.format(policy="claw_back"),
            "A x1 -> 30.00 \n A x1 -> 15.00 \n A x1 -> 15.00 \n G x1 -> 15.00 \n G x1 -> 15.00",
            id="gifts kept without their goods are charged until they come back",
        ),
        pytest.param(
            GIFT.format(policy="claw_back"),
            "G x2 -> 0.00 \n A x3 -> 90.00 \n everything -> nothing_left 0.00",
            id="gifts back first",
        ),
        pytest.param(GIFT.format(policy="keep"), "A x2 -> 60.00 \n A x1 -> 30.00", id="gifts given away"),
        pytest.param(
            "goods A 5.00 \n goods G 0.00 gift:A=15.00,claw_back \n cash 5.00",
            "A x1 -> 0.00 \n 1.00 of order -> over_order 0.00 \n everything -> 5.00",
            id="a gift dearer than the goods withholds no more than there is",
        ),
        pytest.param(
            "goods A 80.00 \n goods B 19.00 \n freight 8.00 \n shop 8.00 on freight min 99.00 claw_back \n cash 99.00",
            "B x1 -> 11.00 \n A x1 -> 88.00",
            id="freight that was free from a minimum",
        ),
        pytest.param(
            "goods A 100.00 \n goods B 100.00 \n goods C 50.00 \n platform 30.00 on A,B min 200.00 claw_back \n cash 220.00",
            "C x1 -> 50.00 = cash 50.00 \n A x1 -> 70.00 = cash 70.00 platform 15.00 \n B x1 -> 100.00 = cash 100.00 platform 15.00",
            id="only the goods discounted count towards the minimum",
        ),
        pytest.param(
            "goods A 100.00 x2 \n goods B 30.00 \n shop 13.00 min 100.00 claw_back \n cash 117.00",
            "B x1 -> 27.00 \n A x1 -> 40.00 \n A x1 -> 50.00",
            id="exactly the minimum left keeps the discount",
        ),
        pytest.param(
            "goods A 100.00 x2 \n goods B 30.00 \n shop 13.00 min 100.01 claw_back \n cash 117.00",
            "B x1 -> 17.00 \n A x1 -> 50.00 \n A x1 -> 50.00",
            id="one fen below the minimum loses it",
        ),
        pytest.param(
            "goods A 0.00 \n freight 0.00",
            "everything -> nothing_left 0.00 \n A x1 -> 0.00",
            id="an order that cost nothing",
        ),
        pytest.param(
            "goods A 9.00 \n platform 9.00",
            "0.01 of order -> over_order 0.00 \n everything -> 0.00 = platform 9.00 \n everything -> nothing_left 0.00",
            id="an order that only the platform paid",
        ),
        pytest.param(
            "goods A 10.00 x3 \n platform 1.00 \n cash 9.00",
            "1.50 of A -> 1.50 = cash 1.50 platform 0.15 \n 7.50 of A -> 7.50 = cash 7.50 platform 0.85",
            id="a subsidy goes back with the last fen of the price",
        ),
    ],
)
def test_ceilings_and_kinds(bought: str, steps: str) -> None:
    play(bought, steps)


@pytest.mark.parametrize(
    ("step", "code", "why"),
    [
        ("X x1", "unknown_line", "订单里没有这一行：X"),
        ("1.00 of X", "unknown_line", "订单里没有这一行：X"),
        ("A#3", "unknown_unit", "订单里没有这一件：A 第 3 件"),
        ("A#1/lid", "unknown_unit", "订单里没有这一件：A 第 1 件的 lid"),
        ("freight#1", "unknown_unit", "订单里没有这一件：freight 第 1 件"),
        ("freight x1", "unknown_line", "订单里没有这一行：freight"),
        ("1.00 of A#3", "unknown_unit", "订单里没有这一件：A 第 3 件"),
        ("1.00 of A by card", "unknown_payment", "订单里没有这笔付款：card"),
        ("1.00 of A by shop1", "unknown_payment", "订单里没有这笔付款：shop1"),
        ("A x0", "amount", "退款的金额和件数都必须大于零"),
        ("0.00 of A", "amount", "退款的金额和件数都必须大于零"),
        ("-1.00 of order", "amount", "退款的金额和件数都必须大于零"),
        ("freight 0.00", "amount", "退款的金额和件数都必须大于零"),
        ("A#1 A#1", "repeated", "同一件写了两次"),
        ("", "nothing_asked", "没有写明要退什么"),
        ("99.00 of A#1", "over_unit", "这一件最多还能退 ¥9.00，申请了 ¥99.00"),
        ("99.00 of A", "over_line", "这一行最多还能退 ¥18.00，申请了 ¥99.00"),
        ("99.00 of order", "over_order", "这个订单最多还能退 ¥21.00，申请了 ¥99.00"),
        ("20.00 of order by cash3", "over_payment", "这笔付款最多还能退 ¥16.00，申请了 ¥20.00"),
        ("freight 3.01", "over_freight", "运费最多还能退 ¥3.00，申请了 ¥3.01"),
        ("A x3", "over_quantity", "这一行还能退 2 件，申请了 3 件"),
    ],
)
def test_refusals_say_what_is_wrong(step: str, code: str, why: str) -> None:
    split = frozen("goods A 20.00 x2 \n freight 3.00 \n shop 2.00 \n points 5.00 \n cash 16.00")
    got = refund(split, [], "1", want(step))
    assert isinstance(got, Refusal)
    assert (got.code, got.why) == (code, why)


def test_what_is_used_up_says_so() -> None:
    split = frozen("goods A 10.00 \n freight 3.00 \n cash 13.00")
    history = [
        one for one in [refund(split, [], "1", Units((Unit("A", 1),)), Freight())] if isinstance(one, Refund)
    ]
    refused: list[tuple[Want, Refusal]] = [
        (Units((Unit("A", 1),)), OverCeiling("unit_refunded", "这一件已经退过，不能再退：A 第 1 件", 0)),
        (Freight(), OverCeiling("freight_refunded", "运费已经退过，不能再退", 0)),
        (Everything(), OverCeiling("nothing_left", "已经没有可以退的", 0)),
    ]
    for wanted, refusal in refused:
        assert refund(split, history, "2", wanted) == refusal
    free = frozen("goods A 10.00 \n cash 10.00")
    assert refund(free, [], "1", Freight()) == OverCeiling("freight_free", "买家没有付运费，没有运费可退", 0)
    assert refund(free, [], "1") == Refusal("nothing_asked", "没有写明要退什么")


def test_a_key_makes_one_refund() -> None:
    split = frozen("goods A 10.00 x2 \n cash 10.00")
    first = refund(split, [], "k1", Amount(300))
    assert isinstance(first, Refund)
    assert refund(split, [first], "k1", Amount(300)) is first
    assert refund(split, [first], "k1", Amount(301)) == Refusal("key_taken", "编号 k1 已经用于另一笔退款")
    second = refund(split, [first], "k2", Amount(300))
    assert isinstance(second, Refund)
    assert second.entries == first.entries
    assert refund(split, [first, second], "k2", Amount(300)) is second
    assert standing(split, [second, first]) == standing(split, [first, second])
    assert given_back(split, [first, second]) == {"cash": 600}


def test_all_wants_or_none() -> None:
    """A refund of several wants is not made in part."""
    play(
        "goods A 10.00 \n freight 3.00 \n cash 13.00",
        "A x1 + freight 4.00 -> over_freight 3.00 \n A x1 + freight -> 13.00 = cash 13.00",
    )


def test_a_refund_tells_pieces_claims_and_what_it_holds_back() -> None:
    split = frozen(
        "goods A 150.00 \n goods B 60.00 \n shop 20.00 min 200.00 claw_back as full200 \n cash 190.00"
    )
    got = refund(split, [], "1", Units((Unit("B", 1),)), Amount(100, line_id="A"))
    assert isinstance(got, Refund)
    assert got.left == (Unit("B", 1),)
    assert got.claims == (Claim("minimum", "full200", "claw_back", 1429),)
    assert got.withheld_fen == 1429
    assert [(entry.unit.line_id, entry.source_id, entry.amount_fen) for entry in got.entries] == [
        ("A", "full200", 10),
        ("A", "cash2", 100),
        ("B", "full200", 571),
        ("B", "cash2", 4000),
    ]
    rest = refund(split, [got], "2", Everything())
    assert isinstance(rest, Refund)
    assert (rest.left, rest.claims, rest.withheld_fen) == ((Unit("A", 1),), (), 0)


def test_more_on_record_than_was_paid_is_a_broken_record() -> None:
    split = frozen("goods A 10.00 \n cash 10.00")
    one = refund(split, [], "1", Everything())
    assert isinstance(one, Refund)
    with pytest.raises(AssertionError, match=r"^more was refunded than was paid"):
        standing(split, [one, one])
