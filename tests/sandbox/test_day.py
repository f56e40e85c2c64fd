"""A promotion day: its shape, its end, and that the seed alone decides."""

from collections import Counter
from datetime import timedelta

from aftersale.connectors.outcome import Ok
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.mapping import application, order
from aftersale.core.records import Application, BadInput, Order
from tests.sandbox.cases import agreement, fen, waiting
from tests.sandbox.running import SHANGHAI, START, Running, running


def test_a_full_day_is_understood_and_has_the_fields_shape() -> None:
    with running("--applications", "3000", "--shops", "2") as one:
        state = one.control.jump(START + timedelta(days=1))
        assert (state.arrivals_left, state.behind) == (0, False)
        records = [application(row) for row in one.control.applications()]
    assert [record for record in records if isinstance(record, BadInput)] == []
    told = [record for record in records if isinstance(record, Application)]
    hours = Counter(record.applied_at.astimezone(SHANGHAI).hour for record in told if record.applied_at)
    for peak in (0, 10, 14, 20):
        assert hours[peak] > 1.5 * hours[(peak - 1) % 24 or 5]
    types = Counter(record.aftersale_type for record in told)
    assert 0.35 < types["unshipped_refund_only"] / len(told) < 0.6
    assert 0.15 < types["return_refund"] / len(told) < 0.33
    assert {"exchange", "freight_refund", "price_diff_refund", "repair", "resend"} <= set(types)
    assert len({record.reason for record in told}) >= 20
    assert all(record.amount_fen and record.amount_fen > 0 for record in told)


def test_orders_are_understood_and_their_lines_sum_up(morning: Running) -> None:
    top = morning.top("demo1")
    rows = [row for row in morning.control.applications() if row["shop"] == "demo1"][:40]
    for row in rows:
        answer = refunds.trade(top, str(row["tid"]))
        assert isinstance(answer, Ok)
        record = order(answer.body)
        assert isinstance(record, Order)
        assert record.paid_fen == sum(line.paid_fen for line in record.lines) + (record.freight_fen or 0)
        discounts = sum(share for line in record.lines for _, share in line.shares)
        assert record.item_value_fen == sum(line.paid_fen for line in record.lines) + discounts
        assert str(row["oid"]) in [line.line_id for line in record.lines]


def test_with_a_silent_seller_everything_ends_and_each_is_paid_once() -> None:
    with running("--applications", "600", "--shops", "2") as one:
        state = one.control.jump(START + timedelta(days=40))
        assert set(state.by_status) == {"SUCCESS", "CLOSED"}
        ledger = one.control.ledger()
        assert len({entry.refund_id for entry in ledger}) == len(ledger)
        assert {entry.by for entry in ledger} == {"platform"}
        rows = {row["refund_id"]: row for row in one.control.applications()}
        assert all(entry.amount_fen == fen(rows[entry.refund_id]) for entry in ledger)
        unpaid = {row["dispute_type"] for key, row in rows.items() if row["status"] == "SUCCESS"} - {
            rows[entry.refund_id]["dispute_type"] for entry in ledger
        }
        assert unpaid <= {"TMALL_EXCHANGE", "TAOBAO_EXCHANGE", "REPAIR", "RESHIPPING"}


def _scripted_day(seed: str) -> list[tuple[object, ...]]:
    """A seller who agrees to the smallest ten at noon, then sleeps."""
    with running("--applications", "200", "--shops", "2", "--seed", seed) as one:
        one.control.jump(START + timedelta(hours=12))
        small = sorted(waiting(one, "demo2"), key=lambda row: (fen(row), row["refund_id"]))[:10]
        refunds.agree(one.top("demo2"), [agreement(row) for row in small])
        one.control.jump(START + timedelta(days=40))
        entries = one.control.ledger()
        return [(entry.refund_id, entry.amount_fen, entry.by, entry.at) for entry in entries]


def _to_second(one: Running, entry: object) -> object:
    at = entry.at
    return at if entry.by == "platform" else at.replace(microsecond=0)


def test_the_same_seed_and_seller_make_the_same_ledger() -> None:
    first = _scripted_day("11")
    assert Counter(by for _, _, by, _ in first)["seller"] == 10
    assert _scripted_day("11") == first
    assert _scripted_day("12") != first
