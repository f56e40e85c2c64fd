"""Logs: one record an event, as text or JSON, with ids and nothing of people; and they never hold up work (F60).

What a message is filled with passes only when it cannot be a person's: ids and numbers as they are, other text without
its Chinese, its quoted values, phone numbers and addresses of mail, bytes not at all.
"""

import json
import logging
import os
import queue
import re
import threading
import time
import traceback
import unicodedata
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["json", "text"]
WAITING_MAX = 10_000
TEXT_MAX = 300
FLUSH_S_MAX = 1.0
IDS = ("shop_id", "case_id", "arrival_id", "stage")
"""What a call may add with `extra`; each becomes a field of its own."""

_ID = re.compile(r"[A-Za-z0-9_.:/#+=-]{1,120}")
_HIDDEN = re.compile(
    r"DETAIL:.*"
    r"|\"[^\"]*\"|'[^']*'"
    r"|(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)|(?<!\d)0\d{2,3}[ -]\d{7,8}(?!\d)"
    r"|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff][^\x00-\x7f]*",
    re.DOTALL,
)


class Lines(logging.Handler):
    """Hands records to a thread that writes them to file descriptor `fd`; what does not fit is counted, not waited for."""

    def __init__(self, kind: Kind = "text", fd: int = 2) -> None:
        super().__init__()
        self._kind, self._fd = kind, fd
        self._waiting: queue.Queue[bytes] = queue.Queue(WAITING_MAX)
        self._lost = 0
        self._writer: threading.Thread | None = None
        self._pid = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (line_of(record, self._kind) + "\n").encode("utf-8", "backslashreplace")
        except Exception as error:  # noqa: BLE001 - a record that cannot be told must not fail what it tells of
            line = f"{record.name}: a record could not be written ({type(error).__name__})\n".encode()
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            self._lost += 1
        if self._pid != os.getpid():  # a fork has no threads of its parent
            self._pid = os.getpid()
            self._writer = threading.Thread(target=self._write, name="log", daemon=True)
            self._writer.start()

    def flush(self) -> None:
        """Wait a moment for what is not written yet."""
        until = time.monotonic() + FLUSH_S_MAX
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)

    def _write(self) -> None:
        while True:
            line = self._waiting.get()
            lost, self._lost = self._lost, 0
            if lost:
                line += f"{lost} records of the log were lost\n".encode()
            try:
                _write_all(self._fd, line)
            except OSError:  # full, or closed: the work goes on
                self._lost += lost + 1
            self._waiting.task_done()


def to_stderr(kind: Kind) -> None:
    """The root logger writes warnings and worse to stderr, one line each."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, Lines)]:
        root.removeHandler(handler)
    root.addHandler(Lines(kind))
    root.setLevel(logging.WARNING)


def flush() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()


def line_of(record: logging.LogRecord, kind: Kind) -> str:
    """The record on one line, whatever it was filled with."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    part, event = record.name.removeprefix("aftersale."), _event(record)
    ids = {name: shown(getattr(record, name)) for name in IDS if hasattr(record, name)}
    if kind == "text":
        told = "".join(f" {name}={value}" for name, value in ids.items())
        return _one_line(f"{at} {record.levelname} {part} {event}{told}")
    fields: dict[str, object] = {"time": at, "level": record.levelname, "part": part, "event": event, **ids}
    return _one_line(json.dumps(fields, ensure_ascii=False))


def shown(value: object) -> Any:
    """What of a value may be in a log."""
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if isinstance(value, bytes | bytearray | memoryview | dict | list | tuple | set):
        return f"<{type(value).__name__} of {len(value)}>"
    text = str(value)[: 4 * TEXT_MAX]
    hidden = _HIDDEN.sub("…", text)
    return hidden if _ID.fullmatch(text) and hidden == text else hidden[:TEXT_MAX]


def _event(record: logging.LogRecord) -> str:
    args = record.args
    template = str(record.msg)
    if isinstance(args, dict):
        event = template % {key: shown(value) for key, value in args.items()}
    elif args:
        event = template % tuple(shown(one) for one in args)
    else:
        event = shown(template)
    return event + _failure(record)


def _failure(record: logging.LogRecord) -> str:
    """Where it broke and what kind it was; what it said only as far as it may be told."""
    if not record.exc_info or record.exc_info[1] is None:
        return ""
    error = record.exc_info[1]
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    way = " > ".join(f"{os.path.basename(one.filename)}:{one.lineno} {one.name}" for one in frames)
    return f" | {type(error).__name__}: {shown(str(error))} | {way}"


def _one_line(text: str) -> str:
    """Nothing that ends a line, moves a cursor or colours a terminal gets through."""
    return "".join(
        one if unicodedata.category(one) not in ("Cc", "Cf", "Zl", "Zp", "Cs") else f"\\u{ord(one):04x}"
        for one in text
    )


def _write_all(fd: int, line: bytes) -> None:
    while line:
        line = line[os.write(fd, line) :]
