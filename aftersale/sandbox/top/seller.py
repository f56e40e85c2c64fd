"""What the platform lets a seller do with an application, and when it says no (doc 22465, 23875, 10480)."""

from typing import NamedTuple

from aftersale.core.refusal import Refusal
from aftersale.sandbox.world.market import Market, Shop
from aftersale.sandbox.world.model import WITHOUT_MONEY, Refund
from aftersale.sandbox.world.platform import INTERVENED

SMS_CODE = "246810"


class Limit(NamedTuple):
    """How much one agree call may carry without an SMS code."""

    refunds_max: int
    amount_fen_max: int


LIMITS = {False: Limit(20, 600_000), True: Limit(30, 1_000_000)}  # Taobao, Tmall


class Wish(NamedTuple):
    """One entry of refund_infos."""

    refund_id: int
    amount_fen: int
    version: int
    phase: str


def batch_refused(shop: Shop, wishes: list[Wish], sms_code: str) -> Refusal | None:
    """Is the whole call beyond the sub-account's limits?"""
    limit = LIMITS[shop.tmall]
    if len(wishes) > limit.refunds_max:
        return Refusal("isv.refund-batch-too-large", f"at most {limit.refunds_max} refunds in one call")
    if sum(wish.amount_fen for wish in wishes) > limit.amount_fen_max and sms_code != SMS_CODE:
        return Refusal(
            "isv.sms-code-required", "an SMS code was sent to the seller's phone: call again with it"
        )
    return None


def agree(market: Market, shop: Shop, wish: Wish, at_ms: int, request_id: str) -> Refusal | None:
    """Pay one refund."""
    refund = shop.refunds.get(wish.refund_id)
    if refund is None:
        return Refusal("isv.refund-not-exist", "the refund does not exist")
    refusal = (
        _not_agreeable(refund)
        or _stale(refund, wish.version, wish.phase, shop.tmall)
        or _too_much(refund, wish.amount_fen)
    )
    if refusal:
        return refusal
    if shop.tmall and not refund.reviewed:
        return Refusal("isv.refund-not-reviewed", "review the refund first (taobao.rp.refund.review)")
    refund.amount_fen = wish.amount_fen
    market.complete(refund, at_ms, by="seller", request_id=request_id)
    return None


def review(shop: Shop, refund: Refund, version: int, phase: str, passed: bool) -> Refusal | None:
    """Mark a Tmall refund as looked at (or not)."""
    if not shop.tmall:
        return Refusal("isv.not-tmall", "only Tmall refunds are reviewed")
    refusal = _stale(refund, version, phase, tmall=True) or _not_agreeable(refund)
    if refusal:
        return refusal
    refund.reviewed = passed
    return None


def agree_return(
    market: Market, refund: Refund, at_ms: int, *, version: int, phase: str, tmall: bool
) -> Refusal | None:
    """The buyer may send the goods back."""
    if not refund.has_good_return:
        return Refusal("isv.refund-type-invalid", "the application asks for no return")
    if refund.status not in ("WAIT_SELLER_AGREE", "SELLER_REFUSE_BUYER"):
        return _wrong_state(refund)
    if tmall and (refusal := _stale(refund, version, phase, tmall)):
        return refusal
    market.change(refund, at_ms, "RefundSellerAgreeAgreement", "WAIT_BUYER_RETURN_GOODS")
    return None


def refuse(
    market: Market, refund: Refund, at_ms: int, *, version: int, phase: str, tmall: bool
) -> Refusal | None:
    """Say no to the application, or to the goods that came back."""
    if refund.status not in ("WAIT_SELLER_AGREE", "WAIT_SELLER_CONFIRM_GOODS"):
        return _wrong_state(refund)
    if tmall and (refusal := _stale(refund, version, phase, tmall)):
        return refusal
    if refund.platform_opened or refund.cs_status in INTERVENED:
        return Refusal("isv.refund-cannot-refuse", "the platform does not allow a refusal here")
    if refund.dispute_type == "REFUND" and not refund.trade.shipped:
        return Refusal("isv.refund-cannot-refuse", "an order that has not left cannot be refused")
    if "无理由" in refund.reason and refund.status == "WAIT_SELLER_AGREE":
        return Refusal("isv.refund-cannot-refuse", "a return without a reason cannot be refused")
    refund.refusals += 1
    refund.reviewed = False
    market.change(refund, at_ms, "RefundSellerRefuseAgreement", "SELLER_REFUSE_BUYER")
    return None


def _not_agreeable(refund: Refund) -> Refusal | None:
    """Goods that must come back first: paid from the moment the return is agreed (advance), not before."""
    if refund.dispute_type in WITHOUT_MONEY:
        return Refusal("isv.refund-type-invalid", "this application asks for no money")
    states = (
        ("WAIT_BUYER_RETURN_GOODS", "WAIT_SELLER_CONFIRM_GOODS")
        if refund.has_good_return
        else ("WAIT_SELLER_AGREE", "SELLER_REFUSE_BUYER")
    )
    return None if refund.status in states else _wrong_state(refund)


def _wrong_state(refund: Refund) -> Refusal:
    return Refusal("isv.refund-status-invalid", f"not allowed while the refund is {refund.status}")


def _stale(refund: Refund, version: int, phase: str, tmall: bool) -> Refusal | None:
    if version != refund.version:
        return Refusal(
            "isv.refund-version-invalid", f"the refund has changed: its version is {refund.version}"
        )
    if tmall and phase != refund.phase:
        return Refusal("isv.refund-phase-invalid", f"the refund's phase is {refund.phase}")
    return None


def _too_much(refund: Refund, amount_fen: int) -> Refusal | None:
    if amount_fen <= 0:
        return Refusal("isv.refund-amount-invalid", "the amount must be above zero")
    left_fen = refund.line.paid_fen - refund.line.refunded_fen
    if amount_fen > refund.amount_fen or amount_fen > left_fen:
        most = min(refund.amount_fen, left_fen)
        return Refusal("isv.refund-amount-invalid", f"at most {most} fen may be paid")
    return None
