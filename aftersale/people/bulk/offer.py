"""What the queue's forms offer to do with many cases."""

from dataclasses import dataclass
from typing import Any

from aftersale.cases.access import Person, shops_of
from aftersale.cases.rows import read
from aftersale.people import words
from aftersale.people.bulk import acts
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.bulk")


@dataclass(frozen=True, slots=True)
class Name:
    name: str


def choosable(user: Person) -> dict[str, Any]:
    """What the queue's forms offer: acts, colleagues, queues. Empty where the person may not."""
    shops = [shop.id for shop in shops_of(user) if shop.role in acts.ROLES]
    if not shops:
        return {}
    members = read(Name, SQL["members"], {"shop_ids": shops, "roles": [*acts.ROLES, "helper"]})
    return {
        "bulk_acts": acts.titles(),
        "bulk_members": [one.name for one in members],
        "bulk_queues": words.queue_titles(),
    }
