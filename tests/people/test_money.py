"""The money page over HTTP against a real database."""

import re
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import NOON, case_id, stand_still

SignIn = Callable[[str], Client]
CASES = [case_id(1, number) for number in range(1, 8)]
ROW = """INSERT INTO ledger (shop_id, case_id, entry, order_id, amount_fen, origin, at)
  VALUES (%s, %s, %s, 'T1', %s, %s, %s)"""
RUN = """INSERT INTO reconciliation (shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen, differences, waiting,
  by_whom, head_seq, head_hash) VALUES (%s, %s, %s, %s, 3, 9000, 3, 8100, %s, 1, 'worker', 0, '') RETURNING id"""
DIFFERENCE = """INSERT INTO difference (shop_id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id)
  VALUES (%s, %s, %s, %s, %s, %s, %s)"""


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


@pytest.fixture(scope="module")
def money(shops: Database) -> Database:
    """Payments of two days in 青山茶铺, one taken back, three differences, and one payment of 老吴杂货."""
    ensure_user("财务小周", PASSWORD, {"tea": "finance"})
    with psycopg.connect(shops.app) as conn:
        stand_still(conn)
        entries = (
            (1, CASES[0], 1, 5_000, "automatic", NOON),
            (1, CASES[1], 1, 2_500, "person", NOON - timedelta(hours=1)),
            (1, CASES[2], 1, 1_200, "platform", NOON - timedelta(hours=2)),
            (1, CASES[2], 2, -1_200, "platform", NOON - timedelta(hours=1)),
            (1, CASES[3], 1, 700, "automatic", NOON - timedelta(days=1)),
            (3, case_id(3, 1), 1, 99_900, "automatic", NOON),
        )
        for row in entries:
            conn.execute(ROW, row)
        made = conn.execute(RUN, (1, NOON - timedelta(days=1), NOON, NOON, 3)).fetchone()
        assert made is not None
        for number, kind, ours, theirs in (
            (4, "only_theirs", 0, 3_600),
            (5, "only_ours", 4_500, 0),
            (6, "amount", 900, 800),
        ):
            conn.execute(DIFFERENCE, (1, CASES[number], kind, ours, theirs, NOON, made[0]))
    return shops


def test_figures_are_those_of_the_day_and_open_their_rows(money: Database, sign_in: SignIn) -> None:
    page = sign_in("财务小周").get("/money?day=2026-11-11")
    assert page.status_code == 200
    said = text(page.content)
    for figure in ("全部 · 2 笔 ¥75.00", "自动 · 1 笔 ¥50.00", "人工 · 1 笔 ¥25.00", "平台 · 0 笔 ¥0.00"):
        assert figure in said, figure
    rows = re.findall(r'money-row[^>]*href="/case/tea/(\d+)"', page.content.decode())
    assert rows == [CASES[0], CASES[1], CASES[2], CASES[2]]
    assert "平台 · 已经收回" in said
    assert "-¥12.00" in said
    link = re.search(r'href="(\?[^"]*origin=automatic[^"]*)"', page.content.decode())
    assert link
    automatic = (
        sign_in("财务小周").get("/money" + link[1].replace("&amp;", "&").split("#")[0]).content.decode()
    )
    assert re.findall(r'money-row[^>]*href="/case/tea/(\d+)"', automatic) == [CASES[0]]
    before = text(sign_in("财务小周").get("/money?day=2026-11-10").content)
    assert "全部 · 1 笔 ¥7.00" in before


def test_nothing_of_another_shop_is_shown(money: Database, sign_in: SignIn) -> None:
    for address in ("/money?day=2026-11-11", "/money?shop=wu&day=2026-11-11"):
        page = sign_in("财务小周").get(address).content.decode()
        assert "999" not in text(page.encode())
        assert "老吴" not in page
    wu = text(sign_in("外人老吴").get("/money?day=2026-11-11").content)
    assert "全部 · 1 笔 ¥999.00" in wu
    assert "青山茶铺" not in wu
    assert "还没有核对过" in wu


def test_who_does_not_answer_for_the_money_is_told_who_does(money: Database, sign_in: SignIn) -> None:
    page = sign_in("客服小明").get("/money")
    assert page.status_code == 403
    assert "这里由主管、财务、店主使用，您的角色没有这项权限" in text(page.content)
    assert "¥" not in text(page.content)


def test_an_odd_address_counts_as_none(money: Database, sign_in: SignIn) -> None:
    for query in (
        "day=x",
        "day=0001-01-01",
        "day=9999-12-31",
        "page=0",
        "page=-1",
        "page=99999",
        "page=²",
        "origin=x",
    ):
        assert sign_in("财务小周").get(f"/money?{query}").status_code == 200, query
    assert sign_in("财务小周").get("/money?shop=%00").status_code == 400
    beyond = sign_in("财务小周").get("/money?day=2026-11-11&page=9")
    assert "这一天没有退出的钱" in text(beyond.content)


def test_differences_say_what_to_do_and_are_resolved_with_a_note(money: Database, sign_in: SignIn) -> None:
    said = text(sign_in("财务小周").get("/money").content)
    for words in (
        "和平台不一致 3",
        "只有平台付了",
        "只有我们记了",
        "金额不同",
        "先不要再退一次",
        "以平台为准",
    ):
        assert words in said, words
    address = f"/money/difference/tea/{CASES[6]}"
    assert sign_in("客服小明").post(address, {"note": "好了"}).status_code == 403
    assert sign_in("外人老吴").post(address, {"note": "好了"}).status_code == 404
    assert sign_in("财务小周").get(address).status_code == 405
    empty = sign_in("财务小周").post(address, {"note": " "}, follow=True)
    assert "请用 1 到 500 个字写明" in text(empty.content)
    with psycopg.connect(money.app) as conn:
        open_now = conn.execute("SELECT count(*) FROM difference WHERE resolved_at IS NULL").fetchone()
    assert open_now == (3,)
    done = text(sign_in("财务小周").post(address, {"note": "多记的 1 元已改正"}, follow=True).content)
    assert "和平台不一致 2" in done
    assert "财务小周：多记的 1 元已改正" in done
    twice = sign_in("财务小周").post(address, {"note": "再来"}, follow=True)
    assert "没有待处理的差异" in text(twice.content)
    timeline = text(sign_in("财务小周").get(f"/case/tea/{CASES[6]}").content)
    assert "处理了和平台的差异：多记的 1 元已改正" in timeline


def test_a_broken_chain_is_shown(money: Database, sign_in: SignIn) -> None:
    assert "完整" in text(sign_in("财务小周").get("/money").content)
    with psycopg.connect(money.admin) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("UPDATE ledger SET amount_fen = 5100 WHERE case_id = %s", (CASES[0],))
    said = text(sign_in("财务小周").get("/money").content)
    assert "1 处对不上" in said
    assert f"{CASES[0]} 这一笔被改过" in said


def test_money_that_left_elsewhere_stands_in_the_timeline_of_its_case(
    money: Database, sign_in: SignIn
) -> None:
    elsewhere = text(sign_in("财务小周").get(f"/case/tea/{CASES[2]}").content)
    assert "退款 ¥12.00，不是从这里办的" in elsewhere
    assert "退款 ¥12.00 已经收回" in elsewhere
    ours = text(sign_in("财务小周").get(f"/case/tea/{CASES[0]}").content)
    assert "不是从这里办的" not in ours


def test_what_was_explained_is_not_called_equal(money: Database, sign_in: SignIn) -> None:
    zhou = sign_in("财务小周")
    for case in CASES[4:7]:
        zhou.post(f"/money/difference/tea/{case}", {"note": "查清了"})
    settled = text(zhou.get("/money").content)
    assert "没有待处理的差异" in settled
    assert "两边逐笔一致" not in settled
    with psycopg.connect(money.app) as conn:
        conn.execute(RUN, (1, NOON - timedelta(days=1), NOON, NOON + timedelta(minutes=1), 0))
    assert "最近一次核对，两边逐笔一致。" in text(zhou.get("/money").content)
