"""One row of a known layout → what it tells of an order and of an after-sales application."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from aftersale.core.money import yuan_text
from aftersale.core.records import Application, Order, OrderLine
from aftersale.intake.files.cells import PARSERS, SHANGHAI, Cell, Value
from aftersale.intake.files.layouts import FIELDS, Layout, normal, reason_words
from aftersale.intake.files.trouble import BadCell

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(hours=1)
MOMENTS = tuple(name for name, kind in FIELDS.items() if kind == "past")
PROVINCES = re.compile(
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南"
    "|陕西|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_NOT_SHIPPED = frozenset({"无", "未发货", "没有发货", "暂无"})
_STEPS = (
    *("unpaid", "paid", "applied", "return_agreed", "return_shipped", "seller_refused"),
    *("partly_shipped", "shipped", "signed", "finished", "refunded", "closed"),
)
_PROGRESS = {state: rank for rank, state in enumerate(_STEPS, 1)}


class BadField(ValueError):
    """A field whose value cannot be right; the row is parked. `say` with its `values`: why."""

    def __init__(self, name: str, say: str, **values: object) -> None:
        super().__init__(say % values)
        self.name, self.say, self.values = name, say, values


@dataclass(frozen=True, slots=True)
class Told:
    """What one row tells. `line`: the order line of a sub-order row."""

    order: Order
    application: Application | None
    line: OrderLine | None = None


class RowReader:
    """Reads the rows of one file: where each field stands, what its words mean, and what `now` is."""

    def __init__(self, layout: Layout, places: Mapping[str, Sequence[int]], now: datetime) -> None:
        self.layout = layout
        self.places = places
        self.latest = now + CLOCK_SKEW
        self._codes: dict[tuple[str, str], str] = {}
        self._plan = [(name, tuple(at), PARSERS[FIELDS[name]], FIELDS[name]) for name, at in places.items()]

    def read(self, cells: Sequence[Cell]) -> Told:
        """Raises `BadField`."""
        values = self._values(cells)
        for name in self.layout.required:
            if values.get(name) is None and name not in ("paid_at", "amount", "state"):
                raise BadField(name, "不能为空")
        return BUILDERS[self.layout.kind](values, self.layout)

    def _values(self, cells: Sequence[Cell]) -> dict[str, Value]:
        values: dict[str, Value] = {}
        for name, places, parse, kind in self._plan:
            value: Value = None
            try:
                for place in places:
                    value = parse(cells[place])
                    if value is not None and value != "":
                        break
            except BadCell as error:
                raise BadField(name, error.say, **error.values) from error
            if kind == "past" and isinstance(value, datetime) and value > self.latest:
                raise BadField(name, "时间在未来；请核对这一格和本机时钟")
            if kind == "word":
                value = self._code(name, str(value)) if value else None
            values[name] = value
        return values

    def _code(self, name: str, word: str) -> str:
        code = self._codes.get((name, word)) or self.layout.words.get(name, {}).get(normal(word))
        if code is None:
            raise BadField(name, "不认识的说法；可以在映射文件的 words 里写明它的意思")
        self._codes[name, word] = code
        return code


def _fen(values: Mapping[str, Value], name: str) -> int | None:
    value = values.get(name)
    assert value is None or isinstance(value, int)
    return value


def _time(values: Mapping[str, Value], name: str) -> datetime | None:
    value = values.get(name)
    assert value is None or isinstance(value, datetime)
    return value


def _text(values: Mapping[str, Value], name: str) -> str | None:
    value = values.get(name)
    assert value is None or isinstance(value, str)
    return value


def _flag(values: Mapping[str, Value], name: str) -> bool | None:
    value = values.get(name)
    assert value is None or isinstance(value, bool)
    return value


def _refund(values: Mapping[str, Value], layout: Layout) -> Told:
    """A row of a refund export: one application, and what it knows of its order as of the payment."""
    paid, amount = _fen(values, "paid"), _fen(values, "amount")
    if amount is not None:
        amount += _fen(values, "freight_back") or 0
    _not_above(amount, paid)
    state = _text(values, "state")
    if state == "none":
        raise BadField("state", "这一行没有售后申请")
    shipped, applied_at = _shipped(values), _time(values, "applied_at")
    reason = _text(values, "reason_text")
    intervened = _text(values, "intervened")
    application = Application(
        case_id=_need(values, "case_id"),
        order_id=_need(values, "order_id"),
        version=_version(values, state, 0),
        aftersale_type=_type(_text(values, "type"), shipped),
        state=state,
        phase=_text(values, "phase"),
        reason=reason_code(reason),
        reason_text=reason,
        amount_fen=amount,
        applied_at=applied_at,
        applied_minute=_minute(applied_at),
        received=_received(_text(values, "goods")),
        due_at=_time(values, "due_at"),
        intervened=None if intervened is None else intervened == "yes",
        zero_second_covered=_flag(values, "zero_second"),
        return_tracking_no=_text(values, "return_tracking_no"),
        return_courier=_text(values, "return_courier"),
        line_id=_text(values, "line_id"),
        title=_text(values, "title"),
    )
    return Told(_order(values, version=_micros(_time(values, "paid_at")), paid=paid), application)


def _compensation(values: Mapping[str, Value], layout: Layout) -> Told:
    """A row of a payout list: money that the shop gave outside a refund."""
    amount, applied_at, state = _fen(values, "amount"), _time(values, "applied_at"), _text(values, "state")
    order_id = _need(values, "order_id")
    stamp = f"{applied_at:%Y%m%d%H%M%S}" if applied_at else "0"
    reason = _text(values, "reason_text")
    application = Application(
        case_id=_text(values, "case_id") or f"{order_id}-pay-{stamp}-{amount}",
        order_id=order_id,
        version=_version(values, state, 0),
        aftersale_type="compensation",
        state=state,
        reason=reason_code(reason),
        reason_text=reason,
        amount_fen=amount,
        applied_at=applied_at,
        applied_minute=_minute(applied_at),
        title=_text(values, "title"),
    )
    return Told(Order(order_id=order_id, version=0), application)


def _order_row(values: Mapping[str, Value], layout: Layout) -> Told:
    """A row of an order export; a refunded amount makes a finished application of it."""
    refunded, paid_at = _fen(values, "refunded"), _time(values, "paid_at")
    net, total, paid = _fen(values, "net_paid"), _fen(values, "total"), _fen(values, "paid")
    if net is not None:
        paid = net + (refunded or 0)
        if paid and paid_at is None:
            raise BadField("paid_at", "有实付或退款，却没有付款时间")
    _not_above(refunded, paid, "refunded")
    if total is not None and paid is not None and paid > total:
        raise BadField("total", "总金额小于实付 %(paid)s（实付＝买家实际支付＋退款）", paid=yuan_text(paid))
    state = _text(values, "order_state") or (None if net is None else ("paid" if paid_at else "unpaid"))
    version = _version(values, state, _permille(refunded, paid))
    order = _order(values, version=version, paid=paid, state=state, refunded=refunded)
    return Told(order, _done_refund(values, amount=refunded, version=version) if refunded else None)


def _suborder(values: Mapping[str, Value], layout: Layout) -> Told:
    """A row of a sub-order export: one line of an order, with its own refund."""
    line_id, paid, amount = _need(values, "line_id"), _fen(values, "paid"), _fen(values, "amount")
    _not_above(amount, paid)
    state, order_state = _text(values, "state"), _text(values, "order_state")
    order = _order(values, version=_version(values, order_state, 0), paid=paid, state=order_state)
    quantity = values.get("quantity")
    line = OrderLine(
        line_id=line_id,
        product_id=_text(values, "product_id"),
        title=_text(values, "title") or "",
        sku=_text(values, "sku"),
        quantity=quantity if isinstance(quantity, int) and quantity else 1,
        paid_fen=paid or 0,
    )
    if not amount or state in (None, "none"):
        return Told(order, None, line)
    version = _version(values, state, _permille(amount, paid))
    application = _done_refund(values, amount=amount, version=version, state=state, line_id=line_id)
    return Told(order, application, line)


BUILDERS = {"refund": _refund, "compensation": _compensation, "order": _order_row, "suborder": _suborder}


def _done_refund(
    values: Mapping[str, Value],
    *,
    amount: int,
    version: int,
    state: str | None = "refunded",
    line_id: str | None = None,
) -> Application:
    """An order export gives a refund no id; one per order or line, named after it."""
    return Application(
        case_id=f"{line_id or _need(values, 'order_id')}-refund",
        order_id=_need(values, "order_id"),
        version=version,
        state=state,
        amount_fen=amount,
        line_id=line_id,
        title=_text(values, "title"),
    )


def _order(
    values: Mapping[str, Value],
    *,
    version: int,
    paid: int | None,
    state: str | None = None,
    refunded: int | None = None,
) -> Order:
    return Order(
        order_id=_need(values, "order_id"),
        version=version,
        order_state=state,
        paid_fen=paid,
        freight_fen=_fen(values, "freight"),
        refunded_fen=refunded,
        ordered_at=_time(values, "ordered_at"),
        paid_at=_time(values, "paid_at"),
        shipped=_shipped(values),
        shipped_at=_time(values, "shipped_at"),
        region=province(_text(values, "region")),
        tracking_no=_text(values, "tracking_no"),
        courier=_text(values, "courier"),
        phone_tail=_text(values, "phone"),
    )


def _need(values: Mapping[str, Value], name: str) -> str:
    value = values.get(name)
    assert isinstance(value, str), name  # required ids were checked by RowReader.read
    return value


def _not_above(amount: int | None, paid: int | None, name: str = "amount") -> None:
    if amount is not None and paid is not None and amount > paid:
        parts = {"amount": yuan_text(amount), "paid": yuan_text(paid)}
        raise BadField(name, "退款 %(amount)s 大于实付 %(paid)s", **parts)


def _shipped(values: Mapping[str, Value]) -> bool | None:
    """Unknown where the row says nothing or contradicts itself."""
    signs: set[bool] = set()
    goods, info, state = values.get("goods"), values.get("shipping_info"), values.get("order_state")
    if goods:
        signs |= {True} if goods in ("received", "returned", "shipped") else set()
        signs |= {False} if goods == "unshipped" else set()
    if info:
        signs.add(info not in _NOT_SHIPPED)
    if state in ("unpaid", "paid", "shipped", "signed", "finished"):
        signs.add(state not in ("unpaid", "paid"))
    if values.get("tracking_no") or values.get("shipped_at"):
        signs.add(True)
    return signs.pop() if len(signs) == 1 else None


def _type(code: str | None, shipped: bool | None) -> str | None:
    """A refund without return is two types (R-001); which one is known only with the shipping."""
    if code != "refund_only":
        return code
    return {True: "shipped_refund_only", False: "unshipped_refund_only", None: None}[shipped]


def _received(goods: str | None) -> bool | None:
    return {"received": True, "returned": True, "not_received": False, "unshipped": False}.get(goods or "")


@lru_cache(4096)
def reason_code(text: str | None) -> str | None:
    """R-004 code of a reason in the platform's words; `other` where none of our words occurs."""
    if text is None:
        return None
    return next((code for word, code in reason_words() if word in text), "other")


def province(address: str | None) -> str | None:
    """The province of an address; the rest of it is personal and not kept."""
    match = PROVINCES.match(address or "")
    return match.group() if match else None


def _minute(at: datetime | None) -> int | None:
    local = at.astimezone(SHANGHAI) if at else None
    return local.hour * 60 + local.minute if local else None


def _micros(at: datetime | None) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) if at else 0


def _permille(part: int | None, whole: int | None) -> int:
    return part * 999 // whole if part and whole else 0


def _version(values: Mapping[str, Value], state: str | None, refunded_permille: int) -> int:
    """Microseconds of the row's newest moment; within that second, what has progressed further is newer."""
    moments = [found for name in MOMENTS if (found := _time(values, name))]
    newest = _micros(max(moments, default=None))
    return newest + _PROGRESS.get(state or "", 0) * 1000 + refunded_permille
