"""Before the sale: reminder prices, who sets them, what is recommended (R-284 … R-286)."""

from dataclasses import dataclass

from aftersale.core.money import Fen
from aftersale.core.talk.folding import fold


@dataclass(frozen=True, slots=True)
class PaidPrice:
    """A price paid; `reminder`: after a discount that came with a payment reminder."""

    price: Fen
    reminder: bool = False


@dataclass(frozen=True, slots=True)
class Lowest:
    """`excluded_from_lowest_price`: the reminder price counts in no price history and no event check."""

    lowest_price: Fen | None
    excluded_from_lowest_price: bool


@dataclass(frozen=True, slots=True)
class MaySet:
    allowed: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """`source`: where the product comes from; `specs` and `attributes` are shown beside it."""

    id: int | str
    source: str | None = None
    on_sale: bool | None = None
    name: str | None = None
    specs: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recommended:
    shown: tuple[int | str, ...]


def lowest_price(
    *, prices: tuple[Fen, ...] = (), orders: tuple[PaidPrice, ...] = (), reminder_price: Fen | None = None
) -> Lowest:
    """The lowest price of the history, without what was paid after a reminder discount (R-284)."""
    counted = [*prices, *(one.price for one in orders if not one.reminder)]
    excluded = reminder_price is not None or any(one.reminder for one in orders)
    return Lowest(min(counted, default=None), excluded)


def may_set_reminder_price(*, role: str | None, reminder_price_roles: tuple[str, ...]) -> MaySet:
    """Only the roles that the platform names (R-285)."""
    return MaySet(role in reminder_price_roles)


def recommend_products(
    *,
    candidates: tuple[Candidate, ...],
    recommend_sources: tuple[str, ...],
    search: str | int | None = None,
) -> Recommended:
    """Products on sale, in the order of their sources, each once; `search`: by part of the name or by id (R-286)."""
    order = {source: rank for rank, source in enumerate(recommend_sources)}
    kept = [one for one in candidates if one.on_sale and _found(one, search)]
    kept.sort(key=lambda one: order.get(one.source or "", len(order)))
    return Recommended(tuple(dict.fromkeys(one.id for one in kept)))


def _found(one: Candidate, search: str | int | None) -> bool:
    wanted = fold(str(search)) if search is not None else ""
    return not wanted or wanted == fold(str(one.id)) or wanted in fold(one.name or "")
