"""What is accepted is never lost, what repeats never counts, and nothing that comes in stops the rest (P7, P8, P10)."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import cast

import psycopg
import pytest

from aftersale.cases import stage
from aftersale.core.records import Arrival, BadInput
from aftersale.decide.run import Decider
from aftersale.intake.sources import SOURCES, Source
from aftersale.intake.waiting import AHEAD_MAX, BODIES_MAX, TRIES_MAX, Waiting
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order
from tests.flow.posts import CASE_ID, ORDER_ID, applied, deliver, encoded, open_to_pushes, refund, tmc, trade

DEAD = 9
PAID = tmc("trade_TradePaid", {"trade": trade()}, 2)


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


def other_shop(desk: Desk) -> int:
    query = "INSERT INTO shop (code, name, platform) VALUES ('lan', '阿兰的店', 'tmall') RETURNING id"
    return int(desk.one(query))


# F31, F32: duplicates, contradictions, order


def test_a_thousand_times_the_same_is_once(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao", PAID, *[[applied()] * 100 for _ in range(10)])
    while worker.turn():
        pass
    assert desk.all("SELECT external_id FROM inbox ORDER BY 1") == [CASE_ID, ORDER_ID]
    assert desk.one("SELECT count(*) FROM decision") == 1
    assert desk.one("SELECT kind, amount_fen FROM intent WHERE money") == ("agree_refund", 1230)
    assert desk.all("SELECT * FROM parked") == []


def test_the_same_application_under_another_message_id_has_one_effect(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao", PAID, applied(), tmc("refund_RefundCreated", {"refund": refund()}, 99))
    deliver(desk, "taobao.refund", refund())
    worker.turn()
    assert desk.one("SELECT count(*) FROM decision") == 1
    assert desk.one("SELECT count(*) FROM intent WHERE money") == 1
    assert desk.all("SELECT * FROM parked") == []


@pytest.mark.parametrize("together", [True, False])
def test_one_version_with_two_contents_is_parked_and_the_first_counts(desk: Desk, together: bool) -> None:
    worker = open_to_pushes(desk)
    dearer, again = applied(refund_fee="29.00"), applied(refund_fee="29.00")
    for bodies in [[PAID, applied(), dearer, again]] if together else [[PAID, applied()], [dearer], [again]]:
        deliver(desk, "taobao", *bodies)
        worker.turn()
    assert desk.one("SELECT amount_fen FROM cases") == 1230
    assert desk.all("SELECT amount_fen FROM intent WHERE money") == [1230]
    (row,) = desk.all("SELECT source, place, convert_from(raw, 'UTF8')::json->>'amount_fen' FROM parked")
    assert row == ("merge", f"application {CASE_ID} 1794758408000", "2900")


def test_an_order_that_contradicts_itself_does_not_get_dearer(desk: Desk) -> None:
    desk.tell(order(paid_fen=10_000), application(amount_fen=5_000))
    desk.tell(order(paid_fen=90_000))
    assert desk.one("SELECT paid_fen FROM order_money") == 10_000
    assert desk.one("SELECT place FROM parked") == "order T1 1", "this shop's platform cannot be asked"


def asked_for(desk: Desk) -> list[tuple[str, str, bool]]:
    """What is to be fetched, whatever we know already; fetched by then."""
    with desk.conn.transaction():
        query = "DELETE FROM to_fetch RETURNING kind, external_id, version = 9223372036854775807"
        return desk.conn.execute(query).fetchall()


SHIPPED = trade(status="WAIT_BUYER_CONFIRM_GOODS", consign_time="2026-11-11 11:01:00")


@pytest.mark.parametrize("together", [True, False])
def test_an_order_may_change_twice_within_its_second_and_the_platform_is_asked(
    desk: Desk, together: bool, caplog: pytest.LogCaptureFixture
) -> None:
    worker = open_to_pushes(desk)
    desk.conn.execute("UPDATE shop SET base_url = 'http://127.0.0.1:1'")
    desk.conn.commit()
    later = tmc("trade_TradeSellerShip", {"trade": SHIPPED}, 3)
    for bodies in [[PAID, later]] if together else [[PAID], [later]]:
        deliver(desk, "taobao", *bodies)
        worker.turn()
    assert desk.one("SELECT order_state FROM orders") == "paid", (
        "until the platform says more, the first counts"
    )
    assert asked_for(desk) == [("order", ORDER_ID, True)]
    deliver(desk, "taobao.trade", SHIPPED)
    worker.turn()
    assert desk.one("SELECT order_state FROM orders") == "shipped"
    assert asked_for(desk) == [("order", ORDER_ID, True)], "the answer may be older than the push: once more"
    deliver(desk, "taobao.trade", SHIPPED)
    worker.turn()
    assert asked_for(desk) == desk.all("SELECT place FROM parked") == caplog.messages == []


def test_a_platform_that_answers_twice_differently_is_told_to_people(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    for paid in ("30.00", "29.00", "29.00"):
        deliver(desk, "taobao.trade", trade(payment=paid))
        worker.turn()
    assert desk.one("SELECT paid_fen FROM orders") == 2900
    assert asked_for(desk) == [], "it is not asked for ever"
    (row,) = desk.all("SELECT place, left(why, 16) FROM parked")
    assert row == (f"order {ORDER_ID} 1794366060000", "平台对同一版本给了两个不同的回答")


@pytest.mark.parametrize("together", [True, False])
def test_the_platforms_answer_settles_which_application_is_true(desk: Desk, together: bool) -> None:
    worker = open_to_pushes(desk)
    wrong = ("taobao", [PAID, applied(refund_fee="29.00")])
    right = ("taobao.refund", [refund()])
    deliver(desk, *wrong[:1], *wrong[1])
    if not together:
        worker.turn()
        assert desk.all("SELECT amount_fen FROM intent WHERE money AND state = 'approved'") == [2900]
    deliver(desk, *right[:1], *right[1])
    worker.turn()
    assert desk.one("SELECT amount_fen FROM cases") == 1230
    assert desk.all("SELECT amount_fen FROM intent WHERE money AND state = 'approved'") == [1230]
    assert desk.one("SELECT held_fen FROM order_money") == 1230
    asked_again = "SELECT kind, external_id FROM to_fetch WHERE kind = 'application'"
    assert desk.all(asked_again) == [("application", CASE_ID)]


@pytest.mark.parametrize("together", [True, False])
def test_an_application_whose_goods_leave_meanwhile_does_not_contradict_itself(
    desk: Desk, together: bool
) -> None:
    """The platform tells with an application how far its order is, and that changes without the application."""
    worker = open_to_pushes(desk)
    left = ("taobao.refund", [refund(order_status="WAIT_BUYER_CONFIRM_GOODS")])
    for bodies in (("taobao", [PAID]), left, ("taobao", [applied()]), left, left):
        deliver(desk, *bodies[:1], *bodies[1])
        if not together:
            worker.turn()
    worker.turn()
    assert desk.one("SELECT aftersale_type FROM cases") == "shipped_refund_only", "what the platform answered"
    assert desk.all("SELECT * FROM parked") == []


def test_the_end_before_the_beginning_stays_the_end(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao", applied(status="CLOSED", version=1_794_758_999_000))
    worker.turn()
    deliver(desk, "taobao", PAID, applied())
    worker.turn()
    assert desk.one("SELECT state, application_version FROM cases") == ("closed", 1_794_758_999_000)
    assert desk.all("SELECT kind FROM intent") == []


def test_an_order_that_no_one_told_of_is_asked_for(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao", applied())
    worker.turn()
    assert desk.all("SELECT kind, external_id FROM to_fetch") == [("order", ORDER_ID)]
    assert desk.one("SELECT queue FROM queue_item") == "unshipped_manual"
    assert desk.all("SELECT kind FROM intent WHERE money") == []


# F33: late and replayed


def test_of_what_comes_outside_its_window_only_the_name_is_used(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao.late", [applied(), applied(case_id="8"), PAID], b"{]")
    worker.turn()
    assert desk.all("SELECT case_id FROM cases") == desk.all("SELECT key FROM inbox") == []
    assert desk.all("SELECT kind, external_id FROM to_fetch ORDER BY 1, 2") == [
        ("application", CASE_ID),
        ("application", "8"),
        ("order", ORDER_ID),
    ]
    assert desk.one("SELECT source FROM parked") == "taobao.late"


# F40: the platform's deadline


def test_what_comes_after_its_deadline_is_a_persons_at_once_and_on_top(desk: Desk) -> None:
    desk.tell(order(), application(due_at=NOON - timedelta(minutes=1)))
    desk.tell(
        order("T2"), application("R2", order_id="T2", amount_fen=9_000, due_at=NOON + timedelta(hours=1))
    )
    assert desk.one("SELECT queue, due_at FROM queue_item WHERE case_id = 'R1'") == (
        "deadline_passed",
        NOON - timedelta(minutes=1),
    )
    assert desk.all("SELECT case_id FROM intent WHERE money") == ["R2"]
    desk.tell(application(due_at=NOON - timedelta(minutes=1)))
    assert desk.one("SELECT count(*) FROM decision WHERE case_id = 'R1'") == 1


def test_the_newest_version_says_when_it_is_due(desk: Desk) -> None:
    for version, hours in ((1, 48), (2, 2), (3, 72)):
        desk.tell(order(), application(version=version, due_at=NOON + timedelta(hours=hours)))
        due_at = NOON + timedelta(hours=hours)
        assert desk.one("SELECT due_at FROM deadline WHERE kind = 'platform'") == due_at
        live = "SELECT deadline_at FROM intent WHERE money AND state = 'approved'"
        assert desk.one(live) == due_at
    desk.tell(application(version=4, due_at=NOON - timedelta(seconds=1)))
    assert desk.all("SELECT kind FROM intent WHERE money AND state = 'approved'") == []
    assert desk.one("SELECT queue FROM queue_item") == "deadline_passed"
    assert desk.one("SELECT held_fen FROM order_money") == 0
    desk.tell(application(version=5, due_at=NOON + timedelta(hours=5)))
    assert desk.one("SELECT deadline_at FROM intent WHERE money AND state = 'approved'") == NOON + timedelta(
        hours=5
    )
    assert desk.all("SELECT queue FROM queue_item") == []


# F36: a body that no process survives


def _reading(database: Database, deadly: bytes) -> bool:
    """A process that reads until nothing is left, and dies over one body; has it survived?"""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = DEAD
    try:
        _dies_over(deadly)
        with opened(database.app, settings=SETTINGS) as conn:
            stage.prepare(conn)
            decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())
            worker = Worker(conn, decider, lambda: NOON)
            while worker.take_news():
                pass
        code = 0
    finally:
        os._exit(code)


def _dies_over(deadly: bytes) -> None:
    """In the child: reading this body ends the process, as a fault in a native library would."""
    known = cast("dict[str, Source]", SOURCES)
    real = known["taobao"].read

    def read(body: bytes) -> list[Arrival | BadInput]:
        if body == deadly:
            os._exit(DEAD)
        return real(body)

    known["taobao"] = Source(read)


def test_a_body_that_kills_is_parked_after_a_few_deaths_and_all_others_go_in(desk: Desk) -> None:
    open_to_pushes(desk)
    deadly = encoded(applied(case_id="666"))
    before = [applied(case_id=str(n)) for n in range(10, 20)]
    after = [applied(case_id="666", version=1_794_758_999_000), applied(case_id="30")]
    deliver(desk, "taobao", *before, deadly, *after)
    survived = list[bool]()
    while not survived or not survived[-1]:
        survived.append(_reading(desk.database, deadly))
        assert len(survived) <= TRIES_MAX + 1
        if len(survived) == TRIES_MAX:
            assert desk.one("SELECT count(*) FROM cases") == 12, "the others do not wait for the last death"
    assert survived == [False] * TRIES_MAX + [True]
    assert desk.one("SELECT raw, right(why, 5) FROM parked") == (deadly, "请人工查看")
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0
    assert desk.one("SELECT application_version FROM cases WHERE case_id = '666'") == 1_794_758_999_000


def test_tables_of_another_version_park_nothing(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao", PAID, applied())
    with opened(desk.database.owner) as owner:
        owner.execute("ALTER TABLE inbox RENAME TO inbox_of_later")
        owner.commit()
        for _ in range(TRIES_MAX + 1):
            with pytest.raises(psycopg.errors.UndefinedTable):
                worker.turn()
        owner.execute("ALTER TABLE inbox_of_later RENAME TO inbox")
        owner.commit()
    assert desk.one("SELECT count(*) FROM arrival_todo") == 2
    worker.turn()
    assert desk.all("SELECT case_id FROM cases") == [CASE_ID]
    assert desk.all("SELECT * FROM parked") == []


def test_a_worker_whose_batch_failed_otherwise_is_not_a_death(desk: Desk) -> None:
    """A lock that somebody holds is nobody's death: however often it happens, nothing is parked."""
    worker = open_to_pushes(desk)
    desk.conn.execute("SET lock_timeout = '1ms'")
    desk.conn.commit()
    deliver(desk, "taobao", PAID)
    worker.turn()
    deliver(desk, "taobao", tmc("trade_TradePaid", {"trade": trade(modified="2026-11-11 11:02:00")}, 3))
    with opened(desk.database.app) as holder:
        holder.execute("SELECT FROM orders FOR UPDATE")
        for _ in range(TRIES_MAX + 2):
            worker = Worker(desk.conn, desk.decider, lambda: NOON)
            with pytest.raises(Exception, match="lock timeout"):
                worker.take_news()
    assert desk.one("SELECT tries FROM arrival_todo") == 0
    worker.turn()
    assert desk.all("SELECT * FROM parked") == desk.all("SELECT * FROM arrival_todo") == []


# fair between shops


def test_a_flood_of_one_shop_does_not_hold_up_another(desk: Desk) -> None:
    lan = other_shop(desk)
    store = """WITH stored AS (INSERT INTO arrival (shop_id, source, body) SELECT %s, 'taobao', 'x'
      FROM generate_series(1, %s) RETURNING id) INSERT INTO arrival_todo SELECT id FROM stored"""
    for shop_id, count in ((1, 2 * AHEAD_MAX), (lan, 3), (1, 1000)):
        desk.conn.execute(store, (shop_id, count))
    desk.conn.commit()
    waiting, claimed = Waiting(desk.conn), list[list[int]]()
    for _ in range(4):
        with desk.conn.transaction():
            claimed.append([body.shop_id for body in waiting.claim()])
    assert [batch.count(lan) for batch in claimed] == [0, 3, 0, 0]
    assert [batch.count(1) for batch in claimed] == [BODIES_MAX] * 4
    left = 0
    while True:
        with desk.conn.transaction():
            more = waiting.claim()
        if not more:
            break
        left += len(more)
    assert left == 2 * AHEAD_MAX + 1000 - 4 * BODIES_MAX


def test_what_was_undone_is_claimed_again(desk: Desk) -> None:
    worker = open_to_pushes(desk)
    deliver(desk, "taobao", *[applied(case_id=str(n)) for n in range(5)])
    waiting = worker.waiting
    with desk.conn.transaction() as undone:
        assert len(waiting.claim()) == 5
        undone.force_rollback = True
    while worker.turn():
        pass
    assert desk.one("SELECT count(*) FROM cases") == 5


def test_workers_that_start_at_once_do_not_suspect_what_the_others_counted(desk: Desk) -> None:
    open_to_pushes(desk)
    deliver(desk, "taobao", *[applied(case_id=str(n)) for n in range(20)])
    workers = [Waiting(desk.conn) for _ in range(4)]
    for one in workers[:3]:
        one.count()
        one.count()
    assert desk.all("SELECT DISTINCT tries FROM arrival_todo") == [3]
    with desk.conn.transaction() as undone:
        bodies = workers[0].claim()
        assert [len(one.suspects(bodies)) for one in workers] == [0, 0, 0, 20]
        undone.force_rollback = True
    workers[0].forgive([body.arrival_id for body in bodies])
    assert desk.all("SELECT DISTINCT tries FROM arrival_todo") == [2]
