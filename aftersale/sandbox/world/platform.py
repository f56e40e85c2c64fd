"""The platform's own steps: deadlines for a silent seller or buyer, and the verdict after an intervention."""

from aftersale.sandbox.world.chance import DAY, HOUR, SECOND, between, stream
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import Refund

INTERVENED = (2, 3)


def course(market: Market, refund: Refund, at_ms: int) -> None:
    """Plan what the platform does when nobody else moves."""
    if refund.cs_status in INTERVENED:
        chance = stream(market.seed, "verdict", refund.refund_id, refund.epoch)
        in_favour = chance.random() < 0.6
        market.later(
            refund,
            at_ms + between(chance, 2 * DAY, 4 * DAY),
            lambda case, now: _verdict(market, case, now, in_favour),
        )
        return
    wait_ms = _patience_ms(market, refund)
    refund.due_ms = at_ms + wait_ms
    market.later(refund, refund.due_ms, lambda case, now: _time_is_up(market, case, now))


def _patience_ms(market: Market, refund: Refund) -> int:
    if refund.status in ("WAIT_BUYER_RETURN_GOODS", "SELLER_REFUSE_BUYER"):
        return 7 * DAY
    if refund.status == "WAIT_SELLER_CONFIRM_GOODS":
        return 10 * DAY
    if refund.trade.shipped or refund.dispute_type != "REFUND":
        return 5 * DAY
    chance = stream(market.seed, "patience", refund.refund_id)
    if refund.zero_second:
        return between(chance, 1 * SECOND, 20 * SECOND)
    return 24 * HOUR if chance.random() < 0.5 else 48 * HOUR


def _time_is_up(market: Market, refund: Refund, at_ms: int) -> None:
    if refund.status == "WAIT_SELLER_AGREE":
        if refund.has_good_return:
            market.change(refund, at_ms, "RefundSellerAgreeAgreement", "WAIT_BUYER_RETURN_GOODS")
        else:
            market.complete(refund, at_ms, by="platform")
    elif refund.status == "WAIT_SELLER_CONFIRM_GOODS":
        market.complete(refund, at_ms, by="platform")
    else:
        market.change(refund, at_ms, "RefundClosed", "CLOSED")


def _verdict(market: Market, refund: Refund, at_ms: int, in_favour: bool) -> None:
    refund.cs_status = 8 if in_favour else 9
    if in_favour:
        market.complete(refund, at_ms, by="platform")
    else:
        market.change(refund, at_ms, "RefundClosed", "CLOSED")
