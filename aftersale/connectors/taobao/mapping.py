"""TOP's objects in our words (core.records). Pure; what is not understood is a BadInput that says why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from aftersale.connectors.phone import phone_tail
from aftersale.connectors.plain import is_id, plain
from aftersale.connectors.taobao import words
from aftersale.connectors.taobao.attributes import refund_facts, trade_facts
from aftersale.connectors.taobao.shapes import Id, OrderRow, OrderRows, Promotion, Promotions, Refund, Trade
from aftersale.core.money import fen_from_yuan
from aftersale.core.records import Application, BadInput, Order, OrderLine
from aftersale.core.refunds.shares import spread

FUNDERS = ("shop", "platform")
K = TypeVar("K")
V = TypeVar("V")


class NotUnderstood(ValueError):
    """A word or amount of the object has no meaning here; the text names it."""


def application(refund: Mapping[str, Any]) -> Application | BadInput:
    """One Refund object (refund.get, refunds.receive.get) as an Application."""
    try:
        return read_refund(msgspec.convert(refund, Refund))
    except (msgspec.ValidationError, NotUnderstood) as error:
        return BadInput(f"taobao refund {refund.get('refund_id')}", str(error))


def order(trade: Mapping[str, Any]) -> Order | BadInput:
    """One Trade object (trade.fullinfo.get) as an Order."""
    try:
        return read_trade(msgspec.convert(trade, Trade))
    except (msgspec.ValidationError, NotUnderstood) as error:
        return BadInput(f"taobao trade {trade.get('tid')}", str(error))


def read_refund(refund: Refund) -> Application:
    """Raises NotUnderstood."""
    facts = refund_facts(refund.attribute)
    applied_at = moment(refund.created)
    reason = words.reason_code(refund.reason)
    kind = _aftersale_type(refund, reason)
    return Application(
        case_id=ident(refund.refund_id),
        order_id=ident(refund.tid),
        version=refund.refund_version or _ms(moment(refund.modified)),
        aftersale_type=kind,
        state=_state(refund.status, kind),
        phase=_known(refund.refund_phase, words.PHASES, "refund_phase"),
        reason="other" if reason == "deposit" else reason,
        reason_text=plain(refund.reason),
        amount_fen=fen(refund.refund_fee, "refund_fee"),
        applied_at=applied_at,
        applied_minute=applied_at.hour * 60 + applied_at.minute,
        received=_word(words.RECEIVED, refund.good_status, "good_status"),
        due_at=_due_at(refund),
        intervened=_word(words.INTERVENED, refund.cs_status or None, "cs_status"),
        zero_second_covered=facts.zero_second_covered,
        platform_initiated=facts.platform_initiated,
        freight_insurance=facts.freight_insurance,
        return_tracking_no=plain(refund.sid),
        return_courier=plain(refund.company_name),
        operation_limit=_operation_limit(refund.operation_contraint),
        modification_count=facts.modification_count,
        refusal_count=facts.refusal_count,
        line_id=ident(refund.oid) if refund.oid is not None else None,
        title=plain(refund.title),
        buyer_ref=plain(refund.buyer_open_uid),
    )


def read_trade(trade: Trade) -> Order:
    """Raises NotUnderstood."""
    facts = trade_facts(trade.trade_attr)
    rows = trade.orders.order if isinstance(trade.orders, OrderRows) else trade.orders or []
    presale = bool(trade.step_trade_status)
    state = _word(words.ORDER_STATES, trade.status, "status")
    parcel = next((row for row in rows if row.invoice_no), None)
    return Order(
        order_id=ident(trade.tid),
        version=_ms(moment(trade.modified)),
        order_state=state,
        order_kind="presale" if presale else "spot",
        paid_fen=fen(trade.payment, "payment"),
        freight_fen=fen(trade.post_fee, "post_fee"),
        ordered_at=moment(trade.created),
        paid_at=_maybe_moment(trade.pay_time),
        shipped=_shipped(trade, state),
        shipped_at=_maybe_moment(trade.consign_time),
        promo=facts.promo,
        promo_ended_at=facts.promo_ended_at,
        locked_until=facts.locked_until,
        presale_deposit=trade.step_trade_status == "FRONT_PAID_FINAL_NOPAID" if presale else False,
        item_value_fen=fen(trade.total_fee, "total_fee"),
        return_freight_fen=facts.return_freight_fen,
        perishable=facts.perishable,
        return_prohibited=facts.return_prohibited,
        region=plain(trade.receiver_state),
        tracking_no=plain(parcel.invoice_no) if parcel else None,
        courier=plain(parcel.logistics_company) if parcel else None,
        buyer_ref=plain(trade.buyer_open_uid),
        phone_tail=phone_tail(str(trade.receiver_mobile)),
        lines=_lines(rows, trade.promotion_details),
    )


def moment(text: str) -> datetime:
    """'2026-01-02 03:04:05' is Shanghai time. Raises NotUnderstood."""
    try:
        at = datetime.fromisoformat(f"{text}+08:00")
    except ValueError:
        raise NotUnderstood(f"{text!r} is no moment: expected yyyy-MM-dd HH:mm:ss") from None
    if not 2000 <= at.year <= 2100:
        raise NotUnderstood(f"{text!r} lies outside the years 2000 to 2100")
    return at


def fen(text: str | None, name: str) -> int | None:
    """A yuan text as fen; None stays None. Raises NotUnderstood."""
    if text is None or text == "":
        return None
    amount = fen_from_yuan(text)
    if amount is None or amount < 0:
        raise NotUnderstood(f"{name} {text!r} is no amount in yuan")
    return amount


def ident(value: Id) -> str:
    """An id as exact text of at most 64 characters. Raises NotUnderstood."""
    text = str(value)
    if not is_id(text):
        raise NotUnderstood(f"{text[:80]!r} is no id")
    return text


def _aftersale_type(refund: Refund, reason: str | None) -> str | None:
    known = _word(words.AFTERSALE_TYPES, refund.dispute_type, "dispute_type")
    if known is not None:
        return known
    if refund.has_good_return:
        return "return_refund"
    if refund.dispute_type == "OTHERS":
        return None
    if reason in words.MONEY_ONLY_REASONS:
        return words.MONEY_ONLY_REASONS[reason]
    if _word(words.ORDER_STATES, refund.order_status, "order_status") in (None, "closed"):
        return None  # a closed order no longer tells whether it had left
    return "unshipped_refund_only" if refund.order_status in words.UNSHIPPED else "shipped_refund_only"


def _state(status: str, kind: str | None) -> str:
    state = _word(words.REFUND_STATES, status, "status")
    assert state is not None
    return "closed" if state == "refunded" and kind in words.WITHOUT_MONEY else state


def _due_at(refund: Refund) -> datetime | None:
    remind = refund.refund_remind_timeout
    return moment(remind.timeout) if remind and remind.exist_timeout and remind.timeout else None


def _operation_limit(word: str | None) -> str | None:
    return _word(words.OPERATION_LIMITS, word, "operation_contraint") if word else "none"


def _shipped(trade: Trade, state: str | None) -> bool:
    return bool(trade.consign_time) or state in ("part_shipped", "shipped", "signed", "finished")


def _lines(rows: list[OrderRow], promotions: Promotions | list[Promotion] | None) -> tuple[OrderLine, ...]:
    shares = _shares(rows, promotions)
    return tuple(
        OrderLine(
            line_id=ident(row.oid),
            product_id=ident(row.num_iid) if row.num_iid is not None else None,
            title=plain(row.title) or "",
            sku=plain(row.outer_sku_id),
            quantity=row.num,
            paid_fen=_line_paid_fen(row),
            shares=tuple(sorted(shares[str(row.oid)].items())),
        )
        for row in rows
    )


def _line_paid_fen(row: OrderRow) -> int:
    return fen(row.divide_order_fee or row.payment, "divide_order_fee") or 0


def _shares(
    rows: list[OrderRow], promotions: Promotions | list[Promotion] | None
) -> dict[str, dict[str, int]]:
    """Sub-order → funder → fen. What is given on the whole trade is spread over its lines by what they cost."""
    found: dict[str, dict[str, int]] = {str(row.oid): {} for row in rows}
    details = promotions.promotion_detail if isinstance(promotions, Promotions) else promotions or []
    for detail in details:
        told = detail.promotion_id.partition("-")[0]
        funder = told if told in FUNDERS else "other"
        amount_fen = fen(detail.discount_fee, "discount_fee") or 0
        own = str(detail.id) in found
        lines = [str(detail.id)] if own else list(found)
        weights = [1] if own else [_line_paid_fen(row) for row in rows]
        for line, part_fen in zip(lines, spread(amount_fen, weights) if lines else (), strict=True):
            if part_fen:
                found[line][funder] = found[line].get(funder, 0) + part_fen
    return found


def _word(words_known: Mapping[K, V], word: K | None, name: str) -> V | None:
    if word is None:
        return None
    try:
        return words_known[word]
    except KeyError:
        raise NotUnderstood(f"{name} {word!r} is unknown") from None


def _known(word: str | None, known: frozenset[str], name: str) -> str | None:
    if word and word not in known:
        raise NotUnderstood(f"{name} {word!r} is unknown")
    return word or None


def _maybe_moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
