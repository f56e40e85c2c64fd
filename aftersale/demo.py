"""The demo shops: what `up` writes into the record so that the sandbox's shops and one person are known."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

NAMES = {"tmall": "天猫示例店", "taobao": "淘宝示例店"}
# A sandbox lives a promotion day of thousands of refunds in minutes; an ordinary shop's budget would end it at breakfast.
BUDGET = {
    "auto_refund_hour_count_max": 100_000,
    "auto_refund_hour_max": 1_000_000_000,
    "auto_refund_day_count_max": 100_000,
    "auto_refund_day_max": 1_000_000_000,
}
_SHOP = """
INSERT INTO shop (code, name, platform, base_url, app_key, app_secret, session_key, courier_url, courier_key,
  courier_secret, push_secrets, settings)
VALUES (%(code)s, %(name)s, %(platform)s, %(base_url)s, %(app_key)s, %(app_secret)s, %(session_key)s, %(courier_url)s,
  %(courier_key)s, %(courier_secret)s, %(push_secrets)s, %(settings)s)
ON CONFLICT (code) DO UPDATE SET base_url = excluded.base_url, courier_url = excluded.courier_url,
  session_key = excluded.session_key, push_secrets = excluded.push_secrets
RETURNING id
"""


def sandbox_shop(
    conn: Connection[Any], url: str, code: str, platform: str, session_key: str, since: datetime
) -> int:
    """Authorise one shop of the sandbox at `url`, pulled from virtual time `since` on; its id. Commits."""
    values = {
        "code": code,
        "name": f"{NAMES.get(platform, platform)} {code}",
        "platform": platform,
        "base_url": f"{url}/router/rest",
        "app_key": "12345678",
        "app_secret": "sandbox-app-secret",
        "session_key": session_key,
        "courier_url": f"{url}/kuaidi100/label/order",
        "courier_key": "courier-key",
        "courier_secret": "courier-secret",
        "settings": Jsonb(BUDGET),
        "push_secrets": Jsonb(
            {
                "taobao": f"push-secret-{code}",
                "warehouse": f"warehouse-secret-{code}",
                "kuaidi100": f"salt-{code}",
            }
        ),
    }
    row = conn.execute(_SHOP, values).fetchone()
    assert row is not None
    conn.execute(
        "INSERT INTO pull_cursor (shop_id, kind, since) VALUES (%s, 'refunds', %s) ON CONFLICT DO NOTHING",
        (row[0], since),
    )
    conn.commit()
    return int(row[0])


def sandbox_shops(
    conn: Connection[Any], url: str, shops: Sequence[tuple[str, str, str]], since: datetime
) -> list[int]:
    """All shops (code, platform, session) of a sandbox."""
    return [sandbox_shop(conn, url, *shop, since) for shop in shops]


def retire(conn: Connection[Any]) -> int:
    """End the demo days so far: their sandbox is gone, so nothing is sent or pulled for them; how many. Commits."""
    conn.execute(
        "DELETE FROM pull_cursor WHERE shop_id IN (SELECT id FROM shop WHERE code ~ '^demo' AND app_key = '12345678')"
    )
    conn.execute(
        "UPDATE shop SET base_url = NULL, courier_url = NULL WHERE code ~ '^demo' AND app_key = '12345678'"
    )
    row = conn.execute("SELECT count(*) FROM shop WHERE code ~ '^demo([0-9]+-)?1$'").fetchone()
    conn.commit()
    assert row is not None
    return int(row[0])
