"""The page 复核 over HTTP: who may answer, what they are shown, what happens to the money."""

import html
import re
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import case_id
from tests.people.test_desk import SignIn, asked, text

FORM = {"amount_fen": 39_900, "version": 1}


@pytest.fixture(scope="module", autouse=True)
def standing(shops: Database) -> None:
    """仓库小周 works in the warehouse."""
    ensure_user("仓库小周", PASSWORD, {"tea": "warehouse"})


@pytest.fixture
def ask(sign_in: SignIn, shops: Database) -> Callable[[int], tuple[str, int]]:
    """客服小明 asks for ¥399.00, above the ¥200.00 of an agent; case and number of the request."""

    def one(place: int) -> tuple[str, int]:
        mine = case_id(1, place)
        page = sign_in("客服小明").post(f"/case/tea/{mine}/do/agree_refund", FORM, follow=True).content
        assert "超过您的额度，已提交复核" in text(page)
        assert "¥399.00 在等另一位同事复核" in text(page)
        [(number,)] = asked(
            shops, f"SELECT id FROM approval WHERE case_id = '{mine}' AND state = 'requested'"
        )
        return mine, int(str(number))

    return one


def state(shops: Database, case: str) -> list[tuple[object, ...]]:
    return asked(
        shops,
        f"SELECT state, amount_fen, planned_by, approved_by FROM intent WHERE case_id = '{case}' AND money",
    )


def test_another_persons_yes_sends_it_and_the_second_learns_who_was_first(
    sign_in: SignIn, shops: Database, ask: Callable[[int], tuple[str, int]]
) -> None:
    mine, number = ask(12)
    own = text(sign_in("客服小明").get("/approvals").content)
    assert "您不能复核这一条：自己提交的要由另一位同事复核" in own
    lead = sign_in("主管阿兰")
    page = lead.get("/approvals").content.decode()
    shown = text(page.encode())
    assert "客服小明 在 11-11 12:00 提交，11-12 12:00 前有效" in shown
    assert "超过上限，须审批（客服小明）" in shown
    assert re.search(r'nav-count">1<', page)
    answer = text(lead.post(f"/approvals/tea/{number}/yes", FORM, follow=True).content)
    assert "已同意，30 秒后发出" in answer
    assert "没有等人复核的" in answer
    assert state(shops, mine) == [("approved", 39_900, "客服小明", "主管阿兰")]
    again = text(lead.post(f"/approvals/tea/{number}/yes", FORM, follow=True).content)
    assert "您已经复核过这一条" in again
    late = text(sign_in("客服小明").post(f"/case/tea/{mine}/do/agree_refund", FORM, follow=True).content)
    assert "客服小明 在 11-11 12:00 已经先处理" in late


def test_a_no_wants_a_reason_and_frees_the_money(
    sign_in: SignIn, shops: Database, ask: Callable[[int], tuple[str, int]]
) -> None:
    mine, number = ask(28)
    lead = sign_in("主管阿兰")
    assert "请写明原因" in text(lead.post(f"/approvals/tea/{number}/no", FORM, follow=True).content)
    assert state(shops, mine)[0][0] == "planned"
    lead.post(f"/approvals/tea/{number}/no", {**FORM, "why": "凭证不全"})
    assert state(shops, mine) == [("cancelled", 39_900, "客服小明", None)]
    page = text(lead.get(f"/case/tea/{mine}?show=people").content)
    assert "复核退回：凭证不全" in page
    assert "超过额度，提交复核" in page


def test_what_was_not_seen_and_who_may_not_changes_nothing(
    sign_in: SignIn, shops: Database, ask: Callable[[int], tuple[str, int]]
) -> None:
    mine, number = ask(44)
    address = f"/approvals/tea/{number}/yes"
    assert sign_in("外人老吴").post(address, FORM).status_code == 404
    assert sign_in("仓库小周").post(address, FORM).status_code == 403
    assert Client(headers={"host": "127.0.0.1"}).post(address, FORM).status_code == 302
    assert "另一位同事复核" in text(sign_in("客服小明").post(address, FORM, follow=True).content)
    for other in ({"amount_fen": 39_901}, {"version": 2}, {"amount_fen": "much"}):
        page = sign_in("主管阿兰").post(address, {**FORM, **other}, follow=True).content
        assert "刚刚改动" in text(page)
    assert sign_in("主管阿兰").get(address).status_code == 405
    assert state(shops, mine) == [("planned", 39_900, "客服小明", None)]
    assert mine not in text(sign_in("外人老吴").get("/approvals").content)


def test_what_the_platform_wants_a_person_for_is_resolved_here(sign_in: SignIn, shops: Database) -> None:
    mine = case_id(1, 28)
    lead = sign_in("主管阿兰")
    lead.post(f"/case/tea/{mine}/do/agree_refund", FORM)
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE intent SET state = 'with_person', outcome = '40 sms_code 需要短信验证' WHERE case_id = %s AND money",
            (mine,),
        )
    page = text(lead.get("/approvals").content)
    assert "需要短信验证" in page
    assert "再试" in page
    assert "平台要人办理「同意退款」" in text(lead.get(f"/case/tea/{mine}").content)
    assert "您不能再试或取消：超过上限" in text(sign_in("客服小明").get("/approvals").content)
    where = f"/approvals/tea/{mine}/agree_refund"
    assert "没有执行：超过上限" in text(sign_in("客服小明").post(f"{where}/cancel", follow=True).content)
    assert state(shops, mine)[0][0] == "with_person"
    assert "正在向平台核对" in text(sign_in("客服小明").post(f"{where}/done_there", follow=True).content)
    assert state(shops, mine)[0][0] == "with_person"
    assert sign_in("外人老吴").post(f"{where}/again").status_code == 404
    assert lead.post(f"{where}/nonsense").status_code == 404
    assert "马上再试一次" in text(lead.post(f"{where}/again", follow=True).content)
    assert state(shops, mine) == [("approved", 39_900, "主管阿兰", "主管阿兰")]
    assert "已经不在等人处理了" in text(lead.post(f"{where}/cancel", follow=True).content)


def test_automatic_money_that_stopped_itself_says_why(sign_in: SignIn, shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "INSERT INTO switch VALUES (1, 'automatic_money', true, '本小时 ¥20,000', 'breaker:sum', now())"
        )
    page = text(sign_in("主管阿兰").get("/switches").content)
    assert "全部自动付款" in page
    assert "本小时 ¥20,000 系统自动停止" in page
    assert "先查清原因再恢复" in page
    assert text(sign_in("主管阿兰").get("/money").content).count("自动付款已停") == 1
    lead = sign_in("主管阿兰")
    lead.cookies["django_language"] = "en"
    assert "Stopped by itself: This hour's automatic money is used up" in html.unescape(
        text(lead.get("/switches").content)
    )
