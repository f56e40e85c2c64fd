"""Reads one spreadsheet in a process of its own, so that a hostile file can exhaust that process only.

Called with path, bytes and seconds; writes marshal frames to stdout: the first is `["ok", height]` or
`["refused", code]`, each further one a list of (line, cells).
"""

import io
import marshal
import resource
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

ROWS_A_FRAME = 512
COLUMNS_MAX = 512


def limit(memory_bytes: int, seconds: int) -> None:
    """Caps this process's address space and processor time."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def send(frame: Any) -> None:
    """One frame to the parent."""
    marshal.dump(frame, sys.stdout.buffer)


def main(path: str, memory_bytes: int, seconds: int) -> None:
    """Sends the first sheet that holds at least two cells in a row."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    limit(memory_bytes, seconds)
    try:
        with _opened(CalamineWorkbook, path) as book:
            for name in book.sheet_names[:20]:
                sheet = book.get_sheet_by_name(name)
                if sheet.start is None or sheet.width < 2:
                    continue
                if sheet.width > COLUMNS_MAX:
                    return send(["refused", "columns"])
                send(["ok", sheet.height])
                return _send_rows(sheet.iter_rows(), sheet.start[0])
            send(["refused", "empty"])
    except PasswordError:
        send(["refused", "password"])
    except CalamineError:
        send(["refused", "broken"])
    except MemoryError:
        send(["refused", "memory"])


def _opened(workbook: Any, path: str) -> Any:
    """The name's ending decides for the library; where it contradicts the content, the content does."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"PK"
    if path.lower().endswith(".xls" if packed else (".xlsx", ".xlsm", ".xlsb", ".ods")):
        return workbook.from_filelike(io.BytesIO(Path(path).read_bytes()))
    return workbook.from_path(path)


def _send_rows(rows: Iterable[Sequence[object]], start: int) -> None:
    frame: list[tuple[int, list[object]]] = []
    for number, cells in enumerate(rows, start + 1):
        frame.append((number, [_plain(cell) for cell in cells]))
        if len(frame) == ROWS_A_FRAME:
            send(frame)
            frame = []
    send(frame)
    sys.stdout.buffer.flush()


def _plain(cell: object) -> object:
    """Dates as ISO text; text, numbers and truth values as they are."""
    if isinstance(cell, datetime | date):
        return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
    return str(cell) if isinstance(cell, time | timedelta) else cell


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
