"""Posts as fast as they are answered: by wrk where it is installed, else (and where counts must be exact) by us."""

import asyncio
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

# wrk runs this; the file of requests holds, one after the other, the length of each in a line and its bytes.
SCRIPT = """\
local file, requests, at = assert(io.open("%s", "rb")), {}, 0
while true do
  local size = file:read("*n")
  if not size then break end
  file:read(1)
  requests[#requests + 1] = file:read(size)
end
request = function()
  at = at %% #requests + 1
  return requests[at]
end
"""


@dataclass(frozen=True, slots=True)
class Post:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def text(self, host: str) -> bytes:
        """As it goes over the wire, on a connection that stays open."""
        headers = {"host": host, "content-length": str(len(self.body)), **self.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + self.body


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. `refused` are answers that are not 2xx."""

    answered: int
    refused: int
    seconds: float
    p99_ms: float

    @property
    def per_s(self) -> float:
        return self.answered / self.seconds


def wrk(url: str, posts: Sequence[Post], connections: int, seconds: float, folder: Path) -> Load | None:
    """None where wrk is not installed. Requests under way at the end are not counted, though they may be stored."""
    tool = shutil.which("wrk")
    if tool is None:
        return None
    host = urlsplit(url).netloc
    texts = [post.text(host) for post in posts]
    requests, script = folder / "requests", folder / "wrk.lua"
    requests.write_bytes(b"".join(b"%d\n%b" % (len(text), text) for text in texts))
    script.write_text(SCRIPT % requests)
    asked = [
        tool,
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--latency",
        "-s",
        str(script),
        url,
    ]
    told = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    counted = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m),", told)
    assert counted, told
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    wrong = int(refused[1]) if refused else 0
    took_s = float(counted[2]) * {"ms": 0.001, "s": 1.0, "m": 60.0}[counted[3]]
    p99_ms = float(slow[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slow[2]] if slow else 0.0
    return Load(int(counted[1]) - wrong, wrong, took_s, p99_ms)


def own(url: str, posts: Sequence[Post], connections: int, seconds: float) -> Load:
    """The same by ourselves; every request that was sent is answered or counted as refused."""
    return asyncio.run(_own(url, posts, connections, seconds))


async def _own(url: str, posts: Sequence[Post], connections: int, seconds: float) -> Load:
    place = urlsplit(url)
    texts = [post.text(place.netloc) for post in posts]
    opened = [await asyncio.open_connection(place.hostname, place.port) for _ in range(connections)]
    began = time.perf_counter()
    until = began + seconds
    waits: list[float] = []
    statuses: list[bytes] = []

    async def one(no: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = began
        while sent < until:
            writer.write(texts[no % len(texts)])
            statuses.append(await _status(reader))
            waits.append((time.perf_counter() - sent) * 1000)
            no += connections
            sent = time.perf_counter()
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one(no, *streams) for no, streams in enumerate(opened)))
    good = sum(status.startswith(b"2") for status in statuses)
    p99_ms = sorted(waits)[len(waits) * 99 // 100]
    return Load(good, len(statuses) - good, time.perf_counter() - began, p99_ms)


async def _status(reader: asyncio.StreamReader) -> bytes:
    """The status of the next answer; its body is read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    await reader.readexactly(int(length[1]) if length else 0)
    return head.split(b" ", 2)[1]
