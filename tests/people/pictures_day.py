"""What people have done by noon, so that every screen has something to show: signed in, through the pages' own forms."""

import re
from dataclasses import dataclass
from functools import cache
from io import BytesIO

import psycopg
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageDraw

from aftersale.api.tokens import make_token
from aftersale.cases.casework.refusing import Reason, told
from aftersale.cases.waiting import upkeep
from aftersale.people.accounts import ensure_user
from tests.conftest import Database
from tests.files.made_up import REFUND_ROWS, REFUNDS
from tests.people.jobs import run_jobs
from tests.people.shops import NOON, SHOPS, case_id, stand_still
from tests.people.yard import Yard

LEAD, AGENT, STOCK, NEW, PASSWORD = "主管阿兰", "客服小明", "仓库小何", "新人小白", "tea-garden-9"
STOPPED = """INSERT INTO switch (shop_id, action, stopped, why, by_whom, at) VALUES
  (2, 'intercept', true, '快递接口报错，先停拦截', '主管阿兰', moment()),
  (2, 'automatic_money', true, '与平台对账有差异没有处理：已到 1，上限 0。', 'breaker:mismatch', moment())"""
TOLD = "INSERT INTO switch_log (shop_id, action, stopped, why, by_whom, at) SELECT shop_id, action, stopped, why, by_whom, at FROM switch"
TAILS = "UPDATE orders SET phone_tail = '4321' WHERE order_id IN (SELECT order_id FROM cases WHERE case_id = ANY(%s))"
# Two thirds of the cases of a kind were paid, so that the ledger has a day to show.
PAID = """INSERT INTO ledger (shop_id, case_id, order_id, amount_fen, origin, at)
SELECT shop_id, case_id, order_id, amount_fen, (ARRAY['automatic', 'automatic', 'person', 'platform'])[1 + n % 4],
  moment() - n * interval '7 minutes'
FROM (SELECT *, row_number() OVER (ORDER BY applied_at DESC, case_id)::int AS n FROM cases WHERE state = 'return_shipped') c
WHERE n % 3 <> 0"""
HELD = """UPDATE order_money m SET held_fen = least(m.paid_fen, m.held_fen + l.fen)
FROM (SELECT shop_id, order_id, sum(amount_fen) AS fen FROM ledger GROUP BY 1, 2) l
WHERE m.shop_id = l.shop_id AND m.order_id = l.order_id"""
REFUNDED = "UPDATE cases SET state = 'refunded' WHERE shop_id = 1 AND case_id = %s"
DIFFERS = """WITH run AS (INSERT INTO reconciliation (shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen,
    differences, waiting, by_whom, head_seq, head_hash) SELECT 2, moment() - interval '1 day', moment(), moment(), 5, 51000, 6, 54300, 1, 0, 'worker', 0, ''
  RETURNING id)
INSERT INTO difference (shop_id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id)
SELECT 2, '2621110000377', 'only_theirs', 0, 3300, moment() - interval '20 minutes', id FROM run"""
LOST = """WITH worth AS (UPDATE orders SET tracking_no = 'SF1300000062', item_value_fen = 14800 WHERE shop_id = 1 AND order_id =
    (SELECT order_id FROM cases WHERE shop_id = 1 AND case_id = %s))
INSERT INTO parcel (shop_id, tracking_no, courier, tracking_state) VALUES (1, 'SF1300000062', 'shunfeng', 'in_transit')"""
ASKED = """SELECT case_id, application_version, amount_fen FROM cases WHERE shop_id = 1 AND state = 'applied'
AND aftersale_type = 'unshipped_refund_only' ORDER BY amount_fen DESC, case_id DESC LIMIT 2"""
REASONS = ("商品影响二次销售", "收到的商品不是本店发出的", "与买家协商一致")
MATCHED, NAMELESS = "YT100000002", "YT200000002"
QUALITY, PAID_CASE, WAITS, STAYS = case_id(1, 2), case_id(1, 4), case_id(1, 12), case_id(1, 0)


@dataclass(frozen=True, slots=True)
class Day:
    """Addresses that only this day knows."""

    bulk: str
    order: str
    file: str
    backtest: str
    scan: str
    job: str


@cache
def signed(name: str) -> Client:
    client = Client(headers={"host": "127.0.0.1"})
    assert client.post("/login", {"username": name, "password": PASSWORD}).status_code == 302, name
    return client


def post(name: str, path: str, form: dict[str, object]) -> str:
    """Where the answer leads; fails on anything but a redirect."""
    answer = signed(name).post(path, form)
    assert answer.status_code == 302, (path, answer.status_code, plain(answer.content)[:2000])
    return str(answer["Location"])


def plain(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def hidden(page: bytes) -> dict[str, object]:
    return dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page.decode()))


def stop(database: str) -> None:
    """Some of the shops' automation is stopped from now on."""
    with psycopg.connect(database) as conn:
        conn.execute(STOPPED)
        conn.execute(TOLD)


def spend(database: Database) -> Day:
    """From the shops of the tests to noon of a busy day."""
    for name, role in ((LEAD, "lead"), (AGENT, "agent"), (STOCK, "warehouse")):
        ensure_user(name, PASSWORD, {code: role for code, _, _ in SHOPS})
    with psycopg.connect(database.owner) as conn:
        conn.execute("INSERT INTO shop (code, name, platform) VALUES ('new', '新开的店', 'tmall')")
        for statement in (PAID, HELD, DIFFERS):
            conn.execute(statement)
        conn.execute(LOST, (case_id(1, 14),))
        conn.execute(REFUNDED, (PAID_CASE,))
        conn.execute(
            "UPDATE shop SET base_url = 'http://127.0.0.1:9', app_key = 'pictures' WHERE code = 'tea'"
        )
        conn.execute(TAILS, ([case_id(1, 5), case_id(1, 20), case_id(2, 9)],))
        asked = conn.execute(ASKED).fetchall()
    ensure_user(NEW, PASSWORD, {"new": "owner"})
    for case, version, fen in asked:
        post(AGENT, f"/case/tea/{case}/do/agree_refund", {"version": version, "amount_fen": fen})
    with psycopg.connect(database.owner) as conn:
        while upkeep.title(conn):
            conn.commit()
    _cases()
    _reasons(database)
    scan = _returns(database)
    bulk = post(LEAD, "/bulk", {"address": "?", "act": "agree_refund",
                                "pick": [f"tea:{case_id(1, n)}" for n in (10, 26, 42, 2)]})  # fmt: skip
    post(LEAD, "/views", {"title": "今晚要清的退货", "address": "?tab=return&left=12", "share": "tea"})
    order = _work_orders()
    for name, days, acts in (("仓库系统", 365, True), ("日报", 90, False)):
        make_token(LEAD, name, days, acts=acts)
    file, job = _files(database)
    backtest = _rules(database)
    with psycopg.connect(database.owner) as conn:
        stand_still(conn, NOON)
    return Day(bulk, order, file, backtest, scan, job)


def _reasons(database: Database) -> None:
    """The platform's reasons for refusing, as a worker asked for them."""
    signed(AGENT).get(f"/case/tea/{QUALITY}/refuse")
    with psycopg.connect(database.app) as conn:
        told(conn, 1, QUALITY, 1, [Reason(n, text) for n, text in enumerate(REASONS, start=1)], "")


def _cases() -> None:
    """A case with evidence, a promise, a note and a hand-over."""
    at = f"/case/tea/{QUALITY}"
    post(AGENT, f"{at}/evidence", {"kind": "photo", "file": SimpleUploadedFile("a.jpg", photo())})
    promise: dict[str, object] = {"kind": "answer", "text": "核实后答复买家", "due": "2026-11-11T14:30"}
    post(AGENT, f"{at}/guide/promise", promise)
    post(AGENT, f"{at}/guide/contact", {"channel": "phone", "purpose": "问礼盒的情况", "reached": "yes"})
    post(AGENT, f"{at}/do/note", {"text": "买家说礼盒压扁了，照片已上传。"})
    told = {"to": f"person:{LEAD}", "found": "包裹停在郑州", "promised": "明早答复", "next_step": "联系顺丰"}
    post(AGENT, f"/case/tea/{case_id(1, 17)}/guide/hand-over", {**told, "due": "明早9点"})


def photo() -> bytes:
    made, picture = BytesIO(), Image.new("RGB", (800, 600), "#d9c9a8")
    draw = ImageDraw.Draw(picture)
    draw.rectangle((180, 150, 620, 450), fill="#8a6d3b", outline="#4b3a1e", width=8)
    draw.polygon([(420, 150), (620, 150), (620, 310), (520, 250)], fill="#3d2f18")
    picture.save(made, "JPEG")
    return made.getvalue()


def _returns(database: Database) -> str:
    """One parcel received, one waiting, one without a name that looks like it."""
    yard = Yard(database)
    yard.announce("R1", MATCHED, pieces=2)
    yard.announce("R2", "YT200000001")
    yard.announce("R3", "YT100000009", pieces=2)
    yard.conn.close()
    client = signed(STOCK)
    sheet = hidden(client.get("/returns", {"code": "YT100000009"}).content)
    post(STOCK, "/returns/snack/receive", {**sheet, "waybill": "YT100000009", "said": "12"})
    told = {"phone_tail": "4321", "goods": "坚果", "weight_g": "800", "remark": "外箱湿了"}
    sheet = hidden(client.get("/returns", {"code": NAMELESS}).content)
    return post(STOCK, "/returns/snack/register", {**sheet, **told})


def _work_orders() -> str:
    """Two orders, one with a step done, and a lost parcel claimed from the courier."""
    found = []
    for template, case, fields in (
        ("courier_claim", case_id(1, 6), {"waybill": "SF1300000006", "kind": "damaged", "value": "168.00"}),
        ("resend", case_id(1, 34), {"goods": "少了一盒龙井"}),
    ):
        page = signed(AGENT).get("/work-orders/tea/new", {"template": template, "case": case}).content
        form = hidden(page) | {f"f_{name}": value for name, value in fields.items()}
        found.append(post(AGENT, "/work-orders/tea/new", form))
    form = hidden(signed(STOCK).get(found[0]).content)
    told = {"step": "weight", "version": form["version"], "f_grams": "1240", "note": "箱子是好的，里面压扁了"}
    post(STOCK, f"{found[0]}/do/finish", told)
    claim = {"waybill": "SF1300000062", "kind": "lost", "declared": "1", "asked": "148.00"}
    signed(AGENT).post("/work-orders/claims/tea/new", claim)
    return found[0]


def _files(database: Database) -> tuple[str, str]:
    """A merchant's export with a bad row, looked at; its job."""
    bad = REFUND_ROWS.splitlines()[0].replace("9001", "9004").replace("29.50", "=cmd|A")
    body = f"{REFUNDS}\n{REFUND_ROWS}{bad}\n".encode()
    file = post(LEAD, "/files", {"shop": "tea", "file": SimpleUploadedFile("退款明细.csv", body)})
    run_jobs(database)
    found = re.findall(r'href="(/jobs/\d+)"', signed(LEAD).get("/jobs").content.decode())
    return file, found[0] if found else "/jobs"


def _rules(database: Database) -> str:
    """A change that waits for a second person and its past."""
    post(LEAD, "/rules/tea/edit", {"begin": "1"})
    values = {"revision": _revision(database), "tab": "values", "value-unshipped_auto_refund_max": "500"}
    signed(LEAD).post("/rules/tea/edit", {**values, "was-unshipped_auto_refund_max": ""})
    backtest = post(LEAD, "/rules/tea/backtest", {})
    run_jobs(database)
    with psycopg.connect(database.owner) as conn:
        row = conn.execute("SELECT sha256 FROM book_edit WHERE shop_id = 1 AND ended IS NULL").fetchone()
    assert row is not None
    signed(LEAD).post("/rules/tea/do/ask", {"why": "未发货的货还在仓库，放宽到 500 元", "sha256": row[0]})
    return backtest


def _revision(database: Database) -> int:
    with psycopg.connect(database.owner) as conn:
        row = conn.execute("SELECT revision FROM book_edit WHERE shop_id = 1 AND ended IS NULL").fetchone()
    assert row is not None
    return int(row[0])
