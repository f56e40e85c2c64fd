"""Work orders between departments, over HTTP against a real database."""

import csv
import html
import io
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.test import Client

from aftersale.people.accounts import ensure_user
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.shops import NOON, case_id, stand_still

SignIn = Callable[[str], Client]
RUNS = case_id(1, 3)
AGENT, LEAD, STOCK, MONEY, STRANGER = "客服小明", "主管阿兰", "仓库老李", "财务小周", "外人老吴"
OWNER, KEY = "店主阿青", "7a0e5a52-0d1c-4a57-9d5e-0d6f4a1c2b3e"


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def asked(shops: Database, query: str, *values: object) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query, values).fetchall()


@pytest.fixture(scope="module")
def desk(shops: Database) -> Database:
    """With colleagues of the warehouse and of finance."""
    ensure_user(STOCK, PASSWORD, {"tea": "warehouse"})
    ensure_user(MONEY, PASSWORD, {"tea": "finance"})
    ensure_user(OWNER, PASSWORD, {"tea": "owner"})
    return shops


@pytest.fixture(autouse=True)
def noon(desk: Database) -> None:
    with psycopg.connect(desk.owner) as conn:
        stand_still(conn)


def later(desk: Database, at: datetime) -> None:
    with psycopg.connect(desk.owner) as conn:
        stand_still(conn, at)


def opened(
    client: Client, template: str, case: str = "", shop: str = "tea", **fields: str
) -> tuple[int, dict[str, str]]:
    """Opens an order through its form; its number and what was posted."""
    page = client.get(f"/work-orders/{shop}/new", {"template": template, "case": case}).content.decode()
    form = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page))
    form |= {f"f_{name}": value for name, value in fields.items()}
    answer = client.post(f"/work-orders/{shop}/new", form)
    assert answer.status_code == 302, text(answer.content)
    return int(answer["Location"].rsplit("/", 1)[1]), form


def do(client: Client, order: int, act: str, shops: Database, **form: object) -> str:
    """One act with the version that stands in the record; what the page says afterwards."""
    [(version,)] = asked(shops, "SELECT version FROM work_order WHERE id = %s", order)
    told = {"version": version, **form}
    return text(client.post(f"/work-orders/tea/{order}/do/{act}", told, follow=True).content)


def states(shops: Database, order: int) -> dict[object, object]:
    return dict(asked(shops, "SELECT code, state FROM work_order_step WHERE work_order_id = %s", order))  # type: ignore[arg-type]


def test_a_claim_goes_from_department_to_department_by_itself(desk: Database, sign_in: SignIn) -> None:
    agent, stock, money = sign_in(AGENT), sign_in(STOCK), sign_in(MONEY)
    order, _form = opened(
        agent, "courier_claim", case_id(1, 6), waybill="SF1300000006", kind="damaged", value="168.00"
    )
    fields = asked(desk, "SELECT fields, subject FROM work_order WHERE id = %s", order)
    assert fields[0][0] == {"waybill": "SF1300000006", "value": 16800, "kind": "damaged"}
    assert states(desk, order) == {"weight": "open", "proof": "open", "file": "waiting", "paid": "waiting"}
    assert f"#{order}" in text(stock.get("/work-orders?dept=warehouse").content)
    assert f"#{order}" not in text(money.get("/work-orders?dept=finance").content)

    assert "已接手" in do(stock, order, "take", desk, step="weight")
    assert "最多两位小数" not in do(
        stock, order, "finish", desk, step="weight", f_grams="1240", note="箱子是好的"
    )
    do(agent, order, "finish", desk, step="proof", note="照片齐了")
    assert states(desk, order) == {"weight": "done", "proof": "done", "file": "open", "paid": "waiting"}
    page = text(agent.get("/work-orders?dept=courier").content)
    assert "向快递提交索赔" in page
    assert "箱子是好的" in page
    do(agent, order, "finish", desk, step="file")
    for bad in ("0", "-5", "1e3", "NaN", "1.005", "١٢"):
        do(money, order, "finish", desk, step="paid", f_paid=bad)
        assert states(desk, order)["paid"] == "open", bad
    assert "必填的项还没有填完" in do(money, order, "finish", desk, step="paid")
    do(money, order, "finish", desk, step="paid", f_paid="168.00")
    assert asked(desk, "SELECT state, ended_at FROM work_order WHERE id = %s", order) == [("done", NOON)]
    kinds = asked(desk, "SELECT kind, who FROM work_order_remark WHERE work_order_id = %s ORDER BY id", order)
    assert kinds == [
        ("created", AGENT), ("taken", STOCK), ("done", STOCK), ("done", AGENT), ("done", AGENT), ("done", MONEY),
        ("ended", MONEY),
    ]  # fmt: skip


def test_what_is_said_while_taking_stays_with_the_step(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "courier_claim", waybill="SF1300000007", kind="lost", value="20.00")
    stock = sign_in(STOCK)
    note = "SELECT note FROM work_order_step WHERE work_order_id = %s AND code = 'weight'"
    assert "留言最多 2000 个字" in do(stock, order, "take", desk, step="weight", note="长" * 2001)
    assert (states(desk, order)["weight"], asked(desk, note, order)) == ("open", [(None,)])
    page = do(stock, order, "take", desk, step="weight", note=" 秤在二楼 ")
    assert "· 秤在二楼" in page
    assert asked(desk, note, order) == [("秤在二楼",)]
    assert ">秤在二楼</textarea>" in stock.get(f"/work-orders/tea/{order}").content.decode()
    do(stock, order, "give_back", desk, step="weight")
    do(stock, order, "take", desk, step="weight")
    assert asked(desk, note, order) == [("秤在二楼",)]
    do(stock, order, "finish", desk, step="weight", f_grams="1240", note="秤在二楼，1240 克")
    assert asked(desk, note, order) == [("秤在二楼，1240 克",)]


def test_what_is_filled_in_while_taking_stays_with_the_step(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "courier_claim", waybill="SF1300000008", kind="lost", value="20.00")
    stock, page = sign_in(STOCK), f"/work-orders/tea/{order}"
    kept = "SELECT state, note, fields FROM work_order_step WHERE work_order_id = %s AND code = 'weight'"

    def shown(client: Client) -> list[str]:
        return re.findall(r'name="f_grams" value="([^"]*)"', client.get(page).content.decode())

    refused = do(stock, order, "take", desk, step="weight", f_grams="很重", note="秤在二楼")
    assert "请写 0 到 100000 的整数" in refused
    assert asked(desk, kept, order) == [("open", None, {})]
    do(stock, order, "take", desk, step="weight", f_grams="1240")
    assert asked(desk, kept, order) == [("taken", None, {"grams": 1240})]
    assert shown(stock) == ["1240"]
    assert "发货重量（克） 1240" in text(sign_in(AGENT).get(page).content), "others see what is there"
    do(stock, order, "give_back", desk, step="weight", f_grams="1250", note="再称一次")
    do(stock, order, "take", desk, step="weight", back="/work-orders?dept=warehouse")
    assert asked(desk, kept, order) == [("taken", "再称一次", {"grams": 1250})], "the board has no fields"
    assert shown(stock) == ["1250"]
    do(stock, order, "finish", desk, step="weight", f_grams="", note="")
    assert asked(desk, kept, order) == [("done", None, {"grams": None})]


def test_what_is_refused_stands_in_its_form_again(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "courier_claim", waybill="SF1300000009", kind="lost", value="20.00")
    stock, address = sign_in(STOCK), f"/work-orders/tea/{order}/do"
    told = {"version": 1, "step": "weight", "f_grams": "一千二", "note": "还没有保存的话"}
    for act in ("finish", "take"):
        answer = stock.post(f"{address}/{act}", told)
        page = answer.content.decode()
        assert (answer.status_code, 'name="f_grams" value="一千二"' in page) == (422, True), act
        assert ">还没有保存的话</textarea>" in page
        assert "请写 0 到 100000 的整数" in page
    sign_in(LEAD).post(f"{address}/say", {"text": "x"})
    sign_in(AGENT).post(f"{address}/take", {"version": 1, "step": "proof"})
    stale = stock.post(f"{address}/finish", {**told, "f_grams": "1200"}).content.decode()
    assert "已经先处理" in stale
    assert 'name="f_grams" value="1200"' in stale
    assert ">还没有保存的话</textarea>" in stale
    assert states(desk, order)["weight"] == "open"
    long = stock.post(f"{address}/say", {"text": "长" * 2001}).content.decode()
    assert f'value="{"长" * 2001}"' in long


def test_a_page_that_answers_a_form_is_read_in_another_language(desk: Database, sign_in: SignIn) -> None:
    """Its own address takes forms only."""
    order, form = opened(sign_in(AGENT), "courier_claim", waybill="SF1300000009", kind="lost", value="20.00")
    refused = [
        sign_in(STOCK).post(f"/work-orders/tea/{order}/do/say", {"text": ""}),
        sign_in(AGENT).post("/work-orders/tea/new", {**form, "f_value": "很多"}),
        sign_in(OWNER).post("/settings/people/tea/invite", {"role": "agent", "max_amount": "很多"}),
        sign_in(STOCK).post("/returns/tea/register", {"waybill": "SF77000001", "key": KEY, "weight_g": "重"}),
    ]
    readers = (STOCK, AGENT, OWNER, STOCK)
    for who, page in zip(readers, refused, strict=True):
        [(status, address, then)] = switched(sign_in(who), page.content.decode())
        assert (status, then) == (302, 200), address
    [(_status, address, _then)] = switched(sign_in(AGENT), refused[0].content.decode())
    assert address == f"/work-orders/tea/{order}"
    again = sign_in(AGENT).get(switched(sign_in(AGENT), refused[1].content.decode())[0][1]).content.decode()
    assert 'name="template" value="courier_claim"' in again


def switched(client: Client, page: str) -> list[tuple[int, str, int]]:
    """What the button for another language answers, where it leads, and whether that opens."""
    found = []
    for next_address in re.findall(r'name="next" value="([^"]*)"', page):
        answer = client.post("/language", {"next": html.unescape(next_address), "language": "zh-hans"})
        opens = client.get(answer["Location"]).status_code
        found.append((answer.status_code, answer["Location"], opens))
    return found


def test_a_form_sent_twice_opens_one_order(desk: Database, sign_in: SignIn) -> None:
    case = case_id(1, 34)
    order, form = opened(sign_in(AGENT), "resend", case, goods="少了一盒")
    again = sign_in(LEAD).post("/work-orders/tea/new", form)
    assert "已经开了这张工单" in text(again.content)
    assert AGENT in text(again.content)
    count = "SELECT count(*) FROM work_order_case WHERE case_id = %s"
    assert asked(desk, count, case) == [(1,)]
    do(sign_in(LEAD), order, "cancel", desk, note="买家不要了")
    assert states(desk, order) == {"send": "open", "tell": "waiting"}
    assert asked(desk, "SELECT count(*) FROM work_order_step WHERE work_order_id = %s AND live", order) == [
        (0,)
    ]
    stale = text(sign_in(AGENT).post("/work-orders/tea/new", form).content)
    assert "已经开了这张工单" in stale
    opened(sign_in(AGENT), "resend", case, goods="少了一盒")
    assert asked(desk, count, case) == [(2,)]


def test_who_was_first_is_said_to_who_comes_second(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "root_cause", remark="总有人说漏发")
    seen = {"version": 1, "step": "courier_view"}
    sign_in(LEAD).post(f"/work-orders/tea/{order}/do/take", seen)
    second = text(sign_in(AGENT).post(f"/work-orders/tea/{order}/do/take", seen, follow=True).content)
    assert "主管阿兰 在 11-11 12:00 已经先处理" in second
    owners = asked(
        desk, "SELECT owner FROM work_order_step WHERE work_order_id = %s AND code = 'courier_view'", order
    )
    assert owners == [(LEAD,)]
    assert "同事已经接手这一步" in do(sign_in(AGENT), order, "finish", desk, step="courier_view")
    assert states(desk, order)["courier_view"] == "taken"


def test_a_department_s_step_is_not_for_others(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "transfer", amount="30.00", remark="平台外补差价")
    for name in (AGENT, STOCK, MONEY):
        refused = sign_in(name).post(f"/work-orders/tea/{order}/do/finish", {"version": 1, "step": "agree"})
        assert refused.status_code == 403, name
    assert states(desk, order)["agree"] == "open"
    assert (
        sign_in(STOCK).post(f"/work-orders/tea/{order}/do/cancel", {"version": 1, "note": "x"}).status_code
        == 403
    )
    boards = re.findall(r"\?dept=(\w+)", sign_in(STOCK).get("/work-orders").content.decode())
    assert set(boards) == {"warehouse", "courier"}


def test_what_is_not_yours_does_not_exist(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "root_cause", remark="别人看不见")
    stranger = sign_in(STRANGER)
    nowhere = stranger.get("/work-orders/wu/99999999")
    assert nowhere.status_code == 404
    for address in (f"/work-orders/tea/{order}", f"/work-orders/wu/{order}", "/work-orders/tea/new"):
        answer = stranger.get(address)
        assert (answer.status_code, answer.content) == (404, nowhere.content), address
    for act in ("take", "finish", "cancel", "say", "attach"):
        told = {"version": 1, "step": "measure", "text": "x", "note": "x", "evidence": "1"}
        answer = stranger.post(f"/work-orders/tea/{order}/do/{act}", told)
        assert (answer.status_code, answer.content) == (404, nowhere.content), act
    assert stranger.get("/work-orders/wu/new", {"case": RUNS}).status_code == 404
    assert "别人看不见" not in text(stranger.get("/work-orders").content)
    live = stranger.get(
        "/work-orders/live", {"card": f"tea:{order}:warehouse_view:9", "since": NOON.isoformat()}
    )
    assert live.status_code == 204
    assert asked(desk, "SELECT version FROM work_order WHERE id = %s", order) == [(1,)]


def test_due_times_count_working_hours_and_what_took_long_is_shown(desk: Database, sign_in: SignIn) -> None:
    with psycopg.connect(desk.owner) as conn:
        conn.execute(
            """UPDATE shop SET settings = settings || '{"working_shifts": ["周一-周五 09:00-12:00 13:00-18:00"]}' WHERE id = 1"""
        )
    order, _form = opened(sign_in(AGENT), "resend", goods="补一包")
    due = "SELECT due_at FROM work_order_step WHERE work_order_id = %s AND code = 'send'"
    tomorrow = datetime(
        2026, 11, 12, 6, 0, tzinfo=UTC
    )  # 9 h from Wednesday 12:00: 13-18, then 9-12 and 13-14
    assert asked(desk, due, order) == [(tomorrow,)]
    later(desk, tomorrow + timedelta(minutes=30))
    board = text(sign_in(STOCK).get("/work-orders?dept=warehouse&late=1").content)
    assert f"#{order}" in board
    assert "已超时" in board
    do(sign_in(STOCK), order, "finish", desk, step="send", f_waybill="SF777001")
    worked = "SELECT worked_s FROM work_order_step WHERE work_order_id = %s AND code = 'send'"
    assert asked(desk, worked, order) == [(9 * 3600 + 1800,)]
    assert "补发并填写运单号 补发 1 9小时30分 1" in text(
        sign_in(STOCK).get("/work-orders?dept=warehouse").content
    )
    with psycopg.connect(desk.owner) as conn:
        conn.execute("UPDATE shop SET settings = settings - 'working_shifts' WHERE id = 1")


def test_a_step_sent_back_is_done_again(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "missing_goods", goods="少一盒")
    do(sign_in(STOCK), order, "finish", desk, step="recording", f_found="ours")
    do(sign_in(STOCK), order, "finish", desk, step="parcel_weight")
    assert "请写明为什么退回" in do(
        sign_in(AGENT), order, "send_back", desk, step="answer", to="recording", note=" "
    )
    do(sign_in(AGENT), order, "send_back", desk, step="answer", to="recording", note="视频看不清")
    assert states(desk, order) == {"recording": "open", "parcel_weight": "done", "answer": "waiting"}
    page = text(sign_in(STOCK).get(f"/work-orders/tea/{order}").content)
    assert "客服小明 退回重做「查发货监控和重量」 · 视频看不清" in page


def test_live_shows_what_changed_in_place_and_counts_what_came(desk: Database, sign_in: SignIn) -> None:
    agent, stock = sign_in(AGENT), sign_in(STOCK)
    order, _form = opened(agent, "resend", goods="两盒")
    page = stock.get("/work-orders?dept=warehouse&shop=tea").content.decode()
    cards = re.findall(r'name="card" value="([^"]+)"', page)
    assert f"tea:{order}:send:1" in cards
    since = {"dept": "warehouse", "since": NOON.isoformat(), "card": cards}
    assert stock.get("/work-orders/live", since).status_code == 204
    later(desk, NOON + timedelta(minutes=1))
    do(sign_in(LEAD), order, "take", desk, step="send")
    opened(agent, "resend", goods="三盒")
    live = stock.get("/work-orders/live", since).content.decode()
    assert re.findall(r'<article[^>]*id="wo-tea-(\d+)-send"[^>]*hx-swap-oob', live) == [str(order)]
    assert LEAD in live
    assert "有 1 张新的" in text(live.encode())


def test_remarks_and_evidence_stay(desk: Database, sign_in: SignIn) -> None:
    order, _form = opened(sign_in(AGENT), "root_cause", remark="<script>alert(1)</script>")
    do(sign_in(STOCK), order, "say", desk, text="<img src=x onerror=alert(1)>")
    do(sign_in(STOCK), order, "attach", desk, evidence="42")
    do(sign_in(STOCK), order, "attach", desk, evidence="1 OR 1=1")
    page = sign_in(AGENT).get(f"/work-orders/tea/{order}").content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "仓库老李 附上证据 #42" in text(page.encode())
    with psycopg.connect(desk.app) as conn, pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        conn.execute("DELETE FROM work_order_remark")


def test_the_case_page_offers_what_the_rule_asks_for(desk: Database, sign_in: SignIn) -> None:
    """Any case may have an order opened from it; the orders it has stand on it."""
    from django.template.loader import render_to_string

    from aftersale.cases.access import Case, Shop

    order, _form = opened(sign_in(AGENT), "courier_contact", RUNS)
    shop = Shop(1, "tea", "青山茶铺", "tmall", "agent")
    said = render_to_string("people/work_orders/_on_case.html", {"case": Case(shop, RUNS), "now": NOON})
    assert f"#{order}" in said
    assert "快递 · 打电话给网点拦截" in text(said.encode())
    assert 'data-key="t"' in said
    assert asked(desk, "SELECT what FROM happening WHERE case_id = %s AND kind = 'work_order'", RUNS) == [
        (f"created {order} courier_contact",)
    ]


def asks(then: Mapping[str, object]) -> str:
    return str(getattr(then.get("work_order"), "value", ""))


def test_a_rule_opens_what_it_asks_for_once(desk: Database, sign_in: SignIn) -> None:
    from aftersale.people.work_orders import by_rule

    stopped = [case_id(1, 14), case_id(1, 30), case_id(1, 46)]
    opened(sign_in(AGENT), "courier_contact", stopped[0])
    with psycopg.connect(desk.app, autocommit=True) as conn:
        read = conn.execute("SELECT case_id, rule FROM handling WHERE case_id = ANY(%s)", (stopped,))
        rules: dict[str, str] = dict(read.fetchall())
        name = next(rule.name for rule in books.book("refund").rules if asks(rule.then) == "courier_contact")
        conn.execute("UPDATE handling SET rule = %s WHERE case_id = ANY(%s)", (name, stopped))
        assert by_rule.turn(conn) == 2
        assert by_rule.turn(conn) == 0
        for case, rule in rules.items():
            conn.execute("UPDATE handling SET rule = %s WHERE case_id = %s", (rule, case))
    made = asked(
        desk,
        "SELECT c.case_id, o.created_by, o.fields->>'waybill', o.source FROM work_order o JOIN work_order_case c"
        " ON c.work_order_id = o.id WHERE c.case_id = ANY(%s) ORDER BY 1",
        stopped,
    )
    assert made == [
        (stopped[0], AGENT, "SF1300000014", "desk"),
        (stopped[1], f"rule:{name}", "SF1300000030", "rule"),
        (stopped[2], f"rule:{name}", "SF1300000046", "rule"),
    ]
    taken = sign_in(LEAD).post("/export/work_orders.csv?dept=courier").content.decode("utf-8-sig")
    [line] = [
        row for row in csv.DictReader(io.StringIO(taken)) if row["工单号"] == str(number(desk, stopped[1]))
    ]
    title = next(rule.title for rule in books.book("refund").rules if rule.name == name)
    assert line["谁开的"] == f"规则「{title}」"


def number(shops: Database, case: str) -> object:
    [(order,)] = asked(shops, "SELECT work_order_id FROM work_order_case WHERE case_id = %s", case)
    return order
