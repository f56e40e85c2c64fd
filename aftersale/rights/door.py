"""Asks every request for the right that its view declares. What declares none is refused."""

import logging
from collections.abc import Callable, Collection
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from aftersale.cases.access import Shop, shops_of
from aftersale.rights import OPEN, RIGHTS, SIGNED_IN, declared
from aftersale.rights.wall import open_to

log = logging.getLogger("django.request")


class NotTheirRole(PermissionDenied):
    """`roles`: whose it is."""

    def __init__(self, roles: frozenset[str]) -> None:
        super().__init__()
        self.roles = roles


class Door(LoginRequiredMiddleware):
    """Strangers to the login, 404 for another's shop, 403 for another's role."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: Any,
    ) -> HttpResponseBase | None:
        _storable(request, view_kwargs)
        match = request.resolver_match
        right = declared(match, request.method or "") if match else None
        if right is None:
            log.error("%s declares no right: @needs is missing", match and match.view_name)
            raise PermissionDenied
        roles = RIGHTS[right]
        if not request.user.is_authenticated:
            return None if roles <= OPEN else self.handle_no_permission(request, view_func)
        shops = shops_of(request.user)
        open_to(shops)
        if roles.isdisjoint(OPEN) and SIGNED_IN not in roles:
            _in_role(shops, roles, view_kwargs.get("shop_code"))
        return None


def _storable(request: HttpRequest, view_kwargs: dict[str, Any]) -> None:
    """A text with NUL in it names nothing and cannot be kept."""
    if any("\0" in value for value in view_kwargs.values() if isinstance(value, str)):
        raise Http404
    for form in (request.GET, request.POST):
        if any("\0" in text for name, values in form.lists() for text in (name, *values)):
            raise BadRequest


def _in_role(shops: Collection[Shop], roles: frozenset[str], shop_code: str | None) -> None:
    """Raises Http404 where the shop is not theirs, `NotTheirRole` where the role is another."""
    there = [shop for shop in shops if shop_code in (None, shop.code)]
    if shop_code is not None and not there:
        raise Http404
    if not any(shop.role in roles for shop in there):
        raise NotTheirRole(roles)
