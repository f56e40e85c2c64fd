"""The pages as people meet them, over HTTP against a real database."""

import html
import re
from collections.abc import Callable

import psycopg
import pytest
from django.test import Client

from aftersale.clock import follow
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people.shops import NOON, case_id, stand_still

SignIn = Callable[[str], Client]
WAITS = case_id(1, 2)  # return_refund, quality, ¥236.00, the most overdue of 青山茶铺
RUNS = case_id(1, 3)  # shipped_refund_only, being intercepted by itself


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def asked(shops: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query).fetchall()  # type: ignore[arg-type]


def tabs(page: str) -> dict[str, int]:
    """The kinds of work that tell how many wait."""
    return {title: int(n) for title, n in re.findall(r'class="desk-tab[^"]*"[^>]*>([^<]+)<b>(\d+)</b>', page)}


def test_a_stranger_sees_only_the_door(shops: Database) -> None:
    client = Client(headers={"host": "127.0.0.1"})
    for address in (
        "/queue",
        "/board",
        "/board/data",
        "/switches",
        f"/case/tea/{WAITS}",
        "/queue/live",
        "/search",
    ):
        answer = client.get(address)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/login"), address
    wrong = client.post("/login", {"username": "客服小明", "password": "wrong"})
    assert wrong.status_code == 200
    assert "账号或密码不对" in wrong.content.decode()


def test_every_answer_forbids_inline_scripts_and_foreign_hosts(sign_in: SignIn) -> None:
    for address in ("/queue", "/board", "/switches", f"/case/tea/{WAITS}", "/nowhere"):
        answer = sign_in("客服小明").get(address)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert not re.search(rb"<script>|<style|style=| on[a-z]+=", answer.content), address
        assert "no-store" in answer["Cache-Control"]


def test_the_queue_is_in_order_of_the_deadline_and_its_counters_are_true(
    sign_in: SignIn, shops: Database
) -> None:
    page = sign_in("客服小明").get("/queue").content
    shown = re.findall(r'id="row-(\w+)-(\d+)"', page.decode())
    wanted = asked(
        shops,
        "SELECT s.code, i.case_id FROM queue_item i JOIN shop s ON s.id = i.shop_id WHERE s.id IN (1, 2)"
        " ORDER BY i.due_at, i.case_id LIMIT 50",
    )
    assert shown == wanted
    [(waiting,)] = asked(shops, "SELECT count(*) FROM queue_item WHERE shop_id IN (1, 2)")
    shown_in = tabs(page.decode())
    assert shown_in.pop("全部") == waiting
    assert sum(shown_in.values()) == waiting
    assert shown_in["退货退款"] == len(
        re.findall("data-row ", sign_in("客服小明").get("/queue?tab=return_refund").content.decode())
    )
    assert "已超时 2小时36分" in text(page)


def test_filters_live_in_the_address(sign_in: SignIn, shops: Database) -> None:
    page = sign_in("客服小明").get("/queue?shop=tea&reason=quality&sort=amount").content.decode()
    wanted = asked(
        shops,
        "SELECT i.case_id FROM queue_item i JOIN cases c USING (shop_id, case_id)"
        " WHERE i.shop_id = 1 AND c.reason = 'quality' ORDER BY i.amount_fen DESC, i.case_id",
    )
    assert [(found,) for found in re.findall(r'id="row-tea-(\d+)"', page)] == wanted
    assert len(wanted) == 3
    assert tabs(page) == {"全部": 3}
    assert tabs(sign_in("客服小明").get("/queue?reason=quality&tab=unshipped").content.decode()) == {
        "未发货": 0
    }
    live = sign_in("客服小明").get("/queue/live?shop=tea&reason=quality").content.decode()
    assert tabs(live) == {}
    assert tabs(sign_in("客服小明").get("/queue/live?shop=tea").content.decode())["全部"] > 3
    assert "没有符合条件的售后单" in sign_in("客服小明").get("/queue?shop=wu").content.decode()
    late = sign_in("客服小明").get("/queue?left=0").content.decode()
    assert len(re.findall("left-late", late)) == len(re.findall("data-row ", late)) == 2


def test_what_is_not_yours_does_not_exist(sign_in: SignIn) -> None:
    stranger = sign_in("外人老吴")
    theirs, random = stranger.get(f"/case/tea/{WAITS}"), stranger.get("/case/wu/999999")
    assert theirs.status_code == random.status_code == 404
    assert theirs.content == random.content
    for kind in ("agree_refund", "note", "give", "facts", "undo"):
        answer = stranger.post(
            f"/case/tea/{WAITS}/do/{kind}", {"amount_fen": 23600, "version": 1, "text": "x"}
        )
        assert (answer.status_code, answer.content) == (404, random.content)
    assert "没有找到" in stranger.get(f"/search?q={WAITS}").content.decode()
    assert WAITS not in stranger.get("/queue").content.decode()
    live = stranger.get("/queue/live", {"row": f"tea:{WAITS}|x|y", "since": "2026-11-01T00:00:00+00:00"})
    assert "236.00" not in live.content.decode()


def test_the_case_page_says_why(sign_in: SignIn) -> None:
    page = text(sign_in("客服小明").get(f"/case/tea/{RUNS}").content)
    assert "已定为 拦截快递 ，不需要人处理" in page
    assert "依据规则「在途，立即拦截」" in page
    assert "✓ 货物状态 在途 属于 在途、已发货未揽收" in page
    assert "如果 申请金额 由 ¥89.00 变为 ¥89.01" in page
    assert "快件已从 杭州转运中心 发出" in page
    assert "AA****" in page
    assert "AAE3x9f2" not in page


def test_the_case_page_says_what_can_be_done(sign_in: SignIn) -> None:
    page = text(sign_in("客服小明").get(f"/case/tea/{WAITS}").content)
    assert "等人决定" in page
    assert "还没有判断" not in page
    assert "同意退货 A" in page  # the platform pays nothing before the return is agreed
    assert "同意退款 ¥" not in page
    assert "拒绝 R" not in page  # no connector sends it


@pytest.mark.parametrize(
    ("kind", "state", "offered"),
    [
        ("return_refund", "return_shipped", {"agree_refund"}),
        ("return_refund", "return_agreed", {"agree_refund"}),
        ("return_refund", "applied", {"agree_return"}),
        ("return_refund", None, {"agree_refund", "agree_return"}),
        ("exchange", "applied", {"agree_return"}),
        ("exchange", "return_shipped", set()),
        ("shipped_refund_only", "applied", {"agree_refund"}),
        ("return_refund", "seller_refused", {"agree_return"}),
        (None, "applied", {"agree_refund", "agree_return"}),
    ],
)
def test_only_what_the_platform_lets_through_is_offered(
    sign_in: SignIn, shops: Database, kind: str | None, state: str | None, offered: set[str]
) -> None:
    mine = case_id(1, 34)
    before = asked(
        shops, f"SELECT aftersale_type, state FROM cases WHERE shop_id = 1 AND case_id = '{mine}'"
    )[0]
    change = "UPDATE cases SET aftersale_type = %s, state = %s WHERE shop_id = 1 AND case_id = %s"
    with psycopg.connect(shops.owner, autocommit=True) as conn:
        conn.execute(change, (kind, state, mine))
        try:
            page = sign_in("主管阿兰").get(f"/case/tea/{mine}").content.decode()
        finally:
            conn.execute(change, (*before, mine))
    assert {one for one in ("agree_refund", "agree_return", "refuse") if f"/do/{one}" in page} == offered


def test_an_agreed_refund_can_be_undone(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("主管阿兰"), case_id(1, 44)
    form = {"amount_fen": 39900, "version": 1}
    page = client.post(f"/case/tea/{mine}/do/agree_refund", form, follow=True).content
    assert "「同意退款 ¥399.00」将在 30 秒后发出" in text(page)
    assert "撤回" in text(page)
    assert "已经有人决定，正在办理" in text(page)
    assert "拒绝 R" not in text(page)
    state = f"SELECT state, amount_fen, planned_by FROM intent WHERE case_id = '{mine}' AND money"
    assert asked(shops, state) == [("approved", 39900, "主管阿兰")]
    twice = client.post(f"/case/tea/{mine}/do/agree_refund", form, follow=True).content
    assert "已经有一笔退款在进行" in text(twice)
    assert len(asked(shops, state)) == 1
    undone = client.post(f"/case/tea/{mine}/do/undo", {"intent": "agree_refund"}, follow=True).content
    assert "已撤回「同意退款」" in text(undone)
    assert asked(shops, state) == [("cancelled", 39900, "主管阿兰")]


def test_the_time_to_undo_is_told_in_real_seconds_on_a_fast_day(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("主管阿兰"), case_id(1, 28)
    waits = (
        f"SELECT extract(epoch FROM due_at - created_at)::int FROM intent WHERE case_id = '{mine}' AND money"
    )
    form = {"amount_fen": 39900, "version": 1}
    try:
        with psycopg.connect(shops.owner) as conn:
            follow(conn, NOON, 120.0)
        page = client.post(f"/case/tea/{mine}/do/agree_refund", form, follow=True).content.decode()
        assert asked(shops, waits) == [(3_600,)]
        assert "「同意退款 ¥399.00」将在 30 秒后发出" in page
        [left] = map(int, re.findall(r'data-seconds="(\d+)"', page))
        assert 20 <= left <= 30
        client.post(f"/case/tea/{mine}/do/undo", {"intent": "agree_refund"})
        page = client.post(f"/queue/do/tea/{mine}/agree_refund", form).content.decode()
        [left] = map(int, re.findall(r"<b data-seconds>(\d+)<", page))
        assert 20 <= left <= 30
        client.post(f"/case/tea/{mine}/do/undo", {"intent": "agree_refund"})
    finally:
        with psycopg.connect(shops.owner) as conn:
            stand_still(conn)
    assert asked(shops, f"SELECT state FROM intent WHERE case_id = '{mine}' AND money") == [("cancelled",)]


def test_what_the_platform_would_turn_away_is_said_and_nothing_happens(
    sign_in: SignIn, shops: Database
) -> None:
    client, mine = sign_in("主管阿兰"), case_id(1, 34)
    kept = (
        f"SELECT queue FROM queue_item WHERE case_id = '{mine}'",
        f"SELECT what FROM happening WHERE case_id = '{mine}'",
    )
    before = [asked(shops, query) for query in kept]
    form = {"amount_fen": 23600, "version": 1}
    for address in (f"/case/tea/{mine}/do/agree_refund", f"/queue/do/tea/{mine}/agree_refund"):
        page = text(client.post(address, form, follow=True).content)
        assert "没有执行：这是退货申请，要先同意退货，买家寄回后才能退款。" in page
        client.cookies["django_language"] = "en"
        english = text(client.post(address, form, follow=True).content)
        del client.cookies["django_language"]
        assert (
            "Not done: It is a return: agree to the return first, the refund follows once the goods are sent back."
            in english
        )
    assert asked(shops, f"SELECT 1 FROM intent WHERE case_id = '{mine}' AND planned_by = '主管阿兰'") == []
    assert [asked(shops, query) for query in kept] == before
    dock = client.get(f"/queue/dock/tea/{mine}").content.decode()
    assert {
        one for one in ("agree_refund", "agree_return", "intercept") if f"/do/tea/{mine}/{one}" in dock
    } == {"agree_return"}


def test_a_changed_application_is_not_refunded(sign_in: SignIn, shops: Database) -> None:
    mine = case_id(1, 18)
    answer = sign_in("客服小明").post(
        f"/case/tea/{mine}/do/agree_refund", {"amount_fen": 23600, "version": 7}, follow=True
    )
    assert "刚刚改动" in text(answer.content)
    assert asked(shops, f"SELECT 1 FROM intent WHERE case_id = '{mine}' AND money") == []


def test_notes_facts_and_owners_are_written_to_the_timeline(sign_in: SignIn) -> None:
    client, mine = sign_in("客服小明"), case_id(2, 2)
    client.post(f"/case/snack/{mine}/do/note", {"text": "买家说包装没坏"})
    client.post(f"/case/snack/{mine}/do/facts", {"fact": "goods_problem", "value": "True"})
    client.post(f"/case/snack/{mine}/do/give", {"owner": "主管阿兰"})
    page = text(client.get(f"/case/snack/{mine}?show=people").content)
    assert "买家说包装没坏" in page
    assert "查明：商品确有问题：是" in page
    assert "交给 主管阿兰" in page
    assert "什么时候可以退款" not in page


def test_live_marks_changed_rows_and_counts_new_ones(
    sign_in: SignIn, shops: Database, seconds_later: Callable[[], None]
) -> None:
    client = sign_in("主管阿兰")
    page = client.get("/queue?shop=snack").content.decode()
    rows = re.findall(r'name="row" value="([^"]+)"', page)
    same = client.get("/queue/live?shop=snack", {"row": rows, "since": NOON.isoformat()}).content.decode()
    assert "data-row" not in same
    assert "条新单" not in same
    mine = case_id(2, 18)
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE queue_item SET owner = '客服小明' WHERE case_id = %s", (mine,))
        conn.execute("DELETE FROM queue_item WHERE case_id = %s", (case_id(2, 6),))
        conn.execute(
            "INSERT INTO queue_item SELECT shop_id, case_id, 'manual', due_at, amount_fen, %s FROM cases"
            " WHERE shop_id = 2 AND case_id = %s",
            (NOON.replace(hour=5), case_id(2, 3)),
        )
    seconds_later()
    live = client.get("/queue/live?shop=snack", {"row": rows, "since": NOON.isoformat()}).content.decode()
    assert re.findall(r'id="row-snack-(\d+)"', live) == [mine]
    assert 'class="changed"' in live
    assert f'data-keys="snack:{case_id(2, 6)}"' in live
    assert "有 1 条新单" in live


def test_search_goes_straight_to_the_only_case(sign_in: SignIn) -> None:
    client = sign_in("客服小明")
    assert client.get(f"/search?q={WAITS}")["Location"] == f"/case/tea/{WAITS}"
    assert client.get("/search?q=SF1300000002")["Location"] == f"/case/tea/{WAITS}"


def test_the_kill_switch_needs_a_right_and_a_reason(sign_in: SignIn, shops: Database) -> None:
    stop = {"shop_id": "1", "action": "agree_refund", "stopped": "1", "why": "快递赔付对不上"}
    switches = "SELECT shop_id, action, stopped, why, by_whom FROM switch"
    assert sign_in("客服小明").post("/switches", stop).status_code == 403
    assert sign_in("外人老吴").post("/switches", stop).status_code == 403
    assert sign_in("主管阿兰").post("/switches", {**stop, "shop_id": "0"}).status_code == 403
    assert "请写明原因" in text(
        sign_in("主管阿兰").post("/switches", {**stop, "why": " "}, follow=True).content
    )
    assert asked(shops, switches) == []
    page = text(sign_in("主管阿兰").post("/switches", stop, follow=True).content)
    assert "已停 快递赔付对不上 主管阿兰" in page
    assert asked(shops, switches) == [(1, "agree_refund", True, "快递赔付对不上", "主管阿兰")]
    sign_in("主管阿兰").post("/switches", {**stop, "stopped": "0", "why": "已核对"})
    assert asked(shops, switches) == [(1, "agree_refund", False, "已核对", "主管阿兰")]
    assert "快递赔付对不上" not in sign_in("外人老吴").get("/switches").content.decode()


def test_the_board_counts_what_the_queue_shows(sign_in: SignIn, shops: Database) -> None:
    figures = sign_in("主管阿兰").get("/board/data").json()
    [(waiting,)] = asked(shops, "SELECT count(*) FROM queue_item WHERE shop_id IN (1, 2)")
    tiles = {tile["key"]: tile["text"] for tile in figures["tiles"]}
    assert tiles["waiting"] == str(waiting)
    assert (
        sum(one["cases"] for one in figures["backlog"])
        == sum(one["cases"] for one in figures["left"])
        == waiting
    )
    assert sum(hour["automatic"] + hour["people"] for hour in figures["inflow"]) == 96
    assert figures["inflow"][12]["people"] + figures["inflow"][12]["automatic"] == 8
    rows = sign_in("主管阿兰").get(figures["inflow"][12]["address"]).content.decode()
    assert len(re.findall("board-row", rows)) == 8
    assert sign_in("主管阿兰").get("/board/rows?of=everything").status_code == 404


def test_time_is_the_record_s(sign_in: SignIn, shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        stand_still(conn, NOON.replace(hour=3))
    try:
        assert "已超时 1小时36分" in text(sign_in("客服小明").get("/queue").content)
    finally:
        with psycopg.connect(shops.owner) as conn:
            stand_still(conn)


def test_the_case_page_shows_the_clocks_of_the_book(sign_in: SignIn) -> None:
    """The platform's own deadline stands where our computed one would; what missing it does is said."""
    page = sign_in("主管阿兰").get(f"/case/tea/{case_id(1, 0)}").content.decode()
    card = page.partition("期限</h2>")[2].partition("</div></div>")[0]
    titles = {rule.name: rule.title for rule in books.book("deadlines").rules}
    assert titles["platform_deadline"] in card
    assert titles["unshipped_agree"] not in card
    assert "错过的后果：平台自动处理，可能直接退款" in card


def test_a_missed_deadline_is_told_in_the_language_of_the_page(sign_in: SignIn, shops: Database) -> None:
    mine = case_id(1, 1)
    with psycopg.connect(shops.app) as conn:
        conn.execute(
            "INSERT INTO happening (shop_id, case_id, at, kind, actor, what)"
            " VALUES (1, %s, moment(), 'deadline', 'platform', 'platform person')",
            (mine,),
        )
    lead = sign_in("主管阿兰")
    assert "平台期限已过：在等人处理" in text(lead.get(f"/case/tea/{mine}").content)
    lead.cookies["django_language"] = "en"
    assert "The platform's deadline passed: it waited for a person" in html.unescape(
        text(lead.get(f"/case/tea/{mine}").content)
    )
