"""A backtest as a workbook: 规则, 变化, 扫描, 重叠, 缺少. Money in yuan; no cell can become a formula."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]

from aftersale.cli.backtest.trial import Trial
from aftersale.cli.backtest.words import WAYS, shown
from aftersale.core.spreadsheets import guarded

Row = Sequence[object]
Sheet = tuple[str, Row, Iterator[Row]]


def write(path: Path, trial: Trial) -> None:
    """Raises OSError where the file cannot be written."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
    bold, money = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    for name, headers, rows in _sheets(trial):
        sheet = book.add_worksheet(name)
        sheet.set_column(0, len(headers) - 1, 18)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headers, bold)
        for at, row in enumerate(rows, 1):
            for place, value in enumerate(row):
                if not isinstance(value, int):
                    sheet.write_string(at, place, guarded(value))
                elif str(headers[place]).endswith("（元）"):
                    sheet.write_number(at, place, value / 100, money)
                else:
                    sheet.write_number(at, place, value)
    try:
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(f"{path}：写不进去；请换一个可写的位置，或先关闭已打开的这个文件") from error


def _sheets(trial: Trial) -> Iterator[Sheet]:
    yield (
        "规则",
        ("规则", "标题", "方式", "队列", "单数", "申请（元）", "自动付（元）", "人工分钟"),
        _rules(trial),
    )
    if trial.compared is not None:
        yield (
            "变化",
            ("原来", "现在", "单数", "原来付（元）", "现在付（元）", "金额不同", "例"),
            _moves(trial),
        )
    if trial.swept:
        yield "扫描", (str(trial.swept_setting), "自动", "人工", "自动付（元）", "人工分钟"), _points(trial)
    if trial.overlapping:
        rows = ((one.first, one.later, one.cases) for one in trial.overlapping)
        yield "重叠", ("在先", "也成立", "单数"), rows
    if trial.missing:
        silent = ((one.rule, one.title, "、".join(one.lacking)) for one in trial.result.silent)
        yield "缺少", ("说不上话的规则", "标题", "缺的事实"), silent


def _rules(trial: Trial) -> Iterator[Row]:
    for one in trial.result.lines:
        yield (
            one.rule, one.title, WAYS[one.way], one.queue or "", one.cases, one.amount_fen, one.pays_fen, one.minutes,
        )  # fmt: skip


def _moves(trial: Trial) -> Iterator[Row]:
    assert trial.compared is not None
    for one in trial.compared.moves:
        if one.changed:
            yield (
                one.old, one.new, one.cases, one.old_pays_fen, one.new_pays_fen, one.changed_amounts,
                "、".join(one.examples),
            )  # fmt: skip


def _points(trial: Trial) -> Iterator[Row]:
    for one in trial.swept:
        yield shown(one.value, trial.swept_kind), one.automatic, one.person, one.pays_fen, one.minutes
