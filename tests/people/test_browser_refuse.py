"""Key R in the queue, with the real web, worker and sandbox: the form, one confirmation, the row leaves, the buyer is told."""

import re
from datetime import timedelta
from io import BytesIO

import psycopg
import pytest
from PIL import Image
from playwright.sync_api import expect

from aftersale.cases.casework.contacts import Ruling, Wish, contact
from aftersale.cases.casework.place import Place
from tests.people.browser import chromium
from tests.people.test_browser_story import Market, hours_later, market, signed_in

__all__ = ["market"]

WAITS = """SELECT q.case_id, moment() FROM queue_item q JOIN cases c USING (shop_id, case_id)
WHERE c.aftersale_type = 'return_refund' AND c.state = 'applied' AND c.reason <> 'seven_day_no_reason'
  AND c.operation_limit = 'none' AND c.intervened IS NOT TRUE AND (c.fault IN ('seller', 'courier')) IS NOT TRUE
ORDER BY q.due_at DESC, q.case_id LIMIT 1"""


@pytest.fixture
def picture() -> bytes:
    made = BytesIO()
    Image.new("RGB", (800, 600), "brown").save(made, "JPEG")
    return made.getvalue()


def test_key_r_a_form_one_confirmation_and_the_platform_has_refused(market: Market, picture: bytes) -> None:
    with chromium() as browser:
        agent = signed_in(browser, market, "客服小明")
        hours_later(market, 3)
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
