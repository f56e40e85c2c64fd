"""Likely cases of a nameless parcel, in the words of the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.returns import candidates as record
from aftersale.cases.returns.candidates import Open
from aftersale.cases.returns.record import Marks
from aftersale.rulebooks import books


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case with its shop and what speaks for it, in sentences."""

    shop: Shop
    case: Open
    why: Sequence[str]

    @property
    def name(self) -> str:
        """As the address names it."""
        return f"{self.shop.code}:{self.case.case_id}"


def candidates(shops: Sequence[Shop], waybill: str, shop_id: int | None, marks: Marks) -> list[Candidate]:
    """Likeliest first, among the shops in which the person may scan."""
    by_id = {shop.id: shop for shop in shops}
    tolerance_g = int(str(books.book("refund_runs").settings["anonymous_weight_tolerance_g"].usual()))
    found = record.candidates(list(by_id), shop_id or 0, waybill, marks, tolerance_g)
    told = reasons()
    return [
        Candidate(by_id[one.case.shop_id], one.case, [told[reason] for reason in one.reasons if told[reason]])
        for one in found
    ]


def reasons() -> Mapping[str, str]:
    """What speaks for or against a case."""
    return {
        "same_waybill": _("单号相同"),
        "near_waybill": _("单号只差一位"),
        "same_phone_tail": _("手机尾号相同"),
        "same_goods": _("货号相同"),
        "like_goods": _("品名相近"),
        "same_weight": _("重量相符"),
        "other_weight": _("重量不符"),
        "no_number": _("买家还没有填单号"),
        "same_shop": "",
    }
