"""Shops and their authorisation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, errors
from psycopg.types.json import Jsonb

from aftersale.core.refusal import Refusal

_ADD = """
INSERT INTO shop (code, name, platform, base_url, app_key, app_secret, session_key, push_secrets)
VALUES (%(code)s, %(name)s, %(platform)s, %(base_url)s, %(app_key)s, %(app_secret)s, %(session_key)s, %(push_secrets)s)
RETURNING id
"""
_PULL = "INSERT INTO pull_cursor (shop_id, kind, since) VALUES (%s, 'refunds', now() - interval '30 days')"


@dataclass(frozen=True, slots=True)
class Access:
    """What the platform gave the shop; a shop without it lives on files. `push_secrets` by source of the push."""

    base_url: str
    app_key: str
    app_secret: str
    session_key: str
    push_secrets: Mapping[str, str]


def add_shop(
    conn: Connection[Any], code: str, name: str, platform: str, access: Access | None
) -> int | Refusal:
    """A new shop; its id. With access it is pulled from 30 days back on. Commits."""
    given = access or Access("", "", "", "", {})
    values = {
        "code": code,
        "name": name,
        "platform": platform,
        "base_url": given.base_url or None,
        "app_key": given.app_key or None,
        "app_secret": given.app_secret or None,
        "session_key": given.session_key or None,
        "push_secrets": Jsonb(dict(given.push_secrets)),
    }
    try:
        with conn.transaction():
            row = conn.execute(_ADD, values).fetchone()
            assert row is not None
            if access:
                conn.execute(_PULL, (row[0],))
    except errors.UniqueViolation:
        return Refusal("taken", f"店铺代号 {code} 已经有了，换一个代号")
    except errors.CheckViolation:
        return Refusal("code", f"店铺代号 {code!r} 只能用小写字母、数字、- 和 _，最多 32 个")
    conn.commit()
    return int(row[0])


def set_authorised_until(conn: Connection[Any], shop_id: int, until: datetime | None) -> None:
    """Until when the platform lets us in, as whoever authorised the shop was told."""
    conn.execute("UPDATE shop SET authorised_until = %s WHERE id = %s", (until, shop_id))
