"""A promotion day: when orders and applications arrive, of what kind, for how much; all from the seed."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from math import exp
from random import Random

from aftersale.sandbox.world.chance import DAY, HOUR, MINUTE, between, pick, stream
from aftersale.sandbox.world.courier import TRANSIT_MS, plan_out
from aftersale.sandbox.world.goods import DISPUTE_TYPES, GOODS, KINDS, REASONS, REGIONS, ROUTES
from aftersale.sandbox.world.market import Market, Shop
from aftersale.sandbox.world.model import PER_CASE, PER_SHOP, REFUND_BASE, TID_BASE, Line, Refund, Trade
from aftersale.sandbox.world.warehouse import receive_order

PEAKS = {0: 8.0, 10: 4.0, 14: 3.0, 20: 6.0}  # hour → how much busier than a quiet hour
PEAK_MINUTES = 45
DISCOUNTS = {"shop": 0.2, "platform": 0.1}  # the largest share of the price that each gives
SHANGHAI_MS = 8 * HOUR


@dataclass(frozen=True, slots=True)
class Plan:
    """One order that will have an application. Amounts and region are drawn unless a replay gives them."""

    number: int
    kind: str
    apply_ms: int
    paid_ms: int
    ship_ms: int
    transit_ms: int
    total_fen: int | None = None
    amount_fen: int | None = None
    region: str | None = None


def promotion(market: Market, shop: Shop, *, start_ms: int, days: int, applications: int) -> None:
    """Put `applications` first applications of a promotion of `days` days on the agenda."""
    profile = _profile(start_ms, days)
    for number in range(applications):
        chance = stream(market.seed, "arrival", shop.code, number)
        minute = bisect_left(profile, chance.random() * profile[-1])
        apply_ms = start_ms + minute * MINUTE + between(chance, 0, MINUTE)
        expect(market, shop, plan(chance, number, pick(chance, KINDS), apply_ms), start_ms)


def plan(chance: Random, number: int, kind: str, apply_ms: int) -> Plan:
    """Draw when the order was paid and shipped, so that it is where an application of this kind finds it."""
    transit_ms = between(chance, *TRANSIT_MS)
    if kind in ("unshipped", "price"):
        paid_ms = apply_ms - int(min(chance.lognormvariate(0.7, 1.0), 36) * HOUR)
        ship_ms = apply_ms + between(chance, 1 * HOUR, 36 * HOUR)
    elif kind == "shipped":
        ship_ms = apply_ms - between(chance, 3 * HOUR, 5 * DAY)
        paid_ms = ship_ms - between(chance, 4 * HOUR, 40 * HOUR)
    else:
        ship_ms = apply_ms - transit_ms - between(chance, 2 * HOUR, 8 * DAY)
        paid_ms = ship_ms - between(chance, 4 * HOUR, 40 * HOUR)
    return Plan(number, kind, apply_ms, paid_ms, ship_ms, transit_ms)


def expect(market: Market, shop: Shop, plan: Plan, start_ms: int) -> None:
    """The order shows up when it is paid; one that is older than the world shows up with its application."""
    key = shop.number * 100_000_000 + plan.number
    shows_ms = plan.paid_ms if plan.paid_ms >= start_ms else plan.apply_ms - 1

    def order_shows(at_ms: int) -> None:
        trade = _trade(market, shop, plan, key, start_ms)
        market.open_trade(trade, at_ms)
        receive_order(market, trade, at_ms)

    def buyer_applies(at_ms: int) -> None:
        market.awaited -= 1
        market.apply(_refund(market, shop.trades[_tid(shop, plan)], plan), at_ms)

    market.awaited += 1
    market.agenda.add(shows_ms, key, order_shows)
    market.agenda.add(plan.apply_ms, key, buyer_applies)


def _profile(start_ms: int, days: int) -> list[float]:
    """Cumulated weight of every minute; each further day is quieter."""
    first = (start_ms + SHANGHAI_MS) // MINUTE % 1440
    minutes = range(days * 1440)
    return list(accumulate(_weight((first + minute) % 1440) / (1 + minute // 1440) for minute in minutes))


def _weight(minute: int) -> float:
    night = 0.25 if 120 <= minute < 480 else 1.0
    since = ((minute - hour * 60, height) for hour, height in PEAKS.items())
    return night + sum(height * exp(-late / PEAK_MINUTES) for late, height in since if late >= 0)


def _tid(shop: Shop, plan: Plan) -> int:
    return TID_BASE + shop.number * PER_SHOP + plan.number * PER_CASE


def _trade(market: Market, shop: Shop, plan: Plan, key: int, start_ms: int) -> Trade:
    tid = _tid(shop, plan)
    chance = stream(market.seed, "trade", tid)
    region = plan.region or chance.choice(REGIONS)
    route = pick(chance, ROUTES.get(plan.kind, ROUTES["other"]))
    lines, perishable = _lines(chance, tid, plan)
    promo_ended_ms = (start_ms + SHANGHAI_MS) // DAY * DAY + DAY - SHANGHAI_MS
    presale = chance.random() < 0.06
    in_promo = start_ms <= plan.paid_ms < promo_ended_ms
    return Trade(
        tid=tid,
        shop=shop.code,
        key=key,
        buyer=f"AAF{stream('buyer', tid).getrandbits(96):024x}",
        region=region,
        created_ms=plan.paid_ms - between(chance, 5000, 10 * MINUTE),
        paid_ms=plan.paid_ms,
        modified_ms=plan.paid_ms - 1000,
        ship_ms=plan.ship_ms,
        post_fee_fen=chance.choice((0, 0, 0, 0, 600, 1000)) if plan.total_fen is None else 0,
        lines=lines,
        promo=_promo(plan.paid_ms) if in_promo else "none",
        promo_ended_ms=promo_ended_ms if in_promo else None,
        locked_until_ms=promo_ended_ms if in_promo and presale else None,
        presale=presale,
        perishable=perishable,
        parcel=plan_out(chance, key, route, ship_ms=plan.ship_ms, transit_ms=plan.transit_ms, region=region),
    )


def _promo(at_ms: int) -> str:
    month = datetime.fromtimestamp((at_ms + SHANGHAI_MS) / 1000, UTC).month
    return {11: "double11", 6: "618"}.get(month, "other")


def _lines(chance: Random, tid: int, plan: Plan) -> tuple[list[Line], bool]:
    """One to three lines; discounts of shop and platform are spread by largest remainder."""
    if plan.total_fen is not None:
        return [Line(tid, 600_000, "历史订单商品", "REPLAY", plan.total_fen, 1, (), plan.total_fen)], False
    count = pick(chance, {1: 78, 2: 16, 3: 6})
    chosen = [min(int(chance.paretovariate(0.9)) - 1, len(GOODS) - 1) for _ in range(count)]
    rows = [(index, 2 if chance.random() < 0.08 else 1) for index in chosen]
    worth = [GOODS[index][2] * quantity for index, quantity in rows]
    shares = {
        funder: _spread(int(sum(worth) * chance.random() * most), worth) for funder, most in DISCOUNTS.items()
    }
    lines = []
    for place, (index, quantity) in enumerate(rows):
        title, sku, price_fen, _ = GOODS[index]
        cuts = tuple((funder, parts[place]) for funder, parts in shares.items() if parts[place])
        paid_fen = worth[place] - sum(cut for _, cut in cuts)
        oid = tid if count == 1 else tid + 1 + place
        lines.append(Line(oid, 600_000 + index, title, sku, price_fen, quantity, cuts, paid_fen))
    return lines, any(GOODS[index][3] for index, _ in rows)


def _spread(amount_fen: int, weights: list[int]) -> list[int]:
    """Largest remainder: the parts sum to the amount."""
    total = sum(weights)
    parts = [amount_fen * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: -(amount_fen * weights[place] % total))
    for place in by_remainder[: amount_fen - sum(parts)]:
        parts[place] += 1
    return parts


def _refund(market: Market, trade: Trade, plan: Plan) -> Refund:
    chance, tmall = stream(market.seed, "refund", trade.tid), market.shops[trade.shop].tmall
    line = chance.choice(trade.lines)
    finished = plan.kind in ("return", "exchange", "repair", "resend", "freight") and chance.random() < 0.3
    if finished and trade.status == "TRADE_BUYER_SIGNED":
        trade.status = "TRADE_FINISHED"
    received = plan.kind in ("return", "exchange", "repair", "resend", "freight") and chance.random() < 0.9
    return Refund(
        refund_id=REFUND_BASE + (trade.tid - TID_BASE) + 1,
        trade=trade,
        line=line,
        dispute_type=DISPUTE_TYPES[plan.kind] if tmall or plan.kind != "exchange" else "TAOBAO_EXCHANGE",
        reason=pick(chance, REASONS[plan.kind]),
        desc="",
        amount_fen=plan.amount_fen or _amount_fen(chance, plan.kind, line),
        phase="aftersale" if trade.status == "TRADE_FINISHED" else "onsale",
        created_ms=plan.apply_ms,
        modified_ms=plan.apply_ms - 1,
        good_status="BUYER_RECEIVED" if received else "BUYER_NOT_RECEIVED",
        zero_second=plan.kind == "unshipped" and chance.random() < 0.15,
        freight_insurance=chance.random() < 0.55,
        platform_opened=plan.kind == "shipped" and chance.random() < 0.04,
    )


def _amount_fen(chance: Random, kind: str, line: Line) -> int:
    if kind == "freight":
        return min(chance.choice((600, 800, 1000, 1200, 1500)), line.paid_fen)
    if kind == "price":
        return max(1, line.paid_fen * chance.randrange(3, 16) // 100)
    if kind == "shipped" and chance.random() < 0.12:
        return max(1, line.paid_fen * chance.randrange(10, 60) // 100)
    return line.paid_fen
