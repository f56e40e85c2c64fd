"""What moves by itself on the queue never acts for anybody: the next case waits for a look, rows stay where they are, notices tell
the end."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from aftersale.cases import actions, stage
from aftersale.core.records import Arrival
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people import shops as made
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD

AGREED = "SELECT case_id FROM intent WHERE kind = 'agree_refund' AND planned_by = '主管阿兰' AND state = 'approved' ORDER BY 1"
AGREE = "#dock [data-key=a]:has-text('同意退款')"


@pytest.fixture(scope="module")
def door(shops: Database) -> Iterator[tuple[Browser, str]]:
    """A browser before twenty cases that ask for ¥12.50 each."""
    kind = next(kind for kind in made.kinds() if kind.reason == "missing_item")
    with opened(shops.app, settings=SETTINGS) as conn:
        stage.prepare(conn)
        decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
        records = [record for number in range(500, 520) for record in made._case(1, number, kind, made.NOON)]
        arrivals = [(1, Arrival(record, f"still:{n}", made.NOON)) for n, record in enumerate(records)]
        with conn.transaction():
            actions.merge(conn, actions.staged(arrivals), made.NOON)
            decider.decide(made.NOON)
    with site() as address, chromium() as browser:
        yield browser, address


@pytest.fixture
def page(door: tuple[Browser, str]) -> Iterator[Page]:
    """主管阿兰 with a mouse."""
    browser, address = door
    with browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        enter(page, address, "主管阿兰", PASSWORD)
        yield page


@pytest.fixture
def phone(door: tuple[Browser, str]) -> Iterator[Page]:
    """主管阿兰 with a thumb."""
    browser, address = door
    with browser.new_context(
        base_url=address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        enter(page, address, "主管阿兰", PASSWORD)
        yield page


def asked(shops: Database, query: str, *values: object) -> list[str]:
    with psycopg.connect(shops.owner) as conn:
        return [str(row[0]) for row in conn.execute(query.encode(), values or None).fetchall()]


def told(shops: Database, query: str, *values: object) -> None:
    with psycopg.connect(shops.owner) as conn:
        conn.execute(query.encode(), values)


def chosen(page: Page) -> str:
    """The case that is selected and shown with its button of money."""
    page.goto("/queue?shop=tea&reason=missing_item")
    page.locator("[data-row] .c-kind").first.click()
    expect(page.locator(AGREE)).to_be_visible()
    return page.locator("[data-row].here .c-case a").inner_text()


def next_one(page: Page, before: str) -> str:
    """The case to which the queue moves on by itself, once it is shown."""
    shown = page.locator(f"#dock .dock-case a:not(:text-is('{before}'))")
    expect(shown).to_be_visible()
    expect(page.locator(AGREE)).to_be_visible()
    return shown.inner_text()


def test_a_late_second_click_refunds_nobody_else(page: Page, shops: Database) -> None:
    first = chosen(page)
    before = asked(shops, AGREED)
    page.locator(AGREE).hover()
    page.mouse.down()
    page.mouse.up()
    second = next_one(page, first)
    expect(page.locator(AGREE)).to_have_attribute("aria-disabled", "true")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator(".dock-look")).to_contain_text("先看一眼下一单")
    assert asked(shops, AGREED) == sorted([*before, first])
    box = page.locator(AGREE).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 3, box["y"] + 3)
    page.mouse.move(box["x"] + 24, box["y"] + 6)
    expect(page.locator(AGREE)).not_to_have_attribute("aria-disabled", "true")
    page.mouse.down()
    page.mouse.up()
    expect(page.locator("#toasts .notice")).to_have_count(2)
    assert asked(shops, AGREED) == sorted([*before, first, second])


def test_a_held_key_acts_once_and_a_new_press_acts_again(page: Page, shops: Database) -> None:
    first = chosen(page)
    before = asked(shops, AGREED)
    page.keyboard.down("a")
    second = next_one(page, first)
    page.keyboard.down("a")
    page.keyboard.down("a")
    page.keyboard.up("a")
    assert asked(shops, AGREED) == sorted([*before, first])
    page.keyboard.press("a")
    expect(page.locator("#toasts .notice")).to_have_count(2)
    assert asked(shops, AGREED) == sorted([*before, first, second])


def test_a_second_tap_waits_for_a_look(phone: Page, shops: Database) -> None:
    first = chosen(phone)
    before = asked(shops, AGREED)
    box = phone.locator(AGREE).bounding_box()
    assert box is not None
    spot = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    phone.touchscreen.tap(*spot)
    second = next_one(phone, first)
    expect(phone.locator(AGREE)).to_have_attribute("aria-disabled", "true")
    phone.locator(AGREE).tap(force=True)
    expect(phone.locator(".dock-look")).to_be_visible()
    assert asked(shops, AGREED) == sorted([*before, first])
    expect(phone.locator(AGREE)).not_to_have_attribute("aria-disabled", "true")
    phone.locator(AGREE).tap()
    expect(phone.locator("#toasts .notice")).to_have_count(2)
    assert asked(shops, AGREED) == sorted([*before, first, second])


def test_the_notice_of_a_phone_covers_neither_case_nor_reason(phone: Page) -> None:
    first = chosen(phone)
    phone.locator(AGREE).tap()
    next_one(phone, first)
    notice = phone.locator("#toasts .notice").bounding_box()
    dock = phone.locator("#dock").bounding_box()
    assert notice
    assert dock
    assert notice["height"] <= 50
    assert notice["y"] + notice["height"] <= dock["y"]
    assert 0 <= notice["x"] <= notice["x"] + notice["width"] <= 390


def test_the_notice_tells_the_end(page: Page, shops: Database) -> None:
    first = chosen(page)
    page.keyboard.press("a")
    second = next_one(page, first)
    page.keyboard.press("a")
    notices = page.locator("#toasts .notice")
    expect(notices).to_have_count(2)
    change = "UPDATE intent SET state = %s, outcome = %s WHERE case_id = %s AND kind = 'agree_refund'"
    for case in (first, second):
        told(shops, change, "sending", None, case)
    told(shops, change, "done", None, first)
    told(shops, change, "refused", "refused 120 售后单已经关闭", second)
    good, bad = page.locator(".notice-good"), page.locator(".notice-bad")
    expect(good).to_contain_text("✓ 已退款 ¥12.50", timeout=15_000)
    expect(bad).to_contain_text("「同意退款 ¥12.50」没有办成，平台说：120 售后单已经关闭")
    expect(bad.get_by_role("link")).to_have_attribute("href", f"/case/tea/{second}")
    expect(page.locator("#toasts [data-key=z]")).to_have_count(0)
    expect(good).to_have_count(0, timeout=15_000)
    page.locator("[data-row].gone .c-kind").first.click()
    expect(page.locator("#dock .dock-said")).to_contain_text("✓ 已退款 ¥12.50")
    bad.get_by_role("button", name="关闭").click()
    expect(notices).to_have_count(0)


def test_new_cases_are_announced_without_moving_a_row(page: Page, shops: Database) -> None:
    page.goto("/queue?shop=snack")
    row = page.locator("[data-row]").first
    before = row.bounding_box()
    told(shops, "UPDATE queue_item SET since = moment() + interval '1 minute' WHERE shop_id = %s", 2)
    expect(page.locator("#fresh")).to_contain_text("条新单", timeout=15_000)
    assert row.bounding_box() == before
    page.set_viewport_size({"width": 390, "height": 844})
    narrow = row.bounding_box()
    page.locator("#fresh").evaluate("banner => banner.replaceChildren()")
    assert row.bounding_box() == narrow
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
