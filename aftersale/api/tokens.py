"""Bearer tokens: a person's right in a program's hands, shown once, kept as a digest."""

import hashlib
import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja.security import HttpBearer

from aftersale.cases.access import shops_of
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries
from aftersale.rights.wall import open_to

SQL = queries("aftersale.api", "queries.sql")
PREFIX = "aftersale_"


def make_token(person: str, name: str) -> str | Refusal:
    """A new token for a program that works as this person; it can be read only here."""
    user = get_user_model().objects.filter(username=person, is_active=True).first()
    if user is None:
        return Refusal("no_person", f"没有叫 {person} 的人，先用 aftersale shop staff 添加")
    token = PREFIX + secrets.token_urlsafe(32)
    values: dict[str, Any] = {"user": user.pk, "name": name, "digest": _digest(token), "now": timezone.now()}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SQL["keep"], values)
    except IntegrityError:
        return Refusal("name_taken", f"{person} 已经有叫 {name} 的令牌，换一个名字或先吊销它")
    return token


def revoke_token(person: str, name: str) -> bool:
    """Whether there was a live token of this name; from now on it opens nothing."""
    user = get_user_model().objects.filter(username=person).first()
    if user is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(SQL["revoke"], {"user": user.pk, "name": name, "now": timezone.now()})
        return int(cursor.rowcount) == 1


class Token(HttpBearer):
    """Reads `Authorization: Bearer …`; the request then has the person as `auth`."""

    def authenticate(self, request: HttpRequest, token: str) -> int | None:
        """The id of the active person whose live token this is."""
        with connection.cursor() as cursor:
            cursor.execute(SQL["owner"], {"digest": _digest(token), "now": timezone.now()})
            row = cursor.fetchone()
        person = row and get_user_model().objects.filter(pk=row[0], is_active=True).first()
        if not person:
            return None
        open_to(shops_of(person))
        return int(person.pk)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
