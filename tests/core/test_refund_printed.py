"""The derivation of a refund, line by line as people read it."""

from aftersale.core.refunds import (
    Gift,
    Line,
    Part,
    Purchase,
    Refund,
    Source,
    Split,
    derivation,
    freeze,
    refund,
)
from tests.core.test_refund_cases import frozen, want

BOUGHT = Purchase(
    (
        Line("A", 20000, 2, "蓝裙"),
        Line("K", 9900, 1, "茶具", (Part("壶", 7000), Part("杯", 3000))),
        Line("G", 0, 1, "袜子", gift=Gift(("A",), 1500, "claw_back")),
        Line("H", 0, 1, gift=Gift(("A",), 800)),
    ),
    (
        Source("full200", "shop", 2000, ("A",), "满200减20", 20000, "claw_back"),
        Source("full150", "platform", 900, ("A",), "满150减9", 15000),
        Source("post", "other", 400, ("freight",)),
        Source("points", "points", 333),
        Source("first", "deposit", 1000),
        Source("second", "cash", 26567),
    ),
    freight_fen=1000,
    surcharge_fen=300,
)
HEAD = """
商品：蓝裙 × 2 ¥200.00，茶具 × 1 ¥99.00，袜子 × 1 ¥0.00，H × 1 ¥0.00，加价 ¥3.00，运费 ¥10.00
出资：店铺优惠（满200减20） ¥20.00，平台优惠（满150减9） ¥9.00，其他优惠 ¥4.00，积分 ¥3.33，定金 ¥10.00，支付 ¥265.67
"""
STEPS = {
    "A x1": """
下单时分摊：蓝裙 第 1 件 ¥101.01 = 店铺优惠（满200减20） ¥10.00 + 平台优惠（满150减9） ¥4.50 + 积分 ¥1.04 + 定金 ¥3.10 + 支付 ¥82.37
蓝裙 第 1 件 退出订单：买家付 ¥86.51 − 此前已退 ¥0.00 − 扣下 ¥10.00 = 本次 ¥76.51
留下的商品不满 ¥200.00，店铺优惠（满200减20） 在其上的优惠 ¥10.00，按约定扣回
留下的商品不满 ¥150.00，平台优惠（满150减9） 在其上的优惠 ¥4.50，按约定保留
退给买家 ¥76.51：积分 ¥0.92，定金 ¥2.74，支付 ¥72.85
退回平台 ¥4.50：平台优惠 ¥4.50
店铺不再让利 ¥10.00：店铺优惠 ¥10.00
这笔之后还可退 ¥202.49，其中扣下 ¥10.00
""",
    "1.00 of K#1/壶": """
下单时分摊：茶具 第 1 件的 壶 ¥69.99 = 积分 ¥0.83 + 定金 ¥2.51 + 支付 ¥66.65
茶具 第 1 件的 壶 退一部分：买家付 ¥69.99 − 此前已退 ¥0.00 − 还可退 ¥68.99 = 本次 ¥1.00
留下的商品不满 ¥200.00，店铺优惠（满200减20） 在其上的优惠 ¥10.00，按约定扣回
留下的商品不满 ¥150.00，平台优惠（满150减9） 在其上的优惠 ¥4.50，按约定保留
退给买家 ¥1.00：积分 ¥0.01，定金 ¥0.04，支付 ¥0.95
这笔之后还可退 ¥201.49，其中扣下 ¥10.00
""",
    "A x1 + freight": """
下单时分摊：蓝裙 第 2 件 ¥101.00 = 店铺优惠（满200减20） ¥10.00 + 平台优惠（满150减9） ¥4.50 + 积分 ¥1.03 + 定金 ¥3.10 + 支付 ¥82.37
下单时分摊：运费 ¥10.00 = 其他优惠 ¥4.00 + 积分 ¥0.07 + 定金 ¥0.22 + 支付 ¥5.71
蓝裙 第 2 件 退出订单：买家付 ¥86.50 − 此前已退 ¥0.00 − 扣下 ¥5.00 = 本次 ¥81.50
运费 退一部分：买家付 ¥6.00 − 此前已退 ¥0.00 − 还可退 ¥0.00 = 本次 ¥6.00
买家留下赠品 袜子，价值 ¥15.00，按约定扣回
买家留下赠品 H，价值 ¥8.00，按约定保留
退给买家 ¥87.50：积分 ¥1.04，定金 ¥3.14，支付 ¥83.32
退回平台 ¥4.50：平台优惠 ¥4.50
退回其他出资方 ¥4.00：其他优惠 ¥4.00
店铺不再让利 ¥10.00：店铺优惠 ¥10.00
这笔之后还可退 ¥113.99，其中扣下 ¥15.00
""",
    "everything": """
下单时分摊：蓝裙 第 1 件 ¥101.01 = 店铺优惠（满200减20） ¥10.00 + 平台优惠（满150减9） ¥4.50 + 积分 ¥1.04 + 定金 ¥3.10 + 支付 ¥82.37
下单时分摊：蓝裙 第 2 件 ¥101.00 = 店铺优惠（满200减20） ¥10.00 + 平台优惠（满150减9） ¥4.50 + 积分 ¥1.03 + 定金 ¥3.10 + 支付 ¥82.37
下单时分摊：茶具 第 1 件的 壶 ¥69.99 = 积分 ¥0.83 + 定金 ¥2.51 + 支付 ¥66.65
下单时分摊：茶具 第 1 件的 杯 ¥30.00 = 积分 ¥0.36 + 定金 ¥1.07 + 支付 ¥28.57
下单时分摊：袜子 第 1 件 ¥0.00
下单时分摊：H 第 1 件 ¥0.00
蓝裙 第 1 件 补退余下的：买家付 ¥86.51 − 此前已退 ¥76.51 − 扣下 ¥0.00 = 本次 ¥10.00
蓝裙 第 2 件 补退余下的：买家付 ¥86.50 − 此前已退 ¥81.50 − 扣下 ¥0.00 = 本次 ¥5.00
茶具 第 1 件的 壶 退出订单：买家付 ¥69.99 − 此前已退 ¥1.00 − 扣下 ¥0.00 = 本次 ¥68.99
茶具 第 1 件的 杯 退出订单：买家付 ¥30.00 − 此前已退 ¥0.00 − 扣下 ¥0.00 = 本次 ¥30.00
袜子 第 1 件 退出订单：买家付 ¥0.00 − 此前已退 ¥0.00 − 扣下 ¥0.00 = 本次 ¥0.00
H 第 1 件 退出订单：买家付 ¥0.00 − 此前已退 ¥0.00 − 扣下 ¥0.00 = 本次 ¥0.00
退给买家 ¥113.99：积分 ¥1.36，定金 ¥4.08，支付 ¥108.55
这笔之后还可退 ¥0.00
""",
}


def lines(text: str) -> tuple[str, ...]:
    return tuple(text.strip().splitlines())


def test_every_figure_is_told() -> None:
    split = freeze(BOUGHT)
    assert isinstance(split, Split)
    history: list[Refund] = []
    for text, told in STEPS.items():
        one = refund(split, history, text, *(want(part) for part in text.split(" + ")))
        assert isinstance(one, Refund)
        assert derivation(split, history, one) == lines(HEAD) + lines(told)
        history.append(one)
    for one, told in zip(history, STEPS.values(), strict=True):
        assert derivation(split, history, one) == lines(HEAD) + lines(told)


def test_what_nobody_paid_yet_need_not_be_paid() -> None:
    split = frozen("goods A 100.00 \n deposit 20.00 \n unpaid 80.00")
    one = refund(split, [], "1", want("everything"))
    assert isinstance(one, Refund)
    assert derivation(split, [], one) == lines(
        """
商品：A × 1 ¥100.00
出资：定金 ¥20.00，未付 ¥80.00
下单时分摊：A 第 1 件 ¥100.00 = 定金 ¥20.00 + 未付 ¥80.00
A 第 1 件 退出订单：买家付 ¥20.00 − 此前已退 ¥0.00 − 扣下 ¥0.00 = 本次 ¥20.00
退给买家 ¥20.00：定金 ¥20.00
不必再付 ¥80.00：未付 ¥80.00
这笔之后还可退 ¥0.00
"""
    )


def test_a_free_piece_gives_nothing_back() -> None:
    split = frozen("goods A 10.00 \n goods G 0.00 gift:A=5.00 \n cash 10.00")
    one = refund(split, [], "1", want("G x1"))
    assert isinstance(one, Refund)
    assert derivation(split, [], one)[2:] == lines(
        """
下单时分摊：G 第 1 件 ¥0.00
G 第 1 件 退出订单：买家付 ¥0.00 − 此前已退 ¥0.00 − 扣下 ¥0.00 = 本次 ¥0.00
退给买家 ¥0.00
这笔之后还可退 ¥10.00
"""
    )
