"""The guide of a case with the keyboard alone, before a real browser."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id
from tests.people.test_evidence import photo


@pytest.fixture(scope="module")
def desk(shops: Database) -> Iterator[tuple[Page, list[str]]]:
    """客服小明 at the desk, and what the browser complained about."""
    complaints: list[str] = []
    with site() as address, chromium() as browser:
        page = browser.new_context(base_url=address, viewport={"width": 1280, "height": 900}).new_page()
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        enter(page, address, "客服小明", PASSWORD)
        yield page, complaints


def test_a_step_is_answered_and_done_by_keys(desk: tuple[Page, list[str]], shops: Database) -> None:
    page, complaints = desk
    page.goto(f"/case/tea/{case_id(1, 1)}")
    expect(page.locator(".guide-step")).to_have_text("查后台和快递官网")
    page.locator("#f-info_found").focus()
    page.keyboard.type("d")  # chooses in the list, presses no button
    expect(page.locator(".guide-step")).to_have_text("查后台和快递官网")
    page.locator("#f-info_found").select_option("False")
    page.locator("h1").click()
    page.keyboard.press("d")
    expect(page.locator(".guide-step")).to_have_text("联系快递并安抚买家")
    with psycopg.connect(shops.owner) as conn:
        rows = conn.execute("SELECT step, outcome FROM playbook_step").fetchall()
    assert rows == [("check_platform_and_courier_site", "done")]
    assert complaints == []


def test_words_are_written_and_sent_by_keys(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    page.goto(f"/case/tea/{case_id(1, 1)}")
    page.keyboard.press("m")
    say = page.locator("#say")
    expect(say).to_be_focused()
    expect(say).to_have_value("".join(["亲，", *say.input_value()[2:]]))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".case-undo")).to_contain_text("发消息")
    assert complaints == []


def test_another_script_is_chosen_and_its_gap_filled(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    page.goto(f"/case/tea/{case_id(1, 1)}")
    page.locator("#script-code").select_option("wrong_number")
    page.locator("#p-correct_number").fill("YT8800124")
    page.locator("#p-correct_number").press("Enter")
    expect(page.locator("#p-correct_number")).to_have_count(0)
    expect(page.locator("#say")).to_have_value(re.compile("YT8800124"))
    assert complaints == []


def test_a_picture_is_handed_in_and_shown(desk: tuple[Page, list[str]]) -> None:
    page, complaints = desk
    page.goto(f"/case/tea/{case_id(1, 6)}")
    expect(page.locator("#evidence-kind")).to_have_value("outer_pack_full_with_recipient")
    files = [{"name": "外箱.jpg", "mimeType": "image/jpeg", "buffer": photo(120)}]
    page.locator("#evidence-file").set_input_files(files)  # type: ignore[arg-type]
    page.locator("#evidence form button[data-once]").click()
    shown = page.locator(".proof-piece img")
    expect(shown).to_have_count(1)
    shown.scroll_into_view_if_needed()
    expect(shown).to_have_js_property("naturalWidth", 120)
    expect(page.locator(".guide-step")).to_have_text("请买家拍破损处")
    assert complaints == []
