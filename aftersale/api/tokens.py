"""Bearer tokens: a person's right in a program's hands, shown once, kept as a digest."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja.errors import HttpError
from ninja.security import HttpBearer

from aftersale.cases import audit
from aftersale.cases.access import shops_of
from aftersale.cases.rows import read, record_connection
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries
from aftersale.rights import READS
from aftersale.rights.wall import open_to

SQL = queries("aftersale.api", "queries.sql")
PREFIX, NAME_MAX = "aftersale_", 60
LENGTHS = (30, 90, 365, None)
"""For how many days; None: without an end."""
DAYS = 90
_SAID = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
TURNED_AWAY = {
    str(status): {"description": why, "content": {"application/json": {"schema": _SAID}}}
    for status, why in (
        (401, "No live token: none, unknown, revoked or ended."),
        (403, "The token only reads, and this acts."),
    )
}
"""What every operation may answer, for the description."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A token as its person sees it. `used_at`: the day of its newest use."""

    name: str
    made_at: datetime
    ends_at: datetime | None
    used_at: datetime | None
    acts: bool
    over: bool


def tokens_of(user_id: int) -> list[Kept]:
    """Those that were not ended by hand, the newest first."""
    return read(Kept, SQL["kept"], {"user": user_id, "now": timezone.now()})


def make_token(
    person: str, name: str, days: int | None = DAYS, *, acts: bool = False, by: str = ""
) -> str | Refusal:
    """A new token for a program that works as this person; it can be read only here. `by` somebody else: who made it.

    `days`: until it ends, None for an owner's alone: never. Without `acts` it only reads.
    """
    user = get_user_model().objects.filter(username=person, is_active=True).first()
    if user is None:
        return Refusal("no_person", f"没有叫 {person} 的人，先用 aftersale shop staff 添加")
    if not 0 < len(name) <= NAME_MAX:
        return Refusal("name", "令牌要有一个 1 到 60 个字的名字")
    if days not in LENGTHS:
        return Refusal("days", "令牌的期限是 30、90 或 365 天，店主的也可以没有期限")
    if days is None and not any(shop.role == "owner" for shop in shops_of(user)):
        return Refusal("owners_only", "只有店主的令牌可以没有期限，请选 30、90 或 365 天")
    token, now = PREFIX + secrets.token_urlsafe(32), timezone.now()
    ends_at = None if days is None else now + timedelta(days=days)
    values: dict[str, Any] = {"user": user.pk, "name": name, "digest": _digest(token), "now": now}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SQL["over"], values)
            cursor.execute(SQL["keep"], {**values, "ends_at": ends_at, "acts": acts})
            _note(user, by, "token", name, now, {"ends_at": str(ends_at or ""), "acts": acts})
    except IntegrityError:
        return Refusal("name_taken", "已经有叫这个名字的令牌，请换一个名字，或先停用它")
    return token


def revoke_token(person: str, name: str, by: str = "") -> bool:
    """Whether there was a live token of this name; from now on it opens nothing."""
    user = get_user_model().objects.filter(username=person).first()
    if user is None:
        return False
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SQL["revoke"], {"user": user.pk, "name": name, "now": now})
        if not cursor.rowcount:
            return False
        _note(user, by, "token_end", name, now, {})
        return True


def _note(user: Any, by: str, what: str, name: str, now: datetime, more: dict[str, Any]) -> None:
    """In the log of every shop of the person, to which the token leads."""
    who = by or user.get_username()
    target = name if who == user.get_username() else f"{user.get_username()} · {name}"
    shops: list[int | None] = [shop.id for shop in shops_of(user)]
    for shop_id in shops or [None]:
        audit.note(record_connection(), who, what, target, now, shop_id=shop_id, more=more)


class Token(HttpBearer):
    """Reads `Authorization: Bearer …`; the request then has the person as `auth`.

    A token that only reads opens what is asked for with GET, and what is declared to change nothing (`reads`).
    """

    def __init__(self, *, reads: bool = False) -> None:
        super().__init__()
        self.reads = reads

    def authenticate(self, request: HttpRequest, token: str) -> int | None:
        """The id of the active person whose live token this is. Raises HttpError: 401 ended, 403 only reads."""
        with connection.cursor() as cursor:
            cursor.execute(SQL["owner"], {"digest": _digest(token), "now": timezone.now()})
            row = cursor.fetchone()
        person = row and get_user_model().objects.filter(pk=row[0], is_active=True).first()
        if not person:
            return None
        _user, acts, ended_at = row
        if ended_at is not None:
            day = timezone.localtime(ended_at).date()
            raise HttpError(401, f"这个令牌在 {day} 已经到期，请换一个新的")
        if not (acts or self.reads or request.method in READS):
            raise HttpError(403, "这个令牌只能读取，要办理请换一个可以读取和办理的令牌")
        open_to(shops_of(person))
        return int(person.pk)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
