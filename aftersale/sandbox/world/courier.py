"""Couriers: planned traces with a wording of their own, told step by step, and attempts to stop a parcel."""

from random import Random

from aftersale.sandbox.world.chance import DAY, HOUR, between, pick, stream
from aftersale.sandbox.world.documents import intercept_told, parcel_is_back
from aftersale.sandbox.world.goods import COURIERS
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import Parcel, Refund, Step, Trade

# route → (share of the way, state, code, text); times are spread over the transit
PICKED = (0.05, "1", "103", "【{a}】快件已由揽投员取走，准备发出")
LEFT = (0.2, "0", "1002", "【{a}】快件离开分拨中心，下一站{b}")
ARRIVED = (0.65, "0", "1001", "【{b}】快件到达分拨中心")
OUT = (0.85, "5", "5", "【{b}】派件员正在为您派送，请保持电话畅通")
ROUTES = {
    "signed_self": (PICKED, LEFT, ARRIVED, OUT, (1.0, "3", "301", "【{b}】快件已签收，签收人：本人")),
    "signed_other": (PICKED, LEFT, ARRIVED, OUT, (1.0, "3", "303", "【{b}】快件已签收，签收人：邻居代收")),
    "signed_station": (
        PICKED, LEFT, ARRIVED, OUT,
        (0.9, "5", "501", "【{b}】快件已放入小区驿站，请凭取件码领取"),
        (1.0, "3", "304", "【{b}】快件已在驿站取出，感谢使用"),
    ),
    "stalled": (PICKED, LEFT),
    "silent": (),
    "refused": (
        PICKED, LEFT, ARRIVED, OUT,
        (0.9, "14", "14", "【{b}】收件人拒绝收下快件，等待处理"),
        (1.3, "6", "6", "【{b}】快件正在退回寄件地"),
        (2.2, "4", "4", "【{a}】寄件方已收下退回的快件"),
    ),
    # a way back that never uses the word for it: only the direction tells
    "turned_back": (
        PICKED, LEFT, ARRIVED,
        (0.9, "0", "1002", "【{b}】快件按原路发往{a}"),
        (1.5, "0", "1001", "【{a}】快件到达寄件地分拨中心"),
        (1.9, "0", "1002", "【{a}】快件已交还发件网点"),
    ),
    "lost": (PICKED, LEFT, (2.5, "2", "202", "【{b}】多次查找未见实物，按遗失登记")),
    "damaged": (PICKED, LEFT, ARRIVED, (0.8, "2", "209", "【{b}】快件外包装破损，内件受损，等待处理")),
    "out_of_area": (PICKED, LEFT, ARRIVED, (0.8, "2", "207", "【{b}】收件地址超出派送范围，等待处理")),
}  # fmt: skip
BACK = (
    (0.05, "1", "103", "【{b}】已收取寄回的快件"),
    (0.4, "0", "1002", "【{b}】快件离开分拨中心，下一站{a}"),
    (0.8, "5", "5", "【{a}】派件员正在派送"),
    (1.0, "3", "303", "【{a}】快件已签收，签收人：退货仓收货员"),
)
HOME = "杭州分拨中心"
RETURN_STEPS = (
    (0.1, "6", "6", "【{b}】按寄件方要求拦下，快件正在退回"),
    (1.0, "4", "4", "【{a}】寄件方已收下退回的快件"),
)
TRANSIT_MS = (30 * HOUR, 96 * HOUR)

Pattern = tuple[tuple[float, str, str, str], ...]


def steps(pattern: Pattern, start_ms: int, transit_ms: int, region: str) -> list[Step]:
    """The planned trace of a parcel handed over at `start_ms`."""
    return [
        Step(start_ms + int(share * transit_ms), state, code, text.format(a=HOME, b=f"{region}转运中心"))
        for share, state, code, text in pattern
    ]


def plan_out(
    chance: Random, number: int, route: str, *, ship_ms: int, transit_ms: int, region: str
) -> Parcel:
    """The parcel of an order."""
    company = chance.choice(COURIERS)
    waybill = f"{company[:2].upper()}{number:013d}"
    return Parcel(waybill, company, steps(ROUTES[route], ship_ms, transit_ms, region))


def return_parcel(market: Market, refund: Refund, at_ms: int) -> Parcel:
    """The parcel in which the goods come back; the warehouse looks at them when it arrives."""
    chance = stream(market.seed, "back", refund.refund_id)
    company = chance.choice(COURIERS)
    number = f"TH{refund.refund_id % 10**15:015d}"
    parcel = Parcel(number, company, steps(BACK, at_ms, between(chance, *TRANSIT_MS), refund.trade.region))
    market.shops[refund.trade.shop].parcels[number] = (parcel, refund.trade)
    follow(market, refund.trade, parcel, at_ms)
    market.agenda.add(
        parcel.steps[-1].at_ms + between(chance, 1 * HOUR, 20 * HOUR),
        refund.trade.key,
        lambda now: _goods_are_back(market, refund, parcel, now),
    )
    return parcel


def _goods_are_back(market: Market, refund: Refund, parcel: Parcel, at_ms: int) -> None:
    refund.inbound_ms = at_ms
    parcel_is_back(market, refund.trade.shop, parcel, str(refund.refund_id), at_ms)


def follow(market: Market, trade: Trade, parcel: Parcel, at_ms: int) -> None:
    """Tell the steps that have happened by `at_ms` at once, the others when they come."""
    told = sum(step.at_ms <= at_ms for step in parcel.steps)
    if told > parcel.told:
        parcel.told = told
        _told(market, trade, parcel, at_ms)
    if told < len(parcel.steps):
        plan = parcel.plan

        def unless_replanned(now: int) -> None:
            if parcel.plan == plan:
                follow(market, trade, parcel, now)

        market.agenda.add(parcel.steps[told].at_ms, trade.key, unless_replanned)


def _told(market: Market, trade: Trade, parcel: Parcel, at_ms: int) -> None:
    market.tell.parcel(trade.shop, parcel)
    if parcel is not trade.parcel:
        return
    state = parcel.steps[parcel.told - 1].state
    if state == "4":
        due_ms = at_ms + 3 * HOUR
        market.agenda.add(
            due_ms, trade.key, lambda now: parcel_is_back(market, trade.shop, parcel, None, now)
        )
    elif state == "3" and trade.status == "WAIT_BUYER_CONFIRM_GOODS":
        trade.status = "TRADE_BUYER_SIGNED"
        market.change_trade(trade, at_ms, "taobao_trade_TradeBuyerSigned")


def intercept(market: Market, trade: Trade, parcel: Parcel, at_ms: int) -> bool:
    """Try to stop an outgoing parcel; False when it is signed or being stopped. The result comes later."""
    last = parcel.steps[parcel.told - 1] if parcel.told else None
    if parcel.interception in ("requested", "succeeded") or (last and last.state in ("3", "4")):
        return False
    parcel.interception, parcel.intercept_requested_ms = "requested", at_ms
    intercept_told(market, trade, parcel, at_ms)
    chance = stream(market.seed, "intercept", parcel.number)
    caught = pick(chance, {True: 0.72, False: 0.28})
    due_ms = at_ms + between(chance, 4 * HOUR, 48 * HOUR)
    market.agenda.add(due_ms, trade.key, lambda now: _intercepted(market, trade, parcel, now, caught))
    return True


def _intercepted(market: Market, trade: Trade, parcel: Parcel, at_ms: int, caught: bool) -> None:
    signed = parcel.told > 0 and parcel.steps[parcel.told - 1].state in ("3", "4")
    parcel.interception = "succeeded" if caught and not signed else "failed"
    intercept_told(market, trade, parcel, at_ms)
    if parcel.interception == "succeeded":
        parcel.plan += 1
        parcel.steps[parcel.told :] = steps(RETURN_STEPS, at_ms, 2 * DAY, trade.region)
        follow(market, trade, parcel, at_ms)
