"""A lost second step: taken away by an owner or on the server, then the person sets a new one before anything else."""

from dataclasses import dataclass
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import connection, transaction

from aftersale.cases import audit
from aftersale.cases.access import Shop
from aftersale.cases.rows import read, record_connection
from aftersale.core.refusal import Refusal
from aftersale.people.accounts import members
from aftersale.people.accounts.members import Member, Number
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.accounts", "lost.sql")
ON_SERVER = "server:"
"""Who reset it on the command line begins with this."""
SELF = Refusal("self", "自己的两步验证在「我的账号」里改；丢了就请别的店主来重设")
OWNERS = Refusal("foreign", "两步验证只能由这个人所在全部店铺的店主来重设")
NONE = Refusal("no_step", "这个人没有设置两步验证，不用重设")
REASON = Refusal("no_reason", "请写明原因，最多 500 个字")


@dataclass(frozen=True, slots=True)
class Reset:
    """One that the person has not seen yet."""

    by_whom: str
    why: str
    at: datetime

    @property
    def on_server(self) -> bool:
        return self.by_whom.startswith(ON_SERVER)


def why_not(shop: Shop, member: Member, by: User) -> Refusal | None:
    """Why this person may not take away the member's second step."""
    if member.user_id == by.pk:
        return SELF
    if shop.role != "owner" or members.number_of("foreign_shops", user_id=member.user_id, giver_id=by.pk):
        return OWNERS
    return None if member.second_step else NONE


def reset(shop: Shop, member: Member, why: str, by: User, now: datetime) -> Refusal | None:
    """By an owner of all the member's shops."""
    refused = why_not(shop, member, by)
    return refused or take_away(member.user_id, member.name, why, by.username, now)


def take_away(user_id: int, name: str, why: str, by: str, now: datetime) -> Refusal | None:
    """Codes, keys and recovery codes of the person are gone, and so is every session."""
    reason = why.strip()
    if not 0 < len(reason) <= audit.WHY_MAX:
        return REASON
    with transaction.atomic():
        if not Authenticator.objects.filter(user_id=user_id).delete()[0]:
            return NONE
        _run("reset", user_id=user_id, by=by, why=reason, now=now)
        conn = record_connection()
        shops: list[int | None] = [one.n for one in read(Number, SQL["shops"], {"user_id": user_id})]
        for shop_id in shops or [None]:
            audit.note(conn, by, "second_step", name, now, shop_id=shop_id, why=reason)
        members.end_sessions(user_id)
    return None


def unseen(user_id: int) -> list[Reset]:
    """The newest first."""
    return read(Reset, SQL["unseen"], {"user_id": user_id})


def see(user_id: int, now: datetime) -> None:
    """The person knows; from here on the shop's rules alone say whether they need a second step."""
    _run("see", user_id=user_id, now=now)


def _run(name: str, **values: int | str | datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(SQL[name], values)
