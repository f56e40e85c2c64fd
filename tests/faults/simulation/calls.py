"""Outward calls: the sandbox's own application behind a transport that can lose, spoil, delay and halt."""

from collections import Counter
from collections.abc import Callable, Coroutine, MutableMapping
from random import Random
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import msgspec

from aftersale.sandbox.app import App
from tests.faults.judge import Call
from tests.faults.simulation.wire import Fate

AGREE, DETAIL = "taobao.rp.refunds.agree", "taobao.refund.get"
LIMITED = {"error_response": {"code": 7, "msg": "App Call Limited", "sub_code": "accesscontrol.limited-by-app-access-count",
                              "sub_msg": "This ban will last for 0 more seconds"}}  # fmt: skip
TROUBLES = (
    "before",
    "connect",
    "after",
    "http_500",
    "html",
    "truncated",
    "limited",
    "delayed",
    "missing",
    "unauthorised",
)
Told = Callable[[str], None]


class Wire(httpx2.BaseTransport):
    """All calls of one schedule. `rates` says which trouble comes how often; `fate` is the calling worker's."""

    def __init__(self, app: App, chance: Random, told: Told) -> None:
        self._app, self._chance, self.told = app, chance, told
        self.rates: dict[str, float] = {}
        self.fate: Fate | None = None
        self.kind = ""
        self.calls: list[Call] = []
        self.delayed: list[httpx2.Request] = []
        self.troubles: Counter[str] = Counter()
        self.on_submit: Callable[[dict[str, str]], None] = lambda fields: None
        self.on_trouble: Callable[[str], None] = lambda trouble: None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        fields = dict(parse_qsl(request.content.decode("utf-8", "replace"), True))
        method = fields.get("method", "intercept")
        noted = self._noted(method, fields)
        fate = self.fate
        if method == AGREE:
            self.on_submit(fields)
        if fate:
            fate.point(f"before {method}")
        try:
            answer = self._run(request, method, fields)
        except httpx2.ConnectError:
            for call in noted:
                call.heard = "away"
            raise
        if fate:
            fate.point(f"after {method}")
        for call in noted:
            call.heard = _heard(call, answer)
        return answer

    def _noted(self, method: str, fields: dict[str, str]) -> list[Call]:
        if method == AGREE:
            told = [entry.split("|") for entry in fields["refund_infos"].split(",")]
            noted = [Call(one[0], True, version=int(one[2])) for one in told]
        elif method == DETAIL and self.kind == "act":
            noted = [Call(fields["refund_id"], False)]
        else:
            noted = []
        self.calls += noted
        return noted

    def _run(self, request: httpx2.Request, method: str, fields: dict[str, str]) -> httpx2.Response:
        trouble = self._drawn()
        if trouble is None:
            self.told(f"{method} {_named(fields)}")
            return self.reach(request)
        self.troubles[trouble] += 1
        self.on_trouble(trouble)
        self.told(f"{method} {trouble} {_named(fields)}")
        match trouble:
            case "before":
                raise httpx2.ReadTimeout("lost on the way")
            case "connect":
                raise httpx2.ConnectError("no way")
            case "delayed":
                self.delayed.append(request)
                raise httpx2.ReadTimeout("on its way for long")
            case "limited":
                return httpx2.Response(200, content=msgspec.json.encode(LIMITED))
            case "unauthorised":
                return httpx2.Response(
                    200, content=b'{"error_response":{"code":11,"msg":"Insufficient session permissions"}}'
                )
        answer = self.reach(request)
        match trouble:
            case "after":
                raise httpx2.ReadTimeout("the answer is lost")
            case "http_500":
                return httpx2.Response(502, content=b"<html>Bad Gateway</html>")
            case "html":
                return httpx2.Response(200, content=b"<html>" + answer.content + b"</html>")
            case "truncated":
                return httpx2.Response(200, content=answer.content[: len(answer.content) // 2])
        return httpx2.Response(200, content=_without_last(answer.content))

    def _drawn(self) -> str | None:
        point = self._chance.random()
        for name, rate in self.rates.items():
            point -= rate
            if point < 0:
                return name
        return None

    def reach(self, request: httpx2.Request) -> httpx2.Response:
        """The call arrives at the marketplace, which answers at once."""
        url = request.url
        scope = {"type": "http", "method": request.method, "path": url.path, "query_string": url.query,
                 "headers": [(name.lower(), value) for name, value in request.headers.raw]}  # fmt: skip
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"body": request.content}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        _at_once(self._app(scope, receive, send))
        body = b"".join(one.get("body", b"") for one in sent)
        return httpx2.Response(sent[0]["status"], content=body)

    def arrive(self) -> None:
        """The longest delayed call takes effect; nobody hears its answer."""
        self.reach(self.delayed.pop(0))


def _named(fields: dict[str, str]) -> str:
    names = ("refund_id", "refund_infos", "tid", "param")
    return " ".join(fields.get(name, "") for name in names).strip()


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("the sandbox waited")


def _without_last(body: bytes) -> bytes:
    """An answer that leaves out the last refund it was asked to pay; others lack their envelope."""
    told = msgspec.json.decode(body)
    rows = ((told.get("rp_refunds_agree_response") or {}).get("results") or {}).get("refund_mapping_result")
    if not rows:
        return b"{}"
    rows.pop()
    return msgspec.json.encode(told)


def _heard(call: Call, answer: httpx2.Response) -> str:
    """What a caller can know from this answer, read anew and simply."""
    try:
        told = msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "nothing"
    if answer.status_code >= 500 or not isinstance(told, dict):
        return "nothing"
    if "error_response" in told:
        limited = "limited" in str(told["error_response"].get("sub_code"))
        return "away" if limited else "refused"
    if not call.submit:
        if "refund_get_response" not in told:
            return "nothing"
        call.version = int(told["refund_get_response"]["refund"]["refund_version"])
        return "told"
    rows = ((told.get("rp_refunds_agree_response") or {}).get("results") or {}).get(
        "refund_mapping_result"
    ) or []
    mine = [row for row in rows if row["refund_id"] == call.refund_id]
    if not mine:
        return "nothing"
    return "told" if mine[0]["succ"] else "refused"
