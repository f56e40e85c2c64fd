"""Links that let somebody in: into a shop with exactly these rights, or back in with a new password. Each works once.

Only the hash of a link is kept, so that whoever reads the database cannot use it.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction

from aftersale.cases.access import Shop
from aftersale.cases.rows import first, read
from aftersale.core.refusal import Refusal
from aftersale.people.accounts import members
from aftersale.people.accounts.rights import Grant, beyond
from aftersale.pg.sql import queries
from aftersale.rights import RIGHTS

SQL = queries("aftersale.people.accounts", "invite.sql")


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open one."""

    id: int
    kind: str
    shop_id: int
    code: str
    name: str
    platform: str
    user_id: int | None
    role: str | None
    refund_right: bool
    max_amount_fen: int | None
    helper_job: str | None
    access_ends_at: datetime | None
    account: str | None
    department: str | None
    skills: list[str]
    by_whom: str
    ends_at: datetime

    @property
    def shop(self) -> Shop:
        return Shop(self.shop_id, self.code, self.name, self.platform, self.role or "")

    @property
    def grant(self) -> Grant:
        assert self.role is not None
        return Grant(
            self.role, self.refund_right, self.max_amount_fen, self.helper_job, self.access_ends_at, self.account,
            self.department, tuple(self.skills),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Waiting:
    """As it stands in the list of a shop."""

    id: int
    kind: str
    role: str | None
    whom: str
    by_whom: str
    at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Giver:
    user_id: int
    role: str


GONE = Refusal("gone", "这个链接不存在、已经用过或已经过期，请找邀请您的人重新发一个")


def invite(shop: Shop, grant: Grant, note: str, by: User, now: datetime) -> str | Refusal:
    """The token of a link into the shop; shown once, kept nowhere."""
    refused = members.unfit(grant, now) or beyond(shop.id, by.pk, shop.role, grant)
    if refused:
        return refused
    with transaction.atomic():
        token = _made("join", shop, None, grant, note.strip()[:200], by)
        members.told(shop.id, "invite", note.strip()[:200], by, now, grant.params)
    return token


def invite_back(shop: Shop, member: members.Member, by: User, now: datetime) -> str | Refusal:
    """The token of a link with which a member chooses a new password; only by an owner of all their shops."""
    if member.user_id == by.pk:
        return members.SELF
    if members.number_of("foreign_shops", user_id=member.user_id, giver_id=by.pk):
        return Refusal("foreign", "这个人还在别的店铺工作，要由所有这些店铺的店主来重设")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL["withdraw_of"], {"user_id": member.user_id, "by": by.username})
        token = _made("password", shop, member.user_id, Grant("agent"), "", by)
        members.told(shop.id, "password_link", member.name, by, now, {})
    return token


def opened(token: str) -> Invitation | None:
    """None for whatever cannot be used, without saying why."""
    return first(Invitation, SQL["open"], {"hash": _hash(token)})


def waiting(shop_id: int) -> list[Waiting]:
    return read(Waiting, SQL["waiting"], {"shop_id": shop_id})


def withdraw(shop: Shop, number: int, by: User, now: datetime) -> Refusal | None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL["withdraw"], {"id": number, "shop_id": shop.id, "by": by.username})
        if not cursor.rowcount:
            return GONE
        members.told(shop.id, "invite", str(number), by, now, {"withdrawn": number})
    return None


def accept(invitation: Invitation, user: User, now: datetime) -> Refusal | None:
    """The user joins, if whoever invited could still give this; runs in the caller's transaction."""
    giver = first(Giver, SQL["giver"], {"shop_id": invitation.shop_id, "by": invitation.by_whom})
    may = giver is not None and giver.role in RIGHTS["people_edit"]
    if giver is None or not may or beyond(invitation.shop_id, giver.user_id, giver.role, invitation.grant):
        return Refusal("giver", "邀请您的人已经不能授予这些权限了，请找店主重新邀请")
    if not members.add(invitation.shop, user.pk, invitation.grant):
        return Refusal("member", "您已经在这家店铺里了")
    if not use(invitation, user.username):
        return GONE
    members.told(invitation.shop_id, "join", user.username, user, now, invitation.grant.params)
    return None


def use(invitation: Invitation, by: str) -> bool:
    """True for the first only."""
    with connection.cursor() as cursor:
        cursor.execute(SQL["use"], {"id": invitation.id, "by": by})
        return bool(cursor.rowcount)


def _made(kind: str, shop: Shop, user_id: int | None, grant: Grant, note: str, by: User) -> str:
    token = secrets.token_urlsafe(32)
    values = {**grant.params, "role": grant.role if kind == "join" else None, "note": note, "by": by.username}
    with connection.cursor() as cursor:
        shown: dict[str, Any] = {"kind": kind, "hash": _hash(token), "shop_id": shop.id, "user_id": user_id}
        cursor.execute(SQL["invite"], {**values, **shown})
    return token


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
