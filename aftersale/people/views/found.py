"""The views that a person sees: their own, and those shared with the people of their shops."""

from dataclasses import dataclass

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from aftersale.cases.access import shops_of
from aftersale.cases.rows import read
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.views")
SHARERS = frozenset({"lead", "owner"})


@dataclass(frozen=True, slots=True)
class View:
    """`shop_name`: whose people share it; None for one's own."""

    id: int
    title: str
    address: str
    shop_name: str | None
    by_whom: str


def views_for(user: AbstractBaseUser | AnonymousUser) -> list[View]:
    ids = [shop.id for shop in shops_of(user)]
    return read(View, SQL["views"], {"by": user.get_username(), "shop_ids": ids})
