"""我的待办: what was handed to a person or to their department, and what buyers of their shops were promised."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from aftersale.cases.access import shops_of
from aftersale.cases.rows import moment, read
from aftersale.people.playbook.found import SQL
from aftersale.people.rights import needs


@dataclass(frozen=True, slots=True)
class Handed:
    shop_id: int
    case_id: str
    from_whom: str
    to_whom: str | None
    department: str | None
    found: str
    next_step: str
    due: str
    at: datetime
    aftersale_type: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Promised:
    shop_id: int
    case_id: str
    kind: str
    text: str
    amount_fen: int | None
    due_at: datetime
    by_whom: str
    aftersale_type: str | None
    title: str | None


@needs("queue")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Hand-overs first, then promises by the moment they are due."""
    shops = {shop.id: shop for shop in shops_of(request.user)}
    asked: dict[str, Any] = {"shop_ids": list(shops), "by": request.user.get_username()}
    handed = read(Handed, SQL["my_handovers"], {**asked, "roles": [shop.role for shop in shops.values()]})
    promised = read(Promised, SQL["my_promises"], asked)
    return render(
        request,
        "people/playbook/todo.html",
        {
            "here": "todo",
            "handed": [(shops[one.shop_id], one) for one in handed],
            "promised": [(shops[one.shop_id], one) for one in promised],
            "now": moment(),
        },
    )
