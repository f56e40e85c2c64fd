"""Rows as .xlsx or .csv. No cell can become a formula; ids are text; times are the shops' clock."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]
from django.utils import timezone

from aftersale.core.spreadsheets import guarded
from aftersale.people.export.table import Column, Value

MIMES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
BOM = "\ufeff"


def csv_lines(columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> Iterator[bytes]:
    """The file in pieces, with a mark for spreadsheets that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    text.write(BOM)
    writer.writerow([guarded(column.title) for column in columns])
    for row in rows:
        writer.writerow([_plain(column, value) for column, value in zip(columns, row, strict=True)])
        if text.tell() > 2**16:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _plain(column: Column, value: Value) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return _local(value).strftime("%Y-%m-%d %H:%M:%S")
        case int() if column.kind == "fen":
            return f"{'-' if value < 0 else ''}{abs(value) // 100}.{abs(value) % 100:02d}"
        case int():
            return str(value)
        case _:
            return guarded(_shown(value))


def xlsx(columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> bytes:
    """One sheet, in constant memory but for the file itself."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, max(len(columns) - 1, 0), 18)
        sheet.write_row(0, 0, [column.title for column in columns], book.add_format({"bold": True}))
        styles = {
            "fen": book.add_format({"num_format": "#,##0.00"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        for at, row in enumerate(rows, 1):
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                _put(sheet, (at, place), value, styles.get(column.kind), column.kind == "fen")
    return out.getvalue()


def _put(sheet: Any, at: tuple[int, int], value: Value, style: Any, fen: bool) -> None:
    match value:
        case None:
            return
        case datetime():
            sheet.write_datetime(*at, _local(value).replace(tzinfo=None), style)
        case int():
            sheet.write_number(*at, value / 100 if fen else value, style)
        case _:
            sheet.write_string(*at, guarded(_shown(value)))


def _local(at: datetime) -> datetime:
    return timezone.localtime(at)


def _shown(text: str) -> str:
    """Without the signs that XML cannot hold."""
    return "".join(c for c in text if c.isprintable() or c in "\n\t\r")[:32_000]
