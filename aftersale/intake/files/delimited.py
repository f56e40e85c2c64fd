"""CSV and tab-separated text → rows, with limits on every size."""

import csv
from collections.abc import Callable, Iterator
from io import TextIOWrapper
from pathlib import Path

from aftersale.intake.files.cells import Cell
from aftersale.intake.files.sniff import LINE_BYTES_MAX
from aftersale.intake.files.trouble import UnusableFile

Rows = Iterator[tuple[int, list[Cell]]]
"""(line in the file, its cells); empty lines are left out."""

COLUMNS_MAX = 512
FIELD_MAX = 32_768
ROWS_MAX = 2_000_000
PROGRESS_EVERY = 4_096
SNIFF_LINES = 10


def delimited_rows(path: Path, encoding: str, progress: Callable[[float], None] | None) -> Rows:
    """Rows of a text file; raises `UnusableFile` where a limit is passed. `progress` gets the share read."""
    csv.field_size_limit(FIELD_MAX)
    size = path.stat().st_size
    with path.open("rb") as raw, TextIOWrapper(raw, encoding=encoding, newline="") as file:
        first = "".join(file.readline(LINE_BYTES_MAX) for _ in range(SNIFF_LINES))
        delimiter = "\t" if first.count("\t") > first.count(",") else ","
        file.seek(0)
        reader = csv.reader(_lines(file, path.name), delimiter=delimiter)
        line = 1
        try:
            for number, cells in enumerate(reader):
                if number > ROWS_MAX:
                    raise UnusableFile(
                        path.name, "超过 %(rows)s 行；请按日期分成几个文件导出", rows=f"{ROWS_MAX:,}"
                    )
                if len(cells) > COLUMNS_MAX:
                    raise UnusableFile(
                        path.name,
                        "第 %(line)s 行有 %(columns)s 列，最多 %(most)s 列",
                        line=line, columns=f"{len(cells):,}", most=COLUMNS_MAX,
                    )  # fmt: skip
                if any(cells):
                    yield line, [*cells]
                line = reader.line_num + 1
                if progress is not None and number % PROGRESS_EVERY == 0:
                    progress(raw.tell() / size)
        except csv.Error as error:
            raise UnusableFile(
                path.name,
                "第 %(line)s 行读不下去：引号不成对，或单元格超过 %(most)s 字；请检查",
                line=line,
                most=f"{FIELD_MAX:,}",
            ) from error


def _lines(file: TextIOWrapper, name: str) -> Iterator[str]:
    number = 0
    while line := file.readline(LINE_BYTES_MAX):
        number += 1
        if len(line) >= LINE_BYTES_MAX:
            raise UnusableFile(name, "第 %(line)s 行超过 100 万字，不是表格的一行；请重新导出", line=number)
        yield line
