"""What buyers do: withdraw, change their application, send goods back, escalate, apply again, or nothing."""

from random import Random

from aftersale.sandbox.world import courier
from aftersale.sandbox.world.chance import DAY, HOUR, MINUTE, between, pick, stream
from aftersale.sandbox.world.goods import REASONS
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import Refund
from aftersale.sandbox.world.platform import INTERVENED

MODIFICATIONS_MAX = 2
SAYINGS = (
    "请问什么时候可以处理？",
    "麻烦尽快退款，谢谢。",
    "东西我没有拆，原样寄回可以吗？",
    "和页面上写的不一样，有照片。",
    "快递一直没有动静。",
)


def course(market: Market, refund: Refund, at_ms: int) -> None:
    """Plan the buyer's next step in the state that has just begun."""
    chance = stream(market.seed, "buyer", refund.refund_id, refund.epoch)
    if refund.cs_status in INTERVENED or (refund.zero_second and refund.status == "WAIT_SELLER_AGREE"):
        return
    if refund.status == "WAIT_SELLER_AGREE":
        _while_waiting(market, refund, at_ms, chance)
    elif refund.status == "WAIT_BUYER_RETURN_GOODS":
        _with_the_goods(market, refund, at_ms, chance)
    elif refund.status == "SELLER_REFUSE_BUYER":
        _after_refusal(market, refund, at_ms, chance)


def _while_waiting(market: Market, refund: Refund, at_ms: int, chance: Random) -> None:
    move = pick(chance, {"wait": 84, "withdraw": 6, "modify": 4, "ask": 3, "escalate": 3})
    due_ms = at_ms + between(chance, 20 * MINUTE, 20 * HOUR)
    if move == "withdraw":
        market.later(refund, due_ms, lambda case, now: _withdraw(market, case, now))
    elif move == "modify" and refund.modifications < MODIFICATIONS_MAX:
        market.later(refund, due_ms, lambda case, now: _modify(market, case, now))
    elif move == "ask" and not refund.messages:
        market.later(refund, due_ms, lambda case, now: _ask(market, case, now))
    elif move == "escalate":
        due_ms = at_ms + between(chance, 20 * HOUR, 60 * HOUR)
        market.later(refund, due_ms, lambda case, now: _escalate(market, case, now))


def _with_the_goods(market: Market, refund: Refund, at_ms: int, chance: Random) -> None:
    move = pick(chance, {"send": 80, "withdraw": 7, "silent": 13})
    if move == "send":
        due_ms = at_ms + between(chance, 2 * HOUR, 4 * DAY)
        market.later(refund, due_ms, lambda case, now: send_back(market, case, now))
    elif move == "withdraw":
        due_ms = at_ms + between(chance, 2 * HOUR, 3 * DAY)
        market.later(refund, due_ms, lambda case, now: _withdraw(market, case, now))


def _after_refusal(market: Market, refund: Refund, at_ms: int, chance: Random) -> None:
    move = pick(chance, {"modify": 42, "escalate": 20, "withdraw": 14, "silent": 24})
    due_ms = at_ms + between(chance, 30 * MINUTE, 30 * HOUR)
    if move == "modify" and refund.modifications < MODIFICATIONS_MAX:
        market.later(refund, due_ms, lambda case, now: _modify(market, case, now))
    elif move == "escalate":
        market.later(refund, due_ms, lambda case, now: _escalate(market, case, now))
    elif move == "withdraw":
        market.later(refund, due_ms, lambda case, now: _withdraw(market, case, now))


def _withdraw(market: Market, refund: Refund, at_ms: int) -> None:
    market.change(refund, at_ms, "RefundClosed", "CLOSED")
    chance = stream(market.seed, "again", refund.refund_id)
    if len(refund.trade.refunds) == 1 and chance.random() < 0.3:
        due_ms = at_ms + between(chance, HOUR, 2 * DAY)
        market.agenda.add(due_ms, refund.trade.key, lambda now: _apply_again(market, refund, now))


def _apply_again(market: Market, old: Refund, at_ms: int) -> None:
    amount_fen = min(old.amount_fen, old.line.paid_fen - old.line.refunded_fen)
    if amount_fen <= 0:
        return
    again = Refund(
        refund_id=old.refund_id + 1,
        trade=old.trade,
        line=old.line,
        dispute_type=old.dispute_type,
        reason=old.reason,
        desc=old.desc,
        amount_fen=amount_fen,
        phase=old.phase,
        created_ms=at_ms,
        modified_ms=at_ms - 1,
        good_status=old.good_status,
        freight_insurance=old.freight_insurance,
    )
    market.apply(again, at_ms)


def _modify(market: Market, refund: Refund, at_ms: int) -> None:
    """Another reason or a smaller amount; the seller must look again."""
    chance = stream(market.seed, "modify", refund.refund_id, refund.epoch)
    refund.modifications += 1
    refund.reviewed = False
    if chance.random() < 0.5 and refund.amount_fen > 200:
        refund.amount_fen -= chance.randrange(100, max(101, refund.amount_fen // 3))
    else:
        refund.reason = pick(chance, dict.fromkeys(REASONS[_kind(refund)], 1.0))
    market.change(refund, at_ms, "RefundBuyerModifyAgreement", "WAIT_SELLER_AGREE")


def _kind(refund: Refund) -> str:
    if refund.dispute_type == "REFUND":
        return "shipped" if refund.trade.shipped else "unshipped"
    return "return" if refund.dispute_type == "REFUND_AND_RETURN" else "exchange"


def _ask(market: Market, refund: Refund, at_ms: int) -> None:
    chance = stream(market.seed, "ask", refund.refund_id)
    refund.messages.append((at_ms, 1, chance.choice(SAYINGS)))
    market.change(refund, at_ms, "RefundCreateMessage")


def _escalate(market: Market, refund: Refund, at_ms: int) -> None:
    refund.cs_status = 2
    market.change(refund, at_ms, "RefundTaobaoInterApplied")


def send_back(market: Market, refund: Refund, at_ms: int) -> None:
    """The buyer hands the goods to a courier and fills in the waybill."""
    refund.back = courier.return_parcel(market, refund, at_ms)
    refund.good_status = "BUYER_RETURNED_GOODS"
    refund.good_return_ms = at_ms
    market.change(refund, at_ms, "RefundBuyerReturnGoods", "WAIT_SELLER_CONFIRM_GOODS")
