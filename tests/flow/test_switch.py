"""The kill switch: nothing leaves after it, everything goes on when it is released, nothing is lost or doubled."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from aftersale.act.run import Actor, Limits
from aftersale.cases import actions
from aftersale.core.records import Arrival
from aftersale.core.refusal import Refusal
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import Desk, application, order
from tests.flow.market import MarketDesk, market_desk
from tests.sandbox.running import START, Running, running


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "1", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk


def tell(market: MarketDesk, shop: str, case_id: str) -> None:
    """A case that the sandbox does not know: every call about it is refused, so that we see what was sent."""
    bought, applied = (
        order(f"9{case_id}"),
        application(case_id, order_id=f"9{case_id}", zero_second_covered=True),
    )
    with market.conn.transaction():
        arrivals = [(market.shops[shop], Arrival(one, repr(one), market.now)) for one in (bought, applied)]
        actions.merge(market.conn, actions.staged(arrivals), market.now)
        market.decider.decide(market.now)


def stop(desk: Desk, shop_id: int, action: str, stopped: bool = True) -> Refusal | None:
    return actions.set_switch(desk.conn, shop_id, action, stopped, "盘点", "主管阿兰", desk.now)


def sent(market: MarketDesk) -> list[str]:
    return market.all(
        "SELECT case_id FROM intent WHERE state NOT IN ('approved', 'cancelled') ORDER BY case_id"
    )


@pytest.mark.parametrize(
    ("where", "action", "goes"),
    [
        (0, "", []),
        ("demo1", "", ["21", "22"]),
        ("demo2", "", ["11", "12"]),
        ("demo2", "agree_refund", ["11", "12"]),
        (0, "agree_refund", []),
        (0, "intercept", ["11", "12", "21", "22"]),
        ("demo1", "message", ["11", "12", "21", "22"]),
    ],
)
def test_a_switch_stops_what_it_names_and_a_release_lets_it_go(
    market: MarketDesk, where: int | str, action: str, goes: list[str]
) -> None:
    for case_id in ("11", "12"):
        tell(market, "demo1", case_id)
        tell(market, "demo2", f"2{case_id[1]}")
    shop_id = market.shops[where] if isinstance(where, str) else where
    actor = market.actor()
    assert stop(market, shop_id, action) is None
    while actor.turn():
        pass
    assert sent(market) == goes
    stop(market, shop_id, action, stopped=False)
    while actor.turn():
        pass
    assert sent(market) == ["11", "12", "21", "22"]
    assert market.all("SELECT stopped FROM switch_log ORDER BY id") == [True, False]


def switching(market: MarketDesk, after: int) -> Callable[[], datetime]:
    """A clock at whose question number `after` a colleague throws the switch."""
    conn, asked = opened(market.database.app), 0

    def now() -> datetime:
        nonlocal asked
        asked += 1
        if asked == after:
            actions.set_switch(conn, 0, "", True, "出事了", "主管阿兰", market.now)
        return market.now

    return now


def test_a_switch_thrown_between_two_calls_holds_back_the_second(market: MarketDesk) -> None:
    for n in range(5):
        tell(market, "demo2", f"3{n}")
        tell(market, "demo1", f"4{n}")
    market.conn.execute("UPDATE intent SET deadline_at = %s WHERE case_id LIKE '3_'", (market.now,))
    market.conn.commit()
    actor = market.actor(Limits(calls_per_s=2000), switching(market, 3))
    while actor.turn():
        pass
    assert sent(market) == ["30", "31", "32", "33", "34"]
    assert market.one("SELECT count(*) FROM intent WHERE state = 'approved'") == 5


def test_items_of_one_claim_are_stopped_as_well(market: MarketDesk) -> None:
    """Messages leave one by one: the first is out when the switch is thrown, the others stay."""
    for n in range(4):
        tell(market, "demo2", f"5{n}")
    market.conn.execute(
        "INSERT INTO intent SELECT shop_id, case_id, 'message:guide_refuse_parcel', 1, 0, order_id, false, 'approved', 0, 0,"
        " due_at, deadline_at, NULL, NULL, planned_by, approved_by, NULL, created_at, changed_at FROM intent"
    )
    market.conn.commit()
    stop(market, 0, "agree_refund")
    actor = market.actor(Limits(calls_per_s=2000), switching(market, 3))
    while actor.turn():
        pass
    query = "SELECT state, count(*) FROM intent WHERE kind LIKE 'message%%' GROUP BY 1 ORDER BY 1"
    assert market.all(query) == [("approved", 3), ("refused", 1)]
    assert market.all("SELECT DISTINCT outcome FROM intent WHERE sends > 0 AND state = 'approved'") == [
        "later: stopped"
    ]


def test_a_switch_wants_a_reason(desk: Desk) -> None:
    refused = actions.set_switch(desk.conn, 0, "", True, " ", "外人老吴", desk.now)
    assert refused is not None
    assert refused.code == "no_reason"
    assert desk.all("SELECT * FROM switch") == []


class Load:
    """Many refunds of one shop and several senders; the switch is thrown at the n-th question for the time."""

    def __init__(self, market: MarketDesk, thrown_at: int, shop_id: int, action: str) -> None:
        self.market, self.thrown_at, self.where = market, thrown_at, (shop_id, action)
        self.conn = opened(market.database.app)
        self.lock, self.asked, self.calls_then = threading.Lock(), 0, -1

    def now(self) -> datetime:
        with self.lock:
            self.asked += 1
            if self.asked == self.thrown_at:
                actions.set_switch(self.conn, *self.where, True, "出事了", "主管阿兰", self.market.now)
                self.calls_then = agreed(self.market)
        return self.market.now

    def run(self, senders: int) -> None:
        actors = [self.market.actor(Limits(calls_per_s=2000, claim_max=5), self.now) for _ in range(senders)]
        with ThreadPoolExecutor(senders) as pool:
            list(pool.map(rest, actors))


def rest(actor: Actor) -> None:
    """Turns until three in a row had nothing to do."""
    idle = 0
    for _ in range(200):
        idle = 0 if actor.turn() else idle + 1
        if idle == 3:
            return
    raise AssertionError("the sender never comes to rest")


def agreed(market: MarketDesk) -> int:
    """Calls that would pay, as the sandbox counted them."""
    return sum(count for name, count in market.sandbox.control.calls().items() if "refunds.agree" in name)


@pytest.mark.parametrize("thrown_at", [1, 6, 11])
@pytest.mark.parametrize(
    ("shop", "action"),
    [
        (None, ""),
        ("demo2", ""),
        ("demo2", "agree_refund"),
        ("demo2", "automatic_money"),
        (None, "automatic_money"),
    ],
)
def test_thrown_under_load_by_several_senders_begins_no_new_call(
    market: MarketDesk, shop: str | None, action: str, thrown_at: int
) -> None:
    """P17: every sender reads the switch before each call, so at most the one call each is in goes on."""
    for n in range(40):
        tell(market, "demo2", f"7{n:02}")
    load = Load(market, thrown_at, market.shops[shop] if shop else 0, action)
    load.run(4)
    assert load.calls_then >= 0
    assert agreed(market) - load.calls_then <= 4
    waiting = market.one("SELECT count(*) FROM intent WHERE state = 'approved'")
    assert waiting > 0
    after = agreed(market)
    rest(market.actor())  # a process that starts later
    assert agreed(market) == after
    stop(market, load.where[0], action, stopped=False)
    market.conn.execute("UPDATE shop SET settings = settings || '{\"error_ratio_max\": 100}'")
    market.conn.commit()
    rest(market.actor())
    assert len(sent(market)) == 40
    assert market.one("SELECT max(sends) FROM intent WHERE sends > 2") is None
