"""Personal data is masked, looked at with a reason, and the log says who looked."""

import re
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.people.rights.masking import masked, masked_words
from tests.conftest import Database
from tests.people.shops import case_id

SignIn = Callable[[str], Client]
CASE = case_id(1, 2)
BUYER, SAID = "AAE2x9f2", "请打 13812345678 或 138-1234-5678 联系张先生，邮箱 li.lei@example.com"


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


@pytest.fixture(scope="module", autouse=True)
def told(shops: Database) -> None:
    """The buyer wrote a phone number into the application."""
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE cases SET reason_text = %s WHERE shop_id = 1 AND case_id = %s", (SAID, CASE))


def log(shops: Database) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute("SELECT who, shop_id, what, target, why FROM audit ORDER BY id").fetchall()


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        ("张三", "张*"),
        ("欧阳小明", "欧***"),
        ("13812345678", "138****5678"),
        ("AAE2x9f2", "AA****"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_what_identifies_somebody_is_masked(whole: str | None, shown: str) -> None:
    assert masked(whole) == shown


@pytest.mark.parametrize(
    ("whole", "shown"),
    [
        ("电话13812345678。", "电话138****5678。"),
        ("１３８１２３４５６７８", "１３８****５６７８"),
        ("138 1234 5678", "138****5678"),
        ("固话 0571-87654321", "固话 0571-****4321"),
        ("身份证 11010519900307123X", "身份证 110***********123X"),
        ("写信 li.lei@example.com", "写信 l***@example.com"),
        ("运单 SF1300000000123，订单 410091800012", "运单 SF1300000000123，订单 410091800012"),
        (None, ""),
    ],
)
def test_what_somebody_wrote_is_shown_without_their_numbers(whole: str | None, shown: str) -> None:
    assert masked_words(whole) == shown


def test_the_case_masks_and_a_look_needs_a_reason(sign_in: SignIn, shops: Database) -> None:
    desk = sign_in("客服小明")
    page = text(desk.get(f"/case/tea/{CASE}").content)
    assert "138****5678" in page
    for secret in (BUYER, "13812345678", "138-1234-5678", "li.lei@"):
        assert secret not in page, secret
    before = log(shops)
    for what in ("buyer", "words"):
        asked = desk.get(f"/case/tea/{CASE}/unmask/{what}")
        assert (asked.status_code, BUYER in asked.content.decode(), "13812345678" in asked.content.decode()) == (
            200, False, False,
        )  # fmt: skip
        for empty in ("", "   "):
            refused = desk.post(f"/case/tea/{CASE}/unmask/{what}", {"why": empty})
            assert (refused.status_code, "请写明为什么要看" in refused.content.decode()) == (422, True)
            assert BUYER not in refused.content.decode()
    assert log(shops) == before
    shown = desk.post(f"/case/tea/{CASE}/unmask/buyer", {"why": "买家来电核对"})
    assert (shown.status_code, BUYER in shown.content.decode(), shown["Cache-Control"]) == (
        200,
        True,
        "no-store",
    )
    words = desk.post(f"/case/tea/{CASE}/unmask/words", {"why": "回拨"}).content.decode()
    assert "13812345678" in words
    assert log(shops)[len(before) :] == [
        ("客服小明", 1, "unmask", f"tea/{CASE}/buyer", "买家来电核对"),
        ("客服小明", 1, "unmask", f"tea/{CASE}/words", "回拨"),
    ]


def test_what_is_not_theirs_is_neither_shown_nor_written_down(sign_in: SignIn, shops: Database) -> None:
    before = log(shops)
    for address in (
        f"/case/tea/{CASE}/unmask/buyer",
        "/case/tea/2699/unmask/buyer",
        f"/case/wu/{CASE}/unmask/buyer",
    ):
        assert sign_in("外人老吴").post(address, {"why": "看看"}).status_code == 404
    assert sign_in("客服小明").post(f"/case/tea/{CASE}/unmask/password", {"why": "看看"}).status_code == 404
    assert log(shops) == before


def test_the_looks_of_a_day_are_capped_by_a_setting(sign_in: SignIn, shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE shop SET settings = settings || '{\"unmask_per_day\": 3}' WHERE code = 'tea'")
    looks = [
        sign_in("主管阿兰").post(f"/case/tea/{CASE}/unmask/buyer", {"why": f"第 {n} 次"}) for n in range(5)
    ]
    assert [look.status_code for look in looks] == [200, 200, 200, 422, 422]
    assert "查看的次数已经用完" in looks[4].content.decode()
    assert BUYER not in looks[4].content.decode()
    assert sum(row[0] == "主管阿兰" for row in log(shops)) == 3


def test_the_log_is_searched_by_its_shops_lead(sign_in: SignIn, shops: Database) -> None:
    assert sign_in("客服小明").get("/audit").status_code == 403
    with psycopg.connect(shops.owner) as conn:
        rows = [
            ("2026-11-10 23:59:59+08", "店主", 3, "export", "wu/queue", ""),
            ("2026-11-11 00:00:00+08", "主管阿兰", 2, "setting", "snack/agent_refund_max", "大促"),
            ("2026-11-11 08:00:00+08", "系统", None, "rights", "everywhere", ""),
        ]
        for row in rows:
            conn.execute(
                "INSERT INTO audit (at, who, shop_id, what, target, why) VALUES (%s, %s, %s, %s, %s, %s)", row
            )
    lead = sign_in("主管阿兰")
    whole = text(lead.get("/audit").content)
    assert ("snack/agent_refund_max" in whole, "wu/queue" in whole, "everywhere" in whole) == (
        True,
        False,
        False,
    )
    found = lead.get("/audit?shop=snack&who=主管阿兰&what=setting&since=2026-11-11&until=2026-11-11").content
    assert ("snack/agent_refund_max" in text(found), "unmask" in text(found)) == (True, False)
    assert "没有符合的记录" in text(lead.get("/audit?until=2026-11-10&shop=snack").content)
    assert "snack/agent" not in text(lead.get("/audit?what=export").content)
    for odd in (
        "shop=wu",
        "since=x",
        "until=9999-99-99",
        "before=１",
        "before=99999999999999999999",
    ):
        assert (lead.get(f"/audit?{odd}").status_code, "wu/queue" in text(lead.get(f"/audit?{odd}").content)) == (
            200, False,
        ), odd  # fmt: skip
    assert "wu/queue" in text(sign_in("外人老吴").get("/audit").content)


def test_the_log_is_only_added_to(shops: Database) -> None:
    for statement in ("UPDATE audit SET why = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        for url in (shops.app, shops.owner):
            with psycopg.connect(url) as conn, pytest.raises(psycopg.Error):
                conn.execute(statement)
