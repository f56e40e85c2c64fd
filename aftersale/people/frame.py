"""What the frame around every page shows."""

from functools import partial
from typing import Any

from django.http import HttpRequest

from aftersale.cases.access import Shop, shops_of
from aftersale.cases.rows import moment
from aftersale.people.approvals.count import count_for
from aftersale.people.rights import RIGHTS
from aftersale.people.stopped import told

RIGHTS_SWITCH = frozenset({"lead", "owner"})


def may_switch(shops: tuple[Shop, ...]) -> bool:
    """Whether the person may stop anything."""
    return any(shop.role in RIGHTS_SWITCH for shop in shops)


def frame(request: HttpRequest) -> dict[str, Any]:
    """For signed-in people `now`, their `rights` in some shop, whether the kill switch is theirs, whether they own one and
    what waits for a second person; else the database is not read. What is `stopped` is read by a page that shows it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    shops = shops_of(user)
    rights = {right for right, roles in RIGHTS.items() if any(shop.role in roles for shop in shops)}
    return {
        "rights": rights,
        "may_switch": may_switch(shops),
        "owns": any(shop.role == "owner" for shop in shops),
        "approvals": count_for(shops),
        "stopped": partial(told, shops),
        "now": moment(),
    }
