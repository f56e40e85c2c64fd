"""`aftersale backtest` over files: figures, changes, sweeps, what is missing, and the line for each mistake."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from python_calamine import CalamineWorkbook

from aftersale.bench.bulk import made_up
from aftersale.cli.backtest import command
from aftersale.core.look import decide
from aftersale.core.rulebook import resolve_settings
from aftersale.plan.backtest import backtest
from aftersale.plan.duck import Duck
from aftersale.plan.ruling import Ruling
from aftersale.plan.source import column, source_of
from aftersale.plan.sweep import sweep
from aftersale.rulebooks import books
from tests.flow.desk import NOON

# Unshipped on Tmall: up to 200 yuan refunded by themselves, above it agreed to by hand.
CASES = """\
case_id,platform,aftersale_type,state,reason,amount_fen,paid_fen,intervened,shipped,applied_at,applied_minute
R1,tmall,unshipped_refund_only,applied,dislike,19900,19900,false,false,2026-11-11 12:00:00+08,720
R2,tmall,unshipped_refund_only,applied,dislike,20000,20000,false,false,2026-11-11 12:00:00+08,720
R3,tmall,unshipped_refund_only,applied,dislike,20001,20001,false,false,2026-11-11 12:00:00+08,720
R4,tmall,unshipped_refund_only,refunded,dislike,5000,5000,false,false,2026-11-11 12:00:00+08,720
R5,tmall,unshipped_refund_only,applied,dislike,,5000,false,false,2026-11-11 12:00:00+08,720
"""

PAYING = {code for code, action in books.actions().items() if "agree_refund" in action.intents}


def _run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text(CASES, "utf-8")
    return path


def told(*words: object) -> dict[str, Any]:
    run = _run("refund", *words, "--at", "2026-11-11T12:00:00", "--json")
    assert run.exit_code == 0, run.output
    found: dict[str, Any] = json.loads(run.output)
    return found


def test_cases_money_and_minutes_by_rule(cases: Path) -> None:
    found = told("--data", cases, "--minutes", "6", "--minutes", "unshipped_manual=10")
    lines = {line["rule"]: line for line in found["result"]["lines"]}
    figures = {
        name: (one["way"], one["cases"], one["amount_fen"], one["pays_fen"], one["minutes"])
        for name, one in lines.items()
    }
    assert figures == {
        "unshipped_auto": ("automatic", 2, 39_900, 39_900, 0),
        "unshipped_agree": ("person", 2, 20_001, 0, 20),
        "finished": ("nothing", 1, 5_000, 0, 0),
    }
    assert (found["result"]["cases"], found["automatic_share"]) == (5, 0.5)


def test_another_version_is_compared_case_by_case(cases: Path) -> None:
    found = told("--data", cases, "--set", "unshipped_auto_refund_max=199.99", "--against", "refund")[
        "compared"
    ]
    assert (found["changed"], found["old_pays_fen"], found["new_pays_fen"]) == (1, 39_900, 19_900)
    assert (found["old_minutes"], found["new_minutes"], found["old_automatic"], found["new_automatic"]) == (
        10,
        15,
        2,
        1,
    )
    changed = [move for move in found["moves"] if move["changed"]]
    assert [(m["old"], m["new"], m["cases"], m["examples"]) for m in changed] == [
        ("unshipped_auto", "unshipped_agree", 1, ["R2"])
    ]


def test_a_book_that_calls_a_rule_otherwise_or_queues_it_elsewhere_changes_it(
    cases: Path, tmp_path: Path
) -> None:
    text = books.text("refund.yaml")
    for name, edited, changed in (
        ("same.yaml", text, 0),
        ("renamed.yaml", text.replace("name: unshipped_auto\n", "name: unshipped_itself\n"), 2),
        ("queued.yaml", text.replace("action: none, queue: null}", "action: none, queue: manual}", 1), 1),
    ):
        path = tmp_path / name
        path.write_text(edited, "utf-8")
        run = _run(path, "--data", cases, "--against", "refund", "--at", "2026-11-11T12:00:00", "--json")
        assert (run.exit_code, json.loads(run.output)["compared"]["changed"]) == (0, changed), name


def test_a_sweep_finds_each_threshold_on_its_side(cases: Path) -> None:
    found = told("--data", cases, "--sweep", "unshipped_auto_refund_max=199,199.99,200,200.01")["swept"]
    assert [(point["value"], point["automatic"], point["pays_fen"]) for point in found] == [
        (19_900, 1, 19_900),
        (19_999, 1, 19_900),
        (20_000, 2, 39_900),
        (20_001, 3, 59_901),
    ]


def test_overlaps_name_the_later_rules(cases: Path) -> None:
    found = told("--data", cases, "--overlaps")["overlapping"]
    pairs = {(one["first"], one["later"]): one["cases"] for one in found}
    assert pairs["unshipped_auto", "unshipped_agree"] == 2
    assert ("unshipped_agree", "unshipped_auto") not in pairs


def test_what_the_file_lacks_and_who_is_silent_for_it(cases: Path) -> None:
    found = told("--data", cases)
    assert {"signed_at", "inbound_success", "contact_count"} <= set(found["missing"])
    silent = {one["rule"]: one["lacking"] for one in found["result"]["silent"]}
    assert "erp_intercept_result" in silent["packing_stopped"]
    assert "unshipped_auto" not in silent
    said = _run("refund", "--data", cases, "--at", "2026-11-11").output
    assert "文件里没有的事实（当作未知）" in said
    assert "因此永远说不上话的规则" in said


def test_the_workbook_holds_every_part(cases: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.xlsx"
    run = _run("refund", "--data", cases, "--set", "unshipped_auto_refund=false", "--against", "refund", "--overlaps",
               "--sweep", "small_amount_max=5..20/5", "--at", "2026-11-11T12:00:00", "--out", out)  # fmt: skip
    assert run.exit_code == 0, run.output
    book = CalamineWorkbook.from_path(out)
    assert book.sheet_names == ["规则", "变化", "扫描", "重叠", "缺少"]
    rows = {row[0]: row for row in book.get_sheet_by_name("规则").to_python()}
    assert rows["unshipped_agree"][4:7] == [4, 599.01, 0]
    assert [row[0] for row in book.get_sheet_by_name("扫描").to_python()[1:]] == [
        "¥5.00",
        "¥10.00",
        "¥15.00",
        "¥20.00",
    ]


def test_rows_are_decided_at_their_own_moment(cases: Path, tmp_path: Path) -> None:
    """Packing may be stopped within 24 hours of the application."""
    head, first, *_ = CASES.splitlines()
    lines = [f"{head},warehouse_state,decided_at"]
    for hour in ("11 12:00:00", "12 11:59:59.999999", "12 12:00:00"):
        lines.append(f"{first},packing,2026-11-{hour}+08")
    path = tmp_path / "moments.csv"
    path.write_text("\n".join(lines), "utf-8")
    found = json.loads(_run("refund", "--data", path, "--json").output)["result"]["lines"]
    assert {line["rule"]: line["cases"] for line in found} == {"packing_stop": 2, "unshipped_person": 1}


@pytest.mark.parametrize(
    "name", ["small_amount_max", "seven_day_hours", "auto_agree_return", "no_number_way"]
)
def test_one_pass_says_what_a_run_for_each_value_says(name: str, tmp_path: Path) -> None:
    path = made_up(tmp_path, 5_000, lambda line: None)
    book = books.book("refund")
    tried: list[Any] = {
        "small_amount_max": list(range(500, 10_001, 500)), "seven_day_hours": [0, 24, 48, 100, 168, 169, 2_000],
        "auto_agree_return": [True, False], "no_number_way": ["intercept", "reject"],
    }[name]  # fmt: skip
    engine = Duck(path)
    source = source_of(engine, [book], at=NOON, now=NOON)
    usual = Ruling(book, resolve_settings(book, {}))
    for point in sweep(engine, source, usual, name, tried):
        one = backtest(engine, source, Ruling(book, resolve_settings(book, {name: point.value})))
        assert {line.rule: line.cases for line in one.lines} == dict(point.rules)
        assert (one.pays_fen, one.minutes, one.total("automatic"), one.total("person")) == (
            point.pays_fen, point.minutes, point.automatic, point.person,
        )  # fmt: skip
    engine.close()


WRONG = """
refnd --data {cases}                                | 没有名为「refnd」的规则书，最近的是 refund
no.yaml --data {cases}                              | no.yaml：打不开
refund --data nowhere.parquet                       | nowhere.parquet：没有这个文件
refund --data {cases}.xlsx                          | 数据应是 .parquet 或 .csv 文件
refund --data record                                | 要和 --shop 一起用
refund --data {cases} --set small=3                 | 没有名为 small 的设置
refund --data {cases} --set small_amount_max=x      | 'x' 不是以元计的金额
refund --data {cases} --sweep small_amount_max=9..1 | 要 1 到 60 个值
refund --data {cases} --sweep small_amount_max=1..9/0 | 步长大于 0
refund --data {cases} --at gestern                  | --at「gestern」不是时间
refund --data {cases} --minutes x                   | --minutes x
refund --data {odd}                                 | 不认识列 amount_fn，最近的是 amount_fen
refund --data {broken}                              | 数据读不了
refund --data {typed}                               | 列 amount_fen 的类型是 DOUBLE，应是整数（分）
refund --data {foreign}                             | 文件里没有规则要读的列
"""


@pytest.mark.parametrize("line", WRONG.strip().splitlines())
def test_a_mistake_ends_in_one_line(line: str, cases: Path, tmp_path: Path) -> None:
    odd, broken, foreign = tmp_path / "odd.csv", tmp_path / "broken.csv", tmp_path / "foreign.csv"
    odd.write_text(CASES.replace("amount_fen", "amount_fn"), "utf-8")
    broken.write_text(CASES.replace("19900", "much"), "utf-8")
    foreign.write_text("订单编号,总金额\n1,2\n", "utf-8")
    typed = tmp_path / "typed.parquet"
    duckdb.sql("SELECT 'tmall' AS platform, 12.5::DOUBLE AS amount_fen").write_parquet(str(typed))
    words, why = (part.strip() for part in line.split("|"))
    run = _run(*words.format(cases=cases, odd=odd, broken=broken, foreign=foreign, typed=typed).split())
    assert (run.exit_code, run.output.count("\n")) == (2, 1), run.output
    assert why in run.output


def test_the_batch_says_of_each_row_what_the_evaluation_says(tmp_path: Path) -> None:
    path = made_up(tmp_path, 3_000, lambda line: None)
    book = books.book("refund")
    settings = resolve_settings(book, {})
    engine = Duck(path)
    source = source_of(engine, [book], at=NOON, now=NOON)
    facts = {name: book.catalogue.facts[name] for name in book.reads if name not in source.missing}
    moments = [name for name, fact in facts.items() if fact.type.kind == "timestamptz"]
    texts = (f"epoch_us({name})" if name in moments else column(fact) for name, fact in facts.items())
    rules: Counter[str] = Counter()
    paid_fen = 0
    for row in engine.rows(f"SELECT {', '.join(texts)} FROM {source.relation}"):
        known = dict(zip(facts, row, strict=True))
        for name in moments:
            if known[name] is not None:
                known[name] = datetime.fromtimestamp(known[name] / 1_000_000, UTC)
        found = decide(book, known, settings, NOON)
        rules[found.rule or "otherwise"] += 1
        if found.outcome["action"] in PAYING and found.outcome["queue"] is None:
            paid_fen += int(str(found.outcome["amount"]))
    made = backtest(engine, source, Ruling(book, settings))
    assert {line.rule: line.cases for line in made.lines} == dict(rules)
    assert (made.pays_fen, len(rules) > 40) == (paid_fen, True)
    engine.close()
