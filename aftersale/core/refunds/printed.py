"""How the figures of one refund came about, as lines of text. Nothing is computed here that the refund did not
compute: shares, what was left before and after, entries and claims are printed as they are."""

from collections.abc import Iterator, Mapping, Sequence

from aftersale.core.money import yuan_text
from aftersale.core.refunds.order import FREIGHT, Funder, Recipient, Source, Split, Unit
from aftersale.core.refunds.remainder import Claim, Standing
from aftersale.core.refunds.wants import Refund, given_back, standing

FUNDERS: Mapping[Funder, str] = {
    "cash": "支付",
    "deposit": "定金",
    "balance": "余额",
    "gift_card": "礼品卡",
    "points": "积分",
    "voucher": "代金券",
    "platform": "平台优惠",
    "shop": "店铺优惠",
    "other": "其他优惠",
    "unpaid": "未付",
}
_BACK: Mapping[Recipient, str] = {
    "buyer": "退给买家",
    "platform": "退回平台",
    "other": "退回其他出资方",
    "shop": "店铺不再让利",
    "nobody": "不必再付",
}


def derivation(split: Split, history: Sequence[Refund], refund: Refund) -> tuple[str, ...]:
    """The lines of a refund that was computed after this history; later ones in it do not count."""
    keys = [past.key for past in history]
    earlier = history[: keys.index(refund.key)] if refund.key in keys else history
    before, after = standing(split, earlier), standing(split, [*earlier, refund])
    touched = {entry.unit for entry in refund.entries}.union(refund.left)
    units = [unit for unit in split.shares if unit in touched]
    return (
        *_bought(split),
        *(_frozen(split, unit) for unit in units),
        *(_moved(split, before, after, unit) for unit in units),
        *(_claim(split, claim) for claim in refund.claims),
        *_totals(split, refund, after),
    )


def _bought(split: Split) -> Iterator[str]:
    purchase = split.purchase
    goods = [
        f"{line.title or line.line_id} × {line.quantity} {yuan_text(line.value_fen)}"
        for line in purchase.lines
    ]
    extras = {"加价": purchase.surcharge_fen, "运费": purchase.freight_fen}
    yield "商品：" + "，".join([*goods, *(f"{name} {yuan_text(fen)}" for name, fen in extras.items() if fen)])
    paid = (f"{_title(source)} {yuan_text(source.amount_fen)}" for source in purchase.sources)
    yield "出资：" + "，".join(paid)


def _frozen(split: Split, unit: Unit) -> str:
    """A piece as it was split at purchase."""
    cells = split.shares[unit]
    parts = [
        f"{_title(source)} {yuan_text(fen)}"
        for source, fen in zip(split.purchase.sources, cells, strict=True)
        if fen
    ]
    whole = f"下单时分摊：{_name(split, unit)} {yuan_text(sum(cells))}"
    return f"{whole} = {' + '.join(parts)}" if parts else whole


def _moved(split: Split, before: Standing, after: Standing, unit: Unit) -> str:
    paid, was, left = split.paid_fen(unit), before.refundable_fen((unit,)), after.refundable_fen((unit,))
    done = "补退余下的" if unit in before.gone else "退出订单" if unit in after.gone else "退一部分"
    kept = "扣下" if unit in after.gone else "还可退"
    return (
        f"{_name(split, unit)} {done}：买家付 {yuan_text(paid)} − 此前已退 {yuan_text(paid - was)}"
        f" − {kept} {yuan_text(left)} = 本次 {yuan_text(was - left)}"
    )


def _claim(split: Split, claim: Claim) -> str:
    amount = yuan_text(claim.amount_fen)
    if claim.kind == "gift":
        line = next(line for line in split.purchase.lines if line.line_id == claim.name)
        what = f"买家留下赠品 {line.title or line.line_id}，价值 {amount}"
    else:
        source = next(source for source in split.purchase.sources if source.source_id == claim.name)
        what = f"留下的商品不满 {yuan_text(source.minimum_fen)}，{_title(source)} 在其上的优惠 {amount}"
    return what + ("，按约定扣回" if claim.policy == "claw_back" else "，按约定保留")


def _totals(split: Split, refund: Refund, after: Standing) -> Iterator[str]:
    for recipient, title in _BACK.items():
        back = given_back(split, [refund], recipient)
        if back or recipient == "buyer":
            parts = "，".join(f"{FUNDERS[funder]} {yuan_text(fen)}" for funder, fen in back.items())
            yield f"{title} {yuan_text(sum(back.values()))}" + (parts and f"：{parts}")
    held = f"，其中扣下 {yuan_text(refund.withheld_fen)}" if refund.withheld_fen else ""
    yield f"这笔之后还可退 {yuan_text(after.refundable_fen())}{held}"


def _title(source: Source) -> str:
    word = FUNDERS[source.funder]
    return f"{word}（{source.title}）" if source.title else word


def _name(split: Split, unit: Unit) -> str:
    if unit == FREIGHT:
        return "运费"
    line = next(line for line in split.purchase.lines if line.line_id == unit.line_id)
    return f"{line.title or line.line_id} 第 {unit.unit_no} 件" + (unit.part_id and f"的 {unit.part_id}")
