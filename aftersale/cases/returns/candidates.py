"""Cases that a nameless parcel may belong to. Only shops that the caller names are read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from aftersale.cases.returns.record import Marks
from aftersale.cases.rows import read
from aftersale.core.returns.anonymous import AnonymousParcel
from aftersale.core.returns.likely import Awaited, near, ranked
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.returns", "candidates.sql")
CANDIDATES_MAX = 10


@dataclass(frozen=True, slots=True)
class Open:
    """An open case with all that a parcel can be compared with; `weight_g`: as such goods weighed before."""

    shop_id: int
    case_id: str
    order_id: str
    state: str | None
    aftersale_type: str | None
    title: str | None
    applied_at: datetime | None
    waybills: list[str]
    phone_tail: str | None
    titles: list[str]
    skus: list[str]
    weight_g: int | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A case with what speaks for it."""

    case: Open
    reasons: tuple[str, ...]


def candidates(
    shop_ids: Collection[int], shop_id: int, waybill: str, marks: Marks, tolerance_g: int
) -> list[Candidate]:
    """Likeliest first; a person chooses."""
    goods = marks.goods.replace("\\", "").replace("%", "").replace("_", "") if marks.goods else None
    where = {
        "shop_ids": list(shop_ids),
        "near": list(near(waybill)),
        "phone_tail": marks.phone_tail,
        "goods": f"%{goods}%" if goods else None,
    }
    cases = {(one.shop_id, one.case_id): one for one in read(Open, SQL["candidates"], where)}
    awaited = [
        Awaited(
            one.shop_id,
            one.case_id,
            tuple(number.upper() for number in one.waybills),
            tuple(one.skus),
            (*one.titles, *([one.title] if one.title else [])),
            one.phone_tail,
            one.weight_g,
        )
        for one in cases.values()
    ]
    parcel = AnonymousParcel(marks.goods, marks.phone_tail, waybill, marks.weight_g)
    likely = ranked(parcel, shop_id, awaited, tolerance_g)[:CANDIDATES_MAX]
    return [Candidate(cases[one.awaited.shop_id, one.awaited.case_id], one.reasons) for one in likely]
