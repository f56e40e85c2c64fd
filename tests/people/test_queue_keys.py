"""The queue is cleared with the keyboard alone: no mouse, no page loaded anew."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from playwright.sync_api import Page, Route, expect

from aftersale.cases import actions, stage
from aftersale.cases.stage import Batch
from aftersale.core.records import Arrival
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people import shops as made
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD

CASES = 200


@pytest.fixture(scope="module")
def desk(shops: Database) -> Iterator[tuple[Page, list[str]]]:
    """主管阿兰 before some two hundred waiting cases of all kinds, with limits that let every second one pass at once."""
    with opened(shops.app, settings=SETTINGS) as conn:
        stage.prepare(conn)
        decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
        kinds = made.kinds()
        batch = Batch()
        for number in range(100, 100 + CASES + 120):
            for n, record in enumerate(made._case(1, number, kinds[number % len(kinds)], made.NOON)):
                batch.add(1, Arrival(record, f"keys:{number}:{n}", made.NOON))
        with conn.transaction():
            actions.merge(conn, batch, made.NOON)
            decider.decide(made.NOON)
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


def waiting(shops: Database) -> int:
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute("SELECT count(*) FROM queue_item WHERE shop_id = 1").fetchone()
    assert row is not None
    return int(row[0])


def begin_note(page: Page, words: str) -> None:
    """On the first row of a short queue."""
    page.goto("/queue?shop=tea&reason=missing_item")
    page.keyboard.press("j")
    page.keyboard.press("n")
    expect(page.locator("[data-focus=n]")).to_be_focused()
    page.keyboard.type(words)


def held_back(page: Page, address: str) -> list[Route]:
    """The requests to such addresses, from now on: each waits until it is continued."""
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route(re.compile(address), hold)
    return late


def test_what_was_done_on_a_row_can_be_taken_back(desk: tuple[Page, list[str]], shops: Database) -> None:
    page, complaints = desk
    begin_note(page, "ajrx 先问仓库")
    page.keyboard.press("Enter")
    expect(page.locator("#dock")).to_contain_text("备注已保存。")
    mine = page.locator("[data-row].here .c-case a").inner_text()
    late = held_back(page, "/dock/")  # the bar of the row to which the desk moves on
    with page.expect_request(re.compile("/dock/")):
        page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("¥12.50")
    expect(page.locator("[data-row].gone")).to_have_count(1)
    page.keyboard.press("z")
    expect(page.locator("#toasts")).to_contain_text("已撤回")
    expect(page.locator("#dock")).to_contain_text("已撤回「同意退款」，这张售后单会重新判断。")
    expect(page.locator("#dock")).not_to_contain_text("已经不在队列里")
    expect(page.locator("[data-row].here .c-case a")).to_have_text(mine)
    assert len(late) == 1
    with page.expect_response(re.compile("/dock/")):
        late[0].continue_()
    page.unroute_all()
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    expect(page.locator("#dock")).to_contain_text("已撤回「同意退款」，这张售后单会重新判断。")
    with psycopg.connect(shops.owner) as conn:
        states = conn.execute("SELECT state FROM intent WHERE case_id = %s AND money", (mine,)).fetchall()
        notes = conn.execute(
            "SELECT what FROM happening WHERE case_id = %s AND kind = 'note'", (mine,)
        ).fetchall()
    assert states == [("cancelled",)]
    assert notes == [("ajrx 先问仓库",)]
    assert complaints == []


def test_an_answer_for_a_row_that_was_left_leaves_the_cursor_where_it_is(
    desk: tuple[Page, list[str]],
) -> None:
    page, complaints = desk
    begin_note(page, "问过仓库")
    late = held_back(page, "/note$")
    with page.expect_request(re.compile("/note$")):
        page.keyboard.press("Enter")
    other = page.locator("[data-row]").nth(1)
    other.locator("td").last.click()
    mine = other.get_attribute("id")
    assert mine is not None
    expect(page.locator("#dock .dock-case")).to_have_attribute("data-for", mine)
    with page.expect_response(re.compile("/dock/")):  # its bar is asked for anew
        late[0].continue_()
    page.unroute_all()
    expect(page.locator("[data-row].here")).to_have_attribute("id", mine)
    expect(page.locator("#dock .dock-case")).to_have_attribute("data-for", mine)
    assert complaints == []


def test_two_hundred_cases_are_cleared_by_keys(desk: tuple[Page, list[str]], shops: Database) -> None:
    page, complaints = desk
    page.goto("/queue?shop=tea")
    page.evaluate("window.sameDocument = true")
    before = waiting(shops)
    assert before >= CASES
    page.keyboard.press("j")
    row = page.locator("[data-row].here")
    for number in range(before):
        here = row.get_attribute("id")
        assert here
        page.locator(f'#dock .dock-case[data-for="{here}"]').wait_for()
        intercepts = number % 2 and page.locator("#dock [data-key=i]").count()
        page.keyboard.press("i" if intercepts else "a")
        page.wait_for_function(
            "id => { const row = document.getElementById(id);"
            " return (!row || row.classList.contains('gone') || document.querySelector('#dock .dock-refused')) }",
            arg=here,
        )
        if page.locator("#dock .dock-refused").count():
            page.keyboard.press("i")
        page.wait_for_function(
            "id => document.querySelector('[data-row].here')?.id !== id || !document.querySelector('[data-row]')",
            arg=here,
        )
        if not page.locator("[data-row]").count():
            break
    assert page.evaluate("window.sameDocument") is True
    assert waiting(shops) == 0
    assert complaints == []
