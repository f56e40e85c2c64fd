"""Key R in the queue, with the real web, worker and sandbox: the form, one confirmation, the row leaves, the buyer is told.
And what the form keeps of what was typed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO

import psycopg
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from aftersale.cases.casework.contacts import Ruling, Wish, contact
from aftersale.cases.casework.place import Place
from aftersale.cases.casework.refusing import Reason, told
from tests.conftest import Database
from tests.people.browser import chromium, enter, site
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id
from tests.people.test_browser_story import Market, hours_later, market, signed_in

__all__ = ["market"]

WAITS = """SELECT q.case_id, moment() FROM queue_item q JOIN cases c USING (shop_id, case_id)
WHERE c.aftersale_type = 'return_refund' AND c.state = 'applied' AND c.reason <> 'seven_day_no_reason'
  AND c.operation_limit = 'none' AND c.intervened IS NOT TRUE AND (c.fault IN ('seller', 'courier')) IS NOT TRUE
ORDER BY q.due_at DESC, q.case_id LIMIT 1"""

# Until the rest of the morning is known a case may wait that a rule agrees to a moment later.
DIGESTED = "SELECT true WHERE NOT EXISTS (SELECT FROM arrival_todo) AND NOT EXISTS (SELECT FROM to_fetch)"

MINE = case_id(1, 2)
REASONS = [Reason(1, "已经发货"), Reason(2, "商品影响二次销售")]


@pytest.fixture
def picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (800, 600), "brown").save(made, "JPEG")
    return made.getvalue()


def test_key_r_a_form_one_confirmation_and_the_platform_has_refused(market: Market, picture: bytes) -> None:
    with chromium() as browser:
        agent = signed_in(browser, market, "客服小明")
        hours_later(market, 3)
        market.soon(lambda: not market.sandbox.control.state().pushes_waiting and market.rows(DIGESTED))
        ((case_id, now),) = market.soon(lambda: market.rows(WAITS))
        with psycopg.connect(market.database.app) as conn:
            place = Place(1, case_id, "客服小明", now)
            assert (
                contact(conn, place, Wish("phone", "问一问"), now - timedelta(hours=3), lambda _: Ruling())
                is None
            )
        agent.goto(f"/case/demo1/{case_id}")
        agent.keyboard.press("r")
        expect(agent.get_by_text("您将拒绝订单")).to_be_visible(timeout=15_000)
        agent.goto("/queue?shop=demo1&tab=return_refund&reason=" + _reason(market, case_id))
        row = agent.locator(f"[data-row][data-open$='/{case_id}']")
        row.locator(".c-kind").click()
        expect(agent.locator("#dock [data-key=r]")).to_be_visible()
        agent.keyboard.press("r")
        expect(agent.locator("#dock .refuse-what")).to_be_visible(timeout=15_000)
        agent.get_by_label("平台的理由").select_option(label="商品影响二次销售")
        words = agent.locator("#refuse-message")
        expect(words).to_have_value(re.compile("因为商品影响二次销售，"))
        words.fill("亲，很抱歉，商品影响二次销售，这次没法同意。")
        agent.locator("#refuse-proof").set_input_files(
            {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture}
        )
        agent.get_by_role("button", name=re.compile("^拒绝申请 ¥")).click()
        expect(agent.locator("#toasts").get_by_text("「拒绝」将在 30 秒后发出")).to_be_visible()
        expect(row).to_have_class(re.compile(r"\bgone\b"))
        market.soon(lambda: status(market, case_id) == "SELLER_REFUSE_BUYER")
        query = "SELECT state FROM cases WHERE case_id = %s"
        market.soon(lambda: market.rows(query, case_id) == [("seller_refused",)])
        assert market.rows("SELECT state, planned_by FROM intent WHERE kind = 'refuse'") == [
            ("done", "客服小明")
        ]
        agent.goto(f"/case/demo1/{case_id}")
        expect(agent.get_by_text("拒绝的理由「商品影响二次销售」")).to_be_visible()


def _reason(market: Market, case_id: str) -> str:
    ((reason,),) = market.rows("SELECT reason FROM cases WHERE case_id = %s", case_id)
    return str(reason)


def status(market: Market, case_id: str) -> str:
    found = [row for row in market.sandbox.control.applications() if row["refund_id"] == case_id]
    return str(found[0]["status"])


@contextmanager
def asking(shops: Database, case: str, scripts: bool = True) -> Iterator[Page]:
    """客服小明 before the page that waits for the platform's reasons for this case."""
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE shop SET base_url = 'http://127.0.0.1:9', app_key = 'k' WHERE id = 1")
        conn.execute("UPDATE cases SET contact_count = 1, application_version = 1 WHERE shop_id = 1")
        conn.execute("DELETE FROM refuse_reasons")
    with site() as address, chromium() as browser:
        page = browser.new_context(
            base_url=address, java_script_enabled=scripts, viewport={"width": 1280, "height": 800}
        ).new_page()
        enter(page, address, "客服小明", PASSWORD)
        page.goto(f"/case/tea/{case}/refuse")
        expect(page.get_by_text("正在向平台询问")).to_be_visible()
        yield page


def answer(shops: Database, case: str, version: int = 1, found: list[Reason] = REASONS) -> None:
    with psycopg.connect(shops.app) as conn:
        told(conn, 1, case, version, found, "")


def changed(shops: Database, case: str) -> None:
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE cases SET application_version = 2 WHERE case_id = %s", (case,))


def planned(shops: Database, case: str) -> list[tuple[object, ...]]:
    query = "SELECT reason_id, message, platform_version FROM refusing WHERE case_id = %s"
    with psycopg.connect(shops.app) as conn:
        return conn.execute(query, (case,)).fetchall()


def test_the_words_follow_the_reason_after_a_refused_form_and_after_the_way_back(shops: Database) -> None:
    with asking(shops, MINE) as agent:
        answer(shops, MINE)
        reason, words = agent.get_by_label("平台的理由"), agent.locator("#refuse-message")
        reason.select_option(label="已经发货")
        expect(words).to_have_value(re.compile("因为已经发货，"))
        agent.get_by_role("button", name=re.compile("^拒绝申请 ¥")).click()
        expect(agent.get_by_text("平台要求附上一张图片凭证")).to_be_visible()
        expect(words).to_have_value(re.compile("因为已经发货，"))
        reason.select_option(label="商品影响二次销售")
        expect(words).to_have_value(re.compile("因为商品影响二次销售，"))
        assert "已经发货" not in words.input_value()
        agent.goto(f"/case/tea/{MINE}/refuse")
        reason.select_option(label="已经发货")
        agent.get_by_role("link", name="不拒绝了").click()
        agent.wait_for_url(f"**/case/tea/{MINE}")
        agent.go_back()
        expect(words).to_have_value(re.compile("因为已经发货，"))
        expect(reason).to_have_value("1")
        reason.select_option(label="商品影响二次销售")
        expect(words).to_have_value(re.compile("因为商品影响二次销售，"))
        assert "已经发货" not in words.input_value()
    assert planned(shops, MINE) == []


def test_the_words_of_a_reason_that_holds_another_are_replaced_whole(shops: Database) -> None:
    with asking(shops, MINE) as agent:
        answer(shops, MINE, 1, [Reason(1, "已经发货"), Reason(3, "商品已经发货，$& 追不回")])
        reason, words = agent.get_by_label("平台的理由"), agent.locator("#refuse-message")
        reason.select_option(value="3")
        expect(words).to_have_value(re.compile(r"因为商品已经发货，\$& 追不回，"))
        reason.select_option(value="1")
        expect(words).to_have_value(re.compile("因为已经发货，"))
        assert "追不回" not in words.input_value()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_what_was_typed_comes_back_with_the_reasons_of_the_new_version(
    shops: Database, picture: bytes, scripts: bool
) -> None:
    with asking(shops, MINE, scripts) as agent:
        answer(shops, MINE)
        if not scripts:
            agent.get_by_role("button", name="再看一次").click()
        reason, words = agent.get_by_label("平台的理由"), agent.locator("#refuse-message")
        reason.select_option(label="商品影响二次销售")
        words.fill("亲，很抱歉，\n商品影响二次销售，这次没法同意。")
        agent.locator("#refuse-proof").set_input_files(
            {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture}
        )
        changed(shops, MINE)
        refuse = agent.get_by_role("button", name=re.compile("^拒绝申请 ¥"))
        refuse.click()
        expect(agent.get_by_text("正在向平台询问")).to_be_visible()
        answer(shops, MINE, 2)
        if not scripts:
            agent.get_by_role("button", name="再看一次").click()
        expect(words).to_have_value("亲，很抱歉，\n商品影响二次销售，这次没法同意。")
        expect(agent.get_by_text("请看过新内容再操作")).to_be_visible()
        expect(reason).to_have_value("2")
        expect(agent.locator("[name=evidence]").first).to_be_checked()
        assert planned(shops, MINE) == []
