"""Rule drafts that wait for a second person, for those who may publish."""

from dataclasses import dataclass
from datetime import datetime

from aftersale.cases.access import Person, Shop
from aftersale.cases.rows import read
from aftersale.people.rights import shops_with
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.approvals", "approvals.sql")


@dataclass(frozen=True, slots=True)
class Draft:
    """`own`: this person wrote or handed it in, another must answer."""

    id: int
    shop_id: int
    asked_by: str
    asked_at: datetime
    why: str
    own: bool


def waiting_for(user: Person, by: str) -> list[tuple[Draft, Shop]]:
    """The longest waiting first."""
    shops = {shop.id: shop for shop in shops_with(user, "rule_publish")}
    found = read(Draft, SQL["rules"], {"shop_ids": list(shops), "by": by})
    return [(one, shops[one.shop_id]) for one in found]
