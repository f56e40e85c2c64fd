"""`aftersale draft`: start, report and stop from the command line."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aftersale.cli.draft import command
from tests.conftest import Database
from tests.flow.desk import Desk, application, order


@pytest.fixture
def desk(embedded_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in embedded_database.environment().items():
        monkeypatch.setenv(name, value)
    desk = Desk(embedded_database, platform="pdd")
    yield desk
    desk.close()


def _run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_a_draft_from_start_to_stop(desk: Desk) -> None:
    started = _run("start", "--shop", "ming", "--set", "unshipped_direct_max=10")
    assert (started.exit_code, "只旁观" in started.output) == (0, True)
    for no, amount in enumerate((900, 5_000)):
        one = replace(application(f"R{no}", amount_fen=amount), order_id=f"T{no}")
        desk.tell(order(f"T{no}", paid_fen=amount), one)
    said = _run("report", "ming").output
    assert "2 单，1 单的判断不同。" in said
    assert "不需要人的：2 → 1 单；自动付款：¥59.00 → ¥9.00" in said
    told = json.loads(_run("report", "ming", "--json").output)
    moves = sorted((move["cases"], move["live_fen"], move["fen"]) for move in told["moves"])
    assert moves == [(1, 900, 900), (1, 5000, 0)]
    assert "旁观" in _run("list").output
    assert _run("stop", "ming").exit_code == 0
    assert _run("stop", "ming").output.strip() == "店铺 ming 没有正在试行的草稿"


WRONG = [
    (("start", "--shop", "ming", "--set", "unshipped_direct_maks=10"), 2, "最近的是 unshipped_direct_max"),
    (("start", "--shop", "ming", "--set", "unshipped_direct_max=ten"), 2, "'ten' 不是以元计的金额"),
    (("start", "--shop", "ming", "--share", "10"), 2, "--share 要和 --budget 一起用"),
    (("start", "--shop", "ming", "--budget", "a"), 2, "--budget a"),
    (("start", "--shop", "ming", "--book", "no-such.yaml"), 2, "打不开"),
    (("start", "--shop", "tea"), 1, "没有代码为 tea 的店铺"),
    (("report", "ming"), 1, "还没有试行过草稿"),
]


@pytest.mark.parametrize(("words", "code", "why"), WRONG)
def test_what_cannot_be_done_is_one_line(desk: Desk, words: tuple[str, ...], code: int, why: str) -> None:
    found = _run(*words)
    assert (found.exit_code, why in found.output, found.output.count("\n")) == (code, True, 1)
    assert desk.all("SELECT count(*) FROM draft") == [0]


def test_a_book_of_ones_own_is_tried(desk: Desk, tmp_path: Path) -> None:
    from aftersale.rulebooks import books

    path = tmp_path / "mine.yaml"
    path.write_text(
        books.text("refund.yaml").replace(
            "small_amount_max, type: fen, default: 1000", "small_amount_max, type: fen, default: 900"
        ),
        "utf-8",
    )
    done = _run("start", "--shop", "ming", "--book", str(path), "--share", "10", "--budget", "2000")
    assert (done.exit_code, "决定 10% 的售后单，自动付款不超过 2000 元" in done.output) == (0, True)
    path.write_bytes(b"\xff\xfe")
    assert "不是 UTF-8 文本" in _run("start", "--shop", "ming", "--book", str(path)).output
