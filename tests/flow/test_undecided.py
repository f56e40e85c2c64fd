"""What one shop set too far, or in a way that nobody reads any more, stops no other shop; its cases reach people."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from aftersale.cases import actions
from aftersale.cases.settings import set_settings
from aftersale.core.records import Arrival, Parcel, Record, WarehouseOrder
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order, staff
from tests.flow.posts import applied, deliver, open_to_pushes


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    """Shops ming and hong, each with one case that a rule refunds."""
    made = Desk(embedded_database)
    made.conn.execute("INSERT INTO shop (code, name, platform) VALUES ('hong', '小红的店', 'tmall')")
    staff(made.conn, 2)
    made.conn.commit()
    for shop_id in (1, 2):
        tell(made, shop_id, order(), application())
    yield made
    made.close()


def tell(desk: Desk, shop_id: int, *records: Record) -> None:
    arrivals = [Arrival(r, f"{n}:{r}", desk.now) for n, r in enumerate(records)]
    with desk.conn.transaction():
        actions.merge(desk.conn, actions.staged((shop_id, one) for one in arrivals), desk.now)
        desk.decider.decide(desk.now)


def worker(desk: Desk) -> Worker:
    return Worker(desk.conn, desk.decider, lambda: desk.now)


def kept(desk: Desk, shop_id: int, **settings: object) -> None:
    """As an earlier version kept them; every case is due."""
    with desk.conn.transaction():
        desk.conn.execute("UPDATE shop SET settings = %s WHERE id = %s", (Jsonb(settings), shop_id))
        desk.conn.execute(
            "INSERT INTO look (shop_id, case_id, at) SELECT shop_id, case_id, %s FROM cases"
            " ON CONFLICT (shop_id, case_id) DO UPDATE SET at = excluded.at",
            (desk.now,),
        )


def rules(desk: Desk) -> list[Any]:
    return desk.all("SELECT shop_id, case_id, rule, queue FROM handling ORDER BY 1, 2")


@pytest.mark.parametrize("name", ["unshipped_agree_hours", "no_update_hours", "seven_day_hours"])
@pytest.mark.parametrize("value", [59_999_999, 99_999_999, 10**30])
def test_a_time_kept_too_far_away_counts_as_ten_years(desk: Desk, name: str, value: int) -> None:
    tell(desk, 1, order("T2"), WarehouseOrder("T2", 1, "packing"), application("R2", order_id="T2"))
    sent = order("T3", tracking_no="SF1", shipped=True, order_state="shipped")
    moving = Parcel("SF1", 1, tracking_state="in_transit", tracking_events=1, last_tracking_at=NOON)
    asked = application("R3", order_id="T3", aftersale_type="shipped_refund_only")
    tell(desk, 1, sent, moving, asked)
    before = rules(desk)
    assert ("packing_stop", None) in [row[2:] for row in before]
    kept(desk, 1, **{name: value})
    assert worker(desk).take_due() == 4
    assert rules(desk) == before
    assert desk.all("SELECT shop_id FROM look WHERE at <= %s", desk.now) == []


def test_what_cannot_be_decided_is_peoples_and_keeps_no_other_shop(desk: Desk) -> None:
    tell(desk, 1, order("T2"), application("R2", order_id="T2"))
    first = rules(desk)
    assert {row[2] for row in first} != {"not_decided"}
    desk.wait(minutes=1)
    kept(desk, 1, unshipped_agree_hours="soon")
    assert worker(desk).take_due() == 3
    assert rules(desk) == [
        (1, "R1", "not_decided", "manual"), (1, "R2", "not_decided", "manual"), first[2],
    ]  # fmt: skip
    assert desk.all("SELECT shop_id, case_id, queue, due_at FROM queue_item WHERE shop_id = 1 ORDER BY 2") == [
        (1, "R1", "manual", desk.now + timedelta(hours=1)), (1, "R2", "manual", desk.now + timedelta(hours=1)),
    ]  # fmt: skip
    assert desk.all("SELECT DISTINCT state FROM intent WHERE shop_id = 1 AND money") in ([], ["cancelled"])
    assert desk.all("SELECT at FROM look WHERE shop_id = 1") == [desk.now + timedelta(hours=1)] * 2
    assert worker(desk).take_due() == 0, "once is enough for now"
    decisions = desk.one("SELECT count(*) FROM decision WHERE shop_id = 1")
    desk.wait(hours=1)
    assert worker(desk).take_due() >= 2
    assert desk.one("SELECT count(*) FROM decision WHERE shop_id = 1") == decisions, "said once a version"
    assert set_settings(desk.conn, "ming", {"unshipped_agree_hours": None}, "店主", desk.now) == 2
    worker(desk).take_due()
    assert rules(desk) == first
    assert desk.one("SELECT count(*) FROM parked") == 0


def test_what_a_guard_refuses_is_peoples_and_keeps_no_other_shop(desk: Desk) -> None:
    """More has left the first shop's order than is held for it, so nothing of it may be planned."""
    before = rules(desk)
    tell(desk, 1, application("R9", state="refunded", amount_fen=3_000))
    desk.conn.execute("UPDATE intent SET state = 'cancelled' WHERE money")
    desk.conn.execute("UPDATE order_money SET held_fen = 0")
    desk.conn.execute("UPDATE handling SET decided_version = -1 WHERE case_id = 'R1'")
    desk.conn.commit()
    kept(desk, 1)
    assert worker(desk).take_due() == 3
    assert [row for row in rules(desk) if row[1] == "R1"] == [
        (1, "R1", "not_decided", "manual"), before[1],
    ]  # fmt: skip
    assert desk.all("SELECT shop_id, state FROM intent WHERE money ORDER BY 1") == [
        (1, "cancelled"), (2, "approved"),
    ]  # fmt: skip
    assert desk.all("SELECT shop_id, case_id, queue FROM queue_item") == [(1, "R1", "manual")]
    assert desk.one("SELECT count(*) FROM look WHERE at <= %s", desk.now) == 0


def test_news_of_a_shop_that_cannot_be_decided_is_kept_and_shown_to_people(desk: Desk) -> None:
    reader = open_to_pushes(desk)
    kept(desk, 1, unshipped_agree_hours="soon")
    deliver(desk, "taobao", [applied(case_id="81"), applied(case_id="82")])
    reader.turn()
    assert desk.all("SELECT case_id, queue FROM queue_item WHERE case_id LIKE '8_' ORDER BY 1") == [
        ("81", "manual"), ("82", "manual"),
    ]  # fmt: skip
    assert desk.one("SELECT count(*) FROM arrival_todo") == 0
    assert desk.one("SELECT count(*) FROM parked") == 0


def test_a_case_that_is_over_is_given_to_nobody(desk: Desk) -> None:
    tell(desk, 1, application(version=2, state="closed"))
    kept(desk, 1, unshipped_agree_hours="soon")
    worker(desk).take_due()
    assert desk.all("SELECT case_id FROM queue_item WHERE shop_id = 1") == []
    assert desk.all("SELECT case_id FROM look WHERE shop_id = 1") == []
    assert desk.now == NOON


def test_a_case_that_cannot_even_be_given_to_people_is_parked_and_tried_again(desk: Desk) -> None:
    tell(desk, 1, order("T2"), application("R2", order_id="T2"))
    with psycopg.connect(desk.database.owner) as conn:
        conn.execute("DELETE FROM handling")
        conn.execute("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'numeric_value_out_of_range'; END $$""")
        conn.execute("""CREATE TRIGGER refuse BEFORE INSERT ON handling FOR EACH ROW
            WHEN (NEW.shop_id = 1 AND NEW.case_id = 'R1') EXECUTE FUNCTION refuse()""")
    kept(desk, 1)
    assert worker(desk).take_due() == 3
    assert [row[:2] for row in rules(desk)] == [(1, "R2"), (2, "R1")]
    (parked,) = desk.all("SELECT shop_id, source, place, why FROM parked")
    assert parked[:3] == (1, "decide", "case R1")
    assert parked[3].startswith("NumericValueOutOfRange: no")
    assert desk.all(
        "SELECT case_id FROM look WHERE shop_id = 1 AND at = %s", desk.now + timedelta(hours=1)
    ) == ["R1"]
    assert worker(desk).take_due() == 0
