"""Records that tell only a part, as files do: what they leave out stays, and the same file again changes nothing."""

from collections.abc import Iterator

import pytest

from aftersale.core.records import Application, Arrival, BadInput, Order, Record
from aftersale.core.refusal import Refusal
from aftersale.intake import arrive
from aftersale.intake.arrive import Counts
from tests.conftest import Database
from tests.flow.desk import Desk, application, order


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


def take_in(desk: Desk, *records: Record) -> Counts:
    return arrive.take_in(
        desk.conn, 1, [Arrival(one, repr(one), desk.now) for one in records], "file", desk.now
    )


def test_what_a_file_does_not_tell_stays(desk: Desk) -> None:
    desk.tell(order(region="浙江省"), application(reason_text="不想要了", zero_second_covered=True))
    counts = take_in(desk, Application("R1", "T1", 2, amount_fen=4_000), Order("T1", 2, paid_fen=9_000))
    assert (counts.inserted, counts.updated) == (
        frozenset(),
        frozenset({("application", "R1"), ("order", "T1")}),
    )
    row = desk.one(
        "SELECT amount_fen, reason, reason_text, state, zero_second_covered, applied_minute FROM cases"
    )
    assert row == (4_000, "no_longer_want", "不想要了", "applied", True, 720)
    assert desk.one("SELECT paid_fen, region, shipped FROM orders") == (9_000, "浙江省", False)
    assert desk.look() == 1
    assert desk.all("SELECT amount_fen, state FROM intent WHERE money ORDER BY platform_version") == [
        (5_000, "cancelled"),
        (4_000, "approved"),
    ]


def test_a_push_replaces_also_what_it_leaves_out(desk: Desk) -> None:
    desk.tell(order(), application(reason_text="不想要了"))
    desk.tell(application(version=2))
    assert desk.one("SELECT reason_text FROM cases") is None


def test_the_same_file_again_changes_nothing(desk: Desk) -> None:
    file = [one for n in range(1500) for one in (order(f"T{n}"), application(f"R{n}", order_id=f"T{n}"))]
    first = take_in(desk, *file)
    assert (len(first.inserted), len(first.updated), first.rejected) == (3000, 0, 0)
    assert [desk.look(), desk.look()] == [1000, 500]
    assert desk.look() == 0
    assert desk.one("SELECT count(*) FROM decision") == 1500
    second = take_in(desk, *file)
    assert (len(second.inserted), len(second.updated)) == (0, 0)
    while desk.look():
        pass
    assert desk.one("SELECT count(*) FROM decision") == 1500
    assert desk.one("SELECT count(*) FROM intent WHERE money") == 1500


def test_an_older_file_changes_nothing(desk: Desk) -> None:
    desk.tell(order(version=5), application(version=5, amount_fen=700))
    counts = take_in(desk, application(version=4), order(version=4, paid_fen=1))
    assert (counts.inserted, counts.updated) == (frozenset(), frozenset())
    assert desk.one("SELECT amount_fen FROM cases") == 700
    assert desk.one("SELECT paid_fen FROM order_money") == 10_000


def test_bad_rows_are_parked_once(desk: Desk) -> None:
    bad = [
        BadInput("refunds.csv 第 3 行 退款金额", "不是金额：-1"),
        BadInput("refunds.csv 第 9 行", "没有退款编号"),
    ]
    assert arrive.park(desk.conn, 1, bad, "file") == 2
    assert arrive.park(desk.conn, 1, bad, "file") == 0
    assert desk.all("SELECT why FROM parked ORDER BY id") == ["不是金额：-1", "没有退款编号"]


def test_a_shop_is_found_by_its_code(desk: Desk) -> None:
    assert arrive.shop_id(desk.conn, "ming") == 1
    missing = arrive.shop_id(desk.conn, "wu")
    assert isinstance(missing, Refusal)
    assert missing.why == (
        "没有店铺 'wu'（已有：ming）；先添加：aftersale shop add wu --name 名称 --platform tmall"
    )
