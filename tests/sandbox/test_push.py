"""Webhooks of the sandbox: signed, understood by the connectors, at least once, through every trouble."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aftersale.connectors.kuaidi100 import push as kuaidi100_push
from aftersale.connectors.kuaidi100 import verify as kuaidi100_verify
from aftersale.connectors.taobao import push as taobao_push
from aftersale.connectors.taobao import verify as taobao_verify
from aftersale.connectors.taobao.mapping import application
from aftersale.connectors.warehouse import push as warehouse_push
from aftersale.connectors.warehouse import verify as warehouse_verify
from aftersale.core.records import Application, Arrival, Inbound, Order, Parcel, WarehouseOrder
from tests.sandbox.running import START, running

DOORS = {
    "taobao": (taobao_push.push, taobao_verify.verify, "push-secret-demo1"),
    "kuaidi100": (kuaidi100_push.push, kuaidi100_verify.verify, "salt-demo1"),
    "warehouse": (warehouse_push.push, warehouse_verify.verify, "warehouse-secret-demo1"),
}


class Door:
    """Takes pushes as our door does; the first `refusals` bodies are answered with 503."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.arrivals: list[Arrival] = []
        self.problems: list[object] = []
        self.url = ""

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        if self.refusals:
            self.refusals -= 1
            return 503
        _, hooks, kind, shop = path.split("/")
        assert (hooks, shop) == ("hooks", "demo1")
        push, verify, secret = DOORS[kind]
        if refused := verify(headers, body, secret, datetime.now(UTC)):
            self.problems.append(refused)
            return 401
        for arrival in push(body):
            if isinstance(arrival, Arrival):
                self.arrivals.append(arrival)
            else:
                self.problems.append(arrival)
        return 202


@contextmanager
def opened(door: Door) -> Iterator[Door]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = door.take(self.path, {key.lower(): value for key, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    door.url = f"http://127.0.0.1:{server.server_port}/hooks"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield door
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _newest(arrivals: list[Arrival]) -> dict[str, Application]:
    newest: dict[str, Application] = {}
    for arrival in arrivals:
        record = arrival.record
        if isinstance(record, Application) and (
            record.case_id not in newest or newest[record.case_id].version < record.version
        ):
            newest[record.case_id] = record
    return newest


def test_every_push_is_signed_and_understood_and_the_newest_is_the_truth() -> None:
    with (
        opened(Door(refusals=3)) as door,
        running("--applications", "150", "--push-url", door.url) as one,
    ):
        one.control.jump(START + timedelta(days=12))
        state = one.control.settled()
        truth = [application(row) for row in one.control.applications()]
    assert door.problems == []
    assert state.push_attempts_failed == 3
    assert state.pushes_delivered == len(door.arrivals)
    kinds = {type(arrival.record) for arrival in door.arrivals}
    assert {Application, Order, Parcel, WarehouseOrder, Inbound} <= kinds
    assert len({arrival.key for arrival in door.arrivals}) == len(door.arrivals)
    newest = _newest(door.arrivals)
    assert all(
        isinstance(record, Application) and newest[record.case_id].state == record.state for record in truth
    )
    assert len(newest) == len(truth)


def test_duplicated_reordered_and_dropped_pushes() -> None:
    with opened(Door()) as door, running("--applications", "150", "--push-url", door.url) as one:
        one.control.faults({"seed": 5, "push": {"duplicate_p": 0.3, "reorder_p": 0.3}})
        one.control.jump(START + timedelta(days=6))
        one.control.settled()
        duplicated = len(door.arrivals) - len({arrival.key for arrival in door.arrivals})
        versions = [a.record.version for a in door.arrivals if isinstance(a.record, Application)]
        assert duplicated > 20
        assert versions != sorted(versions)
        before = len(door.arrivals)
        one.control.faults({"push": {"drop_p": 1.0}})
        one.control.jump(START + timedelta(days=12))
        assert len(door.arrivals) == before
    assert door.problems == []
