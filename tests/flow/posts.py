"""Bodies as the platform's relay, the courier and the warehouse post them, and a door that takes them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import psycopg
import uvicorn
from psycopg.types.json import Jsonb

from aftersale.intake import arrive
from aftersale.intake.door import Door, Receive, Scope, Send
from aftersale.sandbox.push import courier_form, standard_webhook
from aftersale.work import Desk as Worker
from tests.flow.desk import Desk

SECRETS = {"taobao": "tao-secret", "warehouse": "ware-secret", "kuaidi100": "salt"}
ORDER_ID, CASE_ID = "3100000000000000001", "1700000000000000001"


def refund(case_id: str = CASE_ID, version: int = 1_794_758_408_000, **told: Any) -> dict[str, Any]:
    """TOP's Refund object."""
    return {
        "refund_id": case_id, "tid": ORDER_ID, "oid": "3100000000000000002", "status": "WAIT_SELLER_AGREE",
        "order_status": "WAIT_SELLER_SEND_GOODS", "good_status": "BUYER_NOT_RECEIVED", "has_good_return": False,
        "refund_fee": "12.30", "reason": "拍错了", "refund_phase": "onsale", "refund_version": version,
        "dispute_type": "REFUND", "cs_status": 1, "created": "2026-11-11 12:00:00", "modified": "2026-11-11 12:00:01",
        **told,
    }  # fmt: skip


def trade(order_id: str = ORDER_ID, **told: Any) -> dict[str, Any]:
    """TOP's Trade object."""
    line = {
        "oid": "3100000000000000002",
        "num_iid": 9,
        "title": "保温杯",
        "num": 1,
        "divide_order_fee": "30.00",
    }
    return {
        "tid": order_id, "status": "WAIT_SELLER_SEND_GOODS", "created": "2026-11-11 11:00:00",
        "pay_time": "2026-11-11 11:01:00", "modified": "2026-11-11 11:01:00", "payment": "30.00", "post_fee": "0.00",
        "total_fee": "30.00", "orders": {"order": [line]}, **told,
    }  # fmt: skip


def tmc(name: str, content: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """One TMC message of the relay."""
    return {"id": number, "topic": f"taobao_{name}", "content": json.dumps(content, ensure_ascii=False)}


def applied(**told: Any) -> dict[str, Any]:
    """The message that a refund was applied for."""
    return tmc("refund_RefundCreated", {"refund": refund(**told)})


def trace(tracking_no: str, state: str = "0", at: str = "2026-11-11 11:30:00") -> dict[str, Any]:
    """Kuaidi100's push of one waybill with one line."""
    step = {"ftime": at, "context": "已到达分拣中心", "statusCode": "201" if state == "0" else "301"}
    return {
        "status": "polling",
        "lastResult": {"nu": tracking_no, "com": "yunda", "state": state, "data": [step]},
    }


def signed(source: str, body: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a genuine post."""
    if source == "kuaidi100":
        return courier_form(SECRETS[source], "m1", body)
    return standard_webhook(SECRETS[source], "m1", body)


def encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def open_to_pushes(desk: Desk) -> Worker:
    """Give the shop its secrets; the worker that reads what comes in, on the desk's connection and clock."""
    desk.conn.execute("UPDATE shop SET push_secrets = %s", (Jsonb(SECRETS),))
    desk.conn.commit()
    return Worker(desk.conn, desk.decider, lambda: desk.now)


def deliver(desk: Desk, source: str, *bodies: object) -> None:
    """Bodies that the door has let in: bytes as they are, everything else as JSON."""
    raws = [body if isinstance(body, bytes) else encoded(body) for body in bodies]
    with desk.conn.transaction():
        arrive.store(desk.conn, [(1, source, raw) for raw in raws])


async def no_pages(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"pages"})


@contextmanager
def door(database_url: str) -> Iterator[str]:
    """A real server with the real door on a free port; its address."""

    async def connect() -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            database_url, application_name="door", connect_timeout=10
        )

    config = uvicorn.Config(Door(connect, no_pages), log_level="critical", lifespan="off", access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def post(url: str, source: str, value: object, shop: str = "ming") -> httpx2.Response:
    """A genuine post; its answer."""
    headers, body = signed(source, value if isinstance(value, bytes) else encoded(value))
    return httpx2.post(
        f"{url}/hooks/{source}/{shop}", headers=headers, content=body, trust_env=False, timeout=20
    )
