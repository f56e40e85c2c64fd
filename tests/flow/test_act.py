"""What was decided leaves once, whatever happens on the wire; the judge is the sandbox's own ledger."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from aftersale.act.run import Limits
from aftersale.cases import actions
from aftersale.connectors.outcome import Ok
from aftersale.connectors.taobao import mapping, refunds
from aftersale.core.records import Application, Arrival, Order
from tests.conftest import Database
from tests.flow.desk import Desk, application, order
from tests.flow.market import AT_ONCE, MarketDesk, Row, fen, market_desk
from tests.flow.paying import AGREE, CANCEL, GET, approved, calls, fault, held, paid, unshipped
from tests.sandbox.running import START, Running, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "1600", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk


@pytest.mark.parametrize("shop", ["demo1", "demo2"])
def test_what_is_approved_is_paid_once_and_both_ledgers_say_so(market: MarketDesk, shop: str) -> None:
    rows = approved(market, 4, shop)
    before = market.paid_there()
    actor = market.actor()
    agrees = calls(market, AGREE)
    assert actor.turn() == 4
    assert calls(market, AGREE) == agrees + 1
    assert [market.states()[row["refund_id"]] for row in rows] == ["done"] * 4
    new = sorted((row["refund_id"], fen(row)) for row in rows)
    assert market.paid_there() == sorted(before + new)
    assert market.paid_here() == new
    assert set(market.all("SELECT origin FROM ledger")) == {"automatic"}
    assert actor.turn() == 0


def test_an_answer_lost_after_the_effect_is_asked_for_and_paid_once(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    fault(market, AGREE, {"drop_after": True})
    actor, agrees = market.actor(), calls(market, AGREE)
    actor.turn()
    assert (market.states()[row["refund_id"]], paid(market, row), market.paid_here()) == (
        "unknown",
        [fen(row)],
        [],
    )
    assert held(market, row) == fen(row)
    actor.turn()
    assert market.states()[row["refund_id"]] == "done"
    assert market.paid_here() == [(row["refund_id"], fen(row))]
    assert (paid(market, row), calls(market, AGREE)) == ([fen(row)], agrees + 1)


def test_a_question_that_gets_no_answer_leaves_it_unknown(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    fault(market, AGREE, {"drop_after": True})
    actor = market.actor()
    actor.turn()
    fault(market, GET, {"http_500": True})
    agrees = calls(market, AGREE)
    for _ in range(3):
        actor.turn()
        assert market.states()[row["refund_id"]] == "unknown"
    assert calls(market, AGREE) == agrees
    fault(market, GET, {"delay_s": 0.0})
    actor.turn()
    assert market.states()[row["refund_id"]] == "done"
    assert paid(market, row) == [fen(row)]


def test_a_call_lost_before_the_effect_is_asked_for_and_sent_again(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    fault(market, AGREE, {"drop_before": True}, nth=1)
    actor = market.actor()
    actor.turn()
    assert (market.states()[row["refund_id"]], paid(market, row)) == ("unknown", [])
    actor.turn()
    actor.turn()
    assert market.states()[row["refund_id"]] == "done"
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [(row["refund_id"], fen(row))])
    assert market.one("SELECT sends FROM intent WHERE money AND state = 'done'") == 2


def known_as_older(market: MarketDesk, rows: list[Row], older: Row) -> None:
    """We know one application as it was a version ago."""
    top = market.sandbox.top(older["shop"])
    for row in rows:
        found, sold = mapping.application(row), refunds.trade(top, str(row["tid"]))
        assert isinstance(found, Application)
        assert isinstance(sold, Ok)
        bought = mapping.order(sold.body)
        assert isinstance(bought, Order)
        version = found.version - (row is older)
        records = (bought, replace(found, version=version, zero_second_covered=True))
        with market.conn.transaction():
            shop = market.shops[older["shop"]]
            arrivals = [(shop, Arrival(record, repr(record), market.now)) for record in records]
            actions.merge(market.conn, actions.staged(arrivals), market.now)
            market.decider.decide(market.now)


@pytest.mark.parametrize("shop", ["demo1", "demo2"])
def test_a_version_that_is_no_longer_the_platforms_is_refused_and_decided_anew(
    market: MarketDesk, shop: str
) -> None:
    rows = unshipped(market, 3, shop)
    stale = rows[1]
    known_as_older(market, rows, stale)
    actor = market.actor()
    assert actor.turn() == 3
    assert [market.states()[row["refund_id"]] for row in rows] == ["done", "refused", "done"]
    assert [paid(market, row) for row in rows] == [[fen(rows[0])], [], [fen(rows[2])]]
    assert held(market, stale) == 0
    assert market.one("SELECT case_id, queue FROM queue_item") == (stale["refund_id"], "platform_refused")
    market.fetch(stale["refund_id"])
    assert market.all("SELECT queue FROM queue_item") == []
    assert held(market, stale) == fen(stale)
    while actor.turn():
        pass
    assert market.states()[stale["refund_id"]] == "done"
    assert paid(market, stale) == [fen(stale)]
    assert [one[1] for one in market.paid_here()] == [
        one[1] for one in sorted((r["refund_id"], fen(r)) for r in rows)
    ]


def test_a_call_limit_puts_off_and_nothing_is_unknown(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    limited = {
        "code": 7,
        "sub_code": "accesscontrol.limited-by-api-access-count",
        "sub_msg": "last for 1 more second",
    }
    fault(market, AGREE, {"error": limited}, nth=1)
    actor = market.actor()
    actor.turn()
    assert market.one("SELECT state, outcome FROM intent WHERE money AND state = 'approved' AND sends > 0") == (
        "approved", "later: accesscontrol.limited-by-api-access-count",
    )  # fmt: skip
    assert actor.turn() == 0
    market.wait(seconds=1)
    assert actor.turn() == 1
    assert (market.states()[row["refund_id"]], paid(market, row)) == ("done", [fen(row)])


def test_what_needs_an_sms_code_goes_to_a_person_and_is_not_tried_again(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    fault(market, AGREE, {"error": {"code": 15, "sub_code": "isv.sms-code-required", "sub_msg": "SMS"}})
    actor = market.actor()
    actor.turn()
    assert market.states()[row["refund_id"]] == "with_person"
    assert market.one("SELECT queue FROM queue_item") == "platform_refused"
    market.wait(days=1)
    assert actor.turn() == 0
    assert (paid(market, row), held(market, row)) == ([], fen(row))
    assert market.one("SELECT sends FROM intent WHERE money AND state = 'with_person'") == 1


class Died(Exception):
    """The sender's end."""


def dying(market: MarketDesk, nth: int) -> Callable[[], datetime]:
    """A clock at whose n-th question its worker dies: what it held stays as it was."""
    asked = 0

    def now() -> datetime:
        nonlocal asked
        asked += 1
        if asked == nth:
            raise Died
        return market.now

    return now


@pytest.mark.parametrize(
    ("nth", "was_paid"), [(3, False), (4, True)], ids=["before the call", "after the call"]
)
def test_a_worker_that_died_while_sending_is_asked_about_and_never_repeated_unasked(
    market: MarketDesk, nth: int, was_paid: bool
) -> None:
    (row,) = approved(market, 1)
    agrees, gets = calls(market, AGREE), calls(market, GET)
    with pytest.raises(Died):
        market.actor(now=dying(market, nth)).turn()
    assert market.states()[row["refund_id"]] == "sending"
    assert paid(market, row) == ([fen(row)] if was_paid else [])
    assert market.actor(Limits(calls_per_s=2000, lease_s=60)).turn() == 0
    assert market.states()[row["refund_id"]] == "sending"
    heir = market.actor(replace(AT_ONCE, lease_s=0.0))
    heir.turn()
    assert calls(market, GET) == gets + 1
    market.actor().turn()
    assert market.states()[row["refund_id"]] == "done"
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [(row["refund_id"], fen(row))])
    assert calls(market, AGREE) == agrees + 1
    assert market.one("SELECT what FROM happening WHERE kind = 'intent' AND what LIKE 'agree_refund done%%'")


def test_a_shipment_that_cannot_be_stopped_is_not_paid(market: MarketDesk) -> None:
    fault(market, CANCEL, {"error": {"code": 15, "sub_code": "isv.goods-shipped", "sub_msg": "gone"}})
    row = next(row for row in unshipped(market, 50) if "zero_second:0" in row["attribute"])
    market.fetch(row["refund_id"])
    actor, agrees = market.actor(), calls(market, AGREE)
    for _ in range(4):
        actor.turn()
    assert market.states("cancel_shipment")[row["refund_id"]] == "refused"
    assert (market.states()[row["refund_id"]], held(market, row)) == ("cancelled", 0)
    assert (calls(market, AGREE), paid(market, row)) == (agrees, [])
    assert market.one("SELECT queue FROM queue_item") == "platform_refused"
    decided_again(market, row)
    assert market.one("SELECT queue FROM queue_item") == "platform_refused"
    assert (market.states()[row["refund_id"]], held(market, row)) == ("cancelled", 0)


def decided_again(market: MarketDesk, row: Row) -> None:
    """The book says the same once more, as if another rule had spoken in between."""
    case = {"case_id": row["refund_id"], "now": market.now}
    market.conn.execute("UPDATE handling SET decided_version = -1 WHERE case_id = %(case_id)s", case)
    market.conn.execute(
        "INSERT INTO look (shop_id, case_id, at) SELECT shop_id, case_id, %(now)s FROM cases WHERE case_id = %(case_id)s"
        " ON CONFLICT (shop_id, case_id) DO UPDATE SET at = excluded.at",
        case,
    )
    market.conn.commit()
    before = market.one("SELECT count(*) FROM decision WHERE case_id = %s", row["refund_id"])
    while market.worker.turn():
        pass
    assert market.one("SELECT count(*) FROM decision WHERE case_id = %s", row["refund_id"]) == before + 1


def test_a_shop_without_a_platform_keeps_its_intents_and_stops_no_other(market: MarketDesk) -> None:
    Desk.tell(market, order(), application(zero_second_covered=True))
    assert market.one("SELECT state FROM intent WHERE shop_id = 1 AND money") == "approved"
    rows = approved(market, 2)
    market.actor().turn()
    assert [market.states()[row["refund_id"]] for row in rows] == ["done", "done"]
    assert market.one("SELECT state FROM intent WHERE shop_id = 1 AND money") == "approved"


def test_a_sender_whose_lease_is_over_sends_nothing(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    agrees = calls(market, AGREE)
    late = market.actor(replace(AT_ONCE, lease_s=0.0))
    late.turn()
    assert (calls(market, AGREE), paid(market, row)) == (agrees, [])
    assert market.one("SELECT state, outcome FROM intent WHERE money AND case_id = %s", row["refund_id"]) == (
        "approved",
        "later: lease",
    )
    market.actor().turn()
    assert (calls(market, AGREE), paid(market, row)) == (agrees + 1, [fen(row)])


def test_a_shipment_that_only_the_main_account_may_stop_is_not_paid(market: MarketDesk) -> None:
    (row,) = unshipped(market, 1)
    market.fetch(row["refund_id"])
    error = {"code": 15, "sub_code": "subuser.has-no-permission", "sub_msg": "main account"}
    fault(market, CANCEL, {"error": error})
    actor = market.actor()
    while actor.turn():
        pass
    assert market.states("cancel_shipment")[row["refund_id"]] == "with_person"
    assert (market.states()[row["refund_id"]], paid(market, row), held(market, row)) == ("cancelled", [], 0)
    assert market.one("SELECT queue FROM queue_item") == "platform_refused"
