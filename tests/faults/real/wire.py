"""What passes through the proxy, cut into messages: PostgreSQL's protocol 3 and HTTP/1.1, as far as traps need them.

A framing turns bytes into pieces to forward, in order. A piece may carry an `Exchange`: the request that shall be
caught before it is forwarded (`up`), or the answer that belongs to it (`down`).
"""

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

HEAD_END = b"\r\n\r\n"
WROTE = re.compile(rb"(?:INSERT|UPDATE|DELETE|COPY|MERGE|SELECT)[0-9 ]* [1-9][0-9]*\0")
WRITES = re.compile(rb"INSERT INTO|UPDATE |DELETE FROM|COPY ")
METHOD = re.compile(rb"taobao\.[a-z.]+")
# What a statement does, by words of its text; the first that fits names the step.
STEPS = (
    ("ask", rb"asked_at = clock_timestamp\(\)(?!.*told)"),
    ("settle", rb"i\.epoch = t\.epoch"),
    ("claim", rb"state = 'sending', "),
    ("abandon", rb"SET state = 'unknown'"),
    ("pace", rb"call_pace"),
    ("store", rb"INSERT INTO arrival "),
    ("batch", rb"DELETE FROM arrival_todo"),
    ("due", rb"DELETE FROM look|FROM look"),
    ("fetch", rb"to_fetch"),
    ("cursor", rb"pull_cursor"),
)
_STEPS = tuple((name, re.compile(words, re.DOTALL)) for name, words in STEPS)


@dataclass(frozen=True)
class Exchange:
    """One step worth breaking: `where` is the role of the connection, `what` the message."""

    where: str
    what: str


Piece = tuple[bytes, Exchange | None]


class Framing(Protocol):
    """One connection's messages; made anew for each."""

    def up(self, data: bytes) -> list[Piece]: ...

    def down(self, data: bytes) -> list[Piece]: ...

    def rest(self) -> bytes: ...


class Plain:
    """No messages, only bytes."""

    def up(self, data: bytes) -> list[Piece]:
        return [(data, None)]

    def down(self, data: bytes) -> list[Piece]:
        return [(data, None)]

    def rest(self) -> bytes:
        return b""


class Postgres:
    """Catches the COMMIT of every transaction that changed a row.

    `where` is the last word of the connection's application_name, `what` the steps that the transaction took.
    """

    def __init__(self) -> None:
        self._up, self._down = bytearray(), bytearray()
        self._started = False
        self._prepared: dict[bytes, str] = {}
        self._running: deque[str] = deque()
        self._wrote: list[str] = []
        self._asked: Exchange | None = None
        self._where = "?"

    def up(self, data: bytes) -> list[Piece]:
        self._up += data
        pieces: list[Piece] = []
        while frame := _frame(self._up, typed=self._started):
            pieces.append((frame, self._said(frame)))
        return pieces

    def _start(self, frame: bytes) -> None:
        """Who this is, from the startup message."""
        self._started = True
        words = frame[8:].split(b"\0")
        named = dict(zip(words[::2], words[1::2], strict=False))
        self._where = named.get(b"application_name", b"?").decode().split()[-1]

    def _said(self, frame: bytes) -> Exchange | None:
        kind, body = frame[:1], frame[5:]
        if not self._started:
            self._start(frame)
        elif kind == b"P":
            name, _, text = body.partition(b"\0")
            self._prepared[name] = _step(text)
        elif kind == b"B":
            self._running.append(self._prepared.get(body.split(b"\0", 2)[1], ""))
        elif kind == b"Q":
            self._running.append(_step(body))
            if body.startswith(b"COMMIT") and self._wrote:
                self._asked = Exchange(self._where, " ".join(self._wrote))
                return self._asked
        return None

    def down(self, data: bytes) -> list[Piece]:
        self._down += data
        return [(frame, self._told(frame)) for frame in iter(lambda: _frame(self._down, typed=True), b"")]

    def _told(self, frame: bytes) -> Exchange | None:
        if frame[:1] == b"Z":
            self._running.clear()
        if frame[:1] != b"C":
            return None
        step = self._running.popleft() if self._running else ""
        if step and WROTE.fullmatch(frame[5:]) and step not in self._wrote:
            self._wrote.append(step)
        if frame[5:].startswith((b"COMMIT", b"ROLLBACK")):
            self._wrote, answered, self._asked = [], self._asked, None
            return answered
        return None

    def rest(self) -> bytes:
        return bytes(self._down)


def _step(text: bytes) -> str:
    """The step's name; `write` for any other that may change rows, empty for one that cannot."""
    if not WRITES.search(text):
        return ""
    return next((name for name, words in _STEPS if words.search(text)), "write")


def _frame(buffer: bytearray, typed: bool) -> bytes:
    """The first whole protocol message, taken out; empty when it has not all come."""
    at = 1 if typed else 0
    if len(buffer) < at + 4:
        return b""
    end = at + int.from_bytes(buffer[at : at + 4], "big")
    if len(buffer) < end:
        return b""
    frame = bytes(buffer[:end])
    del buffer[:end]
    return frame


class Http:
    """Catches every request whole, and the whole answer to it. `seen` gets (request body, status) of what was answered."""

    def __init__(self, where: str, seen: Callable[[bytes, int], None] | None = None) -> None:
        self._where, self._seen = where, seen
        self._up, self._down = bytearray(), bytearray()
        self._open: deque[tuple[Exchange, bytes]] = deque()

    def up(self, data: bytes) -> list[Piece]:
        self._up += data
        pieces: list[Piece] = []
        while message := _message(self._up):
            body = message.partition(HEAD_END)[2]
            exchange = Exchange(self._where, _method(message))
            self._open.append((exchange, body))
            pieces.append((message, exchange))
        return pieces

    def down(self, data: bytes) -> list[Piece]:
        self._down += data
        pieces: list[Piece] = []
        while message := _message(self._down):
            exchange, body = self._open.popleft() if self._open else (None, b"")
            if self._seen and exchange is not None:
                self._seen(body, int(message[9:12]))
            pieces.append((message, exchange))
        return pieces

    def rest(self) -> bytes:
        return bytes(self._down)


def _message(buffer: bytearray) -> bytes:
    """The first whole message of the buffer, taken out; empty when it has not all come."""
    at = buffer.find(HEAD_END)
    if at < 0:
        return b""
    head = bytes(buffer[:at]).lower()
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        length = int(value) if name == b"content-length" else length
    end = at + len(HEAD_END) + length
    if len(buffer) < end:
        return b""
    message = bytes(buffer[:end])
    del buffer[:end]
    return message


def _method(message: bytes) -> str:
    """The platform's method when there is one, else the path."""
    named = METHOD.search(message)
    return (named[0] if named else message.split(b" ", 2)[1]).decode("latin-1")
