"""Takes the pictures of docs/screens: `python -m tests.people.pictures [NAME…]`.

A database of its own is started, filled with the shops of the tests at noon of a promotion day, and thrown away.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import Browser, BrowserContext

from tests.people.browser import chromium, enter, site

if TYPE_CHECKING:
    from tests.people.pictures_day import Day
    from tests.people.pictures_screens import Screen

FOLDER = Path(__file__).parents[2] / "docs/screens"
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
LOOKS = (("zh-hans", "light"), ("zh-hans", "dark"), ("en", "light"), ("en", "dark"))
QUALITY = 70
INTRO = """# Pictures of the screens

Made, with this page, by

```
.venv/bin/python -m tests.people.pictures
```

which starts a database of its own, fills it with the shops of `tests/people/shops.py` at noon of a promotion day and
what `tests/people/pictures_day.py` does there, and throws it away. Names after it take those screens alone. Needs
Debian's `chromium` and `fonts-noto-cjk`. A screen's sheet shows it in Chinese and English, light and dark, at 1280 and
390 px.

| screen | 1280 px | 390 px | all |
|---|---|---|---|
"""


@contextmanager
def own_site() -> Iterator[tuple[str, "Day"]]:
    """The pages over the tests' shops, and what happened there."""
    home = Path(tempfile.mkdtemp(prefix="aftersale-pictures-"))
    os.environ.update(AFTERSALE_HOME=str(home), DJANGO_SETTINGS_MODULE="aftersale.config.settings")
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        os.environ.pop(name, None)
    from aftersale.pg.connect import connect, database_url

    try:
        subprocess.run([sys.executable, "-m", "aftersale", "migrate"], check=True, stdout=subprocess.DEVNULL)
        import django

        django.setup()
        from tests.conftest import Database
        from tests.people.pictures_day import spend
        from tests.people.shops import open_shops

        with connect() as conn:
            open_shops(conn)
            conn.commit()
        day = spend(Database(database_url("owner"), database_url("app")))
        with site() as address:
            yield address, day
    finally:
        shutil.rmtree(home, ignore_errors=True)


Shots = dict[tuple[str, str, str], Image.Image]


def take(browser: Browser, address: str, wanted: list["Screen"]) -> dict[str, Shots]:
    """By screen and (size, language, theme). One browser a person and size."""
    from tests.people.pictures_day import PASSWORD

    found: dict[str, Shots] = {screen.name: {} for screen in wanted}
    for who in dict.fromkeys(screen.who for screen in wanted):
        for size, (width, height) in SIZES.items():
            context = browser.new_context(
                viewport={"width": width, "height": height}, locale="zh-CN", timezone_id="Asia/Shanghai"
            )
            if who:
                enter(context.new_page(), address, who, PASSWORD)
            for screen in wanted:
                if screen.who == who:
                    found[screen.name] |= _shots(context, address, screen, size)
            context.close()
    return found


def _shots(context: BrowserContext, address: str, screen: "Screen", size: str) -> Shots:
    found: Shots = {}
    page = context.pages[0] if context.pages else context.new_page()
    for language, theme in LOOKS:
        context.add_cookies([{"name": "django_language", "value": language, "url": address}])
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        page.goto("about:blank")
        page.goto(address + screen.path)
        if screen.before:
            page.evaluate(screen.before)
        page.wait_for_load_state("networkidle")
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if over > 0:
            sys.stderr.write(f"{screen.name}: {over} px wider than the {size} in {language}\n")
        taken = page.screenshot(animations="disabled")
        found[size, language, theme] = Image.open(BytesIO(taken)).convert("RGB")
    return found


def keep(name: str, shots: Shots, folder: Path) -> None:
    """Two pictures as they are and a sheet of all eight."""
    for size in SIZES:
        shots[size, *LOOKS[0]].save(folder / f"{name}-{size}.webp", quality=QUALITY, method=6)
    width, height = SIZES["desk"][0] // 2, SIZES["desk"][1] // 2
    narrow = SIZES["phone"][0] * height // SIZES["phone"][1]
    sheet = Image.new("RGB", (2 * (width + narrow), 2 * height))
    for number, look in enumerate(LOOKS):
        x, y = number % 2 * (width + narrow), number // 2 * height
        sheet.paste(shots["desk", *look].resize((width, height), Image.Resampling.LANCZOS), (x, y))
        sheet.paste(shots["phone", *look].resize((narrow, height), Image.Resampling.LANCZOS), (x + width, y))
    sheet.save(folder / f"{name}-all.webp", quality=QUALITY - 10, method=6)


def index(wanted: list["Screen"]) -> str:
    rows = [
        f"| {one.title} | ![]({one.name}-desk.webp) | ![]({one.name}-phone.webp) | [sheet]({one.name}-all.webp) |"
        for one in wanted
    ]
    return INTRO + "\n".join(rows) + "\n"


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("names", nargs="*", help="screens; all when none is named")
    ask.add_argument("--folder", type=Path, default=FOLDER)
    given = ask.parse_args()
    folder: Path = given.folder
    with own_site() as (address, day), chromium() as browser:
        from aftersale.pg.connect import database_url
        from tests.people.pictures_day import stop
        from tests.people.pictures_screens import screens

        every = screens(day)
        named = [one for one in every if one.name in given.names or not given.names]
        shots = take(browser, address, [one for one in named if not one.stopped])
        stop(database_url("owner"))
        shots |= take(browser, address, [one for one in named if one.stopped])
    folder.mkdir(parents=True, exist_ok=True)
    if not given.names:
        for old in [*folder.glob("*.png"), *folder.glob("*.webp")]:
            old.unlink()
        (folder / "README.md").write_text(index(every))
    for name, found in shots.items():
        keep(name, found, folder)


if __name__ == "__main__":
    main()
