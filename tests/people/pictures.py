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

from playwright.sync_api import Browser

from tests.people.browser import chromium, enter, site

FOLDER = Path(__file__).parents[2] / "docs/screens"
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
LEAD, PASSWORD = "主管阿兰", "tea-garden-9"


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
            conn.execute(
                "INSERT INTO switch (shop_id, action, stopped, why, by_whom, at)"
                " VALUES (1, 'intercept', true, '快递接口报错，先停拦截', '主管阿兰', moment())"
            )
        ensure_user(LEAD, PASSWORD, {code: "lead" for code, _, _ in SHOPS})
        with site() as address:
            yield address
    finally:
        shutil.rmtree(home, ignore_errors=True)


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
                "money": "/money",
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
