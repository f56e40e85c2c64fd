"""What only a browser shows: keys, live rows, charts, and that nothing breaks the content policy."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id


@pytest.fixture(scope="module")
def desk(shops: Database) -> Iterator[tuple[Page, list[str]]]:
    """主管阿兰 at the queue, and what the browser complained about."""
    complaints: list[str] = []
    with site() as address, chromium() as browser:
        page = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}).new_page()
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        enter(page, address, "主管阿兰", PASSWORD)
        yield page, complaints


def test_keys_move_select_and_open(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    page.goto("/queue?shop=tea")
    rows = page.locator("[data-row]")
    here = page.locator("[data-row].here")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(here).to_have_count(1)
    expect(rows.nth(1)).to_have_class(re.compile(r"\bhere\b"))
    page.keyboard.press("x")
    expect(page.locator("#picked")).to_contain_text("已选 1 单")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("jjx")
    expect(rows.nth(1)).to_have_class(re.compile(r"\bhere\b"))
    page.keyboard.press("Escape")
    target = here.get_attribute("data-open")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{target}")
    assert complaints == []


def test_two_keys_lead_everywhere(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    for start in ("/queue", f"/case/tea/{case_id(1, 2)}", "/board"):
        page.goto(start)
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.wait_for_url("**/switches")
    page.keyboard.press("g")
    page.keyboard.press("q")
    page.wait_for_url("**/queue")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert complaints == []


def test_a_row_that_changes_is_marked_in_its_place(desk: tuple[Page, list[str]], shops: Database) -> None:
    page, complaints = desk
    page.goto("/queue?shop=tea")
    before = page.locator("[data-row]").evaluate_all("rows => rows.map(row => row.id)")
    page.keyboard.press("j")
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE queue_item SET owner = '客服小明' WHERE shop_id = 1 AND case_id = %s", (case_id(1, 2),)
        )
    changed = page.locator("[data-row].changed")
    expect(changed).to_have_count(1, timeout=15_000)
    expect(changed).to_contain_text("客服小明")
    assert page.locator("[data-row]").evaluate_all("rows => rows.map(row => row.id)") == before
    expect(page.locator("[data-row].here")).to_have_count(1)
    assert complaints == []


def test_the_board_is_drawn(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    page.goto("/board")
    for name in ("inflow", "left", "backlog"):
        expect(page.locator(f"[data-chart={name}] canvas")).to_be_visible()
    assert complaints == []


def test_the_other_language_and_theme_stay_chosen(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    page.goto("/queue")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.get_by_role("button", name="简体中文").click()
    expect(page.get_by_role("heading", name="队列")).to_be_visible()
    page.locator("[data-theme-next]").click()
    page.locator("[data-theme-next]").click()
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    assert complaints == []


def test_a_phone_needs_no_sideways_scrolling(desk: tuple[Page, list[str]]) -> None:
    page, _ = desk
    page.set_viewport_size({"width": 390, "height": 844})
    for address in ("/queue", f"/case/tea/{case_id(1, 2)}", "/board", "/switches"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
