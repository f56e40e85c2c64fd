"""Takes the pictures of docs/screens: `python -m tests.people.pictures`.

A database of its own is started, filled with the shops of the tests at noon of a promotion day, and thrown away.
`--site URL --name NAME --password PASSWORD` pictures a running installation instead.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser

from tests.people.browser import chromium, enter, site

if TYPE_CHECKING:
    from psycopg import Connection

FOLDER = Path(__file__).parents[2] / "docs/screens"
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
LEAD, AGENT, PASSWORD = "主管阿兰", "客服小明", "tea-garden-9"
SWITCHED = """INSERT INTO switch (shop_id, action, stopped, why, by_whom, at) VALUES
  (1, 'intercept', true, '快递接口报错，先停拦截', '主管阿兰', moment()),
  (2, 'automatic_money', true, '与平台对账有差异没有处理：已到 1，上限 0。', 'breaker:mismatch', moment())"""
# Two thirds of the cases of a kind were paid, so that the ledger has a day to show.
PAID = """INSERT INTO ledger (shop_id, case_id, order_id, amount_fen, origin, at)
SELECT shop_id, case_id, order_id, amount_fen, (ARRAY['automatic', 'automatic', 'person', 'platform'])[1 + n % 4],
  moment() - n * interval '7 minutes'
FROM (SELECT *, row_number() OVER (ORDER BY applied_at DESC, case_id)::int AS n FROM cases WHERE state = 'return_shipped') c
WHERE n % 3 <> 0"""
DIFFERS = """WITH run AS (INSERT INTO reconciliation (shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen,
    differences, waiting, by_whom, head_seq, head_hash) SELECT 2, moment() - interval '1 day', moment(), moment(), 5, 51000, 6, 54300, 1, 0, 'worker', 0, ''
  RETURNING id)
INSERT INTO difference (shop_id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id)
SELECT 2, '2621110000377', 'only_theirs', 0, 3300, moment() - interval '20 minutes', id FROM run"""
ASKED = """SELECT case_id, application_version, amount_fen FROM cases WHERE shop_id = 1 AND state = 'applied'
ORDER BY amount_fen DESC LIMIT 2"""


@contextmanager
def own_site() -> Iterator[str]:
    """The pages over the tests' shops."""
    home = Path(tempfile.mkdtemp(prefix="aftersale-pictures-"))
    os.environ.update(AFTERSALE_HOME=str(home), DJANGO_SETTINGS_MODULE="aftersale.config.settings")
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ.pop(name, None)
    from aftersale.pg.connect import connect

    try:
        subprocess.run([sys.executable, "-m", "aftersale", "migrate"], check=True, stdout=subprocess.DEVNULL)
        import django

        django.setup()
        from aftersale.people.accounts import ensure_user
        from tests.people.shops import SHOPS, open_shops

        with connect() as conn:
            open_shops(conn)
            conn.commit()
            for name, role in ((LEAD, "lead"), (AGENT, "agent")):
                ensure_user(name, PASSWORD, {code: role for code, _, _ in SHOPS})
            _busy(conn)
        with site() as address:
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _busy(conn: "Connection[Any]") -> None:
    """Somebody asked for a yes, money left, and something differs."""
    from aftersale.cases import actions
    from tests.people.shops import NOON

    for statement in (SWITCHED, PAID, DIFFERS):
        conn.execute(statement)
    asked = conn.execute(ASKED).fetchall()
    conn.commit()
    for case_id, version, amount_fen in asked:
        actions.person_intent(conn, 1, case_id, "agree_refund", amount_fen, version, AGENT, NOON)


def take(browser: Browser, address: str, name: str, password: str, folder: Path) -> None:
    """Every screen at both sizes in both themes."""
    for size, (width, height) in SIZES.items():
        for theme in ("light", "dark"):
            page = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme="dark" if theme == "dark" else "light",
            ).new_page()
            enter(page, address, name, password)
            case = page.locator("[data-row]").nth(6).get_attribute("data-open")
            screens = {
                "queue": "/queue",
                "case": case or "/queue",
                "board": "/board",
                "approvals": "/approvals",
                "money": "/money",
                "work_orders": "/work-orders?dept=courier",
                "parcels": "/work-orders/parcels",
                "claims": "/work-orders/claims",
                "switches": "/switches",
            }
            for screen, path in screens.items():
                page.goto(address + path)
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(600)
                page.screenshot(path=folder / f"{screen}-{size}-{theme}.png")
            page.context.close()


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--site")
    ask.add_argument("--name", default=LEAD)
    ask.add_argument("--password", default=PASSWORD)
    given = ask.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    if given.site:
        with chromium() as browser:
            take(browser, given.site, given.name, given.password, FOLDER)
        return
    with own_site() as address, chromium() as browser:
        take(browser, address, given.name, given.password, FOLDER)


if __name__ == "__main__":
    main()
