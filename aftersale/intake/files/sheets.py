"""XLSX and XLS → rows, read in a limited process (sheet_process.py)."""

import marshal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aftersale.core.language.saying import saying
from aftersale.intake.files.delimited import COLUMNS_MAX, ROWS_MAX, Rows
from aftersale.intake.files.trouble import UnusableFile

MEMORY_BASE = 160_000_000
MEMORY_A_BYTE = 4  # of inflated sheet: cells and their text, measured 2–3
SECONDS_BASE = 8
BYTES_A_SECOND = 4_000_000

_WHY = {
    "columns": saying("超过 %(most)s 列；请删去多余的空列，或另存为 .csv", most=COLUMNS_MAX),
    "empty": saying("没有数据；请重新导出"),
    "password": saying("有密码保护；请取消密码后重新保存"),
    "broken": saying("表格文件已损坏或不是 .xlsx/.xls；请重新导出"),
    "memory": saying("展开后太大，超出内存限制；请删去多余的空行空列，或另存为 .csv"),
}


def sheet_rows(path: Path, inflated: int, progress: Callable[[float], None] | None) -> Rows:
    """Rows of the first sheet with data; raises `UnusableFile`. `progress` gets the share read."""
    memory = MEMORY_BASE + MEMORY_A_BYTE * inflated
    seconds = SECONDS_BASE + inflated // BYTES_A_SECOND
    command = [
        sys.executable,
        "-m",
        __name__.replace("sheets", "sheet_process"),
        str(path),
        str(memory),
        str(seconds),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield from _received(process, path.name, progress)
        finally:
            process.kill()


def _received(process: subprocess.Popen[bytes], name: str, progress: Callable[[float], None] | None) -> Rows:
    frames = _frames(process)
    answer, told = next(frames, ("refused", "memory"))
    if answer == "refused":
        raise _refused(name, told)
    value = int(told)
    if value > ROWS_MAX:
        raise UnusableFile(name, "超过 %(rows)s 行；请按日期分成几个文件导出", rows=f"{ROWS_MAX:,}")
    done = 0
    for frame in frames:
        yield from ((line, cells) for line, cells in frame if any(cell not in ("", None) for cell in cells))
        done += len(frame)
        if progress is not None:
            progress(done / max(value, 1))
    if process.wait() != 0 or done != value:
        raise _refused(name, "memory")


def _refused(name: str, code: str) -> UnusableFile:
    why = _WHY[code]
    return UnusableFile(name, why["say"], **why["values"])


def _frames(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Frames until the other side closes or dies."""
    assert process.stdout is not None
    while True:
        try:
            yield marshal.load(process.stdout)
        except (EOFError, ValueError, TypeError):
            return
