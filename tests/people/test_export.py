"""Lists that are taken away: what the page shows, masked, safe to open, behind the wall, written down."""

import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.http import HttpResponse
from django.test import Client
from python_calamine import CalamineWorkbook

from aftersale.people.accounts import ensure_user
from aftersale.people.export import page
from aftersale.people.export.table import Column
from aftersale.people.export.writing import csv_lines, xlsx
from tests.conftest import Database
from tests.people.conftest import PASSWORD
from tests.people.jobs import run_jobs
from tests.people.shops import NOON, case_id

SignIn = Callable[[str], Client]
LISTS = (
    "queue", "search", "approvals", "ledger", "differences", "audit", "jobs", "work_orders", "parcels_back",
    "carrier_claims", "scans",
)  # fmt: skip


def rows(shops: Database, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query).fetchall()  # type: ignore[arg-type]


def table(answer: HttpResponse) -> list[list[str]]:
    assert answer.status_code == 200, answer.content[:300].decode()
    text = answer.content.decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))


def test_no_cell_becomes_a_formula() -> None:
    columns = [Column("=名"), Column("钱", "fen"), Column("数", "number"), Column("时", "time")]
    given = [
        ("=HYPERLINK(1)", -5, 3, NOON),
        ("+1", 123456, None, None),
        ("-1", 0, 0, NOON),
        ("@x", None, 1, NOON),
        ("\tx", 1, 1, NOON),
        ("\rx", 1, 1, NOON),
        ("＝1", 1, 1, NOON),
        ("2621110000377123456", 1, 1, NOON),
        ("\x00\x1f正常", 1, 1, NOON),
    ]
    text = b"".join(csv_lines(columns, given)).decode()
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert lines[0] == ["'=名", "钱", "数", "时"]
    assert lines[1] == ["'=HYPERLINK(1)", "-0.05", "3", "2026-11-11 12:00:00"]
    assert lines[2] == ["'+1", "1234.56", "", ""]
    assert [line[0][:1] for line in lines[1:8]] == ["'"] * 7
    assert lines[8][0] == "2621110000377123456"
    assert lines[9][0] == "正常"
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx(columns, given)))
    cells = book.get_sheet_by_index(0).to_python()
    assert cells[1] == ["'=HYPERLINK(1)", -0.05, 3.0, NOON.replace(hour=12, tzinfo=None)]
    assert cells[8][0] == "2621110000377123456"
    assert [row[0][:1] for row in cells[1:8]] == ["'"] * 7


def test_the_queue_is_exported_as_the_page_shows_it(sign_in: SignIn, shops: Database) -> None:
    answer = sign_in("主管阿兰").post("/export/queue.csv?shop=tea&reason=quality&sort=amount")
    head, *lines = table(answer)
    assert head[:5] == ["售后单号", "店铺", "平台", "订单号", "售后类型"]
    wanted = rows(
        shops,
        "SELECT i.case_id, to_char(i.amount_fen / 100.0, 'FM999990.00') FROM queue_item i JOIN cases c USING (shop_id, case_id)"
        " WHERE i.shop_id = 1 AND c.reason = 'quality' ORDER BY i.amount_fen DESC, i.case_id",
    )
    assert [(line[0], line[head.index("申请金额")]) for line in lines] == wanted
    assert len(wanted) == 3
    assert {line[head.index("货物状态")] for line in lines} == {"本人签收"}
    assert answer["Content-Disposition"].startswith("attachment; filename*=utf-8''%E9%98%9F%E5%88%97")
    [(who, what, shop_id, more)] = rows(
        shops, "SELECT who, target, shop_id, more FROM audit WHERE what = 'export' AND shop_id = 1"
    )
    assert (who, what, shop_id) == ("主管阿兰", "queue", 1)
    assert more == {"rows": 3, "filter": "shop=tea&reason=quality&sort=amount"}


def test_every_list_is_exported_in_both_forms_and_shows_no_other_shop(
    sign_in: SignIn, shops: Database
) -> None:
    theirs = {case for (case,) in rows(shops, "SELECT case_id FROM cases WHERE shop_id IN (1, 2)")}
    for name in LISTS:
        for form in ("csv", "xlsx"):
            address = f"/export/{name}.{form}?q={min(theirs)}"
            lan, wu = sign_in("主管阿兰").post(address), sign_in("外人老吴").post(address)
            assert (lan.status_code, wu.status_code) == (200, 200), address
            if form == "csv":
                assert not {cell for line in table(wu) for cell in line} & theirs, name
    assert min(theirs) in {
        cell
        for line in table(sign_in("主管阿兰").post(f"/export/search.csv?q={min(theirs)}"))
        for cell in line
    }


def test_what_a_role_may_not_see_it_may_not_take_away(sign_in: SignIn, shops: Database) -> None:
    ming = sign_in("客服小明")
    before = rows(shops, "SELECT count(*) FROM audit")
    assert {
        name: ming.post(f"/export/{name}.csv").status_code for name in ("ledger", "audit", "differences")
    } == {
        "ledger": 403,
        "audit": 403,
        "differences": 403,
    }
    assert [ming.post(f"/export/{name}").status_code for name in ("queue.pdf", "users.csv")] == [404, 404]
    assert ming.get("/export/queue.csv").status_code == 405
    assert rows(shops, "SELECT count(*) FROM audit") == before
    assert ming.post("/export/queue.csv").status_code == 200


def test_a_long_list_is_made_by_a_job_and_a_limit_is_told(
    sign_in: SignIn, shops: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "AT_ONCE", 2)
    lan = sign_in("主管阿兰")
    answer = lan.post("/export/queue.xlsx?shop=tea")
    assert answer.status_code == 302
    assert run_jobs(shops) == 1
    shown = lan.get(answer["Location"]).content.decode()
    [(waiting,)] = rows(shops, "SELECT count(*) FROM queue_item WHERE shop_id = 1")
    assert f"已导出 {waiting} 行。" in shown
    [(name, body)] = rows(shops, "SELECT name, body FROM job_file WHERE name LIKE '队列%'")
    assert name.startswith("队列 2026-11-11 12")
    cells = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_index(0).to_python()
    assert len(cells) == waiting + 1
    noted = rows(
        shops, "SELECT more FROM audit WHERE shop_id = 1 AND target = 'queue' ORDER BY id DESC LIMIT 1"
    )
    assert noted == [({"rows": waiting, "filter": "shop=tea"},)]
    with psycopg.connect(shops.owner) as conn:
        conn.execute("""UPDATE shop SET settings = settings || '{"export_rows_max": 1}' WHERE id = 2""")
    cut = lan.post("/export/queue.csv?shop=tea")
    assert len(table(cut)) == 2
    assert cut["Content-Disposition"].endswith("1%20%E8%A1%8C.csv")
    with psycopg.connect(shops.owner) as conn:
        conn.execute("UPDATE shop SET settings = settings - 'export_rows_max' WHERE id = 2")


def test_what_the_filter_of_a_page_leaves_out_is_not_taken_away(sign_in: SignIn, shops: Database) -> None:
    lan, ming = sign_in("主管阿兰"), sign_in("客服小明")
    with psycopg.connect(shops.app) as conn:
        for shop in (1, 2):
            conn.execute(
                "WITH run AS (INSERT INTO reconciliation (shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen,"
                " differences, waiting, by_whom, head_seq, head_hash)"
                " VALUES (%(shop)s, %(since)s, %(at)s, %(at)s, 0, 0, 1, 100, 1, 0, 'worker', 0, '') RETURNING id)"
                " INSERT INTO difference (shop_id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id)"
                " SELECT %(shop)s, %(case)s, 'only_theirs', 0, 100, %(at)s, id FROM run",
                {"shop": shop, "case": case_id(shop, 1), "at": NOON, "since": NOON - timedelta(days=1)},
            )
    _head, *both = table(lan.post("/export/differences.csv"))
    _head, *snack = table(lan.post("/export/differences.csv?shop=snack"))
    assert ([line[1] for line in snack], len(both)) == ([case_id(2, 1)], 2)
    form = {"template": "root_cause"}
    asked = ming.get("/work-orders/tea/new", form).content.decode()
    given = dict(re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', asked))
    order = ming.post("/work-orders/tea/new", {**given, "f_remark": "总有人说漏发"})["Location"]
    ming.post(f"{order}/do/take", {"version": 1, "step": "courier_view"})
    head, *every = table(lan.post("/export/work_orders.csv?dept=courier"))
    taken = [line[head.index("负责人")] for line in every]
    assert (len(taken), set(taken)) == (1, {"客服小明"})
    _head, *own = table(lan.post("/export/work_orders.csv?dept=courier&owner=主管阿兰"))
    assert own == []


def test_of_a_shop_that_one_may_see_but_not_export_nothing_is_taken_away(
    sign_in: SignIn, shops: Database
) -> None:
    ensure_user("阿帮", PASSWORD, {"tea": "helper", "snack": "agent"})
    with psycopg.connect(shops.owner) as conn:
        for shop_id in (1, 2):
            conn.execute(
                "INSERT INTO carrier_claim (shop_id, tracking_no, courier, kind, rule, most_fen, asked_fen, filed_by,"
                " filed_at, due_at, pay_days, changed_by, changed_at)"
                " VALUES (%(shop)s, %(no)s, 'shunfeng', 'lost', 'r', 100, 100, 'x', %(at)s, %(at)s, 7, 'x', %(at)s)",
                {"shop": shop_id, "no": f"SF90{shop_id}", "at": NOON},
            )
        conn.execute(
            "UPDATE parcel SET interception = 'asked' WHERE shop_id = 2 AND tracking_no IN (SELECT tracking_no FROM parcel"
            " WHERE shop_id = 2 AND inbound_at IS NULL LIMIT 1)"
        )
    bang, ming = sign_in("阿帮"), sign_in("客服小明")
    for name in ("parcels_back", "carrier_claims"):
        taken = {
            who: table(client.post(f"/export/{name}.csv"))[1:]
            for who, client in (("阿帮", bang), ("客服小明", ming))
        }
        assert {line[1] for line in taken["客服小明"]} == {"青山茶铺", "阿团零食"}, name
        assert taken["阿帮"] == [line for line in taken["客服小明"] if line[1] == "阿团零食"], name
        assert rows(shops, f"SELECT shop_id FROM audit WHERE who = '阿帮' AND target = '{name}'") == [(2,)]
    assert bang.get("/work-orders/parcels?shop=tea").status_code == 200
    assert table(bang.post("/export/parcels_back.csv?shop=tea"))[1:] == []
