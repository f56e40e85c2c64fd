"""A merchant's export through the browser: looked at, explained, tried, taken in."""

import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from aftersale.intake.files.layouts import FIELDS
from aftersale.people.files.fields import fields, kinds
from tests.conftest import Database
from tests.files.made_up import REFUND_ROWS, REFUNDS, sheet
from tests.people.jobs import run_jobs

SignIn = Callable[[str], Client]
BAD_ROW = REFUND_ROWS.splitlines()[0].replace("9001", "9004").replace("29.50", "=cmd|A")
FILE = f"{REFUNDS}\n{REFUND_ROWS}{BAD_ROW}\n"
ODD = "我的单号,对应订单,退多少,现在怎样,谁买的\n8001,7001,12.50,退款成功,王小二\n8002,7002,3.00,退款成功,张大千\n"


def rows(shops: Database, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query).fetchall()  # type: ignore[arg-type]


def words(answer: HttpResponse) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def upload(client: Client, name: str, body: bytes, shop: str = "tea") -> HttpResponse:
    answer: HttpResponse = client.post("/files", {"shop": shop, "file": SimpleUploadedFile(name, body)})
    return answer


def looked_at(client: Client, shops: Database, name: str, body: bytes, shop: str = "tea") -> str:
    """The page of an upload whose first reading has ended."""
    answer = upload(client, name, body, shop)
    assert answer.status_code == 302, words(answer)
    assert "正在" in words(client.get(answer["Location"])) or "在排队" in words(
        client.get(answer["Location"])
    )
    assert run_jobs(shops) == 1
    return answer["Location"]


def test_every_field_of_the_reader_has_a_name() -> None:
    assert set(fields()) == set(FIELDS)
    assert set(kinds()) == {"refund", "order", "suborder", "compensation"}


def test_bad_rows_say_why_in_the_readers_language(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in("主管阿兰")
    dear = REFUND_ROWS.splitlines()[0].replace("9001", "9005").replace("29.50", "1.00", 1)
    page = looked_at(lan, shops, "坏行.csv", f"{REFUNDS}\n{BAD_ROW}\n{dear}\n".encode())
    chinese = words(lan.get(page))
    assert "不是金额；应为最多两位小数的元，不超过 100,000,000 元" in chinese
    assert "退款 ¥29.50 大于实付 ¥1.00" in chinese
    lan.cookies["django_language"] = "en"
    english = words(lan.get(page))
    del lan.cookies["django_language"]
    assert "Not an amount; it should be yuan with at most two decimals, not above 100,000,000" in english
    assert "The refund of ¥29.50 is more than the ¥1.00 paid" in english


def test_the_csv_of_bad_rows_speaks_its_readers_language(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, "坏行二.csv", f"{REFUNDS}\n{BAD_ROW}\n".encode())
    [file] = re.findall(r'href="(/jobs/\d+/file/\d+)"', lan.get(page).content.decode())
    job = file.rsplit("/", 2)[0]
    chinese = lan.get(file)
    assert chinese["Content-Type"] == "text/csv; charset=utf-8"
    assert quote("坏行.csv") in chinese["Content-Disposition"]
    why = "不是金额；应为最多两位小数的元，不超过 100,000,000 元"
    assert chinese.content.decode("utf-8-sig").splitlines() == [
        "行,列,原值,原因", f"2,买家实际支付金额,'=cmd|A,\"{why}\""
    ]  # fmt: skip
    assert "坏行.csv" in words(lan.get(job))
    lan.cookies["django_language"] = "en"
    english, listed = lan.get(file), words(lan.get(job))
    del lan.cookies["django_language"]
    assert quote("Bad rows.csv") in quote(english["Content-Disposition"])
    why = "Not an amount; it should be yuan with at most two decimals, not above 100,000,000"
    assert english.content.decode("utf-8-sig").splitlines() == [
        "Row,Column,Value,Reason", f"2,买家实际支付金额,'=cmd|A,\"{why}\""
    ]  # fmt: skip
    assert "Bad rows.csv" in listed
    assert "坏行" not in listed.replace("坏行二.csv", "")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"   \n", "The file is empty; please export it again"),
        (b"<html></html>", "This is a web page or XML, no table; please open it in a spreadsheet"),
        (FILE.encode() + "退款".encode("gb18030"), "the encodings are mixed; please export it again"),
        (
            "\n".join([REFUNDS, *[BAD_ROW] * 1000]).encode(),
            "None of the first 1,000 rows can be read, for example: line 2, “买家实际支付金额”: Not an amount;",
        ),
    ],
    ids=["empty", "page", "mixed", "hopeless"],
)
def test_what_is_wrong_with_the_whole_file_is_said_in_the_readers_language(
    sign_in: SignIn, shops: Database, body: bytes, said: str
) -> None:
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, "wrong.csv", body)
    lan.cookies["django_language"] = "en"
    shown, listed = words(lan.get(page)), words(lan.get("/jobs"))
    del lan.cookies["django_language"]
    assert said in shown
    assert said in listed
    assert not re.search(r"请|文件|编码", shown)


def test_two_columns_for_one_thing_are_named_as_the_page_names_them(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, "twice.csv", ODD.replace("我的单号", "单号二").encode())
    headers = ["单号二", "对应订单", "退多少", "现在怎样", "谁买的"]
    chosen = ["case_id", "amount", "amount", "state", "ignore"]
    lan.post(f"{page}/look", {"kind": "refund", "like": "", "header": headers, "field": chosen})
    run_jobs(shops)
    said = words(lan.get(page))
    assert "「退多少」和「对应订单」都指给了 申请金额；每个字段只能有一列" in said
    lan.cookies["django_language"] = "en"
    said = words(lan.get(page))
    del lan.cookies["django_language"]
    assert "“退多少” and “对应订单” are both given as “Amount asked”; only one column may be" in said
    lan.post(
        f"{page}/look",
        {"kind": "refund", "like": "", "header": headers, "field": ["case_id", *["ignore"] * 4]},
    )
    run_jobs(shops)
    seen = lan.get(page)
    assert "还缺字段 订单号、申请金额、售后状态；请把对应的列指给它" in words(seen)
    assert "请按上面说的改好下面的列" in words(seen)
    assert "导入 0 行" not in words(seen)
    assert seen.content.decode().count('<option value="case_id" selected>') == 1
    assert '<option value="amount" selected>' not in seen.content.decode()
    again = looked_at(lan, shops, "twice2.csv", ODD.replace("我的单号", "单号二").encode())
    assert "没有见过这种表格" in words(lan.get(again)), "what did not fit is not asked for again"
    chosen = ["case_id", "order_id", "amount", "state", "ignore"]
    lan.post(f"{page}/look", {"kind": "refund", "like": "", "header": headers, "field": chosen})
    run_jobs(shops)
    assert "共 2 行" in words(lan.get(page))


def test_a_reading_that_was_stopped_is_asked_for_again(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, "stopped.csv", ODD.replace("我的单号", "停下的单号").encode())
    headers = ["停下的单号", "对应订单", "退多少", "现在怎样", "谁买的"]
    chosen = ["case_id", "order_id", "amount", "state", "ignore"]
    asked = {"kind": "compensation", "like": "", "header": headers, "field": chosen}
    lan.post(f"{page}/look", asked)
    [stop] = re.findall(r'action="(/jobs/\d+/stop)"', lan.get(page).content.decode())
    lan.post(stop)
    run_jobs(shops)
    seen = lan.get(page)
    assert "还没有读完" in words(seen)
    assert "各列还没有说对" not in words(seen)
    assert "没有见过这种表格" not in words(seen)
    shown = seen.content.decode()
    assert shown.count('<option value="case_id" selected>') == 1
    assert '<option value="compensation" selected>' in shown
    assert f'action="{page}/look"' in shown
    lan.post(f"{page}/look", asked | {"kind": "refund"})
    assert run_jobs(shops) == 1
    assert "共 2 行" in words(lan.get(page))


def test_what_a_row_is_stands_as_it_was_said_when_a_column_was_wrong(
    sign_in: SignIn, shops: Database
) -> None:
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, "kind.csv", ODD.replace("我的单号", "别的单号").encode())
    headers = ["别的单号", "对应订单", "退多少", "现在怎样", "谁买的"]
    lan.post(
        f"{page}/look",
        {"kind": "order", "like": "", "header": headers, "field": ["order_id", *["ignore"] * 4]},
    )
    run_jobs(shops)
    seen = lan.get(page)
    assert "各列还没有说对" in words(seen)
    assert '<option value="order" selected>' in seen.content.decode()
    assert '<option value="refund" selected>' not in seen.content.decode()


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_file_is_seen_before_anything_changes_and_then_taken_in(
    sign_in: SignIn, shops: Database, encoding: str
) -> None:
    lan = sign_in("主管阿兰")
    before = rows(shops, "SELECT count(*) FROM cases")
    number = {"utf-8": "9", "gb18030": "6"}[encoding]
    body = FILE.replace("\n9", f"\n{number}").encode(encoding)
    page = looked_at(lan, shops, "退款.csv", body)
    seen = lan.get(page)
    assert "共 4 行：可用 3 行（其中重复 0 行），坏行 1 行。" in words(seen)
    assert "导入 3 行" in words(seen)
    assert '<option value="case_id" selected>' in seen.content.decode()
    bad = lan.get(re.findall(r'href="(/jobs/\d+/file/\d+)"', seen.content.decode())[0])
    assert bad["Content-Disposition"].startswith("attachment")
    text = bad.content.decode("utf-8-sig")
    assert text.splitlines()[0] == "行,列,原值,原因"
    assert text.splitlines()[1].startswith("5,买家实际支付金额,'=cmd|A,")
    assert rows(shops, "SELECT count(*) FROM cases") == before

    assert lan.post(f"{page}/import").status_code == 302
    assert run_jobs(shops) == 1
    assert "4 行 = 新增 3 + 更新 0 + 不变 0 + 拒收 1。" in words(lan.get(page))
    assert rows(shops, f"SELECT case_id FROM cases WHERE case_id LIKE '{number}00_' ORDER BY 1") == [
        (f"{number}001",),
        (f"{number}002",),
        (f"{number}003",),
    ]
    lan.post(f"{page}/import")
    run_jobs(shops)
    assert "4 行 = 新增 0 + 更新 0 + 不变 3 + 拒收 1。" in words(lan.get(page))


def test_what_the_rules_would_say_changes_nothing(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in("主管阿兰")
    before = rows(shops, "SELECT count(*) FROM cases")
    page = looked_at(lan, shops, "试算.csv", FILE.replace("\n9", "\n5").encode())
    lan.post(f"{page}/judge")
    assert run_jobs(shops) == 1
    said = words(lan.get(page))
    assert "3 张售后单，¥109.50；已经完结的 1 张当作刚刚申请来判断。" in said
    assert "退货入库前不退款" in said or "按规则" in said
    workbook = lan.get(re.findall(r'href="(/jobs/\d+/file/\d+)"', lan.get(page).content.decode())[0])
    assert zipfile.ZipFile(BytesIO(workbook.content)).testzip() is None
    assert rows(shops, "SELECT count(*) FROM cases") == before


def test_an_unknown_table_is_explained_once_and_remembered_for_the_shop(
    sign_in: SignIn, shops: Database
) -> None:
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, "odd.csv", ODD.encode())
    seen = lan.get(page)
    assert "没有见过这种表格" in words(seen)
    assert "王小二" not in words(seen)
    assert "王**" in words(seen)
    lan.post(f"{page}/import")
    assert rows(shops, "SELECT count(*) FROM job WHERE state = 'waiting'") == [(0,)]
    headers = ["我的单号", "对应订单", "退多少", "现在怎样", "谁买的"]
    chosen = ["case_id", "order_id", "amount", "state", "ignore"]
    like = re.findall(r'name="like" value="([^"]+)"', seen.content.decode())[0]
    form = {"kind": "refund", "like": like, "header": headers, "field": chosen}
    lan.post(f"{page}/look", form)
    run_jobs(shops)
    assert "共 2 行：可用 2 行" in words(lan.get(page))
    lan.post(f"{page}/import")
    run_jobs(shops)
    assert "2 行 = 新增 2 + 更新 0" in words(lan.get(page))
    assert rows(shops, "SELECT amount_fen FROM cases WHERE case_id = '8001'") == [(1250,)]

    again = looked_at(lan, shops, "odd2.csv", ODD.replace("8001", "8003").encode())
    assert "按您核对过的各列读取" in words(lan.get(again))
    other = looked_at(lan, shops, "odd3.csv", ODD.encode(), "snack")
    assert "没有见过这种表格" in words(lan.get(other))
    lan.post(f"{page}/look", {**form, "field": ["case_id", "no_field", "amount", "state", "ignore"]})
    run_jobs(shops)
    assert "指给了不存在的字段「no_field」" in words(lan.get(page))


def hostile(tmp_path: Path) -> dict[str, tuple[str, bytes, str]]:
    macros = BytesIO()
    with zipfile.ZipFile(macros, "w") as archive:
        archive.writestr("xl/workbook.xml", "<a/>")
        archive.writestr("xl/vbaProject.bin", "x")
    bomb = BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "0" * 30_000_000)
    return {
        "macros": ("a.xlsx", macros.getvalue(), "表格里带有宏，不予打开"),
        "bomb": ("a.xlsx", bomb.getvalue(), "大小或压缩比不正常，不予打开"),
        "broken": ("a.xlsx", b"PK\x03\x04oops", "表格文件已损坏；请重新导出"),
        "page": ("a.xls", b"<html><table></table></html>", "这是网页或 XML，不是表格"),
        "mixed": ("a.csv", FILE.encode() + "退款".encode("gb18030"), "编码混杂；请重新导出"),
        "nothing": ("a.csv", b"   \n", "文件是空的；请重新导出"),
        "lacking": ("a.csv", b"\x00\x01\x02", "不是文本也不是表格"),
    }


@pytest.mark.parametrize("name", ["macros", "bomb", "broken", "page", "mixed", "nothing", "lacking"])
def test_a_hostile_file_ends_in_one_sentence(
    sign_in: SignIn, shops: Database, tmp_path: Path, name: str
) -> None:
    file, body, why = hostile(tmp_path)[name]
    lan = sign_in("主管阿兰")
    page = looked_at(lan, shops, file, body)
    assert why in words(lan.get(page))
    assert "导入 " not in words(lan.get(page)).replace("导入文件", "").replace("导入 文件", "")


@pytest.mark.parametrize(
    ("name", "body", "why"),
    [
        ("a.pdf", b"x", "只能导入 .csv、.xlsx 和 .xls 表格"),
        ("a.xlsm", b"x", "带宏的表格不予打开"),
        ("a.csv", b"", "没有选文件，或文件是空的"),
    ],
)
def test_what_is_no_table_is_not_kept(
    sign_in: SignIn, shops: Database, name: str, body: bytes, why: str
) -> None:
    before = rows(shops, "SELECT count(*) FROM upload")
    answer = upload(sign_in("主管阿兰"), name, body)
    assert why in words(sign_in("主管阿兰").get(answer["Location"]))
    assert rows(shops, "SELECT count(*) FROM upload") == before


def test_a_sheet_is_read_whatever_its_name_says(sign_in: SignIn, shops: Database, tmp_path: Path) -> None:
    cells = [line.split(",") for line in f"{REFUNDS}\n{REFUND_ROWS}".replace("\n9", "\n4").splitlines()]
    body = sheet(tmp_path / "a.xlsx", cells).read_bytes()
    for name in ("a.xlsx", "b.csv", "c.xls"):
        page = looked_at(sign_in("主管阿兰"), shops, name, body)
        assert "共 3 行：可用 3 行" in words(sign_in("主管阿兰").get(page)), name


def test_an_upload_and_its_jobs_are_its_owners_alone(sign_in: SignIn, shops: Database) -> None:
    page = looked_at(sign_in("主管阿兰"), shops, "mine.csv", FILE.encode())
    [(job,)] = rows(shops, "SELECT max(id) FROM job")
    [(file,)] = rows(shops, "SELECT max(id) FROM job_file")
    wu = sign_in("外人老吴")
    nowhere = wu.get("/files/wu/999999")
    for address in (page, f"/jobs/{job}", f"/jobs/{job}/live", f"/jobs/{job}/file/{file}"):
        answer = wu.get(address)
        assert (answer.status_code, answer.content) == (404, nowhere.content), address
    for address in (f"{page}/import", f"{page}/judge", f"/jobs/{job}/stop"):
        assert wu.post(address).status_code == 404
    assert upload(wu, "a.csv", FILE.encode()).status_code == 404
    assert rows(shops, "SELECT count(*) FROM job WHERE state = 'waiting'") == [(0,)]
    ming = sign_in("客服小明")
    assert ming.get("/files").status_code == 403
    assert ming.get(page).status_code == 403
    assert upload(ming, "a.csv", FILE.encode()).status_code == 403


def test_jobs_are_listed_with_what_came_of_them(sign_in: SignIn, shops: Database) -> None:
    lan = sign_in("主管阿兰")
    upload(lan, "later.csv", FILE.encode())
    listed = words(lan.get("/jobs"))
    assert "读取文件：later.csv 青山茶铺" in listed
    [(job,)] = rows(shops, "SELECT max(id) FROM job")
    assert "停止这项任务" in words(lan.get(f"/jobs/{job}"))
    assert "HX-Refresh" not in lan.get(f"/jobs/{job}/live?refresh=1").headers
    lan.post(f"/jobs/{job}/stop")
    assert "还没有开始就停止了，什么都没有做。" in words(lan.get(f"/jobs/{job}"))
    assert lan.get(f"/jobs/{job}/live?refresh=1")["HX-Refresh"] == "true"
    assert run_jobs(shops) == 0
    assert "later.csv" not in words(sign_in("外人老吴").get("/jobs"))
    assert "还没有任务" in words(sign_in("外人老吴").get("/jobs"))
