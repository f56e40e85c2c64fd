"""The webhook door: check the signature, store the raw body, commit, answer. Raw ASGI, in front of the pages.

`POST /hooks/{source}/{shop}`. Of a buyer's number only the tail is stored. Requests that arrive while a commit runs
share the next one, so the door is as fast as the database can commit batches. 2xx means: the body is on disk. What is
read or waits to be written is bounded in number and in bytes; whoever comes then is told when to come again.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg

from aftersale.connectors.phone import without_numbers
from aftersale.core.refusal import Refusal
from aftersale.intake.sources import SOURCES, Source
from aftersale.pg.sql import queries

log = logging.getLogger(__name__)
_SQL = queries("aftersale.intake", "queries.sql")
BODY_MAX = 10_000_000
HELD_MAX = 64_000_000  # bytes of all bodies that are being read or wait for the commit
READ_S = 30.0
STORE_S = 10.0  # a database that says nothing for so long is away, whatever its connection looks like (F15)
BIG = 65_536  # a signature over more than this is checked beside the loop
WAITING_MAX = 2000
GROUP_MAX = 500
SHOPS_KEPT_S = 5.0
RETRY_S = 0.2  # a list that could not be read is asked for again soon
AGAIN_S = b"2"
BUSY = "正在写入的太多，请稍后重发"
STATUS = {"too_large": 413, "busy": 503, "slow": 408}

T = TypeVar("T")
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Connect = Callable[[], Awaitable[psycopg.AsyncConnection[Any]]]


class Door:
    """ASGI application for /hooks; everything else goes to `pages`."""

    def __init__(self, connect: Connect, pages: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._connect, self._pages = connect, pages
        self._waiting: list[tuple[int, str, bytes, asyncio.Future[bool]]] = []
        self._arrived = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None
        self._shops: dict[str, tuple[int, dict[str, str]]] = {}
        self._shops_read_at = float("-inf")
        self._shops_known = False
        self._conn: psycopg.AsyncConnection[Any] | None = None
        self._shops_lock = asyncio.Lock()
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/hooks/"):
            await self._pages(scope, receive, send)
            return
        status, answer = await self._take(scope, receive)
        body = json.dumps(answer, ensure_ascii=False).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        if status in (429, 503):
            headers.append((b"retry-after", AGAIN_S))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _take(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, object]]:
        if scope["method"] != "POST":
            return 405, _no("method", "只接受 POST")
        parts = scope["path"].split("/")
        source = SOURCES.get(parts[2]) if len(parts) == 4 else None
        if source is None or source.verify is None:
            return 404, _no("source", "没有这个入口：/hooks/{taobao|kuaidi100|warehouse}/{店铺代号}")
        shop = await self._shop(parts[3])
        if shop is None and not self._shops_known:
            return 503, _no("down", "暂时查不到店铺，请重发")
        secret = shop[1].get(parts[2]) if shop else None
        if shop is None or secret is None:
            return 404, _no("shop", "没有这个店铺，或者它没有推送密钥")
        held = Held(self)
        try:
            return await self._read_and_store(scope, receive, source, shop[0], parts[2], secret, held)
        finally:
            held.release()

    async def _read_and_store(
        self,
        scope: Scope,
        receive: Receive,
        source: Source,
        shop_id: int,
        name: str,
        secret: str,
        held: "Held",
    ) -> tuple[int, dict[str, object]]:
        body = await _read(receive, held)
        if isinstance(body, Refusal):
            return STATUS[body.code], _no(body.code, body.why)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        asked = (headers, body, secret, datetime.now(UTC))
        assert source.verify is not None
        refused = source.verify(*asked) if len(body) < BIG else await asyncio.to_thread(source.verify, *asked)
        if refused and refused.code == "stale" and source.late is not None:
            name = source.late  # genuine, but who sends it may not be: it only says where to look
        elif refused:
            return 401, _no(refused.code, refused.why)
        if len(self._waiting) >= WAITING_MAX:
            return 429, _no("busy", BUSY)
        kept = without_numbers(body) if len(body) < BIG else await asyncio.to_thread(without_numbers, body)
        if not await self._store(shop_id, name, kept):
            return 503, _no("down", "暂时存不下，请重发")
        if refused:
            return 401, _no(refused.code, refused.why)
        return 200, {"result": True, "returnCode": "200", "message": "成功"}

    async def _store(self, shop_id: int, source: str, body: bytes) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((shop_id, source, body, done))
        self._arrived.set()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_forever())
        return await done

    async def _write_forever(self) -> None:
        """Group commit: whatever waits is one transaction."""
        while True:
            await self._arrived.wait()
            group, self._waiting = self._waiting[:GROUP_MAX], self._waiting[GROUP_MAX:]
            if not self._waiting:
                self._arrived.clear()
            stored = await self._write(group)
            for *_, done in group:
                if not done.done():
                    done.set_result(stored)

    async def _write(self, group: list[tuple[int, str, bytes, asyncio.Future[bool]]]) -> bool:
        values = ([g[0] for g in group], [g[1] for g in group], [g[2] for g in group])
        try:
            conn = await self._connection()
            await _in_time(conn, _insert(conn, values))
            return True
        except (psycopg.Error, OSError) as error:
            log.warning("arrivals were not stored and are asked for again: %s", error)
            self._conn = None
            return False

    async def _connection(self) -> psycopg.AsyncConnection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = await self._connect()
            await self._conn.set_autocommit(True)
        return self._conn

    async def _shop(self, code: str) -> tuple[int, dict[str, str]] | None:
        """Id and secrets by source; the list is read again every few seconds."""
        async with self._shops_lock:
            at = asyncio.get_running_loop().time()
            if at - self._shops_read_at > SHOPS_KEPT_S:
                await self._read_shops()
                missing_s = 0.0 if self._shops_known else SHOPS_KEPT_S - RETRY_S
                self._shops_read_at = at - missing_s
        return self._shops.get(code)

    async def _read_shops(self) -> None:
        try:
            async with await self._connect() as conn:
                rows = await (await _in_time(conn, conn.execute(_SQL["shops"]))).fetchall()
            self._shops = {row[0]: (row[1], row[2]) for row in rows}
            self._shops_known = True
        except (psycopg.Error, OSError) as error:
            self._shops_known = False
            log.warning("the list of shops could not be read: %s", error)


async def _insert(conn: psycopg.AsyncConnection[Any], values: Sequence[object]) -> None:
    async with conn.transaction():
        await conn.execute(_SQL["store"], values, binary=True)


async def _in_time(conn: psycopg.AsyncConnection[Any], work: Coroutine[Any, Any, T]) -> T:
    """Raises TimeoutError. The connection is closed then, not asked to cancel: that would wait for the silent server."""
    task = asyncio.create_task(work)
    done, _ = await asyncio.wait({task}, timeout=STORE_S)
    if not done:
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        await conn.close()
        raise TimeoutError("the database does not answer")
    return task.result()


class Held:
    """The bytes that one request holds of a door's memory."""

    def __init__(self, door: Door) -> None:
        self._door, self.size = door, 0

    def take(self, size: int) -> bool:
        """False when the door holds as much as it may."""
        self.size += size
        self._door.held += size
        return self._door.held <= HELD_MAX

    def release(self) -> None:
        self._door.held -= self.size


async def _read(receive: Receive, held: Held) -> bytes | Refusal:
    """The whole body. What is too long or does not fit is not read on."""
    chunks = []
    try:
        async with asyncio.timeout(READ_S):
            while True:
                message = await receive()
                chunk = message.get("body", b"")
                fits = held.take(len(chunk))
                if held.size > BODY_MAX:
                    return Refusal("too_large", f"正文超过 {BODY_MAX // 1_000_000} MB")
                if not fits:
                    return Refusal("busy", BUSY)
                chunks.append(chunk)
                if not message.get("more_body"):
                    return b"".join(chunks)
    except TimeoutError:
        return Refusal("slow", f"{READ_S:.0f} 秒内没有收完正文")


def _no(code: str, why: str) -> dict[str, object]:
    return {"result": False, "code": code, "message": why}
