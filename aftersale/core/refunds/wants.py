"""One refund: what is asked for, what it gives back to whom, and what would pass a ceiling."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from aftersale.core.money import yuan_text
from aftersale.core.refunds.order import FREIGHT, Funder, Recipient, Split, Unit
from aftersale.core.refunds.remainder import Claim, Standing
from aftersale.core.refunds.shares import spread
from aftersale.core.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Units:
    """These pieces leave the order; whatever of them is not yet given back goes back."""

    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Quantity:
    """As many units of a line leave the order; the first ones that are still whole."""

    line_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Amount:
    """Part of the price goes back, the goods stay: of one piece, one line or the order (its freight last), and if
    named only of one payment. Discounts shrink in proportion."""

    amount_fen: int
    unit: Unit | None = None
    line_id: str | None = None
    payment: str | None = None


@dataclass(frozen=True, slots=True)
class Freight:
    """Freight goes back: this much, or what is left of it."""

    amount_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Everything:
    """All goods leave the order and all that is left goes back, freight and withheld money too."""


Want = Units | Quantity | Amount | Freight | Everything
NOTHING_ASKED = Refusal("nothing_asked", "没有写明要退什么")
NOT_POSITIVE = Refusal("amount", "退款的金额和件数都必须大于零")


@dataclass(frozen=True, slots=True)
class OverCeiling(Refusal):
    """More than can be given back there; `refundable_fen` (or pieces, where `code` is over_quantity) is what can."""

    refundable: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What one source has back for one piece."""

    unit: Unit
    source_id: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Refund:
    """`entries` above zero only; `left`: pieces that leave with it; `claims` stand after it, and of the money of
    pieces that left `withheld_fen` is not given back for them."""

    key: str
    wants: tuple[Want, ...]
    entries: tuple[Entry, ...]
    left: tuple[Unit, ...]
    claims: tuple[Claim, ...]
    withheld_fen: int


def standing(split: Split, history: Sequence[Refund]) -> Standing:
    """What is left after these refunds. Held ones count like paid ones; one that was cancelled is left out."""
    places = {source.source_id: place for place, source in enumerate(split.purchase.sources)}
    left = {unit: list(cells) for unit, cells in split.shares.items()}
    for refund in history:
        for entry in refund.entries:
            left[entry.unit][places[entry.source_id]] -= entry.amount_fen
    assert all(fen >= 0 for cells in left.values() for fen in cells), "more was refunded than was paid"
    gone = frozenset(unit for refund in history for unit in refund.left)
    return Standing(split, {unit: tuple(cells) for unit, cells in left.items()}, gone)


def refund(split: Split, history: Sequence[Refund], key: str, *wants: Want) -> Refund | Refusal:
    """The wants one after another as one refund, or none of them. A key that is in the history answers with the
    refund it made; equal wants under another key are another refund."""
    for past in history:
        if past.key == key:
            return past if past.wants == wants else Refusal("key_taken", f"编号 {key} 已经用于另一笔退款")
    if not wants:
        return NOTHING_ASKED
    before = now = standing(split, history)
    for want in wants:
        after = _take(now, want)
        if isinstance(after, Refusal):
            return after
        now = after
    left = tuple(unit for unit in split.goods() if unit in now.gone - before.gone)
    return Refund(key, wants, tuple(_entries(before, now)), left, now.claims(), now.withheld_fen())


def given_back(split: Split, refunds: Sequence[Refund], recipient: Recipient = "buyer") -> dict[Funder, int]:
    """Per funder what these refunds give back to a recipient. The shop's own part is a discount no longer granted."""
    funders = {one.source_id: one.funder for one in split.purchase.sources if one.recipient() == recipient}
    found: dict[Funder, int] = {}
    for entry in (entry for one in refunds for entry in one.entries):
        if entry.source_id in funders:
            funder = funders[entry.source_id]
            found[funder] = found.get(funder, 0) + entry.amount_fen
    return found


def _entries(before: Standing, now: Standing) -> Iterator[Entry]:
    for unit, cells in before.left.items():
        for source, was, fen in zip(before.split.purchase.sources, cells, now.left[unit], strict=True):
            if fen < was:
                yield Entry(unit, source.source_id, was - fen)


def _take(now: Standing, want: Want) -> Standing | Refusal:
    match want:
        case Units():
            return _units(now, want.units)
        case Quantity():
            return _quantity(now, want)
        case Amount():
            return _amount(now, want)
        case Freight():
            return _freight(now, want)
        case Everything():
            return _everything(now)


def _units(now: Standing, units: tuple[Unit, ...]) -> Standing | Refusal:
    goods = now.split.goods()
    for unit in units:
        if unit not in goods:
            return Refusal("unknown_unit", f"订单里没有这一件：{_name(unit)}")
        if unit in now.gone and not _owed(now, unit):
            return OverCeiling("unit_refunded", f"这一件已经退过，不能再退：{_name(unit)}", 0)
    if not units:
        return NOTHING_ASKED
    if len(set(units)) < len(units):
        return Refusal("repeated", "同一件写了两次")
    return _leave(now, units)


def _owed(now: Standing, unit: Unit) -> bool:
    """Whether a piece that has left has money to come that no claim holds, as after an earlier part was cancelled."""
    return now.refundable_fen((unit,)) > 0 and now.withheld_fen() > now.clawed_fen()


def _quantity(now: Standing, want: Quantity) -> Standing | Refusal:
    pieces: dict[int, list[Unit]] = {}
    for unit in now.split.goods():
        if unit.line_id == want.line_id:
            pieces.setdefault(unit.unit_no, []).append(unit)
    if not pieces:
        return Refusal("unknown_line", f"订单里没有这一行：{want.line_id}")
    if want.quantity < 1:
        return NOT_POSITIVE
    whole = [units for units in pieces.values() if not now.gone.intersection(units)]
    if want.quantity > len(whole):
        why = f"这一行还能退 {len(whole)} 件，申请了 {want.quantity} 件"
        return OverCeiling("over_quantity", why, len(whole))
    return _leave(now, [unit for units in whole[: want.quantity] for unit in units])


def _leave(now: Standing, units: Collection[Unit]) -> Standing:
    """The pieces' discounts end. The claims stay behind: first out of what is withheld already, then out of the
    buyer's money in these pieces."""
    payments = now.split.payments()
    gone = now.gone.union(units)
    clawed_fen = Standing(now.split, now.left, gone).clawed_fen()
    earlier = [unit for unit in now.split.goods() if unit in now.gone]
    newly = [unit for unit in units if unit not in now.gone]
    discounts = set(range(len(now.split.purchase.sources))).difference(payments)
    cells = {(unit, place): 0 for unit in gone for place in discounts}
    for pieces in (earlier, newly):
        pool = [(unit, place) for unit in pieces for place in payments]
        fen = [now.left[unit][place] for unit, place in pool]
        stays_fen = min(clawed_fen, sum(fen))
        cells |= dict(zip(pool, spread(stays_fen, fen), strict=True))
        clawed_fen -= stays_fen
    return now.with_left(cells, gone)


def _amount(now: Standing, want: Amount) -> Standing | Refusal:
    scope = _scope(now, want)
    if isinstance(scope, Refusal):
        return scope
    code, goods, freight = scope
    places = _places(now, want.payment)
    if want.payment is not None and not places:
        return Refusal("unknown_payment", f"订单里没有这笔付款：{want.payment}")
    if want.amount_fen <= 0:
        return NOT_POSITIVE
    open_fen = now.refundable_fen((*goods, *freight), places)
    if want.amount_fen > open_fen:
        return _over("over_payment" if want.payment is not None else code, open_fen, want.amount_fen)
    of_goods_fen = min(want.amount_fen, now.refundable_fen(goods, places))
    now = _reduce(now, goods, places, of_goods_fen)
    return _reduce(now, freight, places, want.amount_fen - of_goods_fen)


def _scope(now: Standing, want: Amount) -> tuple[str, tuple[Unit, ...], tuple[Unit, ...]] | Refusal:
    """Ceiling's code, goods kept and freight that an amount may come from."""
    if want.unit is not None:
        if want.unit not in now.split.goods():
            return Refusal("unknown_unit", f"订单里没有这一件：{_name(want.unit)}")
        return "over_unit", tuple(unit for unit in now.kept() if unit == want.unit), ()
    if want.line_id is not None:
        if all(unit.line_id != want.line_id for unit in now.split.goods()):
            return Refusal("unknown_line", f"订单里没有这一行：{want.line_id}")
        return "over_line", tuple(unit for unit in now.kept() if unit.line_id == want.line_id), ()
    return "over_order", now.kept(), (FREIGHT,)


def _places(now: Standing, payment: str | None) -> tuple[int, ...]:
    sources = now.split.purchase.sources
    return tuple(
        place for place in now.split.payments() if payment is None or sources[place].source_id == payment
    )


def _freight(now: Standing, want: Freight) -> Standing | Refusal:
    open_fen = now.refundable_fen((FREIGHT,))
    if now.split.paid_fen(FREIGHT) == 0:
        return OverCeiling("freight_free", "买家没有付运费，没有运费可退", 0)
    if open_fen == 0:
        return OverCeiling("freight_refunded", "运费已经退过，不能再退", 0)
    amount_fen = open_fen if want.amount_fen is None else want.amount_fen
    if amount_fen <= 0:
        return NOT_POSITIVE
    if amount_fen > open_fen:
        return _over("over_freight", open_fen, amount_fen)
    return _reduce(now, (FREIGHT,), now.split.payments(), amount_fen)


def _everything(now: Standing) -> Standing | Refusal:
    if not any(any(cells) for cells in now.left.values()):
        return OverCeiling("nothing_left", "已经没有可以退的", 0)
    cells = {(unit, place): 0 for unit, cells in now.left.items() for place in range(len(cells))}
    return now.with_left(cells, frozenset(now.split.goods()))


def _reduce(now: Standing, units: Sequence[Unit], places: Sequence[int], amount_fen: int) -> Standing:
    """An amount out of these payments over the pieces, in proportion to what is left in them."""
    payments = now.split.payments()
    cells: dict[tuple[Unit, int], int] = {}
    takes = spread(amount_fen, [now.refundable_fen((unit,), places) for unit in units])
    for unit, take in zip(units, takes, strict=True):
        left, whole = now.left[unit], now.refundable_fen((unit,))
        if take == 0:
            continue
        for place, part in zip(places, spread(take, [left[place] for place in places]), strict=True):
            cells[unit, place] = left[place] - part
        for place in set(range(len(left))).difference(payments):
            cells[unit, place] = left[place] - left[place] * take // whole
    return now.with_left(cells, now.gone)


_SCOPES = {
    "over_unit": "这一件",
    "over_line": "这一行",
    "over_order": "这个订单",
    "over_payment": "这笔付款",
    "over_freight": "运费",
}


def _over(code: str, open_fen: int, asked_fen: int) -> OverCeiling:
    why = f"{_SCOPES[code]}最多还能退 {yuan_text(open_fen)}，申请了 {yuan_text(asked_fen)}"
    return OverCeiling(code, why, open_fen)


def _name(unit: Unit) -> str:
    return f"{unit.line_id} 第 {unit.unit_no} 件{unit.part_id and f'的 {unit.part_id}'}"
