"""Personal data is masked, looked at with a reason, and the log says who looked and what people did on cases."""

import csv
import html
import io
import re
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest
from django.test import Client

from aftersale.people import timeline
from aftersale.people.audit import acts
from aftersale.people.audit import page as audit_page
from aftersale.people.rights.masking import masked, masked_words
from tests.conftest import Database
from tests.people.shops import NOON, case_id, stand_still

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


def test_the_log_speaks_in_words(sign_in: SignIn, shops: Database) -> None:
    rows = (
        ("unmask", f"tea/{CASE}/buyer", "{}"),
        ("unmask", f"tea/{CASE}/words", "{}"),
        ("leave", "客服小秦", '{"cases": 2, "unsent": 4, "steps": 1, "promises": 3}'),
        ("temporary_right", "客服小秦", '{"ends_at": "2026-11-12 16:00:00+00:00"}'),
    )
    with psycopg.connect(shops.owner) as conn:
        for row in rows:
            conn.execute(
                "INSERT INTO audit (at, who, shop_id, what, target, why, more)"
                " VALUES ('2025-01-02 08:00+08', '主管阿兰', 1, %s, %s, '', %s)", row,
            )  # fmt: skip
    said = text(sign_in("主管阿兰").get("/audit?until=2025-01-02").content)
    assert f"售后单 {CASE} 的买家" in said
    assert f"售后单 {CASE} 里买家的原话" in said
    assert "放回的售后单：2 交回的工单步骤：1 撤回的决定：4 交回的承诺：3" in said
    assert "结束时间：2026-11-13 00:00" in said


def test_the_filter_of_what_was_taken_away_is_told_as_its_page_says_it(
    sign_in: SignIn, shops: Database
) -> None:
    told = {
        "queue": (
            "shop=tea&reason=quality&amount=50-200&left=2&owner=客服小明&sort=amount&tab=return_refund&page=2&x=1",
            "工作种类 退货退款，店铺 青山茶铺，原因 质量问题，金额 ¥50–200，剩余时间 2 小时内，负责人 客服小明，排序 金额大的在前",
            "Kind of work Returns, Shop 青山茶铺, Reason Quality, Amount ¥50–200, Time left Within 2 h, Owner 客服小明,"
            " Sort Largest amount first",
        ),
        "search": ("q=13812345678", "搜索 138****5678", "Search 138****5678"),
        "ledger": (
            "shop=wu&day=2026-11-11&origin=person",
            "店铺 另一家店铺，日期 2026-11-11，谁退的 人工",
            "",
        ),
        "work_orders": ("dept=warehouse&late=1", "部门 仓库，已超时", ""),
        "parcels_back": ("way=returning&show=silent", "怎么退回 退回途中，物流停滞", ""),
        "audit": ("what=export&since=2026-11-01", "做了什么 导出，从 2026-11-01", ""),
    }
    with psycopg.connect(shops.owner) as conn:
        for name, (query, *_words) in told.items():
            conn.execute(
                "INSERT INTO audit (at, who, shop_id, what, target, why, more) VALUES ('2025-01-03 08:00+08', '主管阿兰', 1,"
                " 'export', %s, '', jsonb_build_object('rows', 7, 'filter', %s::text))", (name, query),
            )  # fmt: skip
    lan = sign_in("主管阿兰")
    day = "?since=2025-01-03&until=2025-01-03"
    page = lan.get(f"/audit{day}").content
    assert {f"筛选：{said}" for _query, said, _en in told.values()} == {
        row[3].partition("行数：7 ")[2] for row in rows(page)
    }
    assert "reason=quality" not in page.decode()
    taken = lan.post(f"/export/audit.csv{day}").content.decode()
    assert all(f"筛选：{said}" in taken for _query, said, _en in told.values())
    lan.cookies["django_language"] = "en"
    english = html.unescape(text(lan.get(f"/audit{day}").content))
    lan.cookies["django_language"] = "zh-hans"
    assert [en for _query, _zh, en in told.values() if en and f"filter: {en}" not in english] == []


def test_a_setting_is_told_with_its_unit_and_a_switch_with_its_shop(sign_in: SignIn, shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        for what, target, more in (
            ("setting", "work_start_minute", '{"value": "540"}'),
            ("setting", "small_amount_max", '{"value": "12.50"}'),
            ("setting", "keep_public_holidays", '{"value": ""}'),
            ("switch", "tea", '{"stopped": true, "action": "automatic_money"}'),
        ):
            conn.execute(
                "INSERT INTO audit (at, who, shop_id, what, target, why, more)"
                " VALUES ('2025-01-04 08:00+08', '主管阿兰', 1, %s, %s, '', %s)", (what, target, more),
            )  # fmt: skip
    said = text(sign_in("主管阿兰").get("/audit?since=2025-01-04&until=2025-01-04").content)
    assert [one for one in ("数值：09:00", "数值：¥12.50", "数值：默认") if one not in said] == []
    assert "拨动总闸 青山茶铺 动作：全部自动付款 停止：是" in said


def test_the_english_log_is_taken_away_without_chinese_signs(sign_in: SignIn, shops: Database) -> None:
    more = '{"after": {"role": "agent", "skills": ["return_refund", "evidence"]}, "rows": 3}'
    with psycopg.connect(shops.owner) as conn:
        conn.execute(
            "INSERT INTO audit (at, who, shop_id, what, target, why, more)"
            " VALUES ('2025-01-05 08:00+08', '主管阿兰', 1, 'rights', 'Ming', '', %s)",
            (more,),
        )
    lan, day = sign_in("主管阿兰"), "?since=2025-01-05&until=2025-01-05"
    _head, [*_row, chinese] = csv.reader(io.StringIO(lan.post(f"/export/audit.csv{day}").content.decode()))
    lan.cookies["django_language"] = "en"
    _head, [*_row, english] = csv.reader(io.StringIO(lan.post(f"/export/audit.csv{day}").content.decode()))
    lan.cookies["django_language"] = "zh-hans"
    assert chinese == "行数：3；之后：角色 客服，擅长的事 退货退款、举证"
    assert english == "rows: 3; after: Role Agent, skills Returns, Evidence"


ASKED, UNDONE, NOTED = case_id(1, 12), case_id(1, 28), case_id(1, 18)
FORM = {"amount_fen": 39_900, "version": 1}


def rows(page: bytes) -> list[tuple[str, ...]]:
    """The cells of the log's rows but for the shop."""
    lines = re.findall(r"<tr>\s*(<td.*?)</tr>", page.decode(), re.S)
    return [
        tuple(html.unescape(text(cell.encode())).strip() for cell in line.split("</td>")[:6])
        for line in lines
    ]


@pytest.fixture(scope="module")
def worked(sign_in: SignIn, shops: Database, told: None) -> None:
    """A refund asked for and approved, one undone, done smaller, undone and done again, and a note and a fact."""
    ming, lan = sign_in("客服小明"), sign_in("主管阿兰")
    ming.post(f"/case/tea/{ASKED}/do/agree_refund", FORM)
    with psycopg.connect(shops.owner) as conn:
        found = conn.execute("SELECT id FROM approval WHERE case_id = %s", (ASKED,)).fetchone()
    assert found is not None
    lan.post(f"/approvals/tea/{found[0]}/yes", FORM)
    for minute, amount_fen in ((1, 39_900), (3, 10_000), (5, 39_900)):
        for later, act in ((minute, "agree_refund"), (minute + 1, "undo")):
            with psycopg.connect(shops.owner) as conn:
                stand_still(conn, NOON + timedelta(minutes=later))
            lan.post(
                f"/case/tea/{UNDONE}/do/{act}",
                {"amount_fen": amount_fen, "version": 1, "intent": "agree_refund"},
            )
    ming.post(f"/case/tea/{NOTED}/do/note", {"text": "=1+1 回拨 13812345678"})
    ming.post(f"/case/tea/{NOTED}/do/give", {"owner": "主管阿兰"})
    with psycopg.connect(shops.owner) as conn:
        stand_still(conn)


def test_the_log_says_who_agreed_which_refund_and_who_undid_it(sign_in: SignIn, worked: None) -> None:
    lan = sign_in("主管阿兰")
    noon, day = "2026-11-11 12:00:00", "2026-11-11 12:0"
    assert rows(lan.get(f"/audit?case={ASKED}").content) == [
        (noon, "主管阿兰", "复核", f"{ASKED} 复核同意", "¥399.00", "—"),
        (noon, "客服小明", "同意退款", ASKED, "¥399.00", "—"),
        (noon, "客服小明", "复核", f"{ASKED} 超过额度，提交复核", "¥399.00", "—"),
    ]
    assert rows(lan.get(f"/audit?case={UNDONE}").content) == [
        (f"{day}6:00", "主管阿兰", "撤回了「同意退款」", UNDONE, "¥399.00", "—"),
        (f"{day}5:00", "主管阿兰", "同意退款", UNDONE, "¥399.00", "—"),
        (f"{day}4:00", "主管阿兰", "撤回了「同意退款」", UNDONE, "¥100.00", "—"),
        (f"{day}3:00", "主管阿兰", "同意退款", UNDONE, "¥100.00", "—"),
        (f"{day}2:00", "主管阿兰", "撤回了「同意退款」", UNDONE, "¥399.00", "—"),
        (f"{day}1:00", "主管阿兰", "同意退款", UNDONE, "¥399.00", "—"),
    ]
    assert f'href="/case/tea/{UNDONE}"' in lan.get(f"/audit?case={UNDONE}").content.decode()


def test_the_log_of_another_shop_shows_none_of_it(sign_in: SignIn, worked: None) -> None:
    wu = sign_in("外人老吴")
    for asked in ("", f"case={ASKED}", "who=主管阿兰", "what=agree_refund", "shop=tea", "since=2026-11-11"):
        page = "".join(" ".join(row) for row in rows(wu.get(f"/audit?{asked}").content))
        assert [one for one in (ASKED, UNDONE, NOTED, "¥399.00") if one in page] == []
    assert rows(wu.get(f"/audit?case={ASKED}").content) == []
    assert ASKED not in wu.post("/export/audit.csv").content.decode()
    assert sign_in("客服小明").get(f"/audit?case={ASKED}").status_code == 403


def test_acts_and_looks_are_filtered_alike(sign_in: SignIn, worked: None) -> None:
    lan = sign_in("主管阿兰")
    mixed = rows(lan.get("/audit?who=客服小明&since=2026-11-11&until=2026-11-11").content)
    assert {row[1] for row in mixed} == {"客服小明"}
    assert {"同意退款", "备注"} <= {row[2] for row in mixed}
    both = rows(lan.get(f"/audit?who=主管阿兰&case={ASKED}").content)
    assert [(row[1], row[2]) for row in both] == [("主管阿兰", "复核")]
    undone = rows(lan.get("/audit?what=undo").content)
    assert [row[4] for row in undone] == ["¥399.00", "¥100.00", "¥399.00"]
    assert rows(lan.get("/audit?what=agree_refund&who=客服小明&shop=snack").content) == []
    assert rows(lan.get("/audit?what=note&until=2026-11-10").content) == []
    assert rows(lan.get("/audit?what=nothing").content) == []
    lan.post(f"/case/tea/{NOTED}/unmask/buyer", {"why": "核对"})
    looked = [(row[2], row[3]) for row in rows(lan.get(f"/audit?case={NOTED}").content)]
    assert ("备注", f"{NOTED} =1+1 回拨 138****5678") in looked
    assert ("接手与分派", f"{NOTED} 交给 主管阿兰") in looked


def test_every_act_of_the_record_has_its_words(sign_in: SignIn, shops: Database) -> None:
    with psycopg.connect(shops.owner) as conn:
        found = conn.execute("SELECT pg_get_viewdef('act'::regclass)").fetchone()
    assert found is not None
    assert set(re.findall(r"'(\w+)'::text", found[0])) == set(acts.titles())
    told = {
        kind for kind in timeline.GROUPS if kind not in ("decision", "message", "money", "refusing")
    }  # no acts
    assert told <= set(acts.titles())


def test_pages_of_the_log_hold_every_row_once(
    sign_in: SignIn, worked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan = sign_in("主管阿兰")
    whole = rows(lan.get("/audit?shop=tea").content)
    assert whole == sorted(whole, key=lambda row: row[0], reverse=True)
    assert {"同意退款", "查看买家信息"} <= {row[2] for row in whole}
    monkeypatch.setattr(audit_page, "PAGE_ROWS", 2)
    found, address = [], "?shop=tea"
    while address:
        page = lan.get(f"/audit{address}").content
        found += rows(page)
        older = re.search(r'rel="next" href="([^"]+)"', page.decode())
        address = html.unescape(older[1]) if older else ""
    assert found == whole


def test_the_log_is_taken_away_as_it_is_filtered(sign_in: SignIn, worked: None) -> None:
    lan = sign_in("主管阿兰")
    told = lan.post(f"/export/audit.csv?case={UNDONE}&what=agree_refund").content.decode("utf-8-sig")
    assert [row[1:7] for row in csv.reader(io.StringIO(told))] == [
        ["谁", "做了什么", "店铺", "售后单", "金额", "对象"],
        ["主管阿兰", "同意退款", "青山茶铺", UNDONE, "399.00", ""],
        ["主管阿兰", "同意退款", "青山茶铺", UNDONE, "100.00", ""],
        ["主管阿兰", "同意退款", "青山茶铺", UNDONE, "399.00", ""],
    ]
    note = lan.post(f"/export/audit.csv?case={NOTED}&what=note").content.decode()
    assert "'=1+1 回拨 138****5678" in note
    assert "13812345678" not in note


def test_the_log_is_only_added_to(shops: Database) -> None:
    for statement in ("UPDATE audit SET why = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        for url in (shops.app, shops.owner):
            with psycopg.connect(url) as conn, pytest.raises(psycopg.Error):
                conn.execute(statement)
