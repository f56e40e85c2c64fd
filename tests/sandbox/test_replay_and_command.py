"""Replaying an order report, and the command's manners."""

import json
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from aftersale.connectors.taobao.mapping import application
from aftersale.core.records import BadInput
from aftersale.sandbox.days.replay import BadFile, rows
from tests.sandbox.cases import fen
from tests.sandbox.running import START, running

REPORT = """订单编号,总金额,买家实际支付金额,收货地址,订单创建时间,订单付款时间,退款金额
1,188.0,0.0,云南省,2020-02-21 00:00:07,,0.0
2,21.5,21.5,广东省,2020-02-20 23:59:51,2020-02-21 00:00:02,0.0
3,38.0,0.0,江苏省,2020-02-20 23:59:35,2020-02-21 00:00:10,38.0
4,100.5,60.5,河南省,2020-02-20 22:00:00,2020-02-20 23:30:10,40.0
"""
REAL = Path(__file__).parents[2].parent / "shared/data/tmall_orders/tmall_order_report1.csv"


def test_a_report_is_replayed_with_its_amounts(tmp_path: Path) -> None:
    report = tmp_path / "orders.csv"
    report.write_text(REPORT, encoding="utf-8")
    with running("--replay", str(report)) as one:
        one.control.jump(START + timedelta(days=20))
        found = {
            row["refund_id"]: row for row in one.control.applications() if row["refund_id"].endswith("001")
        }
        assert sorted(map(fen, found.values())) == [3800, 4000]
        assert one.control.state().arrivals_left == 0


def test_a_real_report_is_replayed_and_understood() -> None:
    if not REAL.exists():
        pytest.skip(f"{REAL.name} of the shared data is not here")
    report = rows(REAL)
    assert len(report) == 5646
    assert sum(row.refund_fen == row.total_fen for row in report) == 5132
    with running("--replay", str(REAL)) as one:
        state = one.control.jump(START + timedelta(days=60))
        records = [application(row) for row in one.control.applications()]
    assert state.arrivals_left == 0
    assert [record for record in records if isinstance(record, BadInput)] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a,b\n1,2\n", "lacks the columns 总金额"),
        (REPORT.replace("38.0\n", "38.0元\n"), "line 4: 退款金额"),
        (REPORT.replace("2020-02-21 00:00:10", "noon"), "line 4: 'noon'"),
    ],
)
def test_a_bad_report_is_named_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    report = tmp_path / "orders.csv"
    report.write_text(text, encoding="utf-8")
    with pytest.raises(BadFile, match=why):
        rows(report)


def _command(*options: str) -> list[str]:
    return [sys.executable, "-m", "aftersale.sandbox", *options]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_its_ledger_is_on_disk(tmp_path: Path, number: signal.Signals) -> None:
    book = tmp_path / "paid.jsonl"
    with running("--applications", "60", "--ledger", str(book)) as one:
        one.control.jump(START + timedelta(days=3))
        entries = one.control.ledger()
        told = [json.loads(line) for line in book.read_text().splitlines()]
    assert entries
    assert [(row["refund_id"], row["amount_fen"]) for row in told] == [
        (entry.refund_id, entry.amount_fen) for entry in entries
    ]
    with subprocess.Popen(
        _command("--applications", "5"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Sandbox ready at http://127.0.0.1:")
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--replay", "nowhere.csv"], "nowhere.csv cannot be read"),
        (["--start", "soon"], "'soon' is no ISO 8601 moment"),
        (["--ledger", "/nowhere/paid.jsonl"], "No such file"),
    ],
)
def test_a_bad_option_is_one_clear_line(options: list[str], why: str) -> None:
    done = subprocess.run(_command(*options), capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = _command("--port", str(port))
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert f"127.0.0.1:{port}: Address already in use" in done.stderr
    assert "Traceback" not in done.stderr
