"""/health and /metrics, in front of everything else: they answer when nothing else does (F11, F16)."""

import asyncio
import hmac
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aftersale.health import metrics
from aftersale.health.findings import AWAY, ok
from aftersale.health.reader import Reader, Report

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATIENCE_S = 2.5
FORWARDED = {b"x-forwarded-for", b"forwarded", b"x-real-ip"}


class HealthDoor:
    """ASGI. `/health`: anybody, 200 or 503, codes only. `/metrics`: with the token; without one set, this machine only."""

    def __init__(self, app: App, reader: Reader, token: str = "") -> None:
        self._app, self._reader, self._token = app, reader, token
        self._asking: asyncio.Task[Report] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if scope["type"] != "http" or path not in ("/health", "/metrics"):
            await self._app(scope, receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"", b"text/plain")
        elif path == "/metrics" and not self._may_read(scope):
            await _answer(send, 403, b"", b"text/plain")
        else:
            await self._tell(path, send)

    async def _tell(self, path: str, send: Send) -> None:
        reading, found = await self._report()
        if path == "/metrics":
            await _answer(send, 200, metrics.text(reading, found), metrics.TYPE)
            return
        wrong = sorted({one.code for one in found if one.level == "critical"})
        body = json.dumps({"ok": ok(found), "wrong": wrong}).encode()
        await _answer(send, 200 if ok(found) else 503, body, b"application/json")

    async def _report(self) -> Report:
        """Many may ask, one question is on its way; whoever would wait too long for it hears that the database is away."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(asyncio.to_thread(self._reader.report))
        try:
            return await asyncio.wait_for(asyncio.shield(self._asking), PATIENCE_S)
        except TimeoutError:
            return None, [AWAY]

    def _may_read(self, scope: Scope) -> bool:
        headers = dict(scope["headers"])
        if self._token:
            given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
            return hmac.compare_digest(given, self._token.encode())
        client = scope.get("client")
        return client is not None and _here(client[0]) and not FORWARDED & headers.keys()


def _here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


async def _answer(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
