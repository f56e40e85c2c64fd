"""What the platform says late, half, twice or not at all: asked again, settled one by one, paid once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from aftersale.act import run
from aftersale.act.run import Limits
from aftersale.cases import actions
from aftersale.connectors.outcome import Ok, Rejected, Unknown
from aftersale.connectors.taobao import mapping, refunds
from aftersale.core.records import Application, Arrival
from tests.conftest import Database
from tests.flow.market import MarketDesk, Row, fen, market_desk
from tests.flow.paying import AGREE, GET, REVIEW, approved, calls, fault, held, paid
from tests.sandbox.running import START, Running, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "800", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk


def lost(market: MarketDesk, shop: str = "demo2") -> Row:
    """A refund whose call vanished before it had its effect."""
    (row,) = approved(market, 1, shop)
    fault(market, AGREE, {"drop_before": True}, nth=1)
    market.actor(Limits(calls_per_s=2000)).turn()
    assert (market.states()[row["refund_id"]], paid(market, row)) == ("unknown", [])
    return row


def pay_there(market: MarketDesk, row: Row) -> None:
    """The effect of our first call shows, late."""
    top = market.sandbox.top(row["shop"])
    body = refunds.detail(top, row["refund_id"])
    assert isinstance(body, Ok)
    version, phase = int(body.body["refund_version"]), ""
    if row["shop"] == "demo1":
        phase = str(body.body["refund_phase"])
        refunds.review(top, row["refund_id"], version=version, phase=phase, operator="w", message="w")
    one = refunds.Agreement(row["refund_id"], fen(row), version, phase)
    assert isinstance(refunds.agree(top, [one])[row["refund_id"]], Ok)


def test_not_done_is_heard_twice_before_money_is_sent_again(market: MarketDesk) -> None:
    row = lost(market)
    agrees, actor = calls(market, AGREE), market.actor()
    actor.turn()
    assert market.one("SELECT state, nones, sends FROM intent WHERE money AND sends > 0") == ("unknown", 1, 1)
    assert calls(market, AGREE) == agrees
    actor.turn()
    assert market.one("SELECT state, nones, sends FROM intent WHERE money AND sends > 0") == ("done", 0, 2)
    assert (paid(market, row), calls(market, AGREE)) == ([fen(row)], agrees + 1)


@pytest.mark.parametrize("shop", ["demo1", "demo2"])
def test_an_effect_that_shows_after_two_answers_not_done_ends_done_once(
    market: MarketDesk, shop: str
) -> None:
    row = lost(market, shop)
    actor = market.actor()
    actor.turn()
    pay_there(market, row)
    _answer_not_done(market, row)
    actor.turn()
    assert market.one("SELECT state, sends FROM intent WHERE money AND sends > 0") == ("done", 2)
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [(row["refund_id"], fen(row))])
    assert held(market, row) == fen(row)
    assert market.all("SELECT queue FROM queue_item") == []


def _answer_not_done(market: MarketDesk, row: Row) -> None:
    """The second question was answered before the effect showed."""
    query = "UPDATE intent SET asked_at = clock_timestamp(), nones = nones + 1 WHERE case_id = %s AND money"
    market.conn.execute(query, (row["refund_id"],))
    market.conn.execute(
        "UPDATE intent SET state = 'approved', outcome = 'later: not done' WHERE case_id = %s AND money",
        (row["refund_id"],),
    )
    market.conn.commit()


@pytest.mark.parametrize("do", [{"http_500": True}, {"garbage": True}, {"drop_after": True}])
def test_a_send_without_a_readable_answer_is_unknown_and_paid_once(
    market: MarketDesk, do: dict[str, Any]
) -> None:
    (row,) = approved(market, 1)
    fault(market, AGREE, do, nth=1)
    actor = market.actor()
    actor.turn()
    assert market.states()[row["refund_id"]] == "unknown"
    assert market.paid_here() == []
    for _ in range(3):
        actor.turn()
    assert market.states()[row["refund_id"]] == "done"
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [(row["refund_id"], fen(row))])


@pytest.mark.parametrize("do", [{"http_500": True}, {"garbage": True}, {"drop_before": True}])
def test_a_question_without_a_readable_answer_counts_for_nothing(
    market: MarketDesk, do: dict[str, Any]
) -> None:
    row = lost(market)
    fault(market, GET, do)
    agrees, actor = calls(market, AGREE), market.actor()
    for _ in range(3):
        actor.turn()
    assert market.one("SELECT state, nones FROM intent WHERE money AND sends > 0") == ("unknown", 0)
    assert (calls(market, AGREE), held(market, row)) == (agrees, fen(row))


def test_a_question_that_is_refused_goes_to_a_person_and_frees_nothing(market: MarketDesk) -> None:
    row = lost(market)
    fault(market, GET, {"error": {"code": 15, "sub_code": "isv.refund-not-exist", "sub_msg": "none"}})
    market.actor().turn()
    assert market.states()[row["refund_id"]] == "with_person"
    assert market.one("SELECT queue FROM queue_item") == "platform_refused"
    assert held(market, row) == fen(row)


def test_questions_lie_apart(market: MarketDesk) -> None:
    row = lost(market)
    gets, actor = calls(market, GET), market.actor(Limits(calls_per_s=2000))
    for _ in range(5):
        actor.turn()
    assert calls(market, GET) == gets
    assert market.states()[row["refund_id"]] == "unknown"


@pytest.mark.parametrize(
    ("told", "states"),
    [
        ([], ["unknown", "unknown", "unknown"]),
        ([("2", True), ("1", True)], ["done", "done", "unknown"]),
        ([("9", True), ("3", False)], ["unknown", "unknown", "refused"]),
        ([("1", True), ("1", False), ("2", True), ("2", True)], ["unknown", "done", "unknown"]),
        ([("1", None), ("2", "yes")], ["unknown", "unknown", "unknown"]),
    ],
    ids=["none named", "reordered, one missing", "one not ours", "named twice", "no verdict"],
)
def test_of_a_batch_each_refund_gets_its_own_outcome(
    told: list[tuple[str, object]], states: list[str]
) -> None:
    rows = [{"refund_id": refund_id, "succ": succ, "message": "no"} for refund_id, succ in told]
    client = _Answers({"results": {"refund_mapping_result": rows}})
    answers = refunds.agree(client, [refunds.Agreement(one, 100, 1) for one in ("1", "2", "3")])  # type: ignore[arg-type]
    names = {Ok: "done", Unknown: "unknown", Rejected: "refused"}
    assert [names[type(answers[one])] for one in ("1", "2", "3")] == states


@pytest.mark.parametrize("body", [{}, {"results": []}, {"results": {"refund_mapping_result": "x"}}])
def test_an_answer_of_another_shape_tells_nothing(body: dict[str, Any]) -> None:
    answer = refunds.agree(_Answers(body), [refunds.Agreement("1", 100, 1)])  # type: ignore[arg-type]
    assert isinstance(answer["1"], Unknown)


class _Answers:
    """A platform that answers everything with one body."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body

    def call(self, *_: object, **__: object) -> Ok:
        return Ok(self.body)


def test_an_expired_authorisation_stops_its_shop_alone_and_loses_nothing(market: MarketDesk) -> None:
    ours, others = approved(market, 2, "demo2"), approved(market, 1, "demo1")
    market.conn.execute("UPDATE shop SET session_key = 'over' WHERE code = 'demo2'")
    market.conn.commit()
    actor = market.actor()
    while actor.turn():
        pass
    states = market.states()
    assert [states[row["refund_id"]] for row in [*ours, *others]] == ["approved", "approved", "done"]
    assert [held(market, row) for row in ours] == [fen(row) for row in ours]
    shop, action, by, why = market.one("SELECT shop_id, action, by_whom, why FROM switch WHERE stopped")
    assert (shop, action, by) == (market.shops["demo2"], "", "breaker:authorisation")
    assert why.startswith("平台授权已失效，请店主重新授权")
    assert market.one("SELECT count(*) FROM switch_log WHERE by_whom LIKE 'breaker:%%'") == 1
    market.wait(seconds=6)
    actor.turn()
    assert sorted(market.all("SELECT case_id FROM queue_item WHERE queue = 'over_budget'")) == sorted(
        row["refund_id"] for row in ours
    )
    market.conn.execute("UPDATE shop SET session_key = 'session-demo2' WHERE code = 'demo2'")
    market.conn.execute("UPDATE switch SET stopped = false")
    market.conn.commit()
    while actor.turn():
        pass
    assert [paid(market, row) for row in ours] == [[fen(row)] for row in ours]
    assert market.all("SELECT queue FROM queue_item") == []


def test_what_waits_for_a_person_ends_with_what_the_platform_decides(market: MarketDesk) -> None:
    refunded, closed = approved(market, 2)
    fault(market, AGREE, {"error": {"code": 15, "sub_code": "isv.sms-code-required", "sub_msg": "SMS"}})
    market.actor().turn()
    assert [market.states()[row["refund_id"]] for row in (refunded, closed)] == ["with_person"] * 2
    market.sandbox.control.faults({})
    pay_there(market, refunded)
    market.fetch(refunded["refund_id"])
    _tell(market, closed, state="closed")
    assert [market.states()[row["refund_id"]] for row in (refunded, closed)] == ["done", "cancelled"]
    assert market.all("SELECT case_id, amount_fen, origin FROM ledger") == [
        (refunded["refund_id"], fen(refunded), "platform")
    ]
    assert (held(market, refunded), held(market, closed)) == (fen(refunded), 0)


def test_a_refund_that_the_platform_takes_back_is_written_once_and_a_person_is_told(
    market: MarketDesk,
) -> None:
    (row,) = approved(market, 1)
    market.actor().turn()
    market.fetch(row["refund_id"])
    assert market.all("SELECT entry, amount_fen FROM ledger") == [(1, fen(row))]
    for _ in range(3):
        _tell(market, row, state="applied")
        assert market.all("SELECT entry, amount_fen FROM ledger ORDER BY entry") == [
            (1, fen(row)),
            (2, -fen(row)),
        ]
        assert held(market, row) == 0
        assert market.one("SELECT queue FROM queue_item") == "reversed"
    _tell(market, row, state="refunded", later=2)
    assert market.all("SELECT entry, amount_fen, origin FROM ledger ORDER BY entry")[2:] == [
        (3, fen(row), "platform")
    ]
    assert held(market, row) == fen(row)


def _tell(market: MarketDesk, row: Row, state: str, later: int = 1) -> None:
    """The platform shows the application in another state, `later` versions after the one it has."""
    answer = refunds.detail(market.sandbox.top(row["shop"]), row["refund_id"])
    assert isinstance(answer, Ok)
    found = mapping.application(answer.body)
    assert isinstance(found, Application)
    record = replace(found, version=found.version + later, state=state)
    _merge(market, row, record)


def _merge(market: MarketDesk, row: Row, record: Application) -> None:
    with market.conn.transaction():
        arrivals = [(market.shops[row["shop"]], Arrival(record, repr(record), market.now))]
        actions.merge(market.conn, actions.staged(arrivals), market.now)
        market.decider.decide(market.now)


def test_after_a_restore_what_is_approved_is_asked_about_first(market: MarketDesk) -> None:
    """One was paid after the backup: it ends done without a call. The other is sent, once asked about."""
    known, unknown = approved(market, 2)
    pay_there(market, known)
    market.conn.execute(
        "INSERT INTO instance (fingerprint, reconcile_since, reconcile_why) VALUES ('x', clock_timestamp(), 'restore')"
        " ON CONFLICT (single) DO UPDATE SET reconcile_since = clock_timestamp(), reconcile_why = 'restore'"
    )
    market.conn.commit()
    fault(market, GET, {"http_500": True})
    agrees, actor = calls(market, AGREE), market.actor()
    for _ in range(3):
        actor.turn()
    assert calls(market, AGREE) == agrees
    market.sandbox.control.faults({})
    actor.turn()
    assert market.states()[known["refund_id"]] == "done"
    assert market.one("SELECT sends FROM intent WHERE money AND case_id = %s", known["refund_id"]) == 0
    while actor.turn():
        pass
    assert [market.states()[one["refund_id"]] for one in (known, unknown)] == ["done", "done"]
    assert [paid(market, one) for one in (known, unknown)] == [[fen(known)], [fen(unknown)]]
    assert market.paid_here() == sorted((one["refund_id"], fen(one)) for one in (known, unknown))


def test_nothing_ends_that_was_never_sent_but_by_a_question(market: MarketDesk) -> None:
    approved(market, 1)
    for state in ("done", "refused"):
        with pytest.raises(psycopg.errors.RaiseException, match="only through a query"):
            market.conn.execute("UPDATE intent SET state = %s WHERE money AND state = 'approved'", (state,))
        market.conn.rollback()


def test_the_payee_is_bound(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    payee = market.one("SELECT payee FROM intent WHERE money AND case_id = %s", row["refund_id"])
    order = "SELECT buyer_ref FROM orders WHERE order_id = %s"
    assert payee == market.one(order, str(row["tid"]))
    with pytest.raises(psycopg.errors.RaiseException, match="bound field"):
        market.conn.execute("UPDATE intent SET payee = '外人老吴' WHERE money")
    market.conn.rollback()


def test_a_sender_told_to_stop_begins_no_call_and_leaves_nothing_in_doubt(market: MarketDesk) -> None:
    rows = approved(market, 3)
    agrees = calls(market, AGREE)
    told = iter([False, *[True] * 20])
    actor = market.actor()
    actor._stopping = lambda: next(told)
    actor.turn()
    assert calls(market, AGREE) == agrees
    assert [market.states()[row["refund_id"]] for row in rows] == ["approved"] * 3


def test_what_is_put_off_is_never_put_off_beyond_the_margin_of_its_deadline(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    deadline = market.now + timedelta(minutes=40)
    market.conn.execute("UPDATE intent SET deadline_at = %s WHERE money", (deadline,))
    market.conn.commit()
    limited = {"code": 7, "sub_code": "accesscontrol.limited", "sub_msg": "last for 3600 more seconds"}
    fault(market, AGREE, {"error": limited}, nth=1)
    market.actor().turn()
    due_at, outcome = market.one("SELECT due_at, outcome FROM intent WHERE money AND sends > 0")
    assert due_at == deadline - timedelta(minutes=30)
    assert outcome == "later: accesscontrol.limited，不晚于截止前"
    assert market.one("SELECT what FROM happening WHERE what LIKE '%%不晚于截止前'").startswith(
        "agree_refund approved"
    )
    market.conn.execute("UPDATE call_pace SET blocked_until = NULL")
    market.conn.commit()
    market.wait(minutes=10)
    market.actor().turn()
    assert (market.states()[row["refund_id"]], paid(market, row)) == ("done", [fen(row)])


def test_a_switch_thrown_between_review_and_payment_holds_back_the_payment(
    market: MarketDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "SWITCH_S", -1.0)
    (row,) = approved(market, 1, "demo1")
    reviews, agrees, asked = calls(market, REVIEW), calls(market, AGREE), 0

    def now() -> datetime:
        nonlocal asked
        asked += 1
        if asked == 3:  # the sweep, the claim, the review
            actions.set_switch(market.conn, 0, "", True, "出事了", "主管阿兰", market.now)
        return market.now

    actor = market.actor(Limits(calls_per_s=2000), now)
    while actor.turn():
        pass
    assert (calls(market, REVIEW), calls(market, AGREE), paid(market, row)) == (reviews + 1, agrees, [])
    assert market.one("SELECT state, outcome FROM intent WHERE money AND sends > 0") == (
        "approved",
        "later: lease",
    )
