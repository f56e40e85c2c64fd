"""Twenty parcels through a hand scanner: only keys, and the book pays what is complete."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.yard import PACKER, Yard

DAMAGED = {3: "2", 7: "3", 11: "4", 15: "5", 19: "12"}


@pytest.fixture(scope="module")
def yard(shops: Database) -> Iterator[Yard]:
    ensure_user(PACKER, PASSWORD, {"snack": "warehouse"})
    made = Yard(shops)
    yield made
    made.conn.close()


@pytest.fixture(scope="module")
def belt(yard: Yard) -> Iterator[tuple[Page, list[str]]]:
    """仓库小何 before the scan page, and what the browser complained about."""
    complaints: list[str] = []
    with site() as address, chromium() as browser:
        page = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}).new_page()
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        enter(page, address, PACKER, PASSWORD)
        yield page, complaints


def scanned(page: Page, text: str) -> None:
    """As a hand scanner does it: fast, into whatever has the focus, Enter at the end."""
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_twenty_parcels_by_keyboard_alone(belt: tuple[Page, list[str]], yard: Yard) -> None:
    page, complaints = belt
    for no in range(1, 21):
        yard.announce(f"K{no}", f"YT3000000{no:02d}", pieces=2 if no == 19 else 1)
    page.goto("/returns")
    for no in range(1, 21):
        scanned(page, f"YT3000000{no:02d}")
        expect(page.locator("[data-scan-said]")).to_be_focused()
        expect(page.get_by_text(f"K{no}", exact=True)).to_be_visible()
        scanned(page, DAMAGED.get(no, "0"))
        result = "已收，有异常" if no in DAMAGED else "已收，全部完好"
        expect(page.get_by_role("status").get_by_text(result)).to_be_visible()
        expect(page.locator("[data-scan-code]")).to_be_focused()
    yard.work()
    paid = {row[0] for row in yard.all("SELECT case_id FROM intent WHERE money AND case_id LIKE 'K%%'")}
    assert paid == {f"K{no}" for no in range(1, 21) if no not in DAMAGED}
    waiting = yard.all("SELECT case_id FROM queue_item WHERE queue = 'return_refund' AND case_id LIKE 'K%%'")
    assert {row[0] for row in waiting} == {f"K{no}" for no in DAMAGED}
    assert complaints == []


def test_the_next_parcel_is_not_taken_for_a_result(belt: tuple[Page, list[str]], yard: Yard) -> None:
    page, complaints = belt
    yard.announce("K31", "YT300000031")
    yard.announce("K32", "YT300000032")
    page.goto("/returns")
    scanned(page, "YT300000031")
    expect(page.locator("[data-scan-said]")).to_be_focused()
    scanned(page, "YT300000032")
    expect(page.get_by_role("alert")).to_contain_text("还没有验完，没有记录")
    expect(page.locator("[data-scan-said]")).to_be_focused()
    page.keyboard.type("3")
    expect(page.locator("[data-unit] input[value=missing_item]")).to_be_checked()
    page.keyboard.press("Escape")
    page.wait_for_url("**/returns")
    expect(page.locator("[data-scan-code]")).to_be_focused()
    assert yard.all("SELECT 1 FROM return_scan WHERE waybill IN ('YT300000031', 'YT300000032')") == []
    assert complaints == []


def test_nothing_scrolls_sideways_on_a_phone(belt: tuple[Page, list[str]], yard: Yard) -> None:
    page, _ = belt
    yard.announce("K33", "YT300000033", pieces=3)
    for address in (
        "/returns",
        "/returns?code=YT300000033",
        "/returns?code=ZT99990001",
        "/returns/day",
        "/returns/nameless",
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
