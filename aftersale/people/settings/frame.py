"""The frame of the settings' pages: which shop, which page."""

from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from aftersale.cases.access import Shop, shops_of
from aftersale.people.rights import RIGHTS


def shop_of(request: HttpRequest, shop_code: str) -> Shop:
    """The person's shop of this code; the door has let only its people in."""
    return next(shop for shop in shops_of(user_of(request)) if shop.code == shop_code)


def user_of(request: HttpRequest) -> User:
    return cast(User, request.user)


def may(shop: Shop, right: str) -> bool:
    return shop.role in RIGHTS[right]


def shown(
    request: HttpRequest, template: str, tab: str, shop: Shop | None, status: int = 200, **context: Any
) -> HttpResponse:
    """A page of the settings; the list of shops leads to the same page of another one."""
    shops = [one for one in shops_of(user_of(request)) if may(one, "settings_read")]
    frame = {"here": "settings", "tab": tab, "shops": shops, "shop": shop or (shops[0] if shops else None)}
    return render(
        request, f"people/settings/{template}.html", {**frame, "one_shop": shop, **context}, status=status
    )
