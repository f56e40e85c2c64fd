"""F12: the COMMIT arrives, its reply does not. Whoever asked repeats, and nothing is doubled."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aftersale.cases import stage
from aftersale.core.records import Arrival
from aftersale.decide.run import Decider
from aftersale.intake import arrive
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order
from tests.flow.posts import CASE_ID, applied, deliver, encoded, open_to_pushes, tmc, trade

COMMIT = b"COMMIT\0"  # as a statement and as its reply; "ON COMMIT DELETE ROWS" is neither


class Wire:
    """Forwards one connection to the server; it is cut when a COMMIT has been sent and carried out."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._left = 0
        self._committed = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def cut_at(self, commit: int = 1) -> None:
        """Of this COMMIT, counted from now on, no reply comes back."""
        self._left = commit

    def _serve(self) -> None:
        near, _ = self._listening.accept()
        far = socket.create_connection(self._to)
        threading.Thread(target=self._back, args=(far, near), daemon=True).start()
        while data := near.recv(65_536):
            if COMMIT in data:
                self._left -= 1
                if self._left == 0:
                    self._committed.set()
            far.sendall(data)

    def _back(self, far: socket.socket, near: socket.socket) -> None:
        """Replies; the one to the COMMIT is received from the server, so it has happened, and goes no further."""
        with suppress(OSError):
            while data := far.recv(65_536):
                if self._committed.is_set() and COMMIT in data:
                    break
                near.sendall(data)
        near.shutdown(socket.SHUT_RDWR)
        far.close()

    def close(self) -> None:
        self._listening.close()


@contextmanager
def cut_after_commit(database: Database) -> Iterator[tuple[psycopg.Connection, Wire]]:
    parts = conninfo_to_dict(database.app)
    wire = Wire(str(parts["host"]), int(str(parts["port"])))
    through = make_conninfo(
        database.app, host="127.0.0.1", port=wire.port, sslmode="disable", gssencmode="disable"
    )
    with opened(through, settings=SETTINGS) as conn:
        yield conn, wire
    wire.close()


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


def test_a_turn_whose_commit_was_not_confirmed_is_repeated_and_changes_nothing(desk: Desk) -> None:
    after = open_to_pushes(desk)
    deliver(desk, "taobao", tmc("trade_TradePaid", {"trade": trade()}, 2), applied())
    with cut_after_commit(desk.database) as (conn, wire):
        stage.prepare(conn)
        decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
        worker = Worker(conn, decider, lambda: NOON)
        worker.waiting.count()
        wire.cut_at()
        with pytest.raises(psycopg.OperationalError):
            worker._batch([])
    counts = "SELECT (SELECT count(*) FROM decision), (SELECT count(*) FROM intent), (SELECT sum(held_fen) FROM order_money)"
    assert desk.one("SELECT case_id FROM handling") == CASE_ID
    before = desk.one(counts)
    assert after.take_news() == 0
    deliver(desk, "taobao", applied())
    assert after.take_news() == 1
    assert desk.one(counts) == before
    assert desk.one("SELECT sum(held_fen) FROM order_money") == 1230


def test_bodies_whose_commit_was_not_confirmed_are_sent_again_and_count_once(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    body = encoded(applied())
    with cut_after_commit(desk.database) as (conn, wire):
        wire.cut_at()
        with pytest.raises(psycopg.OperationalError), conn.transaction():
            arrive.store(conn, [(1, "taobao", body)])
    assert desk.one("SELECT count(*) FROM arrival") == 1
    deliver(desk, "taobao", tmc("trade_TradePaid", {"trade": trade()}, 2), applied(), applied())
    worker.turn()
    assert desk.one("SELECT count(*) FROM decision") == 1


def test_a_file_whose_commit_was_not_confirmed_is_imported_again_and_adds_nothing(desk: Desk) -> None:
    now = datetime(2026, 11, 11, 4, 0, tzinfo=UTC)
    arrivals = [Arrival(one, repr(one), now) for one in (order(), application())]
    with cut_after_commit(desk.database) as (conn, wire):
        stage.prepare(conn)
        wire.cut_at(2)  # the first is of the stage tables
        with pytest.raises(psycopg.OperationalError):
            arrive.take_in(conn, 1, arrivals, "file", now)
    counts = arrive.take_in(desk.conn, 1, arrivals, "file", now)
    assert (counts.inserted, counts.updated) == (frozenset(), frozenset())
    assert desk.one("SELECT count(*) FROM cases") == 1
