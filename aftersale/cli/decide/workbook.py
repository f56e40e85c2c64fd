"""The decisions as a workbook: 决定, 坏行, 汇总. Ids are text; no cell can become a formula."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from aftersale.core.spreadsheets import guarded
from aftersale.intake.files.trouble import BadRow

SHEET_ROWS_MAX = 1_048_576


def write_workbook(
    path: Path,
    headers: Sequence[str],
    decided: Iterable[Sequence[object]],
    bad: Sequence[BadRow],
    lines: Sequence[str],
) -> None:
    """Values named `…（元）` come in fen. Raises OSError where the file cannot be written."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
    try:
        _write(book, "决定", headers, decided)
        _write(book, "坏行", ("行", "列", "原值", "原因"), ((r.line, r.column, r.value, r.why) for r in bad))
        _write(book, "汇总", ("汇总",), ((line,) for line in lines if line))
    finally:
        _close(book, path)


def _close(book: Any, path: Path) -> None:
    try:
        book.close()
    except xlsxwriter.exceptions.FileCreateError as error:
        raise OSError(f"{path}：写不进去；请换一个可写的位置，或先关闭已打开的这个文件") from error


def _write(book: Any, name: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A sheet, or several numbered ones where the rows exceed a sheet; each begins with the headers."""
    money = book.add_format({"num_format": "#,##0.00"})
    styles = [money if header.endswith("（元）") else None for header in headers]
    waiting, part = iter(rows), 1
    while True:
        sheet = book.add_worksheet(name if part == 1 else f"{name} {part}")
        sheet.set_column(0, len(headers) - 1, 18)
        sheet.freeze_panes(1, 0)
        sheet.write_row(0, 0, headers, book.add_format({"bold": True}))
        at = 0
        for at, row in enumerate(islice(waiting, SHEET_ROWS_MAX - 1), 1):
            for place, value in enumerate(row):
                _put(sheet, (at, place), value, styles[place])
        if at < SHEET_ROWS_MAX - 1:
            return
        part += 1


def _put(sheet: Any, at: tuple[int, int], value: object, money: Any) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_string(*at, "是" if value else "否")
        case int() if money is not None:
            sheet.write_number(*at, value / 100, money)
        case int():
            sheet.write_number(*at, value)
        case _:
            sheet.write_string(*at, guarded(value))
