"""However the same news come (order, repeats, batches, two workers at once), the record ends the same."""

import threading
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aftersale.cases import actions, stage
from aftersale.cases.again import again
from aftersale.core.records import (
    Arrival,
    Inbound,
    Interception,
    Parcel,
    Record,
    WarehouseOrder,
)
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order

HOUR = timedelta(hours=1)
BACK = {"aftersale_type": "return_refund", "return_tracking_no": "SF1"}
APPLICATIONS = (
    application(version=1, zero_second_covered=True),
    application(version=2, amount_fen=4_000),
    application(version=3, amount_fen=900, state="return_shipped", **BACK),
    application(version=4, amount_fen=900, state="refunded", **BACK),
)
CLOSED = application(version=4, amount_fen=4_000, state="closed")
OTHERS: tuple[Record, ...] = (
    order(version=1),
    order(version=2, paid_fen=9_000, shipped=True, shipped_at=NOON, tracking_no="YT1"),
    Parcel("YT1", 10, tracking_state="in_transit", tracking_events=1, last_tracking_at=NOON - HOUR),
    Parcel("YT1", 20, tracking_state="signed", tracking_events=2, last_tracking_at=NOON, signed_at=NOON, signed_by="self"),
    Interception("YT1", 1, "requested", NOON - HOUR),
    Interception("YT1", 2, "succeeded"),
    WarehouseOrder("T1", 1, "unprinted", False, False),
    WarehouseOrder("T1", 2, "packing", False, True),
    Parcel("SF1", 5, tracking_state="in_transit", tracking_events=3, last_tracking_at=NOON),
    Inbound(1, tracking_no="SF1", inbound_success=False),
    Inbound(2, tracking_no="SF1", inbound_success=True, inbound_condition="intact", warehouse_kind="cainiao"),
)  # fmt: skip
ENDS = """
SELECT to_jsonb(f) - 'shop_id', to_jsonb(h) - '{shop_id,decision_id,decided_at}'::text[], to_jsonb(q) - '{shop_id,since}'::text[],
  l.at, least(m.paid_fen, o.paid_fen), m.held_fen, b.amount_fen,
  (SELECT array_agg(i.kind ORDER BY i.kind) FROM intent i WHERE i.shop_id = f.shop_id AND i.state = 'approved'),
  (SELECT sum(i.amount_fen) FROM intent i WHERE i.shop_id = f.shop_id AND i.state = 'approved')
FROM case_facts f JOIN handling h USING (shop_id, case_id) LEFT JOIN queue_item q USING (shop_id, case_id)
LEFT JOIN look l USING (shop_id, case_id) LEFT JOIN order_money m ON m.shop_id = f.shop_id
LEFT JOIN orders o ON o.shop_id = f.shop_id LEFT JOIN ledger b ON b.shop_id = f.shop_id WHERE f.shop_id = %s
"""


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Record], list[list[Record]]]:
    """Some of the news as they happened, and the same news shuffled, repeated and cut into batches."""
    told: list[Record] = list(APPLICATIONS[: draw(st.integers(1, 4))])
    if len(told) == 4 and draw(st.booleans()):
        told[-1] = CLOSED
    told += draw(st.lists(st.sampled_from(OTHERS), unique_by=id, max_size=len(OTHERS)))
    again = draw(st.lists(st.sampled_from(told), max_size=4))
    shuffled = draw(st.permutations([*told, *again]))
    cuts = draw(st.lists(st.booleans(), min_size=len(shuffled), max_size=len(shuffled)))
    batches: list[list[Record]] = [[]]
    for one, cut in zip(shuffled, cuts, strict=True):
        batches[-1].append(one)
        if cut:
            batches.append([])
    return sorted(told, key=repr), [batch for batch in batches if batch]


def tell(desk: Desk, shop_id: int, records: Sequence[Record]) -> None:
    arrivals = [(shop_id, Arrival(one, repr(one), NOON)) for one in records]
    with desk.conn.transaction():
        actions.merge(desk.conn, actions.staged(arrivals), NOON)
        desk.decider.decide(NOON)


def test_any_order_repeats_and_batches_end_in_the_same_record(embedded_database: Database) -> None:
    desk, numbers = Desk(embedded_database), count(1)

    def shop() -> int:
        code = f"s{next(numbers)}"
        return int(
            desk.one(
                "INSERT INTO shop (code, name, platform) VALUES (%s, %s, 'tmall') RETURNING id", code, code
            )
        )

    @settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(histories())
    @example(([order(), APPLICATIONS[0]], [[APPLICATIONS[0]], [order()]]))
    @example(([*APPLICATIONS, OTHERS[0]], [[APPLICATIONS[3]], [OTHERS[0]]]))
    @example(
        ([*APPLICATIONS[:2], *OTHERS[:2]], [[OTHERS[1]], [OTHERS[0]], [APPLICATIONS[1]], [APPLICATIONS[0]]])
    )
    def ends_the_same(history: tuple[list[Record], list[list[Record]]]) -> None:
        told, batches = history
        one, other = shop(), shop()
        tell(desk, one, told)
        for batch in batches:
            tell(desk, other, batch)
        assert desk.one(ENDS, other) == desk.one(ENDS, one)

    ends_the_same()
    desk.close()


def _news(case: int) -> list[Record]:
    """Two cases share each order, eight cases a parcel, so that two workers meet at every level."""
    order_id, parcel = f"T{case // 2}", f"YT{case // 8}"
    shipped = order(order_id, 2, shipped=True, tracking_no=parcel, paid_fen=20_000)
    return [
        application(f"R{case}", 1, order_id=order_id, aftersale_type="shipped_refund_only"),
        order(order_id, paid_fen=20_000),
        application(
            f"R{case}", 2, order_id=order_id, amount_fen=4_000 + case, aftersale_type="shipped_refund_only"
        ),
        shipped,
        Parcel(parcel, 1, tracking_state="in_transit", tracking_events=1, last_tracking_at=NOON),
        Parcel(parcel, 2, tracking_state="refused", tracking_events=2, last_tracking_at=NOON),
        WarehouseOrder(order_id, 1, "shipped"),
    ]


CASES = 64


class Worker(threading.Thread):
    """Tells its share of the news in small batches over its own connection."""

    def __init__(self, database: Database, batches: list[list[Record]], start: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.database, self.batches, self.barrier = database, batches, start
        self.failed: list[psycopg.Error] = []

    def run(self) -> None:
        with opened(self.database.app, settings=SETTINGS) as conn:
            stage.prepare(conn)
            decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
            self.barrier.wait()
            for batch in self.batches:
                self.tell(conn, decider, batch)

    def tell(self, conn: psycopg.Connection, decider: Decider, batch: list[Record]) -> None:
        """Like a worker's turn: a deadlock undoes it all, and it is repeated a few times."""

        def turn() -> None:
            with conn.transaction():
                arrivals = [(1, Arrival(one, repr(one), NOON)) for one in batch]
                actions.merge(conn, actions.staged(arrivals), NOON)
                decider.decide(NOON)

        try:
            again(turn)
        except psycopg.Error as error:
            self.failed.append(error)


def shares(seed: int) -> tuple[list[list[Record]], list[list[Record]]]:
    """Both workers are told everything of every case, each in its own order: one forwards, one backwards."""
    news = [one for case in range(CASES) for one in _news(case)]
    forth = [news[n :: 16 + seed] for n in range(16 + seed)]
    back = [list(reversed(news[n :: 13 + seed])) for n in range(13 + seed)]
    return forth, list(reversed(back))


@pytest.mark.parametrize("pairs", [1, 2])
def test_workers_over_the_same_cases_end_as_one_would(database: Database, pairs: int) -> None:
    """F17: who meets another is undone and repeats its transaction, a bounded number of times."""
    desk = Desk(database)
    for seed in range(2):
        start = threading.Barrier(2 * pairs)
        told = [batches for pair in range(pairs) for batches in shares(seed + 2 * pair)]
        workers = [Worker(database, batches, start) for batches in told]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
        assert [error for worker in workers for error in worker.failed] == []
    serial = int(
        desk.one("INSERT INTO shop (code, name, platform) VALUES ('lan', '阿兰的店', 'tmall') RETURNING id")
    )
    for batch in shares(0)[0]:
        tell(desk, serial, batch)

    def live(shop_id: int) -> list[Any]:
        return desk.all(
            "SELECT h.case_id, h.rule, h.amount_fen, h.decided_version FROM handling h JOIN decision d ON d.shop_id = h.shop_id"
            " AND d.case_id = h.case_id AND d.id = h.decision_id WHERE h.shop_id = %s ORDER BY 1",
            shop_id,
        )

    assert len(live(1)) == CASES
    assert live(1) == live(serial)
    assert {rule for _, rule, *_ in live(1)} == {"refund_on_stop"}
    assert desk.one("SELECT count(*) FROM intent WHERE shop_id = 1 AND money AND state = 'approved'") == CASES
    assert desk.one("SELECT sum(held_fen) FROM order_money WHERE shop_id = 1") == sum(
        4_000 + n for n in range(CASES)
    )
    desk.close()


def test_money_that_was_paid_before_its_order_was_known_is_held(desk: Desk) -> None:
    desk.tell(application(state="refunded", amount_fen=8_000))
    assert desk.one("SELECT amount_fen, origin FROM ledger") == (8_000, "platform")
    desk.tell(order())
    assert desk.one("SELECT paid_fen, held_fen FROM order_money") == (10_000, 8_000)
    desk.tell(application("R2", amount_fen=3_000))
    assert desk.all("SELECT kind FROM intent WHERE money") == []
    assert desk.one("SELECT case_id, queue FROM queue_item") == ("R2", "amount_check")
