"""A promise whose time comes near brings its case to people, also one that waits for nobody."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from aftersale.cases.casework.place import Place
from aftersale.cases.casework.promises import Vow, give_promise, remind, settle_promise
from tests.conftest import Database
from tests.flow.desk import Desk, application, order

QUEUED = "SELECT queue, due_at, owner FROM queue_item WHERE case_id = %s"
COUNTED = "SELECT queue, sum(cases)::int FROM queue_count GROUP BY 1 HAVING sum(cases) <> 0 ORDER BY 1"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database, platform="pdd")
    made.tell(order(shipped=True), application("R1", aftersale_type="return_refund", state="return_shipped",
                                               return_tracking_no="YT1"))  # fmt: skip
    yield made
    made.close()


def promise(desk: Desk, hours: int, text: str = "补发一份") -> int:
    """The number of a promise of 客服小明 about R1."""
    vow = Vow("other", text, desk.now + timedelta(hours=hours))
    assert give_promise(desk.conn, Place(1, "R1", "客服小明", desk.now), vow) is None
    return int(desk.one("SELECT max(id) FROM promise"))


def settle(desk: Desk, number: int, state: str) -> None:
    assert settle_promise(desk.conn, Place(1, "R1", "客服小明", desk.now), number, state) is None


def test_a_waiting_case_is_queued_once_shortly_before_its_promise(desk: Desk) -> None:
    assert desk.one("SELECT action, queue FROM handling") == ("wait_inbound", None)
    due = desk.now + timedelta(hours=24)
    promise(desk, 24)
    desk.wait(hours=19, minutes=59)
    assert remind(desk.conn, desk.now) == 0
    assert desk.all(QUEUED, "R1") == []
    desk.wait(minutes=1)
    assert remind(desk.conn, desk.now) == 1
    assert desk.one(QUEUED, "R1") == ("promise_due", due, None)
    assert desk.all(COUNTED) == [("promise_due", 1)]
    since = desk.one("SELECT since FROM queue_item")
    desk.wait(minutes=5)
    assert remind(desk.conn, desk.now) == 0
    assert desk.one("SELECT since FROM queue_item") == since


@pytest.mark.parametrize("state", ["kept", "broken", "withdrawn"])
def test_what_is_settled_lets_it_go(desk: Desk, state: str) -> None:
    number = promise(desk, 2)
    assert remind(desk.conn, desk.now) == 1
    settle(desk, number, state)
    assert desk.all(QUEUED, "R1") == []
    assert remind(desk.conn, desk.now) == 0
    assert desk.all(COUNTED) == []


def test_the_next_near_promise_keeps_it_and_a_far_one_does_not(desk: Desk) -> None:
    first, second = promise(desk, 1), promise(desk, 3)
    promise(desk, 100)
    assert remind(desk.conn, desk.now) == 1
    settle(desk, first, "kept")
    assert desk.one(QUEUED, "R1") == ("promise_due", desk.now + timedelta(hours=3), None)
    settle(desk, second, "kept")
    assert desk.all(QUEUED, "R1") == []


def test_the_shops_own_lead_counts(desk: Desk) -> None:
    desk.conn.execute("""UPDATE shop SET settings = '{"deadline_lead_hours": 1}'""")
    desk.conn.commit()
    promise(desk, 2)
    assert remind(desk.conn, desk.now) == 0
    desk.wait(hours=1)
    assert remind(desk.conn, desk.now) == 1


def test_news_that_ask_for_nobody_leave_it_where_it_is(desk: Desk) -> None:
    number = promise(desk, 2)
    remind(desk.conn, desk.now)
    desk.tell(application("R1", 2, aftersale_type="return_refund", state="closed", return_tracking_no="YT1"))
    assert desk.one("SELECT rule FROM handling") == "finished"
    assert desk.one(QUEUED, "R1")[0] == "promise_due"
    settle(desk, number, "kept")
    assert desk.all(QUEUED, "R1") == []


def test_a_case_that_waits_for_people_anyway_stays_in_its_own_queue(desk: Desk) -> None:
    number = promise(desk, 2)
    remind(desk.conn, desk.now)
    desk.tell(application("R1", 2, aftersale_type="return_refund", state="return_shipped", intervened=True))
    assert desk.one(QUEUED, "R1")[:2] == ("intervention", desk.now + timedelta(hours=2))
    assert remind(desk.conn, desk.now) == 0
    settle(desk, number, "kept")
    assert desk.one(QUEUED, "R1")[0] == "intervention"
