"""How much waits for a second person or for the main account, for the frame of every page."""

from collections.abc import Collection
from dataclasses import dataclass

from aftersale.cases.access import Shop
from aftersale.cases.rows import first
from aftersale.people.rights import RIGHTS
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.approvals", "approvals.sql")


@dataclass(frozen=True, slots=True)
class Count:
    cases: int


def count_for(shops: Collection[Shop]) -> int:
    """Over all of these shops."""
    publishing = [shop.id for shop in shops if shop.role in RIGHTS["rule_publish"]]
    found = first(Count, SQL["count"], {"shop_ids": [shop.id for shop in shops], "rule_shop_ids": publishing})
    return found.cases if found else 0
