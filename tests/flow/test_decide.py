"""What happens to one application, from news to decision to intent."""

from datetime import timedelta

from aftersale.core.records import WarehouseOrder
from tests.flow.desk import NOON, Desk, application, order


def test_a_small_unshipped_refund_is_agreed_once(desk: Desk) -> None:
    desk.tell(order(), WarehouseOrder("T1", 1, "unprinted", False, False), application())
    assert desk.one("SELECT rule, action, queue, amount_fen FROM handling")[1:] == (
        "auto_refund",
        None,
        5_000,
    )
    assert desk.one("SELECT kind, amount_fen, state, platform_version FROM intent WHERE money") == (
        "agree_refund",
        5_000,
        "approved",
        1,
    )
    assert desk.one("SELECT held_fen FROM order_money") == 5_000
    desk.tell(application())
    assert desk.one("SELECT count(*) FROM decision") == 1
    assert desk.all("SELECT kind FROM intent ORDER BY kind") == ["agree_refund", "cancel_shipment"]
    assert desk.one("SELECT held_fen FROM order_money") == 5_000


def test_a_changed_amount_replaces_the_intent_and_its_hold(desk: Desk) -> None:
    desk.tell(order(), application())
    desk.tell(application(version=2, amount_fen=4_000))
    assert desk.all("SELECT amount_fen, state FROM intent WHERE money ORDER BY platform_version") == [
        (5_000, "cancelled"),
        (4_000, "approved"),
    ]
    assert desk.one("SELECT held_fen FROM order_money") == 4_000


def test_an_older_version_changes_nothing(desk: Desk) -> None:
    desk.tell(order(), application(version=2, amount_fen=4_000))
    desk.tell(application(version=1))
    assert desk.one("SELECT amount_fen, application_version FROM cases") == (4_000, 2)
    assert desk.one("SELECT count(*) FROM decision") == 1


def test_several_events_of_a_case_in_one_batch_end_as_the_newest(desk: Desk) -> None:
    desk.tell(
        application(version=3, state="closed"), order(), application(), application(version=2, amount_fen=1)
    )
    assert desk.one("SELECT state, application_version FROM cases") == ("closed", 3)
    assert desk.all("SELECT kind FROM intent") == []


def test_a_withdrawn_application_cancels_what_has_not_left(desk: Desk) -> None:
    desk.tell(order(), application())
    desk.tell(application(version=2, state="closed"))
    assert desk.one("SELECT state FROM intent WHERE money") == "cancelled"
    assert desk.one("SELECT held_fen FROM order_money") == 0


def test_two_cases_of_one_order_never_hold_more_than_was_paid(desk: Desk) -> None:
    desk.tell(order(), application("R1", amount_fen=6_000), application("R2", amount_fen=6_000))
    assert desk.one("SELECT held_fen FROM order_money") == 6_000
    assert desk.all("SELECT case_id FROM intent WHERE money") == ["R1"]
    assert desk.one("SELECT case_id, queue FROM queue_item") == ("R2", "amount_check")


def test_an_application_without_its_order_pays_nothing_and_asks_for_the_order(desk: Desk) -> None:
    desk.tell(application())
    assert desk.all("SELECT kind FROM intent WHERE money") == []
    assert desk.one("SELECT kind, external_id FROM to_fetch") == ("order", "T1")
    desk.tell(order())
    assert desk.one("SELECT kind, state FROM intent WHERE money") == ("agree_refund", "approved")


def test_money_the_platform_paid_is_in_the_ledger_and_closes_the_order(desk: Desk) -> None:
    desk.tell(order(), application(state="refunded"))
    assert desk.one("SELECT amount_fen, origin FROM ledger") == (5_000, "platform")
    assert desk.one("SELECT held_fen FROM order_money") == 5_000


def test_a_case_is_looked_at_when_its_decision_changes_and_not_before(desk: Desk) -> None:
    locked = order(locked_until=NOON + timedelta(hours=12), promo="double11")
    desk.tell(locked, application())
    assert desk.one("SELECT action FROM handling") == "queue_refund"
    assert desk.one("SELECT at FROM look") == NOON + timedelta(hours=12)
    desk.wait(hours=11, minutes=59)
    assert desk.look() == 0
    desk.wait(minutes=1)
    assert desk.look() == 1
    assert desk.one("SELECT kind, amount_fen, state FROM intent WHERE money") == (
        "agree_refund",
        5_000,
        "approved",
    )
