"""The return scan as the warehouse meets it, over HTTP."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from aftersale.clock import follow
from aftersale.core.records import Order, OrderLine
from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import stand_still
from tests.people.yard import PACKER, Yard

SignIn = Callable[[str], Client]


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


@pytest.fixture(scope="module")
def yard(shops: Database) -> Iterator[Yard]:
    ensure_user(PACKER, PASSWORD, {"snack": "warehouse"})
    made = Yard(shops)
    yield made
    made.conn.close()


def fields(page: bytes) -> dict[str, str]:
    """The hidden fields of the sheet."""
    return dict(re.findall(r'name="(key|waybill|case|seen)" value="([^"]*)"', page.decode()))


def look(client: Client, code: str, **more: str) -> bytes:
    answer = client.get("/returns", {"code": code, **more})
    assert answer.status_code == 200
    return answer.content


def receive(client: Client, code: str, said: str = "", shop: str = "snack", **more: str) -> bytes:
    sheet = fields(look(client, code, **({"case": more["case"]} if "case" in more else {})))
    form = {**sheet, "waybill": code, "said": said, **more}
    return client.post(f"/returns/{shop}/receive", form, follow=True).content


def test_a_waybill_shows_what_should_be_in_it_and_no_money(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P1", "YT100000001", pieces=2)
    page = look(sign_in(PACKER), " yt100000001 ")
    told = text(page)
    assert "P1" in told
    assert told.count("坚果每日装 30 包") == 2
    assert "有未结的售后单，按退货确认" in told
    assert "¥" not in told
    assert "AAE" not in told
    assert yard.all("SELECT 1 FROM return_scan") == []


def test_a_complete_parcel_is_received_and_paid_by_the_book(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P2", "YT100000002", pieces=2)
    told = text(receive(sign_in(PACKER), "YT100000002", "0"))
    assert "已收，全部完好" in told
    assert "交给规则书判断" in told
    assert yard.all("SELECT 1 FROM intent WHERE case_id = 'P2' AND money") == []
    yard.work()
    paid = "SELECT state, amount_fen, planned_by FROM intent WHERE case_id = 'P2' AND money"
    assert yard.all(paid) == [("approved", 5_000, "rule:return_received")]
    assert "已经收过：仓库小何" in text(look(sign_in(PACKER), "YT100000002"))


def test_a_number_used_twice_is_said_where_the_second_case_is_paid_by_hand(
    sign_in: SignIn, yard: Yard
) -> None:
    yard.announce("P21", "YT100000021")
    receive(sign_in(PACKER), "YT100000021", "0")
    yard.work()
    yard.announce("P22", "YT100000021")
    assert yard.all("SELECT case_id FROM intent WHERE case_id IN ('P21', 'P22') AND money") == [("P21",)]
    page = text(sign_in("客服小明").get("/case/snack/P22").content)
    assert "退货单号已用于别的售后单，先查清货是谁的" in page
    assert "退货单号已用于售后单 P21 有信息" in page
    assert "退货单号已用于售后单 P" not in text(sign_in("客服小明").get("/case/snack/P21").content)


def test_a_damaged_piece_goes_to_people(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P3", "YT100000003", pieces=2)
    told = text(receive(sign_in(PACKER), "YT100000003", "12"))
    assert "已收，有异常" in told
    assert "完好 破损" in told
    yard.work()
    assert yard.all("SELECT queue FROM queue_item WHERE case_id = 'P3'") == [("return_refund",)]
    assert yard.all("SELECT 1 FROM intent WHERE case_id = 'P3' AND money") == []


def test_piece_by_piece_without_typing(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P4", "YT100000004", pieces=2)
    choice = {"unit-1": "intact", "unit-2": "swapped"}
    assert "调包" in text(receive(sign_in(PACKER), "YT100000004", **choice))
    assert yard.all("SELECT condition FROM return_scan_unit WHERE case_id = 'P4' ORDER BY no") == [
        ("intact",),
        ("swapped",),
    ]
    [(order, scan_id, state)] = yard.all(
        "SELECT o.subject, split_part(o.key, ':', 2)::int, o.state FROM work_order o JOIN work_order_case c"
        " ON (c.shop_id, c.work_order_id) = (o.shop_id, o.id) WHERE c.case_id = 'P4'"
    )
    assert (order, state) == ("退货 YT100000004：坚果每日装 30 包 调包", "open")
    assert "核查少了、错了的货" in text(sign_in(PACKER).get(f"/returns/snack/{scan_id}").content)
    sign_in(PACKER).post(f"/returns/snack/{scan_id}/undo")
    assert yard.all("SELECT state FROM work_order WHERE key = %s", f"return_scan:{scan_id}") == [
        ("cancelled",)
    ]


@pytest.mark.parametrize("said", ["", "1", "13", "6", "12345678", "YT100000099", "<script>alert(1)</script>"])
def test_what_is_no_result_is_not_recorded(sign_in: SignIn, yard: Yard, said: str) -> None:
    if not yard.all("SELECT 1 FROM cases WHERE case_id = 'P5'"):
        yard.announce("P5", "YT100000005", pieces=3)
    page = receive(sign_in(PACKER), "YT100000005", said)
    assert "没有记录" in text(page)
    assert b"<script>alert" not in page
    assert yard.all("SELECT 1 FROM return_scan WHERE waybill = 'YT100000005'") == []
    assert ("放下这一个，去验下一个" in text(page)) == (said in ("YT100000099", "12345678"))


def test_the_same_form_twice_is_one_parcel(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P6", "YT100000006")
    client = sign_in(PACKER)
    form = {**fields(look(client, "YT100000006")), "said": "0"}
    other = {**fields(look(client, "YT100000006")), "said": "2"}
    client.post("/returns/snack/receive", form)
    assert "没有重复记录" in text(client.post("/returns/snack/receive", form, follow=True).content)
    late = text(client.post("/returns/snack/receive", other, follow=True).content)
    assert "仓库小何 在" in late
    assert "已经先处理：这个包裹已经收过" in late
    assert yard.all("SELECT u.condition FROM return_scan_unit u WHERE case_id = 'P6'") == [("intact",)]


def test_goods_that_changed_meanwhile_are_shown_again(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P7", "YT100000007")
    client = sign_in(PACKER)
    form = {**fields(look(client, "YT100000007")), "said": "0"}
    yard.announce("P8", "YT100000007")
    told = text(client.post("/returns/snack/receive", form, follow=True).content)
    assert "应有的货刚刚变了" in told
    assert "P8" in told
    assert yard.all("SELECT 1 FROM return_scan WHERE waybill = 'YT100000007'") == []


def test_a_scan_is_taken_back(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P9", "YT100000009")
    client = sign_in(PACKER)
    receive(client, "YT100000009", "0")
    [(mine,)] = yard.all("SELECT id FROM return_scan WHERE waybill = 'YT100000009'")
    told = client.post(f"/returns/snack/{mine}/undo", follow=True).content
    assert "已撤回 YT100000009 的扫描" in text(told)
    yard.work()
    assert yard.all("SELECT 1 FROM intent WHERE case_id = 'P9' AND money") == []
    assert "已收，有异常" in text(receive(client, "YT100000009", "2"))


def test_a_nameless_parcel_finds_its_case(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("Q1", "YT200000001")
    client = sign_in(PACKER)
    page = look(client, "YT200000002")
    assert "看不出订单，登记匿名件" in text(page)
    assert "单号只差一位" in text(page)
    form = {**fields(page), "phone_tail": "43a1"}
    assert "手机尾号是四位数字" in text(client.post("/returns/snack/register", form).content)
    form |= {"phone_tail": "4321", "goods": "坚果", "weight_g": "800", "remark": "外箱湿了"}
    assert "已登记为匿名件" in text(client.post("/returns/snack/register", form, follow=True).content)
    yard.work()
    assert (
        yard.all(
            "SELECT 1 FROM parcel WHERE tracking_no IN ('YT200000001', 'YT200000002') AND inbound_success"
        )
        == []
    )
    [(mine,)] = yard.all("SELECT id FROM return_scan WHERE waybill = 'YT200000002'")
    assert "YT200000002" in text(client.get("/returns/nameless").content)
    sheet = client.get(f"/returns/snack/{mine}", {"case": "snack:Q1"}).content
    linked = client.post(f"/returns/snack/{mine}/link", {**fields(sheet), "said": "0"}, follow=True).content
    assert "已关联到售后单 Q1" in text(linked)
    yard.work()
    assert yard.all("SELECT planned_by FROM intent WHERE case_id = 'Q1' AND money") == [
        ("rule:return_received",)
    ]
    assert "YT200000002" not in text(client.get("/returns/nameless").content)


def test_enter_puts_a_nameless_parcel_where_it_most_likely_belongs(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("Q3", "YT200000030")
    ensure_user("仓库三店", PASSWORD, {"wu": "warehouse", "tea": "warehouse", "snack": "warehouse"})
    client = sign_in("仓库三店")

    def places(waybill: str) -> list[tuple[str, str]]:
        offered = r'class="btn( btn-primary)?" formaction="/returns/(\w+)/register"'
        return re.findall(offered, look(client, waybill).decode())

    assert places("YT200000031")[0] == (" btn-primary", "snack")
    assert sorted(shop for _, shop in places("YT200000031")) == ["snack", "tea", "wu"]
    assert places("ZZ999999999")[0] != (" btn-primary", "snack"), "nothing speaks for it"


def test_a_likely_case_is_taken_at_once(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("Q2", "YT200000020")
    told = text(receive(sign_in(PACKER), "YT200000021", "0", case="snack:Q2"))
    assert "已收，全部完好" in told
    yard.work()
    assert yard.all("SELECT planned_by FROM intent WHERE case_id = 'Q2' AND money") == [
        ("rule:return_received",)
    ]


def test_an_order_that_came_back_without_a_case_is_for_the_buyer_to_apply(
    sign_in: SignIn, yard: Yard
) -> None:
    lines = (OrderLine("1", "P1", "坚果每日装 30 包", "JG30", 1, 5_000),)
    yard.tell(
        2,
        Order(
            "TX1",
            1,
            order_state="shipped",
            paid_fen=5_000,
            shipped=True,
            tracking_no="SF700000001",
            lines=lines,
        ),
    )
    client = sign_in(PACKER)
    assert "收到退件但买家没有申请，联系买家申请" in text(look(client, "SF700000001"))
    assert "请客服联系买家申请" in text(receive(client, "SF700000001", "0"))


def png() -> bytes:
    made = BytesIO()
    Image.new("RGB", (40, 30), "red").save(made, "PNG")
    return made.getvalue()


def test_photos_are_kept_with_the_parcel_and_as_evidence_of_its_case(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P11", "YT100000011")
    client = sign_in(PACKER)
    form = {**fields(look(client, "YT100000011")), "said": "2"}
    files = [
        SimpleUploadedFile("面单.png", png()),
        SimpleUploadedFile("坏.png", b"<script>alert(1)</script>"),
    ]
    told = text(client.post("/returns/snack/receive", {**form, "photos": files}, follow=True).content)
    assert "已收，有异常" in told
    assert "有一张照片没有保存" in told
    kept = yard.all(
        "SELECT p.scan_id, p.sha256, e.kind, e.by_whom FROM return_scan_photo p JOIN evidence e USING (sha256)"
    )
    assert [row[2:] for row in kept] == [("onsite_inspection_proof", PACKER)]
    scan_id, sha256 = kept[0][:2]
    answer = client.get(f"/returns/snack/{scan_id}/photo/{sha256}")
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer.content[:3] == b"\xff\xd8\xff"
    assert sign_in("外人老吴").get(f"/returns/snack/{scan_id}/photo/{sha256}").status_code == 404
    assert client.get(f"/returns/snack/{scan_id}/photo/{'0' * 64}").status_code == 404
    again = {"photos": [SimpleUploadedFile("2.png", png())]}
    assert (
        client.post(f"/returns/snack/{scan_id}/photos", again, follow=True).content.count(
            b'<img src="/returns'
        )
        == 1
    )


def test_a_days_list_counts_what_came(sign_in: SignIn, yard: Yard) -> None:
    page = sign_in(PACKER).get("/returns/day").content
    tiles = dict(re.findall(r"<span>([^<]+)</span><b>(\d+)</b>", page.decode()))
    counted = dict(yard.all(
        "SELECT u.condition, count(*) FROM return_scan s JOIN return_scan_unit u ON (u.shop_id, u.scan_id) = (s.shop_id, s.id)"
        " WHERE undone_at IS NULL GROUP BY 1"))  # fmt: skip
    assert int(tiles["完好 · 件数"]) == counted["intact"]
    assert int(tiles["破损 · 件数"]) == counted["damaged"]
    assert int(tiles["后来关联的包裹"]) == 1
    damaged = sign_in(PACKER).get("/returns/day?condition=damaged").content
    assert "YT100000003" in text(damaged)
    assert "YT100000002" not in text(damaged)
    assert "这一天没有这样的包裹" in text(sign_in(PACKER).get("/returns/day?day=2020-01-01").content)
    assert sign_in(PACKER).get("/returns/day?day=2026-02-31&page=99999999999").status_code == 200


def test_what_is_not_yours_does_not_exist_and_agents_do_not_scan(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P10", "YT100000010")
    [(mine,)] = yard.all("SELECT min(id) FROM return_scan")
    stranger = sign_in("外人老吴")
    theirs, random = stranger.get(f"/returns/snack/{mine}"), stranger.get("/returns/wu/999999999")
    assert theirs.status_code == random.status_code == 404
    assert theirs.content == random.content
    assert "没有对上任何售后单" in text(look(stranger, "YT100000010"))
    form = {**fields(look(sign_in(PACKER), "YT100000010")), "said": "0"}
    assert stranger.post("/returns/snack/receive", form).content == random.content
    assert stranger.post(f"/returns/snack/{mine}/undo").content == random.content
    assert sign_in("客服小明").get("/returns").status_code == 403
    assert sign_in("客服小明").post("/returns/snack/receive", form).status_code == 403
    assert yard.all("SELECT 1 FROM return_scan WHERE waybill = 'YT100000010'") == []
    assert yard.all("SELECT 1 FROM return_scan WHERE undone_by = '外人老吴'") == []


def test_the_time_to_undo_a_scan_is_thirty_real_seconds_on_a_fast_day(sign_in: SignIn, yard: Yard) -> None:
    yard.announce("P90", "YT100000090")
    try:
        follow(yard.conn, yard.now, 120.0)
        assert "已收，全部完好" in text(receive(sign_in(PACKER), "YT100000090", "0"))
    finally:
        stand_still(yard.conn, yard.now)
        yard.conn.commit()
    waits = "SELECT extract(epoch FROM due_at - at)::int FROM return_scan WHERE waybill = 'YT100000090'"
    assert yard.all(waits) == [(3_600,)]
