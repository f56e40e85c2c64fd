"""Accounts, made by the command line."""

from collections.abc import Mapping

from django.contrib.auth import get_user_model
from django.db import connection, transaction

MEMBER = "INSERT INTO membership (user_id, shop_id, role) SELECT %s, id, %s FROM shop WHERE code = %s"


def ensure_user(name: str, password: str, roles: Mapping[str, str]) -> int:
    """The account with exactly these roles (shop code → agent, lead, finance, warehouse or owner); its id.

    Raises LookupError naming a shop code that does not exist; then nothing has changed.
    """
    users = get_user_model()
    with transaction.atomic():
        user = users.objects.filter(username=name).first() or users.objects.create_user(name)
        if not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM membership WHERE user_id = %s", [user.pk])
            for code, role in roles.items():
                cursor.execute(
                    MEMBER,
                    [user.pk, role, code],
                )
                if cursor.rowcount != 1:
                    raise LookupError(f"没有代码为 {code} 的店铺")
    return int(user.pk)
