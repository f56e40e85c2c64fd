"""Who is served next: the nearest deadline, without anybody starving; counted in turns, no clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.act.claim import Claims
from aftersale.act.due import Due, Waiting, within
from aftersale.act.run import Actor, Limits
from aftersale.cases import actions
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import staff
from tests.flow.market import AT_ONCE, MarketDesk, fen, market_desk
from tests.flow.paying import approved
from tests.sandbox.running import START, Running, running

NOON = datetime(2026, 11, 11, 4, tzinfo=UTC)
BIG, SMALL = 1, range(2, 52)


def due(shop_id: int, case_id: str, minutes: int | None, amount_fen: int = 0, automatic: bool = False) -> Due:
    deadline_at = None if minutes is None else NOON + timedelta(minutes=minutes)
    return Due(shop_id, case_id, "agree_refund", 1, amount_fen, automatic, deadline_at)


def test_the_most_urgent_shop_and_the_one_that_waited_longest_take_turns() -> None:
    waiting = Waiting()
    waiting.fill([due(1, "a", 5), due(1, "b", 6), due(2, "c", 9), due(3, "d", None)])
    assert [waiting.take(1)[0].case_id for _ in range(4)] == ["a", "c", "b", "d"]
    assert not waiting


def test_beside_a_big_shop_with_nearer_deadlines_no_small_one_waits_long() -> None:
    """The big shop never runs dry: each listing brings it new work that is more urgent than all others'."""
    waiting, served, turns = Waiting(), set[int](), 0
    left = set(SMALL)
    while left:
        waiting.fill(
            [due(BIG, f"b{turns}-{n}", 1) for n in range(60)] + [due(shop, "s", 600) for shop in sorted(left)]
        )
        taken = waiting.take(60)
        turns += 1
        served.add(taken[0].shop_id)
        left.discard(taken[0].shop_id)
    assert served == {BIG, *SMALL}
    assert turns <= 2 * (len(SMALL) + 1)


def test_beside_an_urgent_small_shop_the_big_one_is_not_starved() -> None:
    waiting, turns = Waiting(), []
    for n in range(20):
        waiting.fill([due(BIG, "b", 600), due(2, f"s{n}", 1)])
        turns.append(waiting.take(1)[0].shop_id)
    assert turns.count(BIG) == 10


@given(
    st.lists(st.tuples(st.integers(1, 500), st.booleans()), max_size=12),
    st.integers(0, 8),
    st.integers(0, 1500),
)
def test_automatic_money_goes_in_its_order_until_the_budget_and_all_else_goes(
    rows: list[tuple[int, bool]], refunds: int, left_fen: int
) -> None:
    wanted = [due(1, str(n), n, amount, automatic) for n, (amount, automatic) in enumerate(rows)]
    go, over = within(wanted, refunds, left_fen)
    spent = [one.amount_fen for one in go if one.automatic]
    assert sorted([*go, *over], key=lambda one: int(one.case_id)) == wanted
    assert (len(spent) <= refunds, sum(spent) <= left_fen) == (True, True)
    assert all(one.automatic for one in over)
    if over:
        assert len(spent) == refunds or sum(spent) + over[0].amount_fen > left_fen
        assert [one for one in wanted if one.automatic] == [one for one in go if one.automatic] + over


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "800", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        yield desk


def test_after_two_hours_without_a_worker_the_overdue_go_first_by_deadline(market: MarketDesk) -> None:
    rows = approved(market, 4)
    for minutes, row in zip((30, -20, 10, -50), rows, strict=True):
        market.conn.execute(
            "UPDATE intent SET deadline_at = %s WHERE case_id = %s",
            (market.now + timedelta(minutes=minutes), row["refund_id"]),
        )
    market.conn.commit()
    before = market.sandbox.control.ledger()
    actor = market.actor(Limits(calls_per_s=2000, ask_after_s=0.0, claim_max=1))
    while actor.turn():
        pass
    there = [one.refund_id for one in market.sandbox.control.ledger()[len(before) :]]
    assert there == [rows[n]["refund_id"] for n in (3, 1, 2, 0)]


def test_what_does_not_fit_into_the_budget_waits_with_a_person_and_the_breaker_opens(
    market: MarketDesk,
) -> None:
    rows = approved(market, 4)
    budget = fen(rows[0]) + fen(rows[1])
    for minutes, row in enumerate(rows):
        market.conn.execute(
            "UPDATE intent SET deadline_at = %s WHERE case_id = %s",
            (market.now + timedelta(hours=1, minutes=minutes), row["refund_id"]),
        )
    market.conn.execute(
        "UPDATE shop SET settings = jsonb_build_object('auto_refund_hour_max', %s::bigint) WHERE code = 'demo2'",
        (budget,),
    )
    market.conn.commit()
    actor = market.actor()
    while actor.turn():
        pass
    states = market.states()
    assert [states[row["refund_id"]] for row in rows] == ["done", "done", "approved", "approved"]
    assert sum(amount for _, amount in market.paid_here()) == budget
    assert market.one("SELECT action, stopped FROM switch WHERE by_whom LIKE 'breaker:%%'") == (
        "automatic_money",
        True,
    )
    assert sorted(market.all("SELECT case_id FROM queue_item WHERE queue = 'over_budget'")) == sorted(
        row["refund_id"] for row in rows[2:]
    )


def test_automatic_money_that_a_person_stopped_waits_with_people(market: MarketDesk) -> None:
    """Agreed to by hand it leaves once; what nobody took in hand leaves when it is released, and no row stays."""
    by_hand, later = approved(market, 2)
    both = [by_hand["refund_id"], later["refund_id"]]
    shop_id = market.shops["demo2"]
    staff(market.conn, shop_id)
    market.conn.commit()
    stop = partial(actions.set_switch, market.conn, shop_id, "automatic_money")
    assert stop(True, "先查清", "主管阿兰", market.now) is None
    actor = market.actor(AT_ONCE)
    waiting = "SELECT case_id FROM queue_item WHERE queue = 'over_budget' ORDER BY 1"
    rest(actor)
    assert paid(market, both) == []
    assert market.all(waiting) == sorted(both)

    version = market.one("SELECT application_version FROM cases WHERE case_id = %s", both[0])
    wish = (both[0], "agree_refund", fen(by_hand), version)
    assert actions.person_intent(market.conn, shop_id, *wish, "主管阿兰", market.now, undo_s=0) is None
    rest(actor)
    assert paid(market, both) == [(both[0], fen(by_hand))]
    assert market.all(waiting) == [both[1]]

    assert stop(False, "查清了", "主管阿兰", market.now) is None
    rest(actor)
    assert paid(market, both) == sorted([(both[0], fen(by_hand)), (both[1], fen(later))])
    assert market.all(waiting) == []


def test_where_a_person_stopped_everything_nobody_could_go_on_by_hand(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    actions.set_switch(market.conn, 0, "", True, "先停", "主管阿兰", market.now)
    rest(market.actor(AT_ONCE))
    assert paid(market, [row["refund_id"]]) == []
    assert market.all("SELECT case_id FROM queue_item") == []


def paid(market: MarketDesk, case_ids: list[str]) -> list[tuple[str, int]]:
    """What the platform paid of these, each as often as that."""
    return sorted(one for one in market.paid_there() if one[0] in case_ids)


def rest(actor: Actor) -> None:
    while actor.turn():
        pass


def test_two_workers_with_one_list_send_each_refund_once(market: MarketDesk) -> None:
    rows = approved(market, 4)
    limits = Limits(calls_per_s=2000, claim_max=2)
    with opened(market.database.app) as one, opened(market.database.app) as other:
        first, second = Claims(one, limits), Claims(other, limits)
        took = [first.take(market.now), second.take(market.now), first.take(market.now)]
        took += [second.take(market.now)]
    claimed = [item.case_id for batch in took for item in batch if item.kind == "agree_refund"]
    assert sorted(claimed) == sorted(row["refund_id"] for row in rows)


def test_a_person_pays_while_the_breaker_holds_automatic_money(market: MarketDesk) -> None:
    automatic, by_hand = approved(market, 2)
    actions.set_switch(
        market.conn, market.shops["demo2"], "automatic_money", True, "预算用完", "breaker:sum", market.now
    )
    market.conn.execute(
        "UPDATE intent SET approved_by = '主管阿兰', planned_by = '主管阿兰' WHERE money AND case_id = %s",
        (by_hand["refund_id"],),
    )
    market.conn.commit()
    actor = market.actor(AT_ONCE)
    while actor.turn():
        pass
    states = market.states()
    assert [states[one["refund_id"]] for one in (automatic, by_hand)] == ["approved", "done"]
    assert market.one("SELECT case_id, queue FROM queue_item") == (automatic["refund_id"], "over_budget")
