"""Three shops at noon: two of 客服小明 and 主管阿兰, one of 外人老吴. Nothing is drawn."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from aftersale.cases import actions, stage
from aftersale.core.records import (
    Application,
    Arrival,
    Interception,
    Message,
    Order,
    OrderLine,
    Parcel,
    Record,
    TrackingEvent,
    WarehouseOrder,
)
from aftersale.decide.run import Decider
from aftersale.rulebooks import books

NOON = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai
SHOPS = (("tea", "青山茶铺", "tmall"), ("snack", "阿团零食", "pdd"), ("wu", "老吴杂货", "taobao"))

GOODS = (
    ("明前龙井 250g 礼盒", "250g"),
    ("坚果每日装 30 包", "30 包"),
    ("手工蛋黄酥 6 枚", "6 枚"),
    ("桂花乌龙 袋泡 20 袋", "20 袋"),
)
# type, reason, state, yuan, hours left, what the goods do; one line a case, then the next goods and hour
KINDS = """
unshipped_refund_only  no_longer_want       applied        128.00    1.4  packing
shipped_refund_only    not_received         applied         59.90    3.5  stuck
return_refund          quality              applied        236.00   -2.6  signed
shipped_refund_only    no_longer_want       applied         89.00    9.8  moving
return_refund          seven_day_no_reason  return_shipped  45.50   20.2  back
unshipped_refund_only  wrong_purchase       applied         19.90   30.0  unprinted
return_refund          courier_damage       applied        168.00    0.7  signed
shipped_refund_only    no_tracking          applied         36.80   11.0  uncollected
exchange               variant_mismatch     applied         75.00   40.0  signed
freight_refund         freight              applied          8.00   26.0  signed
shipped_refund_only    missing_item         applied         12.50    6.2  signed
return_refund          wrong_item           applied        512.00   52.0  station
unshipped_refund_only  late_ship            applied        399.00    5.1  hold
price_diff_refund      price_drop           applied         15.00   33.0  moving
shipped_refund_only    dislike              applied        148.00   70.0  intercepting
return_refund          fake                 applied        288.00   14.5  signed
"""
TRACES = {
    "moving": ("in_transit", ("快件已从 杭州转运中心 发出，下一站 武汉转运中心", "杭州 已揽收")),
    "stuck": ("in_transit", ("快件到达 郑州转运中心", "杭州 已揽收")),
    "signed": (
        "signed",
        ("已签收，签收人：本人", "派送中，快递员 138****0000", "武汉转运中心 已发出", "杭州 已揽收"),
    ),
    "station": ("signed", ("已由 幸福小区驿站 代收", "派送中，快递员 138****0000", "杭州 已揽收")),
    "intercepting": ("in_transit", ("快件到达 长沙转运中心", "杭州 已揽收")),
    "back": ("signed", ("已签收，签收人：本人", "杭州 已揽收")),
    "uncollected": ("no_tracking", ()),
}
LAST_HOURS = {
    "stuck": 80,
    "moving": 5,
    "signed": 30,
    "station": 20,
    "intercepting": 9,
    "back": 150,
    "uncollected": 0,
}


@dataclass(frozen=True, slots=True)
class Kind:
    aftersale_type: str
    reason: str
    state: str
    amount_fen: int
    left: timedelta
    goods: str


def kinds() -> list[Kind]:
    found = []
    for line in KINDS.strip().splitlines():
        kind, reason, state, yuan, hours, goods = line.split()
        found.append(
            Kind(kind, reason, state, round(float(yuan) * 100), timedelta(hours=float(hours)), goods)
        )
    return found


def stand_still(conn: Connection[Any], at: datetime = NOON) -> None:
    """From now on the pages' time is this moment."""
    conn.execute("DELETE FROM clock")
    conn.execute("INSERT INTO clock (real_at, virtual_at, speed) VALUES (now(), %s, 0)", (at,))


def open_shops(conn: Connection[Any], rounds: int = 3) -> None:
    """The shops with `rounds` × 16 cases in each of the first two and one case in the third, all decided."""
    stand_still(conn)
    for code, name, platform in SHOPS:
        conn.execute("INSERT INTO shop (code, name, platform) VALUES (%s, %s, %s)", (code, name, platform))
    conn.commit()
    stage.prepare(conn)
    decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
    for hour in range(rounds * 4):
        now = NOON - timedelta(hours=rounds * 4 - hour - 1)
        with conn.transaction():
            told = [(shop_id, one) for shop_id in (1, 2) for one in _hour(shop_id, hour, now)]
            if hour == 0:
                told += [(3, one) for one in _case(3, 0, kinds()[0], now)]
            arrivals = [(shop_id, Arrival(r, f"{hour}:{n}:{r}", now)) for n, (shop_id, r) in enumerate(told)]
            actions.merge(conn, actions.staged(arrivals), now)
            decider.decide(now)
    conn.commit()


def _hour(shop_id: int, hour: int, now: datetime) -> list[Record]:
    table = kinds()
    found: list[Record] = []
    for number in range(hour * 4, hour * 4 + 4):
        found += _case(shop_id, number, table[number % len(table)], now)
    return found


def case_id(shop_id: int, number: int) -> str:
    return f"26{shop_id}1110{number:04d}77"


def _case(shop_id: int, number: int, kind: Kind, now: datetime) -> list[Record]:
    order_id, mine = f"4{shop_id}00918{number:05d}", case_id(shop_id, number)
    title, sku = GOODS[number % len(GOODS)]
    shipped = kind.goods in TRACES
    number_out = f"SF{shop_id}30{number:07d}" if shipped else None
    paid_fen = kind.amount_fen + (number % 3) * 1000
    applied_at = now - timedelta(minutes=7 * (number % 5))
    line = OrderLine(
        "1", f"P{number % 4}", title, sku, 1 + number % 2, paid_fen, (("platform", 500), ("shop", 300))
    )
    order = Order(
        order_id, 1, order_state="shipped" if shipped else "paid", order_kind="spot", paid_fen=paid_fen,
        shipped=shipped, freight_fen=600, shipped_at=NOON - timedelta(days=6) if shipped else None,
        promo="double11", region="湖北武汉", paid_at=NOON - timedelta(days=7), presale_deposit=False,
        item_value_fen=paid_fen, tracking_no=number_out, courier="shunfeng" if shipped else None,
        buyer_ref=f"AAE{number}x9f2", lines=(line,),
    )  # fmt: skip
    application = Application(
        mine, order_id, 1, aftersale_type=kind.aftersale_type, state=kind.state, phase="onsale",
        reason=kind.reason, reason_text="不太合适，麻烦处理一下", amount_fen=kind.amount_fen, applied_at=applied_at,
        applied_minute=720, received=kind.goods == "signed", intervened=False, zero_second_covered=False,
        due_at=NOON + kind.left + timedelta(hours=number // 16 * 3), platform_initiated=False,
        freight_insurance=number % 2 == 0, operation_limit="none", modification_count=0, refusal_count=0,
        title=title, buyer_ref=f"AAE{number}x9f2", line_id="1",
        return_tracking_no=f"YT{shop_id}77{number:07d}" if kind.goods == "back" else None,
    )  # fmt: skip
    said = Message(mine, applied_at + timedelta(minutes=3), "buyer", "您好，请问什么时候可以退款？")
    return [order, *_goods(order_id, number_out, kind.goods), application, said]


def _goods(order_id: str, number: str | None, goods: str) -> list[Record]:
    if number is None:
        return [WarehouseOrder(order_id, 1, warehouse_state=goods)]
    state, texts = TRACES[goods]
    last = NOON - timedelta(hours=LAST_HOURS[goods])
    events = tuple(TrackingEvent(last - timedelta(hours=11 * n), text) for n, text in enumerate(texts))
    signed = state == "signed"
    parcel = Parcel(
        number, 1, "shunfeng", state, len(events), last if events else None, last if signed else None,
        {"signed": "self", "back": "self", "station": "station"}.get(goods), events,
    )  # fmt: skip
    if goods != "intercepting":
        return [parcel]
    return [parcel, Interception(number, 1, "requested", NOON - timedelta(hours=3))]
