"""Webhooks out, at least once each: TMC messages as a relay enriches them, traces, warehouse papers."""

import asyncio
import base64
import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import httpx2
import msgspec

from aftersale.sandbox.faults import Faults
from aftersale.sandbox.top.views import iso, plain, refund_view, text, trace_view, trade_view
from aftersale.sandbox.world.model import Parcel, Refund, Trade

MESSAGES_PER_BODY = 100
WAITING_MAX = 20_000
TIMEOUT_S, RETRY_S, RETRY_S_MAX = 10.0, 0.2, 5.0
_MOMENTS = {"at_ms": "at", "requested_at_ms": "requested_at", "handed_over_at_ms": "handed_over_at"}

Signed = tuple[dict[str, str], bytes]


def taobao_secret(shop: str) -> str:
    """Secret of the TMC relay's webhook."""
    return f"push-secret-{shop}"


def warehouse_secret(shop: str) -> str:
    """Secret of the warehouse's webhook."""
    return f"warehouse-secret-{shop}"


def courier_salt(shop: str) -> str:
    """Salt of Kuaidi100's push."""
    return f"salt-{shop}"


def standard_webhook(secret: str, message_id: str, body: bytes) -> Signed:
    """Headers of Standard Webhooks in real time."""
    stamp = str(int(time.time()))
    mac = hmac.digest(secret.encode(), f"{message_id}.{stamp}.".encode() + body, "sha256")
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }
    return headers, body


def courier_form(salt: str, message_id: str, body: bytes) -> Signed:
    """Kuaidi100's form with its sign."""
    sign = hashlib.md5(body + salt.encode()).hexdigest().upper()
    form = urlencode({"sign": sign, "param": body.decode()}).encode()
    return {"content-type": "application/x-www-form-urlencoded", "x-message-id": message_id}, form


class Channel:
    """What waits for one shop on one path."""

    def __init__(self, path: str, sign: Callable[[str, bytes], Signed]) -> None:
        self.path, self.sign = path, sign
        self.waiting: deque[bytes] = deque()
        self.late: list[bytes] = []
        self.arrived = asyncio.Event()
        self.bodies = 0

    def take(self) -> list[bytes]:
        """The next messages, oldest first; what trouble held back comes behind the others."""
        taken = [self.waiting.popleft() for _ in range(min(MESSAGES_PER_BODY, len(self.waiting)))]
        if not self.waiting:
            taken += self.late
            self.late = []
        return taken


class Outbox:
    """Everything that the world tells, on its way to `url`."""

    def __init__(self, url: str, faults: Faults) -> None:
        self._url, self._faults = url.rstrip("/"), faults
        self._channels: dict[tuple[str, str], Channel] = {}
        self._messages = 0
        self.delivered = self.attempts_failed = self.dropped = 0
        self._in_flight = 0

    @property
    def waiting(self) -> int:
        """Messages not yet accepted by the receiver."""
        queued = sum(len(channel.waiting) + len(channel.late) for channel in self._channels.values())
        return queued + self._in_flight

    def add_shop(self, shop: str) -> None:
        """Open the three channels of a shop."""
        taobao, warehouse, salt = taobao_secret(shop), warehouse_secret(shop), courier_salt(shop)
        self._channels[shop, "taobao"] = Channel(
            f"/taobao/{shop}", lambda name, body: standard_webhook(taobao, name, body)
        )
        self._channels[shop, "warehouse"] = Channel(
            f"/warehouse/{shop}", lambda name, body: standard_webhook(warehouse, name, body)
        )
        self._channels[shop, "kuaidi100"] = Channel(
            f"/kuaidi100/{shop}", lambda name, body: courier_form(salt, name, body)
        )

    def refund(self, topic: str, refund: Refund, at_ms: int) -> None:
        """A refund message with the whole Refund in it."""
        view = refund_view(refund)
        content = {
            "buyer_open_uid": view["buyer_open_uid"],
            "seller_nick": view["seller_nick"],
            "tid": view["tid"],
            "oid": view["oid"],
            "refund_id": refund.refund_id,
            "refund_fee": view["refund_fee"],
            "refund_phase": refund.phase,
            "bill_type": "return_bill" if refund.has_good_return else "refund_bill",
            "modified": view["modified"],
            "refund": view,
        }
        self._message(refund.trade.shop, topic, content, at_ms)

    def trade(self, topic: str, trade: Trade, at_ms: int) -> None:
        """A trade message with the whole Trade in it."""
        content = {"tid": trade.tid, "seller_nick": trade.shop, "trade": plain(trade_view(trade), False)}
        self._message(trade.shop, topic, content, at_ms)

    def parcel(self, shop: str, parcel: Parcel) -> None:
        """The trace so far."""
        last = parcel.steps[parcel.told - 1]
        status = "shutdown" if last.state == "3" else "polling"
        self._put(shop, "kuaidi100", {"status": status, "message": "", "lastResult": trace_view(parcel)})

    def document(self, shop: str, document: dict[str, object]) -> None:
        """A paper of the warehouse."""
        told: dict[str, object] = {}
        for name, value in document.items():
            if value is not None:
                moment = isinstance(value, int) and name in _MOMENTS
                told[_MOMENTS.get(name, name)] = iso(int(str(value))) if moment else value
        self._put(shop, "warehouse", told)

    def _message(self, shop: str, topic: str, content: dict[str, object], at_ms: int) -> None:
        self._messages += 1
        message = {
            "id": 5_000_000_000_000_000_000 + self._messages,
            "topic": topic,
            "content": msgspec.json.encode(content).decode(),
            "pub_time": text(at_ms),
            "user_nick": shop,
        }
        self._put(shop, "taobao", message)

    def _put(self, shop: str, kind: str, message: dict[str, object]) -> None:
        channel, body = self._channels[shop, kind], msgspec.json.encode(message)
        trouble, chance = self._faults.script.push, self._faults.push_chance
        if trouble.drop_p and chance.random() < trouble.drop_p:
            self.dropped += 1
            return
        if trouble.duplicate_p and chance.random() < trouble.duplicate_p:
            channel.waiting.append(body)
        if trouble.reorder_p and chance.random() < trouble.reorder_p:
            channel.late.append(body)
        else:
            channel.waiting.append(body)
        channel.arrived.set()

    async def run(self) -> None:
        """Deliver for ever, each channel in its own order."""
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
            await asyncio.gather(*(self._deliver(http, channel) for channel in self._channels.values()))

    async def _deliver(self, http: httpx2.AsyncClient, channel: Channel) -> None:
        while True:
            await channel.arrived.wait()
            channel.arrived.clear()
            while batch := channel.take():
                self._in_flight += len(batch)
                await asyncio.sleep(self._faults.script.push.delay_s)
                await self._until_accepted(http, channel, batch)
                self._in_flight -= len(batch)
                self.delivered += len(batch)

    async def _until_accepted(
        self, http: httpx2.AsyncClient, channel: Channel, batch: Sequence[bytes]
    ) -> None:
        channel.bodies += 1
        name = f"msg{channel.path.replace('/', '-')}-{channel.bodies}"
        body = batch[0] if len(batch) == 1 else b"[" + b",".join(batch) + b"]"
        wait_s = RETRY_S
        while True:
            headers, signed = channel.sign(name, body)
            try:
                answer = await http.post(self._url + channel.path, content=signed, headers=headers)
                if answer.is_success:
                    return
            except httpx2.HTTPError:
                pass
            self.attempts_failed += 1
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, RETRY_S_MAX)
