"""The door under what should not come: malformed, slow, or far too much (F35, F37)."""

import asyncio
import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import psycopg
import pytest

from aftersale.intake import door as doors
from aftersale.intake.door import Door
from tests.conftest import Database
from tests.flow.desk import Desk
from tests.flow.posts import (
    CASE_ID,
    SECRETS,
    applied,
    door,
    encoded,
    no_pages,
    open_to_pushes,
    post,
    signed,
    trace,
)

DEEP = b"[" * 100_000
MANY = b"{" + b",".join(b'"k%d":1' % n for n in range(800_000)) + b"}"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    open_to_pushes(desk)
    with door(desk.database.app) as at:
        yield at


def twice(raw: bytes, more: bytes) -> bytes:
    """The same key once more, with another value."""
    return raw[:-1] + b"," + more + b"}"


# Genuinely signed: the door keeps it, the worker parks it, and both go on.
PARKED: list[tuple[str, bytes, str]] = [
    ("taobao", b"", "truncated"),
    ("taobao", b"\x00", "malformed"),
    ("taobao", DEEP, "recursion"),
    ("taobao", b'{"id":' + DEEP, "Expected"),
    ("taobao", MANY, "missing required field"),
    ("taobao", b"NaN", "malformed"),
    ("taobao", encoded(applied()).replace(b"12.30", b"1e400"), "is no amount"),
    ("taobao", encoded(applied()).replace("拍错了".encode(), "拍错了".encode("gb18030")), "utf-8"),
    ("taobao", encoded(applied()).replace("拍错了".encode(), b"\xff\xfe"), "utf-8"),
    ("taobao", gzip.compress(b"0" * 50_000_000, 1), "malformed"),
    ("warehouse", b'{"kind":"order","order_id":"1","version":NaN,"at":"2026-11-11T12:00:00+08:00"}', "malformed"),
    ("warehouse", b'{"kind":"order","order_id":"1","version":1e400,"at":"2026-11-11T12:00:00+08:00"}', ""),
    ("warehouse", b'{"kind":"order","order_id":"a\\u0000b","version":1,"at":"2026-11-11T12:00:00+08:00"}', "no id"),
    ("kuaidi100", b"[" * 50_000, "recursion"),
    ("kuaidi100", b'{"lastResult":' + b"[" * 50_000, ""),
]  # fmt: skip


def test_the_malformed_is_kept_and_parked_and_nothing_stops(desk: Desk, url: str) -> None:
    worker = open_to_pushes(desk)
    for number, (source, body, why) in enumerate(PARKED, 1):
        assert post(url, source, body).status_code == 200, body[:40]
        assert worker.take_news() == 1, body[:40]
        rows = desk.all("SELECT why, length(raw) FROM parked ORDER BY id")
        assert len(rows) == number, body[:40]
        assert why in rows[-1][0], (body[:40], rows[-1])
        assert rows[-1][1] <= 65_536
    assert desk.all("SELECT * FROM arrival_todo") == desk.all("SELECT * FROM cases") == []
    assert post(url, "taobao", applied()).status_code == 200
    worker.take_news()
    assert desk.one("SELECT case_id FROM cases") == CASE_ID


def test_of_a_key_that_is_told_twice_the_last_one_counts(desk: Desk, url: str) -> None:
    """One parser reads it, once; nobody else's reading of the same bytes is acted on."""
    worker = open_to_pushes(desk)
    content = json.loads(encoded(applied()))["content"].encode()
    refund = content[len(b'{"refund": ') : -1]
    body = {"id": 1, "topic": "taobao_refund_RefundCreated",
            "content": (b'{"refund": ' + twice(refund, b'"refund_fee": "1.00"') + b"}").decode()}  # fmt: skip
    post(url, "taobao", body)
    worker.take_news()
    assert desk.one("SELECT amount_fen FROM cases") == 100


UNSIGNED: list[tuple[str, Mapping[str, str], bytes, int]] = [
    ("taobao", {}, b"", 401),
    ("taobao", {}, b"0" * 10_000_000, 401),
    ("taobao", {"content-encoding": "gzip"}, gzip.compress(b"0" * 50_000_000, 1), 401),
    ("taobao", {"webhook-id": "m", "webhook-timestamp": "9" * 5000, "webhook-signature": "v1,x"}, b"{}", 401),
    (
        "taobao",
        {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,x" * 2000},
        b"{}",
        401,
    ),
    ("warehouse", {}, DEEP, 401),
    ("kuaidi100", {}, b"&" * 1_000_000, 401),
    ("kuaidi100", {}, b"param=%41&sign=" + b"%41" * 100_000, 401),
    ("kuaidi100", {}, b"param=\xff&sign=\xff", 401),
    ("taobao", {}, b"0" * 10_000_001, 413),
]


def test_what_no_one_signed_is_turned_away_at_once(desk: Desk, url: str) -> None:
    with httpx2.Client(trust_env=False, timeout=20) as client:
        client.get(url)
        for source, headers, body, status in UNSIGNED:
            took = []
            for _ in range(5):
                began = time.perf_counter()
                answer = client.post(f"{url}/hooks/{source}/ming", headers=dict(headers), content=body)
                took.append(time.perf_counter() - began)
                assert answer.status_code == status, body[:40]
            assert min(took) < 0.1 + len(body) / 50e6, (body[:40], took)
    assert desk.all("SELECT * FROM arrival") == []


def test_a_signature_that_takes_long_to_check_holds_up_nobody(desk: Desk, url: str) -> None:
    """Ten megabytes of %41 take a tenth of a second to decode: others are answered meanwhile."""
    body = b"param=" + b"%41" * 3_300_000 + b"&sign=x"

    def slow() -> int:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            return client.post(f"{url}/hooks/kuaidi100/ming", content=body).status_code

    alone_s = min(_took(slow) for _ in range(3))
    longest_s = []
    with httpx2.Client(trust_env=False, timeout=60) as client, ThreadPoolExecutor(1) as pool:
        for _ in range(3):
            post, waits = pool.submit(slow), [0.0]
            while not post.done():
                waits.append(_took(lambda: client.post(f"{url}/hooks/warehouse/ming", content=b"{}")))
            assert post.result() == 401
            longest_s.append(max(waits))
    assert min(longest_s) < alone_s / 2


def _took(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# The door as its server calls it: many requests at once, none of which ends.


class Caller:
    """One request whose body comes piece by piece."""

    def __init__(self, door: Door, source: str = "taobao", signed_body: bytes = b"") -> None:
        headers = signed(source, signed_body)[0] if signed_body else {}
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": f"/hooks/{source}/ming",
            "headers": told,
        }
        self.pieces: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.said: list[Mapping[str, Any]] = []
        self.task = asyncio.ensure_future(door(self.scope, self.pieces.get, self._send))

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.said.append(message)

    def tell(self, body: bytes, more: bool = True) -> None:
        self.pieces.put_nowait({"type": "http.request", "body": body, "more_body": more})

    @property
    def status(self) -> int:
        return int(self.said[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.said[0]["headers"])


def _door(desk: Desk) -> Door:
    open_to_pushes(desk)

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(desk.database.app)

    return Door(connect, no_pages)


async def _turned_away(desk: Desk) -> None:
    made, piece = _door(desk), b"0" * 8_000_000
    many = [Caller(made) for _ in range(12)]
    for one in many:
        one.tell(piece)
    while len(ended := [one for one in many if one.task.done()]) < 4:
        await asyncio.sleep(0)
    assert [one.status for one in ended] == [503] * 4
    assert {one.headers[b"retry-after"] for one in ended} == {doors.AGAIN_S}
    assert made.held == 8 * len(piece)
    for one in many:
        one.tell(b"", more=False)
    await asyncio.gather(*(one.task for one in many))
    assert made.held == 0
    last = Caller(made, signed_body=encoded(applied()))
    last.tell(encoded(applied()), more=False)
    await last.task
    assert last.status == 200


def test_the_bytes_that_a_door_holds_are_bounded(desk: Desk) -> None:
    asyncio.run(_turned_away(desk))
    assert desk.one("SELECT count(*) FROM arrival") == 1


async def _too_many(desk: Desk) -> list[Caller]:
    made = _door(desk)
    first = Caller(made, signed_body=encoded(applied()))
    first.tell(encoded(applied()), more=False)
    await first.task
    many = [
        Caller(made, signed_body=encoded(applied())) for _ in range(doors.WAITING_MAX + doors.GROUP_MAX + 200)
    ]
    for one in many:
        one.tell(encoded(applied()), more=False)
    await asyncio.gather(*(one.task for one in many))
    return [first, *many]


def test_who_comes_when_too_many_wait_is_told_when_to_come_again(desk: Desk) -> None:
    many = asyncio.run(_too_many(desk))
    assert {one.status for one in many} == {200, 429}
    assert {one.headers.get(b"retry-after") for one in many if one.status == 429} == {doors.AGAIN_S}
    assert desk.one("SELECT count(*) FROM arrival") == sum(one.status == 200 for one in many)


async def _slow(desk: Desk) -> int:
    made = _door(desk)
    one = Caller(made)
    one.tell(b"{")
    await one.task
    return one.status


def test_a_body_that_does_not_end_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "READ_S", 0.05)
    assert asyncio.run(_slow(desk)) == 408


def test_a_trace_of_the_courier_without_a_signature_is_no_trace(desk: Desk, url: str) -> None:
    body = signed("kuaidi100", encoded(trace("YT1")))[1].replace(b"sign=", b"sing=")
    answer = httpx2.post(f"{url}/hooks/kuaidi100/ming", content=body, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (401, "unsigned")
    assert SECRETS["kuaidi100"] not in answer.text
