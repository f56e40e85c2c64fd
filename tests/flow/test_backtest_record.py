"""The record's own history: what was decided comes out of the export again, for every version of the book."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from aftersale.cli.backtest import command
from tests.conftest import Database
from tests.flow.desk import Desk, application, order
from tests.flow.varied import tell_all

SETTINGS = '{"small_amount_max": 600, "no_number_way": "reject", "auto_return_reasons": ["dislike"]}'


@pytest.fixture
def desk(embedded_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in embedded_database.environment().items():
        monkeypatch.setenv(name, value)
    desk = Desk(embedded_database)
    yield desk
    desk.close()


def _run(*words: object) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_history_decides_again_as_it_was_decided(desk: Desk, tmp_path: Path) -> None:
    desk.conn.execute(f"UPDATE shop SET settings = '{SETTINGS}'")
    desk.conn.commit()
    tell_all(desk, 200)
    path = tmp_path / "history.parquet"
    run = _run("refund", "--data", "record", "--shop", "ming", "--export", path, "--json")
    assert run.exit_code == 0, run.output
    found = json.loads(run.output)["result"]
    decided = Counter(
        desk.all("SELECT rule FROM decision WHERE shop_id = 1 AND rule <> 'money_does_not_fit'")
    )
    amended = desk.one("SELECT count(*) FROM decision WHERE shop_id = 1 AND rule = 'money_does_not_fit'")
    again = {line["rule"]: line["cases"] for line in found["lines"]}
    assert found["cases"] == decided.total() + amended
    assert sum((Counter(again) - decided).values()) == amended
    assert not decided - Counter(again)
    rows = duckdb.sql(f"SELECT rule, case_id FROM '{path}'").fetchall()
    assert Counter(rule for rule, _ in rows if rule != "money_does_not_fit") == decided


def test_no_waybill_leaves_the_record(desk: Desk, tmp_path: Path) -> None:
    desk.tell(order(shipped=True), application(aftersale_type="return_refund", state="return_shipped", received=True,
                                               return_tracking_no="SF1234567890"))  # fmt: skip
    path = tmp_path / "history.parquet"
    assert _run("refund", "--data", "record", "--shop", "ming", "--export", path).exit_code == 0
    ((text,),) = duckdb.sql(f"SELECT return_tracking_no FROM '{path}'").fetchall()
    assert (len(text), "1234567890" in text) == (12, False)


def test_the_first_and_the_last_decision_of_a_case(desk: Desk) -> None:
    desk.tell(order(), application(amount_fen=90_000, case_id="R1"))
    desk.wait(hours=1)
    desk.tell(application(amount_fen=90_000, case_id="R1", version=2, state="refunded"))

    def rules(which: str) -> list[str]:
        run = _run("refund", "--data", "record", "--shop", "ming", "--which", which, "--json")
        assert run.exit_code == 0, run.output
        return sorted(line["rule"] for line in json.loads(run.output)["result"]["lines"])

    first, last = rules("first"), rules("last")
    assert (len(first), last) == (1, ["finished"])
    assert rules("all") == sorted([*first, *last])


def test_an_older_version_with_fewer_facts_is_part_of_the_history(desk: Desk) -> None:
    """Its decisions name fewer facts; the others are unknown in its rows."""
    desk.tell(order(), application())
    kept: tuple[Any, ...] = desk.one("SELECT reads, facts FROM book_version, decision")
    reads = list(kept[0])
    at = reads.index("contact_count")
    desk.conn.execute(
        "INSERT INTO book_version (version, book, text, reads) VALUES ('0ld', 'refund', '', %s)",
        ([name for name in reads if name != "contact_count"],),
    )
    fields = kept[1].strip("()").split(",")
    text = "(" + ",".join(value for place, value in enumerate(fields) if place != at) + ")"
    desk.conn.execute(
        "INSERT INTO decision (shop_id, case_id, id, decided_at, application_version, book_version, rule, action, facts)"
        " VALUES (1, 'R0', 1, %s, 1, '0ld', 'hold', 'auto_refund', %s)",
        (desk.now, text),
    )
    desk.conn.commit()
    run = _run("refund", "--data", "record", "--shop", "ming", "--json")
    assert json.loads(run.output)["result"]["cases"] == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--shop", "tea"), "没有代码为 tea 的店铺"),
        (("--shop", "ming"), "店铺 ming 还没有用规则书 refund 判定过"),
    ],
)
def test_what_is_not_there_is_one_line(desk: Desk, words: tuple[str, ...], why: str) -> None:
    run = _run("refund", "--data", "record", *words)
    assert (run.exit_code, run.output.strip()) == (2, why)
