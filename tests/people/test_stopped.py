"""A stopped shop is said on every page of those who work there, and by every act that has to wait for it."""

import html
import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.test import Client

from aftersale.people.inplace.fate import Fate
from tests.conftest import Database
from tests.people.shops import NOON, case_id

SignIn = Callable[[str], Client]
WAITS = case_id(1, 2)
PAGES = ("/queue", f"/case/tea/{WAITS}", "/approvals", "/board", "/todo", "/switches")
AUTOMATIC = "青山茶铺已停止自动付款，人工照常（主管阿兰，11-11 12:00 起） 去总闸"
WHOLE = "青山茶铺已全部停止，人工的也不会发出（主管阿兰，11-11 12:00 起） 去总闸"


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.decode())))


@pytest.fixture(autouse=True)
def released(shops: Database) -> Iterator[None]:
    yield
    with psycopg.connect(shops.owner) as conn:
        conn.execute("DELETE FROM switch")


def throw(client: Client, action: str, stopped: str, why: str = "先查清") -> str:
    form = {"shop_id": "1", "action": action, "stopped": stopped, "why": why}
    answer = client.post("/switches", form)
    assert (answer.status_code, answer["Location"]) == (302, "/switches#place-1")
    return text(client.get("/switches").content)


@pytest.mark.parametrize(("action", "line"), [("automatic_money", AUTOMATIC), ("", WHOLE)])
def test_every_page_of_the_shop_s_people_says_so_until_it_is_released(
    sign_in: SignIn, action: str, line: str
) -> None:
    lead, agent, stranger = map(sign_in, ("主管阿兰", "客服小明", "外人老吴"))
    assert line.partition("（")[0] + "。几秒内生效。" in throw(lead, action, "1")
    for page in PAGES:
        assert line in text(agent.get(page).content), page
    for page in ("/queue", "/approvals", "/board", "/todo", "/switches"):
        assert "青山茶铺" not in text(stranger.get(page).content), page
        assert "desk-stopped" not in stranger.get(page).content.decode(), page
    throw(lead, action, "0")
    for page in PAGES:
        assert "desk-stopped" not in agent.get(page).content.decode(), page


def test_what_a_wider_stop_contains_is_not_said_twice(sign_in: SignIn) -> None:
    lead = sign_in("主管阿兰")
    throw(lead, "intercept", "1")
    assert "青山茶铺已停止「拦截快递」，其他照常（主管阿兰" in text(lead.get("/queue").content)
    throw(lead, "", "1")
    page = lead.get("/queue").content
    assert WHOLE in text(page)
    assert "拦截快递」，其他照常" not in text(page)


def test_everything_stopped_is_said_to_everybody(sign_in: SignIn, shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        conn.execute("INSERT INTO switch VALUES (0, '', true, '演练', '店主', moment())")
    for name in ("客服小明", "外人老吴"):
        page = text(sign_in(name).get("/queue").content)
        assert "全部店铺已全部停止，人工的也不会发出（店主，11-11 12:00 起）" in page


def test_a_shop_s_card_says_when_all_shops_are_stopped(sign_in: SignIn, shops: Database) -> None:
    lead = sign_in("主管阿兰")
    assert "和全部店铺一起停着" not in text(lead.get("/switches").content)
    with psycopg.connect(shops.owner) as conn:
        conn.execute("INSERT INTO switch VALUES (0, 'automatic_money', true, '演练', '店主', moment())")
    page = lead.get("/switches").content.decode()
    for shop_id in (1, 2):
        card = page.partition(f'id="place-{shop_id}"')[2].partition("</section>")[0]
        assert card.count("和全部店铺一起停着") == 1, shop_id
    assert "和全部店铺一起停着" not in page.partition('id="place-0"')[2].partition("</section>")[0]


def test_a_rule_s_payment_that_is_stopped_does_not_say_that_all_is_well(
    sign_in: SignIn, shops: Database
) -> None:
    with psycopg.connect(shops.owner) as conn:
        row = conn.execute(
            "SELECT case_id FROM intent WHERE shop_id = 1 AND money AND state = 'approved' AND planned_by LIKE 'rule:%'"
        ).fetchone()
    assert row is not None
    agent, lead, address = sign_in("客服小明"), sign_in("主管阿兰"), f"/case/tea/{row[0]}"
    assert "不需要人处理" in text(agent.get(address).content)
    throw(lead, "automatic_money", "1")
    page = text(agent.get(address).content)
    assert "但已经停止：恢复后才会发出。" in page
    assert "不需要人处理" not in page
    throw(lead, "automatic_money", "0")
    assert "不需要人处理" in text(agent.get(address).content)


def test_who_stops_gives_a_reason_and_who_releases_need_not(sign_in: SignIn, shops: Database) -> None:
    lead = sign_in("主管阿兰")
    assert "请写明原因，开关没有变动。" in throw(lead, "automatic_money", "1", " ")
    assert "desk-stopped" not in lead.get("/queue").content.decode()
    throw(lead, "automatic_money", "1")
    assert "青山茶铺的「全部自动付款」已恢复。" in throw(lead, "automatic_money", "0", "")
    with psycopg.connect(shops.owner) as conn:
        assert conn.execute("SELECT stopped, why FROM switch").fetchall() == [(False, "原因已经消除")]


def test_an_act_for_a_stopped_shop_says_that_it_waits(sign_in: SignIn) -> None:
    agent, lead = sign_in("客服小明"), sign_in("主管阿兰")
    form = {"version": "1", "amount_fen": "0"}
    throw(lead, "", "1")
    page = text(agent.post(f"/case/tea/{WAITS}/do/agree_return", form, follow=True).content)
    assert "「同意退货」已经停止，恢复后才会发出，在此之前可以撤回。" in page
    assert "客服小明 的「同意退货」已经停止，恢复后才会发出" in page
    assert "秒后发出" not in page
    throw(lead, "", "0")
    page = text(agent.get(f"/case/tea/{WAITS}").content)
    assert re.search("客服小明 的「同意退货」将在 30 秒后发出", page)
    agent.post(f"/case/tea/{WAITS}/do/undo", {"intent": "agree_return"})


def test_a_person_s_act_goes_on_while_only_automatic_money_is_stopped(sign_in: SignIn) -> None:
    agent, lead = sign_in("客服小明"), sign_in("主管阿兰")
    throw(lead, "automatic_money", "1")
    form = {"version": "1", "amount_fen": "0"}
    page = text(agent.post(f"/case/tea/{WAITS}/do/agree_return", form, follow=True).content)
    assert "「同意退货」将在 30 秒后发出" in page
    assert "恢复后才会发出" not in page
    agent.post(f"/case/tea/{WAITS}/do/undo", {"intent": "agree_return"})


def test_a_yes_for_a_stopped_shop_says_that_it_waits(sign_in: SignIn, shops: Database) -> None:
    agent, lead, mine = sign_in("客服小明"), sign_in("主管阿兰"), case_id(1, 12)
    form = {"version": "1", "amount_fen": "39900"}
    assert "已提交复核" in text(agent.post(f"/case/tea/{mine}/do/agree_refund", form, follow=True).content)
    with psycopg.connect(shops.owner) as conn:
        found = conn.execute("SELECT id FROM approval WHERE case_id = %s", (mine,)).fetchall()
    throw(lead, "", "1")
    page = text(lead.post(f"/approvals/tea/{found[0][0]}/yes", form, follow=True).content)
    assert "已同意，但已经停止，恢复后才会发出，在此之前可以到售后单上撤回。" in page
    assert "30 秒后发出" not in page


def test_a_notice_says_that_a_switch_holds_it_back() -> None:
    held, free = (Fate(1, "1", "agree_refund", 100, "approved", None, NOON, held) for held in (True, False))
    assert held.leaving == held.sentence == "「同意退款 ¥1.00」已经停止，恢复后才会发出，在此之前可以撤回。"
    assert free.leaving == "「同意退款 ¥1.00」正在发出，等平台答复。"
