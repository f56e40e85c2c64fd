"""The whole story, with the real web, worker and sandbox: an application arrives, one person agrees, a second one approves,
the sandbox pays, the row leaves the queue."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from aftersale.cli import children
from aftersale.clock import follow
from aftersale.core.money import yuan_text
from aftersale.demo import sandbox_shops
from aftersale.people.accounts import ensure_user
from tests.conftest import Database, fresh
from tests.people.browser import chromium, enter
from tests.people.conftest import PASSWORD
from tests.pg.cluster import Urls
from tests.sandbox.running import START, Running, running

SPEED, PATIENCE_S = 20.0, 120.0
DAY = ("--applications", "400", "--shops", "1", "--qps", "400")
# Above what an agent may give alone, within what a lead may.
WAITS = """SELECT q.case_id, q.asked_fen FROM queue_item q JOIN cases c USING (shop_id, case_id)
WHERE c.aftersale_type LIKE '%refund_only' AND c.state = 'applied' AND q.asked_fen BETWEEN 20001 AND 50000
  AND q.action = 'agree_refund' ORDER BY q.asked_fen, q.case_id LIMIT 1"""


@dataclass(frozen=True)
class Market:
    """A shop with its platform; everything in processes of its own."""

    url: str
    sandbox: Running
    database: Database
    logs: Path

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database.app) as conn:
            return conn.execute(query.encode(), values or None).fetchall()

    def told(self) -> str:
        """What the processes said and what became of the money."""
        logs = [path.read_text()[-1000:] for path in sorted(self.logs.glob("*.log"))]
        return "\n".join([*logs, str(self.rows("SELECT kind, state, outcome FROM intent WHERE money"))])

    def soon(self, what: Callable[[], Any]) -> Any:
        """The first answer that is something."""
        end = time.monotonic() + PATIENCE_S
        while not (found := what()):
            assert time.monotonic() < end, self.told()
            time.sleep(0.1)
        return found


@contextmanager
def process(arguments: list[str], database: Database, log: Path) -> Iterator[subprocess.Popen[str]]:
    one = children.start(arguments, database.environment(), log)
    try:
        yield one
    finally:
        children.stop([one])


@pytest.fixture(scope="module")
def market(embedded_server: Urls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """青山茶铺's web and worker at the sandbox's time, twenty times as fast as ours; nothing has happened yet."""
    logs = tmp_path_factory.mktemp("story")
    for database in fresh(embedded_server):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in database.environment().items():
                patch.setenv(name, value)
            connections.close_all()
            with process(["web", "--port", "0", "--json"], database, logs / "web.log") as web:
                url = children.address(web, logs / "web.log")
                with running(*DAY, "--push-url", f"{url}/hooks") as sandbox:
                    _opened(sandbox, database)
                    with process(["work", "--ask-after-s", "1"], database, logs / "work.log"):
                        yield Market(url, sandbox, database, logs)
            connections.close_all()


def _opened(sandbox: Running, database: Database) -> None:
    with psycopg.connect(database.app) as conn:
        shops = [(one.code, one.platform, one.session) for one in sandbox.control.state().shops]
        sandbox_shops(conn, sandbox.url, shops, START - timedelta(hours=1))
        follow(conn, sandbox.control.state().now, 0.0)
        conn.commit()
    for name, role in (("客服小明", "agent"), ("主管阿兰", "lead")):
        ensure_user(name, PASSWORD, {code: role for code, _, _ in shops})


def hours_later(market: Market, hours: int) -> None:
    """It is that late in the morning, and time begins to run."""
    state = market.sandbox.control.jump(START + timedelta(hours=hours))
    market.sandbox.control.speed(SPEED)
    with psycopg.connect(market.database.app) as conn:
        follow(conn, state.now, SPEED)
        conn.commit()


def signed_in(browser: Browser, market: Market, name: str) -> Page:
    page = browser.new_context(base_url=market.url, viewport={"width": 1280, "height": 800}).new_page()
    enter(page, market.url, name, PASSWORD)
    return page


def test_an_application_arrives_two_people_agree_the_platform_pays_and_the_row_goes(market: Market) -> None:
    with chromium() as browser:
        agent, lead = signed_in(browser, market, "客服小明"), signed_in(browser, market, "主管阿兰")
        expect(agent.locator("[data-row]")).to_have_count(0)
        hours_later(market, 3)
        ((case_id, amount_fen),) = market.soon(lambda: market.rows(WAITS))
        agent.goto("/queue")
        row = agent.locator(f"[data-row][data-open$='/{case_id}']")
        expect(row).to_contain_text(yuan_text(amount_fen))
        agent.goto(f"/case/demo1/{case_id}")
        agent.get_by_role("button", name=f"同意退款 {yuan_text(amount_fen)}（须复核）").click()
        expect(agent.get_by_text("超过您的额度，已提交复核")).to_be_visible()
        assert paid(market, case_id) == ([], [])

        agent.goto("/approvals")
        expect(agent.get_by_text("自己提交的要由另一位同事复核")).to_be_visible()
        lead.goto("/approvals")
        lead.get_by_role("button", name=f"同意退款 {yuan_text(amount_fen)}").click()
        expect(lead.get_by_text("已同意，30 秒后发出")).to_be_visible()

        market.soon(lambda: all(paid(market, case_id)))
        assert paid(market, case_id) == ([amount_fen], [(amount_fen, "客服小明", "主管阿兰")])
        agent.goto("/queue")
        expect(agent.locator("[data-row]").first).to_be_visible()
        expect(row).to_have_count(0)
        agent.goto(f"/case/demo1/{case_id}")
        expect(agent.get_by_text("已退款").first).to_be_visible()


def paid(market: Market, case_id: str) -> tuple[list[int], list[tuple[Any, ...]]]:
    """What the platform paid for the case, and what the record holds to be paid, by whom."""
    there = [one.amount_fen for one in market.sandbox.control.ledger() if one.refund_id == case_id]
    query = """SELECT l.amount_fen, i.planned_by, i.approved_by FROM ledger l
      JOIN intent i USING (shop_id, case_id) WHERE case_id = %s AND i.money"""
    return there, market.rows(query, case_id)
