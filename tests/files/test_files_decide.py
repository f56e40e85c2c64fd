"""`aftersale decide FILE`: figures, sheets and exit codes, through the command."""

import json
import time
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from tests.files.made_up import REFUND_ROWS, REFUNDS, REPORT, REPORT_ROWS, aftersale, sheet, written

SHARED = Path(__file__).parents[3] / "shared/data/tmall_orders/tmall_order_report1.csv"
NOW = "2026-11-11T20:00:00"


def decided(*arguments: object) -> dict[str, object]:
    run = aftersale("decide", *arguments, "--now", NOW, "--json")
    assert run.code in (0, 1), run.err
    found: dict[str, object] = json.loads(run.out)
    return found


def refunds(folder: Path) -> Path:
    return written(folder / "refunds.csv", f"{REFUNDS}\n{REFUND_ROWS}")


def test_open_cases_are_decided_and_their_deadlines_counted(tmp_path: Path) -> None:
    found = decided(refunds(tmp_path))
    assert {name: found[name] for name in ("rows", "bad", "orders", "finished")} == {
        "rows": 3,
        "bad": 0,
        "orders": 3,
        "finished": 1,
    }
    assert found["cases"] == {"name": "cases", "cases": 3, "amount_fen": 2950 + 3000 + 5000}
    assert {t["name"]: t["cases"] for t in found["by_rule"]}["unshipped_auto"] == 1  # type: ignore[attr-defined]
    deadlines = {name: tally["cases"] for name, tally in found["deadlines"].items()}  # type: ignore[attr-defined]
    assert deadlines == {"passed": 0, "within_2_h": 1, "within_24_h": 1, "unknown": 0}


def test_a_setting_of_the_shop_changes_the_decision(tmp_path: Path) -> None:
    settings = written(tmp_path / "settings.yaml", "unshipped_auto_refund: false\nsmall_amount_max: 100\n")
    rules = [t["name"] for t in decided(refunds(tmp_path), "--settings", settings)["by_rule"]]  # type: ignore[attr-defined]
    assert "unshipped_auto" not in rules


def test_finished_cases_count_as_just_applied_unless_told_otherwise(tmp_path: Path) -> None:
    path = refunds(tmp_path)
    before, as_is = decided(path), decided(path, "--as-is")
    assert "finished" not in [t["name"] for t in before["by_rule"]]  # type: ignore[attr-defined]
    assert [t["cases"] for t in as_is["by_rule"] if t["name"] == "finished"] == [1]  # type: ignore[attr-defined]


def test_a_report_says_what_it_cannot_tell(tmp_path: Path) -> None:
    run = aftersale("decide", written(tmp_path / "r.csv", f"{REPORT}\n{REPORT_ROWS}"), "--now", NOW)
    assert run.code == 0
    assert "4 行（坏行 0，重复 0）；订单 4，售后单 2 单，¥243.60。" in run.out
    assert "已退款 2 单，¥243.60（全额 1 单，部分 1 单）。" in run.out
    lacking = next(line for line in run.out.splitlines() if line.startswith("  售后单上的："))
    assert all(title in lacking for title in ("售后类型", "申请原因", "申请时间"))
    assert "¥0.00" in next(line for line in run.out.splitlines() if line.startswith("自动处理"))


def test_bad_rows_are_listed_and_the_rest_is_decided(tmp_path: Path) -> None:
    path = written(tmp_path / "r.csv", f"{REPORT}\n{REPORT_ROWS}9,1,-5,x,,,0\n")
    run = aftersale("decide", path, "--now", NOW)
    assert run.code == 1
    assert "第 6 行「买家实际支付金额」：金额是负数（原值：-5）" in run.err
    assert "售后单 2 单" in run.out


def test_the_workbook_keeps_ids_and_holds_no_formula(tmp_path: Path) -> None:
    out = tmp_path / "decisions.xlsx"
    long = REFUND_ROWS.replace("9002", "300555000111222333")
    path = written(tmp_path / "r.csv", f"{REFUNDS}\n{long}9004,x y,,,,,,,,,,,,,\n")
    assert aftersale("decide", path, "--now", NOW, "--out", out).code == 1
    book = CalamineWorkbook.from_path(out)
    assert book.sheet_names == ["决定", "坏行", "汇总"]
    head, *rows = book.get_sheet_by_name("决定").to_python()
    cells = [dict(zip(head, row, strict=True)) for row in rows]
    assert [cell["售后单号"] for cell in cells] == ["9001", "300555000111222333", "9003"]
    assert [cell["申请金额（元）"] for cell in cells] == [29.5, 30, 50]
    assert cells[1]["商品"] == "'=1+1"
    assert cells[0]["规则"] == "unshipped_auto"
    assert book.get_sheet_by_name("坏行").to_python()[1][:2] == [5, "订单编号"]
    assert aftersale("decide", path, "--out", tmp_path / "nowhere" / "x.xlsx").code == 2


def test_every_form_of_the_same_content_is_decided_the_same(tmp_path: Path) -> None:
    text = f"{REFUNDS}\n{REFUND_ROWS}"
    paths = [
        written(tmp_path / "a.csv", text),
        written(tmp_path / "b.csv", text, "gb18030"),
        sheet(tmp_path / "c.xlsx", [line.split(",") for line in text.splitlines()]),
    ]
    found = [{**decided(path), "file": ""} for path in paths]
    assert found[0] == found[1] == found[2]


WRONG = """
--now gestern              | --now「gestern」不是时间
--book nothing             | 没有名为「nothing」的规则书
--layout nothing           | 没有名为「nothing」的版式
--mapping nowhere.yaml     | 映射文件打不开
--settings nowhere.yaml    | 设置文件读不了
"""


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_a_wrong_option_ends_in_one_line(line: str, tmp_path: Path) -> None:
    options, why = (part.strip() for part in line.split("|"))
    run = aftersale("decide", refunds(tmp_path), *options.split())
    assert (run.code, run.out, run.err.count("\n")) == (2, "", 1)
    assert why in run.err


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    settings = written(tmp_path / "s.yaml", "small_amount_maxx: 5\n")
    run = aftersale("decide", refunds(tmp_path), "--settings", settings)
    assert (run.code, run.err.count("\n")) == (2, 1)
    assert "small_amount_max" in run.err


@pytest.mark.skipif(
    not SHARED.exists(), reason="../shared/data/tmall_orders is not here: nothing to compare with"
)
def test_a_real_report_of_28010_orders(tmp_path: Path) -> None:
    began = time.monotonic()
    run = aftersale("decide", SHARED, "--json", "--now", NOW)
    took = time.monotonic() - began
    found = json.loads(run.out)
    assert (run.code, found["rows"], found["orders"], found["bad"], found["repeated"]) == (
        0,
        28010,
        28010,
        0,
        0,
    )
    assert (found["refunded"]["cases"], found["refunded_full"], found["refunded_partial"]) == (
        5646,
        5132,
        514,
    )
    assert run.peak_kb < 256 * 1024
    assert took < 15, "5 s when the machine is ours"
    again = written(tmp_path / "g.csv", SHARED.read_text("utf-8"), "gb18030")
    assert {**decided(again), "file": ""} == {**found, "file": ""}
