"""Who may open which page: a view declares its right, `rulebooks/page_rights.yaml` says whose it is."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.urls import ResolverMatch

from aftersale.cases.access import Person, Shop, shops_of
from aftersale.core.facts import read_yaml
from aftersale.rulebooks.books import text

View = TypeVar("View", bound=Callable[..., Any])
READS = frozenset({"GET", "HEAD", "OPTIONS"})
ROLES = frozenset({"agent", "lead", "finance", "warehouse", "owner", "helper"})
OPEN = frozenset({"anybody", "token"})
SIGNED_IN = "signed_in"


@cache
def _book() -> Mapping[str, Any]:
    found: Mapping[str, Any] = read_yaml(text("page_rights.yaml"), "page_rights")
    return found


def _roles(said: str | list[str]) -> frozenset[str]:
    return frozenset({said}) if isinstance(said, str) else frozenset(said)


RIGHTS: Mapping[str, frozenset[str]] = {name: _roles(said) for name, said in _book()["rights"].items()}
"""Right → roles; `anybody`, `token` or `signed_in` alone where no role is asked for."""

assert all(roles <= ROLES or roles <= OPEN | {SIGNED_IN} for roles in RIGHTS.values()), "page_rights.yaml"


def needs(right: str, *, post: str | None = None) -> Callable[[View], View]:
    """Declares a view's right; `post`: another one for what is not just reading.

    An address with `shop_code` asks for the role in that shop: 404 where the person has none, 403 where it is another.
    Any other asks for the role in some shop; the view then shows only `shops_with(user, right)`.
    """
    rights = {"read": right, "write": post or right}
    for name in rights.values():
        assert name in RIGHTS, f"page_rights.yaml does not know {name}"

    def declare(view: View) -> View:
        view.rights = rights  # type: ignore[attr-defined]
        return login_not_required(view) if RIGHTS[right] <= OPEN else view

    return declare


def of_others() -> Mapping[str, str]:
    """Rights of views that are a library's, by the name of the address."""
    found: Mapping[str, str] = _book()["of_others"]
    return found


def declared(match: ResolverMatch, method: str) -> str | None:
    """The right that a request to this address needs; None: nobody declared one."""
    rights = getattr(match.func, "rights", None)
    if rights is not None:
        return str(rights["read" if method in READS else "write"])
    found = of_others().get(match.view_name)
    return found if found in RIGHTS else None


def shops_with(user: Person, right: str) -> tuple[Shop, ...]:
    """The person's shops in which they have this right, by name."""
    return tuple(shop for shop in shops_of(user) if shop.role in RIGHTS[right])
