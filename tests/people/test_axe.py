"""What a screen reader and a keyboard find on every page, in both themes."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.matrix import routes
from tests.people.shops import case_id

OWNER = "店主青山"
SKIP = re.compile(
    r"^/(api|logout|language|board/data|\w+/live|queue/dock|export|account/(keys/add|recovery/file))|/live$"
)
SERIOUS = {"serious", "critical"}


def addresses() -> list[str]:
    """Every page that can be opened without knowing a number, and one case."""
    values = {"shop_code": "tea", "case_id": case_id(1, 2), "what": "words"}
    found = [route.address("own", values) for route in routes() if set(route.names) <= set(values)]
    return [one for one in dict.fromkeys(found) if not SKIP.search(one)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_has_a_serious_fault(shops: Database, theme: str) -> None:
    ensure_user(OWNER, PASSWORD, {"tea": "owner", "snack": "owner"})
    faults: list[str] = []
    read = 0
    with site() as address, chromium() as browser:
        context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        faults += [f"/login: {one}" for one in serious(page, f"{address}/login")]
        enter(page, address, OWNER, PASSWORD)
        for one in addresses():
            answer = context.request.get(one)
            if answer.status == 200 and "text/html" in answer.headers["content-type"]:
                read += 1
                faults += [f"{one}: {fault}" for fault in serious(page, one)]
    assert not faults, "\n".join(faults)
    assert read > 5


def serious(page: Page, path: str) -> list[str]:
    """What axe finds that keeps somebody out."""
    page.goto(path)
    page.wait_for_load_state("load")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']} {node['target']} {node['failureSummary'][:200]!r}"
        for one in found
        for node in one["nodes"][:2]
        if one["impact"] in SERIOUS
    ]
