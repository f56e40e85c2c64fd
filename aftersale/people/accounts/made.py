"""Accounts, made by the command line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction

MEMBER = """INSERT INTO membership (user_id, shop_id, role, refund_right, max_amount_fen, helper_job, access_ends_at)
SELECT %s, id, %s, %s, %s, %s, %s FROM shop WHERE code = %s"""


@dataclass(frozen=True, slots=True)
class Rights:
    """What differs from the role's usual: facts of the book `permissions` (facts/permission.yaml)."""

    refund_right: bool = True
    max_amount_fen: int | None = None
    helper_job: str | None = None
    access_ends_at: datetime | None = None


USUAL = Rights()


def ensure_user(name: str, password: str, roles: Mapping[str, str], rights: Rights = USUAL) -> int:
    """The account with exactly these roles (shop code → agent, lead, finance, warehouse, owner or helper); its id.

    Raises LookupError naming a shop code that does not exist, or that a shop would lose its last owner; then nothing
    has changed.
    """
    try:
        with transaction.atomic():
            return _ensure(name, password, roles, rights)
    except IntegrityError as error:
        if "would have no owner" not in str(error):
            raise
        raise LookupError("一家店铺至少要有一位能登录的店主：先让别人成为店主") from None


def _ensure(name: str, password: str, roles: Mapping[str, str], rights: Rights) -> int:
    users = get_user_model()
    user = users.objects.filter(username=name).first() or users.objects.create_user(name)
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM membership WHERE user_id = %s", [user.pk])
        for code, role in roles.items():
            own = (rights.refund_right, rights.max_amount_fen, rights.helper_job, rights.access_ends_at)
            cursor.execute(MEMBER, [user.pk, role, *own, code])
            if cursor.rowcount != 1:
                raise LookupError(f"没有代码为 {code} 的店铺")
        cursor.execute("SET CONSTRAINTS last_owner IMMEDIATE")
    return int(user.pk)
