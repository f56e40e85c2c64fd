"""Searching from a file taken in to the case, the list that is found taken away, and addresses with a slash too many."""

import re
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.cases.waiting import upkeep
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database
from tests.holding import tables_with
from tests.people.jobs import run_jobs
from tests.people.matrix import Route, routes
from tests.people.shops import case_id
from tests.people.test_files import looked_at

SignIn = Callable[[str], Client]
NUMBER = "13987653109"
ORDERS = (
    "订单编号,买家实际支付金额,订单状态,收货地址,联系手机,订单付款时间,订单创建时间,宝贝标题\n"
    f"410091800003,58.00,买家已付款，等待卖家发货,浙江省杭州市某街1号,'{NUMBER},2026-11-11 08:05:00,2026-11-11 08:04:00,茶\n"
)


def test_a_tail_from_a_file_finds_the_case_and_the_number_is_nowhere(
    sign_in: SignIn, shops: Database
) -> None:
    lan = sign_in("主管阿兰")
    assert "没有找到" in lan.get("/search?q=3109").content.decode()
    page = looked_at(lan, shops, "订单.csv", ORDERS.encode())
    assert NUMBER not in lan.get(page).content.decode()
    lan.post(f"{page}/import")
    assert run_jobs(shops) == 1
    assert lan.get("/search?q=3109")["Location"] == f"/case/tea/{case_id(1, 3)}"
    assert "没有找到" in sign_in("外人老吴").get("/search?q=3109").content.decode()
    assert "没有找到" in lan.get(f"/search?q={NUMBER}").content.decode()
    assert tables_with(shops.owner, NUMBER) == {"upload"}  # the person's own file, until its days are over


def test_what_was_found_can_be_taken_away(sign_in: SignIn) -> None:
    page = sign_in("主管阿兰").get("/search?q=龙井").content.decode()
    assert "没有找到" in page
    assert "/export/search" not in page


def test_an_empty_search_asks_what_for_and_a_full_list_says_so(
    sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    ming = sign_in("客服小明")
    page = ming.get("/search", {"q": " "}).content.decode()
    assert "请输入要找的内容" in page
    assert "没有找到" not in page
    for case in (f"tea/{case_id(1, 5)}", f"snack/{case_id(2, 7)}"):
        ming.post(f"/case/{case}/do/note", {"text": "两处都说到满减"})
    both = ming.get("/search", {"q": "满减"}).content.decode()
    assert both.count("search-hit") == 2
    assert "最多显示" not in both
    monkeypatch.setattr("aftersale.people.queue.HITS_MAX", 2)
    assert "最多显示 2 单。" in ming.get("/search", {"q": "满减"}).content.decode()


def plain_addresses() -> list[str]:
    """Every address that holds no name of a thing, without the program's own."""
    found: list[Route] = [one for one in routes() if not one.names and one.path]
    return sorted({f"/{one.path}" for one in found if not one.path.startswith("api/")})


def test_every_address_is_found_with_a_slash_too_many(sign_in: SignIn) -> None:
    lan = sign_in("主管阿兰")
    addresses = plain_addresses()
    assert {"/settings", "/queue", "/search", "/settings/shops", "/work-orders"} <= set(addresses)
    for address in addresses:
        assert not address.endswith("/")
        answer = lan.get(f"{address}/?q=a%20b&tab=%E5%85%A8")
        assert (answer.status_code, answer["Location"]) == (302, f"{address}?q=a%20b&tab=%E5%85%A8"), address
        assert lan.get(f"{address}//")["Location"] == address
        assert lan.post(f"{address}/").status_code == 404, address
    assert lan.get(f"/case/tea/{case_id(1, 2)}/")["Location"] == f"/case/tea/{case_id(1, 2)}"
    for nowhere in ("/no/", "/settings/no/", "/case/tea/"):
        assert lan.get(nowhere).status_code == 404, nowhere


def test_a_colleagues_note_is_found_by_its_words(sign_in: SignIn, shops: Database) -> None:
    ming = sign_in("客服小明")
    first, second = case_id(1, 5), case_id(2, 7)
    for where, said in (
        (f"tea/{first}", "买家要补发 发票，周三寄 ABC 快件"),
        (f"snack/{second}", "等仓库回话，补发坚果"),
    ):
        assert ming.post(f"/case/{where}/do/note", {"text": said}).status_code == 302
    assert ming.get("/search?q=发票")["Location"] == f"/case/tea/{first}"
    assert ming.get("/search?q=补发 坚果")["Location"] == f"/case/snack/{second}"
    assert ming.get("/search?q=abc")["Location"] == f"/case/tea/{first}"
    both = ming.get("/search?q=补发").content.decode()
    assert re.findall(r"search-hit\" href=\"/case/(\w+)/(\d+)", both) == [("tea", first), ("snack", second)]
    assert "/export/search.xlsx?q=" in both
    for nothing in ("补_", "%发", "发补", "补", "票 周三寄"):
        assert "search-hit" not in ming.get("/search", {"q": nothing}).content.decode(), nothing
    assert "没有找到" in sign_in("外人老吴").get("/search?q=补发").content.decode()


def test_old_notes_are_no_longer_looked_for_and_their_words_go(sign_in: SignIn, shops: Database) -> None:
    ming, old = sign_in("客服小明"), case_id(1, 6)
    ming.post(f"/case/tea/{old}/do/note", {"text": "陈年旧账"})
    assert ming.get("/search?q=旧账")["Location"] == f"/case/tea/{old}"
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE note_gram SET at = at - interval '91 days' WHERE case_id = %s", (old,))
    assert "没有找到" in ming.get("/search?q=旧账").content.decode()
    with opened(shops.app, settings=SETTINGS, autocommit=True) as app:
        assert upkeep.forget(app) == 3
        assert upkeep.forget(app) == 0
