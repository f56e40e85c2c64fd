"""Scanned parcels reach the book like any other receipt, once, and never pay by themselves."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest

from aftersale.cases.returns import record
from aftersale.cases.returns.record import Found, Marks, Received, Undone
from aftersale.cases.returns.tell import tell
from aftersale.core.records import Inbound, OrderLine
from aftersale.core.refusal import Refusal
from aftersale.pg.connect import SETTINGS, opened
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.flow.desk import Desk, application, order

LINES = (OrderLine("1", "P1", "明前龙井", "LJ250", 2, 8_000), OrderLine("2", "P2", "坚果", "JG30", 1, 2_000))
MONEY = "SELECT state, amount_fen, planned_by FROM intent WHERE money AND case_id = %s"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database, platform="pdd")
    yield made
    made.close()


def returning(desk: Desk, case_id: str = "R1", waybill: str | None = "YT1", version: int = 1) -> None:
    """A return of both teas that is on its way."""
    coming = application(case_id, version, aftersale_type="return_refund", line_id="1", amount_fen=8_000,
                         title="明前龙井", return_tracking_no=waybill,
                         state="return_shipped" if waybill else "return_agreed")  # fmt: skip
    desk.tell(order(paid_fen=10_000, shipped=True, lines=LINES), coming)


def unit(condition: str, case_id: str | None = "R1", line_id: str | None = "1") -> Found:
    return Found(case_id, "T1", line_id, "明前龙井", "LJ250", condition)


def scan(
    desk: Desk, *units: Found, waybill: str = "YT1", key: int = 1, by: str = "仓库小何"
) -> Received | Refusal:
    return record.receive(desk.conn, 1, waybill, UUID(int=key), by, desk.now, units)


def number(done: Received | Refusal) -> int:
    assert isinstance(done, Received), done
    return done.id


def work(desk: Desk) -> None:
    """Half a minute later the worker's turns."""
    desk.wait(seconds=31)
    tell(desk.conn, desk.now)
    Worker(desk.conn, desk.decider, lambda: desk.now).turn()


def test_a_complete_parcel_is_paid_by_the_book(desk: Desk) -> None:
    returning(desk)
    assert desk.one("SELECT action FROM handling") == "wait_inbound"
    assert not isinstance(scan(desk, unit("intact"), unit("intact")), Refusal)
    assert desk.all(MONEY, "R1") == []
    tell(desk.conn, desk.now + timedelta(seconds=29))
    assert desk.all("SELECT body FROM arrival") == []
    work(desk)
    assert desk.one("SELECT rule FROM handling") == "return_received"
    assert desk.one(MONEY, "R1") == ("approved", 8_000, "rule:return_received")
    assert desk.one("SELECT inbound_success, inbound_condition, warehouse_kind FROM parcel") == (
        True,
        "intact",
        "own",
    )
    assert desk.all("SELECT why FROM parked") == []
    work(desk)
    assert desk.one("SELECT count(*) FROM arrival") == 1
    assert desk.one("SELECT what FROM happening WHERE kind = 'note'") == "仓库收到退货 YT1：完好 2 件"


@pytest.mark.parametrize("condition", ["damaged", "missing_item", "wrong_item", "swapped"])
def test_anything_else_goes_to_people(desk: Desk, condition: str) -> None:
    returning(desk)
    scan(desk, unit("intact"), unit(condition))
    work(desk)
    assert desk.one("SELECT rule, queue FROM handling") == ("inbound_damaged", "return_refund")
    assert desk.one("SELECT inbound_condition FROM parcel") == condition
    assert desk.all(MONEY, "R1") == []


def test_what_is_taken_back_in_time_never_happened(desk: Desk) -> None:
    returning(desk)
    first = number(scan(desk, unit("intact"), unit("intact")))
    assert record.undo(desk.conn, 1, first, "仓库小何", "", desk.now) == Undone(0)
    twice = record.undo(desk.conn, 1, first, "仓库小何", "", desk.now)
    assert isinstance(twice, Refusal)
    assert (twice.code, twice.who) == ("undone", "仓库小何")
    work(desk)
    assert desk.all("SELECT id FROM arrival") == []
    assert desk.one("SELECT action FROM handling") == "wait_inbound"
    second = scan(desk, unit("damaged"), unit("intact"), key=2)
    assert number(second) != first
    work(desk)
    assert desk.one("SELECT inbound_condition FROM parcel") == "damaged"


def test_what_was_told_is_taken_back_with_a_reason_and_says_what_left(desk: Desk) -> None:
    returning(desk)
    mine = number(scan(desk, unit("intact"), unit("intact")))
    work(desk)
    refused = record.undo(desk.conn, 1, mine, "仓库小何", " ", desk.now)
    assert isinstance(refused, Refusal)
    assert refused.code == "no_reason"
    desk.conn.execute("UPDATE intent SET state = 'sending', channel = 'rule' WHERE money")
    desk.conn.commit()
    assert record.undo(desk.conn, 1, mine, "仓库小何", "扫错了", desk.now) == Undone(8_000)
    work(desk)
    assert desk.one("SELECT inbound_success, inbound_condition FROM parcel") == (False, None)
    assert desk.one("SELECT version FROM return_told") == desk.one("SELECT inbound_version FROM parcel")


def test_a_planned_refund_falls_with_the_scan(desk: Desk) -> None:
    returning(desk)
    mine = number(scan(desk, unit("intact"), unit("intact")))
    work(desk)
    assert desk.one(MONEY, "R1")[0] == "approved"
    record.undo(desk.conn, 1, mine, "仓库小何", "是别人的货", desk.now)
    work(desk)
    assert desk.one(MONEY, "R1")[0] == "cancelled"
    assert desk.one("SELECT held_fen FROM order_money") == 0


def test_one_form_counts_once_and_one_parcel_is_here_once(desk: Desk) -> None:
    returning(desk)
    first = scan(desk, unit("intact"), unit("intact"))
    assert scan(desk, unit("intact"), unit("intact")) == Received(number(first), again=True)
    told = scan(desk, unit("damaged"), unit("damaged"), key=2, by="仓库大刘")
    assert isinstance(told, Refusal)
    assert (told.code, told.who, told.at) == ("received", "仓库小何", desk.now)
    assert desk.one("SELECT count(*) FROM return_scan_unit") == 2
    other = scan(desk, unit("intact"), waybill="YT2")
    assert isinstance(other, Refusal)
    assert other.code == "used_form"


def test_of_two_scanners_one_wins(desk: Desk) -> None:
    returning(desk)
    done: list[Received | Refusal] = []
    barrier = threading.Barrier(8)

    def one(no: int) -> None:
        with opened(desk.database.app, settings=SETTINGS) as conn:
            barrier.wait()
            units = (unit("intact"), unit("intact" if no % 2 else "damaged"))
            done.append(record.receive(conn, 1, "YT1", UUID(int=no), f"仓库{no}", desk.now, units))
            conn.commit()

    threads = [threading.Thread(target=one, args=(no,)) for no in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(one).__name__ for one in done) == ["Received"] + ["Refusal"] * 7
    winner = desk.one("SELECT by_whom FROM return_scan")
    assert {one.who for one in done if isinstance(one, Refusal)} == {winner}
    assert desk.one("SELECT count(*) FROM return_scan_unit") == 2


def test_several_parcels_of_a_case_are_one_return(desk: Desk) -> None:
    returning(desk)
    scan(desk, unit("intact"), unit("missing_item"))
    work(desk)
    assert desk.one("SELECT inbound_condition FROM parcel") == "missing_item"
    other = number(scan(desk, waybill="ZT9", key=2))
    assert record.link(desk.conn, 1, other, 1, "R1", (unit("intact"),), "仓库小何", desk.now) is None
    assert desk.all(MONEY, "R1") == []
    work(desk)
    assert desk.one("SELECT inbound_condition FROM parcel WHERE tracking_no = 'YT1'") == "intact"
    assert desk.one(MONEY, "R1") == ("approved", 8_000, "rule:return_received")


def test_several_cases_in_a_parcel_wait_for_one_another(desk: Desk) -> None:
    returning(desk)
    desk.tell(application("R2", aftersale_type="return_refund", state="return_shipped", return_tracking_no="YT1",
                          line_id="2", amount_fen=2_000))  # fmt: skip
    scan(desk, unit("intact"), unit("intact"))
    work(desk)
    assert desk.one("SELECT inbound_condition FROM parcel") == "missing_item"
    assert desk.all("SELECT case_id FROM intent WHERE money") == []


def test_a_linked_parcel_answers_for_the_number_that_the_buyer_mistyped(desk: Desk) -> None:
    returning(desk, waybill="YT12345679")
    nameless = number(scan(desk, waybill="YT12345678"))
    work(desk)
    assert desk.all("SELECT id FROM arrival") == []
    units = (unit("intact"), unit("intact"))
    assert record.link(desk.conn, 1, nameless, 1, "R1", units, "主管阿兰", desk.now) is None
    again = record.link(desk.conn, 1, nameless, 1, "R1", units, "主管阿兰", desk.now)
    assert isinstance(again, Refusal)
    assert again.code == "linked"
    work(desk)
    assert desk.one(MONEY, "R1") == ("approved", 8_000, "rule:return_received")


def test_a_linked_parcel_waits_for_a_number_that_the_buyer_did_not_fill_in(desk: Desk) -> None:
    returning(desk, waybill=None)
    nameless = number(scan(desk, waybill="YT5"))
    record.link(desk.conn, 1, nameless, 1, "R1", (unit("intact"), unit("intact")), "主管阿兰", desk.now)
    work(desk)
    assert desk.all(MONEY, "R1") == []
    returning(desk, waybill="YT5", version=2)
    assert desk.one(MONEY, "R1") == ("approved", 8_000, "rule:return_received")


def test_a_nameless_parcel_tells_nothing_even_when_a_case_takes_its_number(desk: Desk) -> None:
    scan(desk, waybill="YT1")
    work(desk)
    returning(desk)
    assert desk.one("SELECT action FROM handling") == "wait_inbound"
    assert desk.all(MONEY, "R1") == []


def test_a_newer_word_of_the_warehouse_counts(desk: Desk) -> None:
    returning(desk)
    late = int(desk.now.timestamp() * 1000) + 10**9
    desk.tell(
        Inbound(
            late,
            tracking_no="YT1",
            inbound_success=True,
            inbound_condition="damaged",
            warehouse_kind="third_party",
        )
    )
    scan(desk, unit("intact"), unit("intact"))
    work(desk)
    assert desk.one("SELECT inbound_condition, warehouse_kind, inbound_version FROM parcel") == (
        "intact",
        "third_party",
        late + 1,
    )


def test_marks_that_the_record_would_not_keep_are_refused_by_it(desk: Desk) -> None:
    kept = record.receive(
        desk.conn, 1, "YT7", UUID(int=7), "仓库小何", desk.now, (), Marks("4321", 500, "LJ250", "湿了")
    )
    assert desk.one("SELECT phone_tail, weight_g, goods FROM return_scan WHERE id = %s", number(kept)) == (
        "4321",
        500,
        "LJ250",
    )
