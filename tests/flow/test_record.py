"""What the record holds whatever the code above it does: constraints, edges of an intent, money that fits."""

from dataclasses import replace

import psycopg
import pytest

from aftersale.cases import actions
from aftersale.cases.actions import Outcome
from aftersale.core.records import Order, OrderLine, Parcel, WarehouseOrder
from tests.flow.desk import NOON, Desk, application, order

MONEY = "SELECT kind, state, amount_fen, platform_version FROM intent WHERE money ORDER BY platform_version, created_at"
SEND = "UPDATE intent SET state = 'sending' WHERE kind = 'agree_refund'"


@pytest.fixture
def agreed(desk: Desk) -> Desk:
    """One approved refund of 50.00 on an order of 100.00."""
    desk.tell(order(), application(zero_second_covered=True))
    assert desk.all(MONEY) == [("agree_refund", "approved", 5_000, 1)]
    return desk


def refused(desk: Desk, *statements: str) -> str:
    """The words with which the database refuses the last statement; all of them are undone."""
    try:
        with desk.conn.transaction():
            for statement in statements:
                desk.conn.execute(statement)
    except psycopg.Error as error:
        return str(error)
    return "nothing was refused"


REFUSED: list[tuple[list[str], str]] = [
        ([SEND, "UPDATE intent SET state = 'approved'"], "sent again unasked"),
        ([SEND, "UPDATE intent SET state = 'approved', outcome = 'again'"], "sent again unasked"),
        ([SEND, "UPDATE intent SET state = 'unknown'", "UPDATE intent SET state = 'approved'"], "only through a query"),
        ([SEND, "UPDATE intent SET state = 'unknown', asked_at = sent_at - interval '1 s'",
          "UPDATE intent SET state = 'approved', outcome = 'later: it'"], "only through a query"),
        ([SEND, "UPDATE intent SET state = 'cancelled'"], "no edge from sending to cancelled"),
        (["UPDATE intent SET state = 'done'"], "approved may be ended only through a query"),
        ([SEND, "UPDATE intent SET state = 'done'", "UPDATE intent SET state = 'sending'"], "no edge from done"),
        ([SEND, "UPDATE intent SET state = 'refused'", "UPDATE intent SET state = 'sending'"], "no edge from refused"),
        ([SEND, "UPDATE intent SET state = 'refused'", "UPDATE intent SET state = 'approved'"], "only a person"),
        (["UPDATE intent SET amount_fen = 5001"], "bound field"),
        (["UPDATE intent SET platform_version = 2"], "bound field"),
        (["UPDATE intent SET order_id = 'T2'"], "bound field"),
        (["UPDATE intent SET money = false, amount_fen = 0"], "bound field"),
        (["DELETE FROM intent"], "append-only"),
        (["TRUNCATE intent"], "permission denied"),
        (["UPDATE order_money SET held_fen = 10001"], "check constraint"),
        (["UPDATE order_money SET held_fen = -1"], "check constraint"),
        (["UPDATE order_money SET paid_fen = 4999"], "check constraint"),
    ]  # fmt: skip


def test_the_application_is_refused(agreed: Desk) -> None:
    for statements, words in REFUSED:
        assert words in refused(agreed, *statements), statements
        assert agreed.all(MONEY) == [("agree_refund", "approved", 5_000, 1)]
        assert agreed.one("SELECT held_fen FROM order_money") == 5_000


APPEND_ONLY = ("decision", "happening", "ledger", "switch_log", "intent")


def test_what_was_written_stays_for_the_owner_and_for_the_application(agreed: Desk) -> None:
    actions.note(agreed.conn, 1, "R1", "客服小明", "已核实", NOON)
    actions.set_switch(agreed.conn, 1, "", True, "盘点", "主管阿兰", NOON)
    agreed.tell(application("R2", state="refunded", amount_fen=1_000))
    with psycopg.connect(agreed.database.owner) as owner:
        for table in APPEND_ONLY:
            for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.RaiseException, match="append-only"), owner.transaction():
                    owner.execute(statement)
            if table == "intent":
                assert "append-only" in refused(agreed, "DELETE FROM intent")
            else:
                assert "permission denied" in refused(agreed, f"UPDATE {table} SET shop_id = shop_id")
                assert "permission denied" in refused(agreed, f"DELETE FROM {table}")
            assert "permission denied" in refused(agreed, f"TRUNCATE {table}")
            assert agreed.one(f"SELECT count(*) FROM {table}") > 0


def test_a_second_live_refund_of_a_case_cannot_be_written(agreed: Desk) -> None:
    copied = (
        "INSERT INTO intent SELECT shop_id, case_id, kind, 2, 1, order_id, money, '{}', 0, 0, due_at, NULL, NULL, NULL,"
        " planned_by, approved_by, NULL, created_at, changed_at FROM intent"
    )
    for state in ("planned", "approved"):
        assert "intent_one_live_money" in refused(agreed, copied.format(state))
    for state in ("sending", "unknown", "done", "with_person", "refused", "cancelled"):
        assert "nothing has become of it" in refused(agreed, copied.format(state))
    assert agreed.one("SELECT count(*) FROM intent WHERE state = 'approved'") == 1


def settle(
    desk: Desk, state: str, case_id: str = "R1", kind: str = "agree_refund", why: str = "拒绝"
) -> None:
    """The platform's answer to an intent that was sent."""
    with desk.conn.transaction():
        row = desk.conn.execute(
            "UPDATE intent SET state = 'sending' WHERE case_id = %s AND kind = %s AND state = 'approved'"
            " RETURNING platform_version, amount_fen, epoch",
            (case_id, kind),
        ).fetchone()
        assert row is not None
        settled = actions.settle(
            desk.conn,
            [Outcome(1, case_id, kind, int(row[0]), int(row[1]), int(row[2]), state, why)],
            desk.now,
        )
        assert settled == 1


def test_an_older_order_does_not_move_the_fence_around_its_money(desk: Desk) -> None:
    desk.tell(order(version=2, paid_fen=3_000))
    desk.tell(order(version=1, paid_fen=10_000))
    assert desk.one("SELECT paid_fen FROM orders") == 3_000
    assert desk.one("SELECT paid_fen FROM order_money") == 3_000


def test_the_fence_falls_back_to_what_was_paid_when_a_hold_is_released(desk: Desk) -> None:
    desk.tell(order(), application(amount_fen=8_000))
    desk.tell(order(version=2, paid_fen=5_000))
    desk.tell(application(version=2, state="closed", amount_fen=8_000))
    assert desk.one("SELECT held_fen FROM order_money") == 0
    desk.tell(application("R2", amount_fen=4_000), application("R3", amount_fen=4_000))
    assert desk.all("SELECT case_id FROM intent WHERE money AND state = 'approved'") == ["R2"]
    assert desk.one("SELECT case_id, queue FROM queue_item") == ("R3", "amount_check")


def test_a_refused_refund_whose_money_another_case_took_goes_to_a_person(desk: Desk) -> None:
    whole = replace(application(zero_second_covered=True), amount_fen=10_000)
    desk.tell(order(), whole)
    settle(desk, "refused")
    desk.tell(replace(whole, case_id="R2"))
    assert desk.all("SELECT case_id FROM intent WHERE money AND state = 'approved'") == ["R2"]
    desk.tell(order(version=2))
    assert desk.one("SELECT rule, queue FROM handling WHERE case_id = 'R1'") == (
        "money_does_not_fit",
        "amount_check",
    )
    assert desk.one("SELECT held_fen FROM order_money") == 10_000
    decisions = "SELECT count(*) FROM decision WHERE case_id = 'R1'"
    assert desk.one(decisions) == 2
    desk.tell(order(version=3))
    assert desk.one(decisions) == 2


def test_a_shipment_that_was_not_stopped_is_not_paid_when_other_news_comes(desk: Desk) -> None:
    desk.tell(order(), application())
    assert desk.all("SELECT kind FROM intent ORDER BY kind") == ["agree_refund", "cancel_shipment"]
    settle(desk, "refused", kind="cancel_shipment")
    assert desk.all(MONEY) == [("agree_refund", "cancelled", 5_000, 1)]
    desk.tell(order(version=2, region="浙江省"))
    assert desk.all(MONEY) == [("agree_refund", "cancelled", 5_000, 1)]
    assert desk.one("SELECT held_fen FROM order_money") == 0
    assert desk.one("SELECT queue FROM queue_item") == "platform_refused"
    desk.tell(order(version=3, shipped=True, tracking_no="YT1"), Parcel("YT1", 1, tracking_state="refused"))
    assert desk.one("SELECT rule FROM handling") == "refund_on_stop"
    assert desk.all(MONEY) == [("agree_refund", "approved", 5_000, 1)]


def test_a_persons_undone_refund_leaves_a_shipment_that_was_not_stopped_with_people(desk: Desk) -> None:
    desk.tell(order(), application())
    settle(desk, "refused", kind="cancel_shipment")
    paid = ("agree_refund", 5_000, 1, "主管阿兰", desk.now)
    assert actions.person_intent(desk.conn, 1, "R1", *paid) is None
    assert desk.all("SELECT queue FROM queue_item") == []
    assert actions.undo(desk.conn, 1, "R1", "agree_refund", "主管阿兰", desk.now) is None
    desk.look()
    assert desk.all(MONEY) == [("agree_refund", "cancelled", 5_000, 1)]
    assert desk.all("SELECT queue FROM queue_item") == ["platform_refused"]


def test_a_change_of_the_buyer_takes_a_case_back_from_the_person_with_the_sms_code(agreed: Desk) -> None:
    settle(agreed, "with_person", why="sms_code")
    assert agreed.one("SELECT queue FROM queue_item") == "platform_refused"
    agreed.tell(application(version=2, amount_fen=4_000, zero_second_covered=True))
    assert agreed.all(MONEY) == [
        ("agree_refund", "cancelled", 5_000, 1),
        ("agree_refund", "approved", 4_000, 2),
    ]
    assert agreed.one("SELECT held_fen FROM order_money") == 4_000
    assert agreed.all("SELECT queue FROM queue_item") == []


def test_what_a_person_paid_with_the_sms_code_is_in_the_ledger(agreed: Desk) -> None:
    settle(agreed, "with_person", why="sms_code")
    agreed.tell(application(version=2, state="refunded"))
    assert agreed.one("SELECT amount_fen, origin FROM ledger") == (5_000, "platform")
    assert agreed.one("SELECT held_fen FROM order_money") == 5_000
    assert agreed.all("SELECT queue FROM queue_item") == []


def test_a_settled_intent_is_not_settled_again_by_a_worker_that_was_thought_dead(agreed: Desk) -> None:
    settle(agreed, "done")
    late = Outcome(1, "R1", "agree_refund", 1, 5_000, 1, "refused", "late")
    with agreed.conn.transaction():
        assert actions.settle(agreed.conn, [late], agreed.now) == 0
    assert agreed.all(MONEY) == [("agree_refund", "done", 5_000, 1)]
    assert agreed.one("SELECT amount_fen, origin FROM ledger") == (5_000, "automatic")


def test_shares_of_a_discount_are_split_over_units_to_the_fen(desk: Desk) -> None:
    line = OrderLine("L1", "P1", "保温杯", None, 3, 2_000, (("shop", 1_000), ("platform", 2)))
    desk.tell(replace(order(), lines=(line,)))
    desk.tell(replace(order(version=2), lines=(line,)))
    assert desk.all("SELECT unit_no, funder, amount_fen FROM order_share ORDER BY funder DESC, unit_no") == [
        (1, "shop", 333), (2, "shop", 333), (3, "shop", 334), (1, "platform", 1), (2, "platform", 1), (3, "platform", 0),
    ]  # fmt: skip


def test_ids_are_kept_exactly(desk: Desk) -> None:
    ids = ["00123", "9007199254740993", "中" * 64, "a b-c_d.e/f", "1e5"]
    desk.tell(*[application(one, order_id=one) for one in ids], *[Order(one, 1) for one in ids])
    assert sorted(desk.all("SELECT case_id FROM cases WHERE case_id = order_id")) == sorted(ids)
    assert desk.one("SELECT count(*) FROM orders") == len(ids)


def test_a_case_decided_in_one_batch_with_its_warehouse_has_one_decision(desk: Desk) -> None:
    desk.tell(
        WarehouseOrder("T1", 1, "unprinted"), order(), application(), Parcel("YT9", 1, tracking_state="lost")
    )
    assert desk.one("SELECT count(*) FROM decision") == 1
    assert desk.all("SELECT tracking_no FROM parcel") == ["YT9"]
