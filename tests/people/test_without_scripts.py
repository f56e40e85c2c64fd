"""What a browser that runs no script can still do on the queue."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD


@pytest.fixture(scope="module")
def still(shops: Database) -> Iterator[Page]:
    """主管阿兰 with a browser that runs no script."""
    with site() as address, chromium() as browser:
        page = browser.new_context(
            base_url=address, java_script_enabled=False, viewport={"width": 390, "height": 844}
        ).new_page()
        enter(page, address, "主管阿兰", PASSWORD)
        yield page


def test_the_filters_of_the_queue_open_without_scripts(still: Page) -> None:
    still.goto("/queue")
    chip = still.locator("details.dropdown", has=still.get_by_text("原因", exact=True))
    choice = chip.get_by_role("link", name="质量问题")
    expect(choice).to_be_hidden()
    chip.locator("summary").click()
    expect(choice).to_be_visible()
    box = choice.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    choice.click()
    still.wait_for_url("**/queue?reason=quality")
    assert set(re.findall("质量问题", still.locator("#rows").inner_text())) == {"质量问题"}
    still.locator("details.dropdown[open]").wait_for(state="detached")
