"""Work orders before a real browser, by the keyboard alone."""

from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id

AGENT, STOCK = "客服小明", "仓库老李"


@pytest.fixture(scope="module")
def address(shops: Database) -> Iterator[str]:
    ensure_user(STOCK, PASSWORD, {"tea": "warehouse"})
    with site() as at:
        yield at


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def entered(browser: Browser, address: str, name: str) -> tuple[Page, list[str]]:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    faults: list[str] = []
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    enter(page, address, name, PASSWORD)
    return page, faults


def test_an_order_goes_from_the_case_to_the_warehouse_without_a_mouse(
    shops: Database, address: str, browser: Browser
) -> None:
    agent, faults = entered(browser, address, AGENT)
    agent.goto(f"{address}/case/tea/{case_id(1, 10)}")
    agent.keyboard.press("t")
    agent.wait_for_url("**/work-orders/tea/new?case=*")
    agent.get_by_role("link", name="核查少件错发").press("Enter")
    agent.get_by_label("少了或错了什么").fill("少一袋桂花乌龙")
    agent.get_by_label("少了或错了什么").press("Enter")
    expect(agent.get_by_text("工单已开，相关部门已经能看到。")).to_be_visible()

    stock, more = entered(browser, address, STOCK)
    stock.goto(f"{address}/work-orders")
    expect(stock.locator("[data-card]")).to_have_count(1)
    stock.keyboard.press("j")
    stock.keyboard.press("t")
    expect(stock.get_by_text("已接手，做完请点完成。")).to_be_visible()
    stock.keyboard.press("j")
    stock.keyboard.press("Enter")
    stock.get_by_label("核查结果").select_option("ours")
    stock.get_by_label("给下一步的留言").first.fill("监控里只装了一袋")
    stock.get_by_role("button", name="完成，交给下一步").first.press("Enter")
    expect(stock.get_by_text("这一步已完成，下一步的部门马上会看到。")).to_be_visible()
    with psycopg.connect(shops.owner) as conn:
        done = conn.execute(
            "SELECT state, owner, note FROM work_order_step WHERE code = 'recording'"
        ).fetchall()
    assert done == [("done", STOCK, "监控里只装了一袋")]
    agent.goto(f"{address}/case/tea/{case_id(1, 10)}")
    expect(agent.locator("#work-orders")).to_contain_text("核查少件错发")
    assert faults + more == []
