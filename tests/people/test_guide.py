"""The guide beside a case: steps of the playbook, words for the buyer, contacts, promises, hand-overs."""

import re
from collections.abc import Callable
from html import unescape

import psycopg
import pytest
from django.test import Client

from aftersale.core.facts import read_yaml
from aftersale.people.playbook.found import issues, ruling
from aftersale.people.playbook.guide import facts_of, step_of, step_title
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people.shops import NOON, case_id, stand_still

SignIn = Callable[[str], Client]
STUCK, DAMAGED, QUALITY, UNSHIPPED, SNACK = (
    case_id(1, 1),
    case_id(1, 6),
    case_id(1, 2),
    case_id(1, 5),
    case_id(2, 1),
)


def text(page: bytes) -> str:
    plain = re.sub(r"<[^>]+>", " ", page.decode())
    return unescape(re.sub(r"\s+", " ", plain))


def asked(shops: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query).fetchall()


def do(client: Client, case: str, what: str, **form: str) -> str:
    """The page after the act."""
    answer = client.post(f"/case/tea/{case}/guide/{what}", form, follow=True)
    assert answer.status_code == 200, answer.status_code
    return text(answer.content)


def test_the_playbook_leads_from_step_to_step(sign_in: SignIn, shops: Database) -> None:
    client = sign_in("客服小明")
    page = text(client.get(f"/case/tea/{STUCK}").content)
    assert "下一步 查后台和快递官网" in page
    assert "物流不更新，先查后台和快递官网" in page
    unanswered = do(client, STUCK, "step", step="check_platform_and_courier_site", outcome="done")
    assert "请先填写这一步查到的结果" in unanswered
    page = do(
        client, STUCK, "step", step="check_platform_and_courier_site", outcome="done", f_info_found="False"
    )
    assert "已记下「查后台和快递官网」" in page
    assert "下一步 联系快递并安抚买家" in page
    assert "最晚 11-12 12:00 答复买家。" in page
    assert "做完「查后台和快递官网」" in page
    page = do(client, STUCK, "step", step="contact_courier_and_soothe", outcome="skipped")
    assert "跳过一步要写明原因" in page
    page = do(
        client, STUCK, "step", step="contact_courier_and_soothe", outcome="skipped", why="网点电话打不通"
    )
    assert "下一步 在订单上备注" in page
    page = do(client, STUCK, "step", step="check_platform_and_courier_site", outcome="undone")
    assert "下一步 查后台和快递官网" in page
    rows = asked(
        shops,
        f"SELECT step, outcome, facts::text, by_whom FROM playbook_step WHERE case_id = '{STUCK}' ORDER BY id",
    )
    assert rows == [
        (
            "check_platform_and_courier_site",
            "done",
            '{"info_found": false, "sources_checked": true}',
            "客服小明",
        ),
        ("contact_courier_and_soothe", "skipped", '{"courier_asked": true}', "客服小明"),
        ("check_platform_and_courier_site", "undone", "{}", "客服小明"),
    ]


def test_people_may_name_another_problem(sign_in: SignIn) -> None:
    client = sign_in("客服小明")
    page = do(client, QUALITY, "issue", issue="signed_not_received")
    assert "下一步 请买家找一找问一问" in page
    page = do(client, QUALITY, "issue", issue="")
    assert "已改回按记录判断" in page
    assert "下一步 请买家找一找问一问" not in page
    assert "不认识的问题" in do(client, QUALITY, "issue", issue="nonsense")


def test_a_script_is_filled_and_what_lacks_is_marked(sign_in: SignIn) -> None:
    client = sign_in("客服小明")
    page = client.get(f"/case/tea/{STUCK}?script=courier_24h").content.decode()
    said = unescape(re.search(r'<textarea[^>]*id="say"[^>]*>([^<]*)', page)[1])  # type: ignore[index]
    assert said.startswith("亲，您的订单4100918")
    assert "已经交给顺丰，一般揽收后24小时内就会有物流信息" in said
    page = client.get(f"/case/tea/{STUCK}?script=stalled_reply").content.decode()
    lacking = re.findall(r"缺：([^<]+)", page)
    filled = client.get(f"/case/tea/{STUCK}?script=wrong_number&p_correct_number=YT1").content.decode()
    assert "YT1" in filled
    assert "【" not in unescape(re.search(r'<textarea[^>]*id="say"[^>]*>([^<]*)', filled)[1])  # type: ignore[index]
    assert all(lacking)


def test_words_go_to_the_buyer_once_and_only_clean(sign_in: SignIn, shops: Database) -> None:
    client = sign_in("客服小明")
    for bad, why in (
        ("亲，加我微信聊", "不能发给买家"),
        ("亲，正确的单号是【正确的快递单号】", "还有没填的空"),
        ("好" * 200, "最多 400 个字节"),
        ("", "请写下要对买家说的话"),
    ):
        assert why in do(client, UNSHIPPED, "say", text=bad)
    assert asked(
        shops, f"SELECT count(*) FROM intent WHERE case_id = '{UNSHIPPED}' AND planned_by = '客服小明'"
    ) == [(0,)]
    words = "亲，您的退款我们正在核实，今天18点前给您答复。"
    page = do(client, UNSHIPPED, "say", text=words, script="progress")
    assert "消息将在 30 秒后发出" in page
    intents = asked(
        shops,
        f"SELECT kind, state, money, planned_by FROM intent WHERE case_id = '{UNSHIPPED}' AND planned_by = '客服小明'",
    )
    (kind,) = [row[0] for row in intents]
    assert intents == [(kind, "approved", False, "客服小明")]
    assert asked(shops, f"SELECT text, script FROM said WHERE 'message:' || key = '{kind}'") == [
        (words, "progress")
    ]
    assert "同样的话已经发过了" in do(client, UNSHIPPED, "say", text=words)
    queued = asked(shops, f"SELECT count(*) FROM queue_item WHERE case_id = '{UNSHIPPED}'")
    answer = client.post(f"/case/tea/{UNSHIPPED}/do/undo", {"intent": kind}, follow=True)
    assert "已撤回「发消息」" in text(answer.content)
    assert asked(shops, f"SELECT state FROM intent WHERE kind = '{kind}'") == [("cancelled",)]
    assert asked(shops, f"SELECT count(*) FROM queue_item WHERE case_id = '{UNSHIPPED}'") == queued


def test_a_platform_without_a_way_gets_a_copy(sign_in: SignIn) -> None:
    page = text(sign_in("客服小明").get(f"/case/snack/{SNACK}").content)
    assert "这个平台请复制后在平台上发送" in page


def test_calls_are_counted_and_capped(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 17)
    page = text(client.get(f"/case/tea/{mine}").content)
    assert "今日可再致电 2 次，七天内还可主动联系 3 次。" in page
    assert "今日可再致电 1 次，七天内还可主动联系 2 次。" in do(
        client, mine, "contact", channel="phone", purpose="问还要不要货", reached="no"
    )
    page = do(client, mine, "contact", channel="phone", purpose="再打一次", reached="yes")
    assert "今日不能再致电，七天内还可主动联系 1 次。" in page
    assert "电话现在不能用：" in page
    refused = do(client, mine, "contact", channel="phone", purpose="第三次", reached="yes")
    assert "没有执行" in refused
    assert asked(shops, f"SELECT count(*) FROM contact WHERE case_id = '{mine}'") == [(2,)]
    assert asked(shops, f"SELECT contact_count FROM cases WHERE case_id = '{mine}'") == [(2,)]


def test_one_call_more_needs_a_second_person(sign_in: SignIn, shops: Database) -> None:
    agent, lead, mine = sign_in("客服小明"), sign_in("主管阿兰"), case_id(1, 17)
    page = do(agent, mine, "contact-more", why="买家约了今天下午回电")
    assert "已提出，等主管批准" in page
    (wanted,) = asked(shops, f"SELECT id FROM contact_override WHERE case_id = '{mine}'")
    assert "没有执行" in do(agent, mine, "contact-allow", id=str(wanted[0]))
    assert "已批准再联系一次" in do(lead, mine, "contact-allow", id=str(wanted[0]))
    assert "已记下这次联系" in do(agent, mine, "contact", channel="phone", purpose="回电", reached="yes")
    assert "没有执行" in do(agent, mine, "contact", channel="phone", purpose="又一次", reached="yes")
    counted = f"SELECT count(*), count(override_id) FROM contact WHERE case_id = '{mine}'"
    assert asked(shops, counted) == [(3, 1)]


def test_nobody_grants_their_own_wish(sign_in: SignIn, shops: Database) -> None:
    lead, mine = sign_in("主管阿兰"), case_id(1, 18)
    do(lead, mine, "contact-more", why="再问一次")
    (wanted,) = asked(shops, f"SELECT id FROM contact_override WHERE case_id = '{mine}'")
    assert "要由另一位同事批准" in do(lead, mine, "contact-allow", id=str(wanted[0]))
    assert asked(shops, f"SELECT granted_by FROM contact_override WHERE case_id = '{mine}'") == [(None,)]


def test_a_promise_has_its_moment_and_its_place_in_the_queue(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 27)
    due = f"SELECT due_at AT TIME ZONE 'Asia/Shanghai' FROM queue_item WHERE case_id = '{mine}'"
    before = asked(shops, due)
    page = do(client, mine, "promise", kind="answer", text="核实后答复", due="2026-11-11T12:20")
    assert "已记下承诺" in page
    assert "核实后答复" in text(client.get("/todo").content)
    (after,) = asked(shops, due)
    assert str(after[0]) == "2026-11-11 12:20:00"
    (one,) = asked(shops, f"SELECT id FROM promise WHERE case_id = '{mine}'")
    assert "承诺已经做到" in do(client, mine, "promise-settle", id=str(one[0]), state="kept")
    assert asked(shops, due) == before
    assert "这个承诺已经有结果了" in do(client, mine, "promise-settle", id=str(one[0]), state="broken")
    assert "核实后答复" not in text(client.get("/todo").content)
    page = do(client, mine, "promise", kind="resend", text="补发一份")
    assert "最晚 11-12 12:00" in page


def test_what_may_not_be_promised_is_not(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 28)
    for form, why in (
        ({"kind": "other", "text": "送礼", "due": ""}, "请写明最晚什么时候做到"),
        ({"kind": "other", "text": "送礼", "due": "明天"}, "时间写得不对"),
        ({"kind": "answer", "text": "答复", "due": "2026-11-11T11:00"}, "已经过去"),
        ({"kind": "answer", "text": ""}, "请写明答应了什么"),
        ({"kind": "answer", "text": "补偿", "amount": "20.01"}, "超过您可以承诺的额度"),
        *(
            ({"kind": "answer", "text": "补偿", "amount": bad}, "金额要大于零")
            for bad in ("0", "-1", "1e3", "１", "0.001", "NaN", "99999999999")
        ),
    ):
        assert why in do(client, mine, "promise", **form)
    assert asked(shops, f"SELECT count(*) FROM promise WHERE case_id = '{mine}'") == [(0,)]


def test_a_parcel_in_trouble_is_handed_over_with_its_note(sign_in: SignIn, shops: Database) -> None:
    agent, lead, mine = sign_in("客服小明"), sign_in("主管阿兰"), case_id(1, 17)
    assert "交接要写全，还缺：答应了什么、下一步做什么、什么时候" in do(
        agent, mine, "hand-over", to="person:主管阿兰", found="包裹停在郑州"
    )
    whole = {"found": "包裹停在郑州", "promised": "明早答复", "next_step": "联系顺丰", "due": "明早9点"}
    assert "这个店铺没有这位同事" in do(agent, mine, "hand-over", to="person:外人老吴", **whole)
    assert "已交给 主管阿兰" in do(agent, mine, "hand-over", to="person:主管阿兰", **whole)
    assert "把这张售后单交给您" not in text(agent.get(f"/case/tea/{mine}").content)
    assert "客服小明 在 11-11 12:00 把这张售后单交给您" in text(lead.get(f"/case/tea/{mine}").content)
    assert "联系顺丰 · 明早9点" in text(lead.get("/todo").content)
    assert asked(shops, f"SELECT owner FROM queue_item WHERE case_id = '{mine}'") in ([("主管阿兰",)], [])
    (one,) = asked(shops, f"SELECT id FROM handover WHERE case_id = '{mine}'")
    assert "这次交接不是给您的" in do(agent, mine, "seen", id=str(one[0]))
    page = do(lead, mine, "seen", id=str(one[0]))
    assert "把这张售后单交给您" not in page
    assert "客服小明 交接，主管阿兰 在 11-11 12:00 接手" in page


def test_a_department_is_told_as_well(sign_in: SignIn) -> None:
    agent, lead, mine = sign_in("客服小明"), sign_in("主管阿兰"), case_id(1, 2)
    page = do(
        agent,
        mine,
        "hand-over",
        to="department:lead",
        found="金额大",
        promised="无",
        next_step="定夺",
        due="今天",
    )
    assert "已交给 主管" in page
    assert "定夺 · 今天" in text(lead.get("/todo").content)
    assert "定夺 · 今天" not in text(agent.get("/todo").content)


def test_what_is_not_yours_stays_closed(sign_in: SignIn, shops: Database) -> None:
    stranger = sign_in("外人老吴")
    nothing = stranger.get("/case/wu/999999")
    for what in (
        "step",
        "issue",
        "say",
        "contact",
        "contact-more",
        "contact-allow",
        "promise",
        "promise-settle",
        "hand-over",
        "seen",
    ):
        form = {
            "text": "x",
            "step": "note_order",
            "outcome": "done",
            "purpose": "x",
            "channel": "phone",
            "why": "x",
        }
        answer = stranger.post(f"/case/tea/{STUCK}/guide/{what}", form)
        assert (answer.status_code, answer.content) == (404, nothing.content)
    assert asked(shops, "SELECT count(*) FROM playbook_step WHERE by_whom = '外人老吴'") == [(0,)]
    assert "核实后答复" not in text(stranger.get("/todo").content)


def test_quiet_hours_are_kept(sign_in: SignIn, shops: Database) -> None:
    from datetime import UTC, datetime

    from aftersale.pg.connect import opened

    client, mine = sign_in("客服小明"), case_id(1, 33)
    with opened(shops.app) as conn:
        stand_still(conn, datetime(2026, 11, 11, 14, 0, tzinfo=UTC))
        conn.commit()
    try:
        page = do(client, mine, "contact", channel="sms", purpose="通知", reached="yes")
        assert "没有执行" in page
        assert asked(shops, f"SELECT count(*) FROM contact WHERE case_id = '{mine}'") == [(0,)]
    finally:
        with opened(shops.app) as conn:
            stand_still(conn)
            conn.commit()


def test_every_step_asks_and_says_what_the_books_know() -> None:
    facts = {name for book in ("playbooks", "dunning", "remedies") for name in facts_of(book)}
    kinds = books.titles()["evidence_kind"]
    written = read_yaml(books.text("playbook_steps.yaml"), "playbook_steps")["steps"]
    for code in written:
        for issue in (None, *issues()):
            step = step_of(code, issue)
            assert {*step.sets, *step.asks} <= facts, code
            assert step.script is None or step.script in books.scripts().scripts, code
            assert step.evidence is None or step.evidence in kinds, code
        assert step_title(code) != code


@pytest.mark.parametrize(
    ("issue", "path"),
    [
        (
            "tracking_stalled",
            "check_platform_and_courier_site contact_courier_and_soothe note_order daily_follow_up",
        ),
        ("signed_not_received", "guide_buyer_search contact_deliverer give_solution"),
        (
            "courier_damage",
            "ask_outer_pack_photo ask_damage_photo ask_inner_damage_photo courier_claim soothe refund_or_resend",
        ),
    ],
)
def test_a_playbook_comes_to_its_end(issue: str, path: str) -> None:
    given: dict[str, object] = {"issue": issue}
    taken = []
    for _turn in range(12):
        said = ruling("playbooks", given, "{}", "pdd", NOON).outcome  # type: ignore[arg-type]
        code = said.get("next_step")
        if code is None or code in taken:
            break
        taken.append(str(code))
        given |= step_of(str(code), issue).sets
    assert taken == path.split()


def test_nobody_hands_a_case_to_somebody_whose_access_is_over(sign_in: SignIn, shops: Database) -> None:
    agent, mine = sign_in("客服小明"), case_id(1, 17)
    whole = {"found": "包裹停在郑州", "promised": "明早答复", "next_step": "联系顺丰", "due": "明早9点"}
    ends = (
        "UPDATE membership SET access_ends_at = {} WHERE user_id = (SELECT id FROM auth_user WHERE username = '主管阿兰')"
        " RETURNING user_id"
    )
    before = asked(shops, f"SELECT id FROM handover WHERE case_id = '{mine}'")
    assert asked(shops, ends.format("moment() - interval '1 second'"))
    try:
        assert 'value="person:主管阿兰"' not in agent.get(f"/case/tea/{mine}").content.decode()
        assert "这个店铺没有这位同事" in do(agent, mine, "hand-over", to="person:主管阿兰", **whole)
        assert asked(shops, f"SELECT id FROM handover WHERE case_id = '{mine}'") == before
    finally:
        asked(shops, ends.format("NULL"))
    assert 'value="person:主管阿兰"' in agent.get(f"/case/tea/{mine}").content.decode()
