"""The people of a shop: inviting them, their rights and limits, more for a while, letting them go."""

import re
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import NOON, case_id

SignIn = Callable[[str], Client]


def asked(shops: Database, query: str, *params: object) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query, params).fetchall()  # type: ignore[arg-type]


def number(shops: Database, name: str) -> int:
    return int(str(asked(shops, "SELECT id FROM auth_user WHERE username = %s", name)[0][0]))


def member(shops: Database, name: str, shop: int = 1) -> list[tuple[object, ...]]:
    return asked(
        shops,
        "SELECT m.role, m.max_amount_fen, m.refund_right FROM membership m JOIN auth_user u ON u.id = m.user_id"
        " WHERE u.username = %s AND m.shop_id = %s",
        name,
        shop,
    )


def may_refund(shops: Database, name: str, fen: int) -> bool:
    found = asked(
        shops, "SELECT allowed FROM person_permitted(1, %s, 'refund', %s, 'web', NULL, NULL)", name, fen
    )
    return found == [(True,)]


@pytest.fixture(scope="module", autouse=True)
def staff(shops: Database) -> None:
    ensure_user("店主林姐", PASSWORD, {"tea": "owner", "snack": "owner"})
    ensure_user("客服小明", PASSWORD, {"tea": "agent", "snack": "agent"})


def link(page: bytes) -> str:
    found = re.search(r"(/invitation/[\w-]+)", page.decode())
    assert found, "no link"
    return found[1]


def test_an_invitation_lets_one_person_in_once(sign_in: SignIn, shops: Database) -> None:
    owner = sign_in("店主林姐")
    form = {
        "role": "agent",
        "max_amount": "88.50",
        "refund_right": "1",
        "department": "cs",
        "note": "新来的小顾",
    }
    made = owner.post("/settings/people/tea/invite", form)
    assert made.status_code == 200
    address = link(made.content)
    token = address.rpartition("/")[2]
    assert address not in owner.get("/settings/people/tea").content.decode()
    assert not asked(shops, "SELECT 1 FROM invitation i WHERE i::text LIKE %s", f"%{token}%")

    fresh = Client(headers={"host": "127.0.0.1"})
    assert "店主林姐 邀请您加入" in fresh.get(address).content.decode()
    weak = fresh.post(address, {"username": "客服小顾", "password1": "12345678", "password2": "12345678"})
    assert weak.status_code == 200
    taken = fresh.post(address, {"username": "客服小明", "password1": PASSWORD, "password2": PASSWORD})
    assert "已经有人用了" in taken.content.decode()
    done = fresh.post(address, {"username": "客服小顾", "password1": PASSWORD, "password2": PASSWORD})
    assert (done.status_code, done["Location"]) == (302, "/queue")
    assert member(shops, "客服小顾") == [("agent", 8850, True)]
    assert member(shops, "客服小顾", 2) == []
    assert fresh.get("/board").status_code == 200

    second = Client(headers={"host": "127.0.0.1"})
    for wrong in (address, f"{address}x", "/invitation/none"):
        gone = second.post(wrong, {"username": "外人老吴二", "password1": PASSWORD, "password2": PASSWORD})
        assert (gone.status_code, "已经用过或已经过期" in gone.content.decode()) == (404, True)
    assert asked(shops, "SELECT 1 FROM auth_user WHERE username = '外人老吴二'") == []
    assert asked(shops, "SELECT who FROM audit WHERE what = 'join' AND target = '客服小顾'") == [
        ("客服小顾",)
    ]


def test_an_invitation_ends_by_time_by_hand_and_with_the_giver(sign_in: SignIn, shops: Database) -> None:
    owner = sign_in("店主林姐")
    links = [
        link(owner.post("/settings/people/tea/invite", {"role": "agent", "note": f"第{n}个"}).content)
        for n in range(2)
    ]
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE invitation SET at = at - interval '73 hours', ends_at = ends_at - interval '73 hours' WHERE note = '第0个'"
        )
    [(waiting,)] = asked(shops, "SELECT id FROM invitation WHERE note = '第1个'")
    foreign = sign_in("外人老吴").post(f"/settings/people/wu/withdraw/{waiting}")
    assert foreign.status_code == 302
    assert Client(headers={"host": "127.0.0.1"}).get(links[1]).status_code == 200
    owner.post(f"/settings/people/tea/withdraw/{waiting}")
    ensure_user("店主老严", PASSWORD, {"tea": "owner"})
    third = link(sign_in("店主老严").post("/settings/people/tea/invite", {"role": "finance"}).content)
    ensure_user("店主老严", PASSWORD, {"tea": "lead"})
    for address in (*links, third):
        answer = Client(headers={"host": "127.0.0.1"}).post(
            address, {"username": "财务小许", "password1": PASSWORD, "password2": PASSWORD}
        )
        assert answer.status_code in (404, 409), address
    assert asked(shops, "SELECT 1 FROM auth_user WHERE username = '财务小许'") == []


def test_nobody_gives_what_they_do_not_have(sign_in: SignIn, shops: Database) -> None:
    lead = sign_in("主管阿兰")
    for form in (
        {"role": "owner"},
        {"role": "finance"},
        {"role": "warehouse"},
        {"role": "agent", "max_amount": "200.01"},
        {"role": "lead", "max_amount": "9000"},
    ):
        before = asked(shops, "SELECT count(*) FROM invitation")
        answer = lead.post("/settings/people/tea/invite", form)
        assert (answer.status_code, "超出了您自己的权限" in answer.content.decode()) == (422, True), form
        assert asked(shops, "SELECT count(*) FROM invitation") == before, form
    assert lead.post("/settings/people/tea/invite", {"role": "agent", "max_amount": "200"}).status_code == 200
    for name in ("客服小明", "外人老吴"):
        answer = sign_in(name).post("/settings/people/tea/invite", {"role": "agent"})
        assert answer.status_code == (403 if name == "客服小明" else 404)


def test_nobody_raises_their_own_rights_or_touches_those_above(sign_in: SignIn, shops: Database) -> None:
    lead = sign_in("主管阿兰")
    me, owner, agent = (number(shops, name) for name in ("主管阿兰", "店主林姐", "客服小明"))
    raised = {"role": "lead", "max_amount": "9000", "refund_right": "1"}
    for who in (me, owner):
        for act, form in (
            ("rights", raised),
            ("more", {"max_amount": "9000", "until": "2026-12-01 08:00", "why": "大促"}),
            ("leave", {}),
            ("password", {}),
        ):
            lead.post(f"/settings/people/tea/{who}/{act}", form)
    assert member(shops, "主管阿兰") == [("lead", None, True)]
    assert member(shops, "店主林姐") == [("owner", None, True)]
    assert asked(shops, "SELECT count(*) FROM temporary_right") == [(0,)]
    assert asked(shops, "SELECT count(*) FROM invitation WHERE kind = 'password'") == [(0,)]
    lead.post(
        f"/settings/people/tea/{agent}/rights", {"role": "agent", "max_amount": "120.5", "refund_right": "1"}
    )
    assert member(shops, "客服小明") == [("agent", 12050, True)]
    assert (may_refund(shops, "客服小明", 12050), may_refund(shops, "客服小明", 12051)) == (True, False)
    for bad in (
        "-1",
        "0",
        "1e3",
        "NaN",
        "Infinity",
        "1.234",
        "12,5",
        "１２",
        "99999999999999",
        "' OR 1=1",
        "0x10",
        "+5",
    ):
        lead.post(
            f"/settings/people/tea/{agent}/rights", {"role": "agent", "max_amount": bad, "refund_right": "1"}
        )
        assert member(shops, "客服小明") == [("agent", 12050, True)], bad
    foreign = sign_in("外人老吴").post(f"/settings/people/wu/{agent}/rights", {"role": "owner"})
    assert foreign.status_code == 404
    assert member(shops, "客服小明", 3) == []
    lead.post(f"/settings/people/tea/{agent}/rights", {"role": "agent", "refund_right": "1"})
    [(told,)] = asked(
        shops, "SELECT more->'after'->>'max_amount_fen' FROM audit WHERE what = 'rights' ORDER BY id LIMIT 1"
    )
    assert told == "12050"


def test_rights_for_a_promotion_end_by_themselves(sign_in: SignIn, shops: Database) -> None:
    ensure_user("客服小柳", PASSWORD, {"tea": "agent"})
    who, lead = number(shops, "客服小柳"), sign_in("主管阿兰")
    assert not may_refund(shops, "客服小柳", 50_000)
    until = (NOON + timedelta(hours=12)).astimezone().isoformat()
    for form in ({"why": "大促"}, {"max_amount": "500", "why": ""}, {"max_amount": "2000.01", "why": "大促"}):
        lead.post(f"/settings/people/tea/{who}/more", {"until": until, **form})
        assert not may_refund(shops, "客服小柳", 50_000), form
    past = (NOON - timedelta(hours=1)).isoformat()
    lead.post(f"/settings/people/tea/{who}/more", {"until": past, "max_amount": "500", "why": "大促"})
    assert not may_refund(shops, "客服小柳", 50_000)
    lead.post(f"/settings/people/tea/{who}/more", {"until": until, "max_amount": "500", "why": "双十一"})
    assert (may_refund(shops, "客服小柳", 50_000), may_refund(shops, "客服小柳", 50_001)) == (True, False)
    assert "¥500.00" in sign_in("客服小柳").get(f"/settings/people/tea/{who}").content.decode()
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE clock SET virtual_at = virtual_at + interval '13 hours'")
        conn.commit()
        try:
            assert not may_refund(shops, "客服小柳", 50_000)
        finally:
            conn.execute("UPDATE clock SET virtual_at = virtual_at - interval '13 hours'")
    [(more,)] = asked(shops, "SELECT id FROM temporary_right WHERE user_id = %s", who)
    lead.post(f"/settings/people/tea/{who}/end-more", {"number": more})
    assert not may_refund(shops, "客服小柳", 50_000)


def test_who_leaves_hands_back_and_is_out(sign_in: SignIn, shops: Database) -> None:
    ensure_user("客服小贺", PASSWORD, {"tea": "agent"})
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE queue_item SET owner = '客服小贺' WHERE shop_id = 1 AND case_id IN"
                     " (SELECT case_id FROM queue_item WHERE shop_id = 1 ORDER BY case_id LIMIT 3)")  # fmt: skip
    leaver = sign_in("客服小贺")
    assert leaver.get("/board").status_code == 200
    who = number(shops, "客服小贺")
    sign_in("店主林姐").post(f"/settings/people/tea/{who}/leave")
    assert member(shops, "客服小贺") == []
    assert asked(shops, "SELECT count(*) FROM queue_item WHERE owner = '客服小贺'") == [(0,)]
    assert asked(shops, "SELECT count(*) FROM happening WHERE kind = 'assign' AND actor = '店主林姐'") == [
        (3,)
    ]
    assert leaver.get("/board").status_code == 302
    again = Client(headers={"host": "127.0.0.1"}).post(
        "/login", {"username": "客服小贺", "password": PASSWORD}
    )
    assert again.status_code == 200


def test_what_who_leaves_had_to_do_goes_back_to_the_department(sign_in: SignIn, shops: Database) -> None:
    ensure_user("客服小宁", PASSWORD, {"tea": "agent"})
    ensure_user("客服小明", PASSWORD, {"tea": "agent", "snack": "agent"})
    mine, step = case_id(1, 6), "proof"
    leaver = sign_in("客服小宁")
    page = leaver.get("/work-orders/tea/new", {"template": "courier_claim", "case": mine}).content.decode()
    form = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    form |= {"f_waybill": "SF1300000006", "f_kind": "damaged", "f_value": "168.00"}
    order = int(leaver.post("/work-orders/tea/new", form)["Location"].rsplit("/", 1)[1])
    leaver.post(f"/work-orders/tea/{order}/do/take", {"version": 1, "step": step})
    assert asked(shops, "SELECT count(*) FROM work_order_step WHERE owner = '客服小宁'") == [(1,)]
    for text, due in (("周五前补发", "2026-11-12T12:00"), ("明天答复", "2026-11-12T10:00")):
        leaver.post(f"/case/tea/{mine}/guide/promise", {"kind": "answer", "text": text, "due": due})
    [(before,)] = asked(shops, "SELECT version FROM work_order WHERE id = %s", order)
    said = sign_in("店主林姐").post(f"/settings/people/tea/{number(shops, '客服小宁')}/leave", follow=True)
    assert "1 个工单步骤和 2 个承诺交回部门" in said.content.decode()
    [(state, owner, after)] = asked(shops, "SELECT s.state, s.owner, o.version FROM work_order_step s JOIN work_order o"
                                    " ON o.id = s.work_order_id WHERE o.id = %s AND s.code = %s", order, step)  # fmt: skip
    assert (state, owner, after) == ("open", None, int(str(before)) + 1)
    assert asked(shops, "SELECT who, kind, step FROM work_order_remark WHERE work_order_id = %s"
                 " ORDER BY id DESC LIMIT 1", order) == [("店主林姐", "given_back", step)]  # fmt: skip
    assert asked(shops, "SELECT state FROM promise WHERE by_whom = '客服小宁'") == [("open",), ("open",)]
    assert asked(
        shops, "SELECT department, to_whom, promised, due FROM handover WHERE from_whom = '客服小宁'"
    ) == [("agent", None, "明天答复；周五前补发", "11-12 10:00")]
    colleague = sign_in("客服小明")
    assert "明天答复；周五前补发" in colleague.get(f"/case/tea/{mine}").content.decode()
    timeline = colleague.get(f"/case/tea/{mine}").content.decode()
    assert f"工单 #{order}「" in timeline
    assert "的步骤交回部门" in timeline


def test_what_who_leaves_decided_and_is_not_sent_yet_is_taken_back(sign_in: SignIn, shops: Database) -> None:
    ensure_user("客服小段", PASSWORD, {"tea": "agent"})
    theirs, other = [case_id(1, 10), case_id(1, 26)], case_id(1, 42)
    form = {"amount_fen": 1250, "version": 1}
    for mine in theirs:
        sign_in("客服小段").post(f"/case/tea/{mine}/do/agree_refund", form)
    sign_in("主管阿兰").post(f"/case/tea/{other}/do/agree_refund", form)
    held = "SELECT coalesce(sum(m.held_fen), 0) FROM order_money m JOIN cases c USING (shop_id, order_id)"
    held += f" WHERE c.shop_id = 1 AND c.case_id IN ('{theirs[0]}', '{theirs[1]}')"
    assert asked(shops, held) == [(2_500,)]
    said = sign_in("店主林姐").post(f"/settings/people/tea/{number(shops, '客服小段')}/leave", follow=True)
    assert "2 个还没发出的决定已撤回" in said.content.decode()
    states = "SELECT case_id, planned_by, state FROM intent WHERE kind = 'agree_refund' AND case_id = ANY(%s) ORDER BY 1"
    assert asked(shops, states, [*theirs, other]) == [
        *((mine, "客服小段", "cancelled") for mine in theirs),
        (other, "主管阿兰", "approved"),
    ]
    assert asked(shops, held) == [(0,)]
    assert "撤回了「同意退款」" in sign_in("主管阿兰").get(f"/case/tea/{theirs[0]}").content.decode()


def test_the_last_owner_stays(sign_in: SignIn, shops: Database) -> None:
    ensure_user("店主老贝", PASSWORD, {"wu": "owner"})
    one, other = number(shops, "外人老吴"), number(shops, "店主老贝")
    sign_in("店主老贝").post(f"/settings/people/wu/{one}/leave")
    assert member(shops, "外人老吴", 3) == []
    with pytest.raises(LookupError, match="至少要有一位"):
        ensure_user("店主老贝", PASSWORD, {"wu": "agent"})
    with (
        psycopg.connect(shops.app) as conn,
        pytest.raises(psycopg.errors.CheckViolation, match="would have no owner"),
        conn.transaction(),
    ):
        conn.execute("DELETE FROM membership WHERE user_id = %s", (other,))
    assert member(shops, "店主老贝", 3) == [("owner", None, True)]
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE auth_user SET is_active = true WHERE username = '外人老吴'")
    ensure_user("外人老吴", PASSWORD, {"wu": "owner"})


def test_a_new_password_by_link_ends_every_session(sign_in: SignIn, shops: Database) -> None:
    ensure_user("客服小罗", PASSWORD, {"tea": "agent"})
    ensure_user("客服小双", PASSWORD, {"tea": "agent", "wu": "agent"})
    owner, client = sign_in("店主林姐"), sign_in("客服小罗")
    refused = owner.post(f"/settings/people/tea/{number(shops, '客服小双')}/password", follow=True)
    assert "要由所有这些店铺的店主来重设" in refused.content.decode()
    address = link(owner.post(f"/settings/people/tea/{number(shops, '客服小罗')}/password").content)
    fresh = Client(headers={"host": "127.0.0.1"})
    done = fresh.post(address, {"new_password1": "autumn-moon-77", "new_password2": "autumn-moon-77"})
    assert done.status_code == 302
    assert client.get("/board").status_code == 302
    assert fresh.get("/board").status_code == 200
    assert fresh.get(address).status_code == 404


def test_access_that_has_ended_shows_no_shop(sign_in: SignIn, shops: Database) -> None:
    ensure_user("支援小乐", PASSWORD, {"tea": "agent"})
    helper = sign_in("支援小乐")
    assert "青山茶铺" in helper.get("/account").content.decode()
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "UPDATE membership SET access_ends_at = moment() - interval '1 second' WHERE user_id = %s",
            (number(shops, "支援小乐"),),
        )
    assert "青山茶铺" not in helper.get("/account").content.decode()
    assert not may_refund(shops, "支援小乐", 100)
