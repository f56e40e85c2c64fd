"""The sandbox's HTTP side: one small ASGI application for TOP, the courier and the control door."""

import asyncio
import io
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import python_multipart

from aftersale.sandbox import control_door, courier_door
from aftersale.sandbox.faults import NOTHING, Do
from aftersale.sandbox.run import Sandbox
from aftersale.sandbox.top.protocol import TopError
from aftersale.sandbox.top.reads import READS
from aftersale.sandbox.top.views import plain
from aftersale.sandbox.top.writes import WRITES, Call

BODY_BYTES_MAX = 10_000_000
FIELDS_MAX = 200

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Request:
    """Parameters of query and body together, as TOP takes them."""

    method: str
    path: str
    fields: dict[str, str]
    body: bytes = b""
    uploads: dict[str, bytes] = field(default_factory=dict)


class App:
    """ASGI entry."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._requests = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = await _read(scope, receive)
        except ValueError as error:  # forms with too many fields, or broken multipart
            await _answer(send, 400, msgspec.json.encode({"error": str(error)}))
            return
        if request is None:
            await _answer(send, 413, b'{"error":"the body is too long"}')
        elif request.method == "HEAD":
            await _answer(send, 200, b"")
        elif request.path == "/router/rest":
            await self._top(request, send)
        elif request.path == "/kuaidi100/label/order":
            await self._with_trouble(
                request, "interceptOrder", send, lambda: courier_door.intercept(self._sandbox, request.fields)
            )
        elif request.path.startswith("/control/"):
            status, told = await control_door.handle(
                self._sandbox,
                request.method,
                request.path.removeprefix("/control/"),
                request.fields,
                request.body,
            )
            await _answer(send, status, msgspec.json.encode(told))
        else:
            await _answer(send, 404, b'{"error":"no such path"}')

    async def _top(self, request: Request, send: Send) -> None:
        method = request.fields.get("method", "")
        self._requests += 1
        request_id = f"sb{self._requests:012d}"
        await self._with_trouble(request, method, send, lambda: self._run(request, method, request_id))

    async def _with_trouble(
        self, request: Request, method: str, send: Send, run: Callable[[], dict[str, Any]]
    ) -> None:
        """Do what is asked, or what the fault script wants instead."""
        faults = self._sandbox.faults
        do = faults.trouble(method, "&".join(request.fields.values())) if faults.script.rules else NOTHING
        await asyncio.sleep(do.delay_s) if do.delay_s else None
        if do.drop_before:
            await _drop(send)
        elif do.http_500:
            await _answer(send, 500, b"<html>Internal Server Error</html>", "text/html")
        elif do.error:
            error = TopError(do.error.code, "Error", do.error.sub_code, do.error.sub_msg)
            await _answer(send, 200, msgspec.json.encode(error.body("sb-fault")))
        else:
            await _deliver(send, do, msgspec.json.encode(run()))

    def _run(self, request: Request, method: str, request_id: str) -> dict[str, Any]:
        sandbox = self._sandbox
        try:
            shop = sandbox.market.shops[sandbox.gate.admit(request.fields)]
            if method in READS:
                answer = READS[method](sandbox.market, shop, request.fields)
            elif method in WRITES:
                now_ms = sandbox.clock.now_ms()
                call = Call(shop, request.fields, request.uploads, now_ms, request_id)
                answer = WRITES[method](sandbox.market, call)
            else:
                raise TopError(22, "Invalid Method")
        except TopError as error:
            sandbox.calls[f"{method} {error.sub_code or error.code}"] += 1
            return error.body(request_id)
        sandbox.calls[f"{method} ok"] += 1
        name = method.removeprefix("taobao.").replace(".", "_") + "_response"
        told: dict[str, Any] = plain(answer, request.fields.get("simplify") == "true")
        return {name: told | {"request_id": request_id}}


async def _read(scope: MutableMapping[str, Any], receive: Receive) -> Request | None:
    """The request, or None when its body is too long."""
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            return None
    fields = dict(parse_qsl(scope["query_string"].decode("latin-1"), True, max_num_fields=FIELDS_MAX))
    request = Request(scope["method"], scope["path"], fields, bytes(body))
    headers = dict(scope["headers"])
    kind = headers.get(b"content-type", b"")
    if kind.startswith(b"application/x-www-form-urlencoded"):
        fields.update(parse_qsl(request.body.decode("utf-8", "replace"), True, max_num_fields=FIELDS_MAX))
    elif kind.startswith(b"multipart/form-data"):
        _read_multipart(request, kind)
    return request


def _read_multipart(request: Request, kind: bytes) -> None:
    def on_field(part: Any) -> None:
        request.fields[part.field_name.decode()] = (part.value or b"").decode("utf-8", "replace")

    def on_file(part: Any) -> None:
        part.file_object.seek(0)
        request.uploads[part.field_name.decode()] = part.file_object.read()

    headers = {"Content-Type": kind, "Content-Length": str(len(request.body)).encode()}
    python_multipart.parse_form(headers, io.BytesIO(request.body), on_field, on_file)


async def _deliver(send: Send, do: Do, body: bytes) -> None:
    """What was done is answered – or the answer is lost, spoiled or dripped."""
    if do.drop_after:
        await _drop(send)
    elif do.garbage:
        await _answer(send, 200, b"\x00<garbled>" + body[: len(body) // 3], "text/html")
    elif do.slow:
        await _drip(send, body, do.slow)
    else:
        await _answer(send, 200, body)


async def _answer(send: Send, status: int, body: bytes, kind: str = "application/json;charset=UTF-8") -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _drop(send: Send) -> None:
    """Leave an answer unfinished: the server then closes the connection before a body was sent."""
    headers = [(b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})


async def _drip(send: Send, body: bytes, seconds: float) -> None:
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    step = max(1, len(body) // 10)
    for at in range(0, len(body), step):
        await asyncio.sleep(seconds / 10)
        await send({"type": "http.response.body", "body": body[at : at + step], "more_body": True})
    await send({"type": "http.response.body", "body": b""})
