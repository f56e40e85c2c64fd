"""Automation that runs away stops itself (P18): the sandbox's ledger shows that no fen left above the budget."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from aftersale.act import breaker
from aftersale.act.run import Actor
from aftersale.cases import actions
from aftersale.cases.settings import set_settings
from aftersale.decide.run import Decider
from aftersale.rulebooks import books
from aftersale.work import Desk as Worker
from tests.conftest import Database
from tests.flow.desk import NOON, Desk
from tests.flow.market import MarketDesk, market_desk
from tests.flow.test_budget import clock, go, limit, plan, send
from tests.sandbox.running import START, Running, running

ALL = """rules:
  - name: all
    title: 全退
    title_en: Pay all
    when: state = 'applied' and aftersale_type in ('unshipped_refund_only', 'shipped_refund_only')
    then: {action: auto_refund, queue: null, amount: amount}
"""
PAYS_ALL = books.text("refund.yaml").replace("rules:\n", ALL, 1)
TURNS_MAX = 500


@pytest.fixture
def sandbox() -> Iterator[Running]:
    with running("--applications", "300", "--shops", "1", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=22))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    """Every application is approved by a rule, and nothing is sent yet."""
    with market_desk(embedded_database, sandbox) as desk:
        desk.conn.execute("UPDATE shop SET settings = '{}'")
        desk.conn.commit()
        clock(desk, desk.now)
        desk.decider = Decider(desk.conn, books.parse(PAYS_ALL), PAYS_ALL, books.actions())
        desk.worker = Worker(desk.conn, desk.decider, lambda: desk.now)
        desk.fetch(*(row["refund_id"] for row in sandbox.control.applications()))
        yield desk


def budget(market: MarketDesk, **values: object) -> None:
    assert isinstance(set_settings(market.conn, "demo1", values, "店主", market.now), int)
    while market.worker.turn():
        pass


def work(actor: Actor) -> None:
    """Turns until three in a row had nothing to do: others may have held what we want."""
    idle = 0
    for _ in range(TURNS_MAX):
        idle = 0 if actor.turn() else idle + 1
        if idle == 3:
            return
    raise AssertionError("the sender never comes to rest")


def send_all(market: MarketDesk, actors: int = 4) -> None:
    """So many processes' senders at once."""
    made = [market.actor() for _ in range(actors)]
    with ThreadPoolExecutor(actors) as pool:
        list(pool.map(work, made))


def approved(market: MarketDesk) -> list[int]:
    """Amounts that wait, the nearest deadline first."""
    return market.all(
        "SELECT amount_fen FROM intent WHERE money AND state = 'approved' ORDER BY deadline_at, due_at, case_id"
    )


def paid_fen(market: MarketDesk) -> int:
    """What the sandbox paid since our intents were made: for none of them it had paid by itself."""
    ours = set(market.all("SELECT case_id FROM intent WHERE money"))
    return sum(fen for case_id, fen in market.paid_there() if case_id in ours)


def opened_by(market: Desk) -> list[tuple[str, str, bool]]:
    return market.all("SELECT by_whom, action, stopped FROM switch ORDER BY by_whom")


def test_a_rule_that_approves_everything_is_stopped_exactly_at_the_budget(market: MarketDesk) -> None:
    waiting = approved(market)
    assert len(waiting) > 100
    budget(
        market,
        auto_refund_day_max=sum(waiting) // 3,
        auto_refund_hour_max=10**9,
        auto_refund_hour_count_max=10**6,
    )
    send_all(market)
    left = approved(market)
    assert paid_fen(market) == sum(waiting) - sum(left)
    assert 0 <= sum(waiting) // 3 - paid_fen(market) < max(waiting)
    assert market.one("SELECT fen FROM money_window WHERE span = 'day'") == paid_fen(market)
    assert len(market.paid_there()) == len({case_id for case_id, _ in market.paid_there()})
    assert opened_by(market) == [("breaker:day", "automatic_money", True)]
    why = market.one("SELECT why FROM switch")
    assert why.startswith("今天自动退款的预算用完，下一笔放不下：已到 ¥")
    assert market.one("SELECT count(*) FROM switch_log") == 1
    # Each that waits is a person's now.
    assert market.one("SELECT count(*) FROM queue_item WHERE queue = 'over_budget'") == len(left)

    # Raising the budget alone sends nothing: a person releases.
    before = paid_fen(market)
    budget(market, auto_refund_day_max=sum(waiting))
    send_all(market)
    assert paid_fen(market) == before
    shop_id = market.shops["demo1"]
    actions.set_switch(market.conn, shop_id, "automatic_money", False, "预算已经调高", "店主", market.now)
    send_all(market)
    assert approved(market) == []
    done = market.one("SELECT sum(amount_fen)::bigint FROM intent WHERE money AND state = 'done'")
    assert market.all("SELECT DISTINCT state FROM intent WHERE money") == ["done"]
    assert paid_fen(market) == done == market.one("SELECT fen FROM money_window WHERE span = 'day'")
    assert (
        done == market.one("SELECT sum(amount_fen)::bigint FROM ledger WHERE origin = 'automatic'") > before
    )


def test_a_new_hour_has_its_own_budget(market: MarketDesk) -> None:
    budget(market, auto_refund_hour_count_max=20, auto_refund_hour_max=10**9, auto_refund_day_max=10**9)
    sent = "SELECT coalesce(max(refunds), 0) FROM money_window WHERE span = 'hour' AND starts_at = date_trunc('hour', %s::timestamptz)"
    for hours in range(1, 3):
        send_all(market, 2)
        assert market.one(sent, market.now) == 20
        assert market.one("SELECT refunds FROM money_window WHERE span = 'day'") == 20 * hours
        assert opened_by(market) == [("breaker:count", "automatic_money", True)]
        market.now = market.sandbox.control.jump(market.now + timedelta(hours=1)).now
        clock(market, market.now)
        shop_id = market.shops["demo1"]
        actions.set_switch(market.conn, shop_id, "automatic_money", False, "看过了", "主管阿兰", market.now)


def settled(desk: Desk, count: int, state: str, amount_fen: int = 1) -> None:
    """So many automatic refunds were sent and ended so."""
    names = [f"{state}{n}" for n in range(count)]
    plan(desk, *[(name, amount_fen) for name in names])
    assert send(desk, *names)
    with desk.conn.transaction():
        desk.conn.execute(
            "UPDATE intent SET state = %s, changed_at = %s WHERE case_id = ANY (%s)", (state, desk.now, names)
        )


@pytest.mark.parametrize(
    ("done", "refused", "opens"),
    [(16, 4, 0), (15, 5, 1), (14, 5, 0), (0, 20, 1), (0, 19, 0), (80, 20, 0), (79, 21, 1)],
)
def test_errors_open_it_above_their_share(desk: Desk, done: int, refused: int, opens: int) -> None:
    clock(desk, NOON)
    settled(desk, done, "done")
    settled(desk, refused, "refused")
    assert breaker.check(desk.conn, NOON) == opens
    if opens:
        assert desk.one("SELECT by_whom, why FROM switch") == (
            "breaker:errors",
            f"本小时平台没有接受的自动退款太多：{done + refused} 笔里有 {refused} 笔，上限 20%。",
        )
    assert breaker.check(desk.conn, NOON) == 0  # an open one stays as it is
    assert desk.one("SELECT count(*) FROM switch_log") == opens


def test_what_was_looked_at_does_not_open_it_again(desk: Desk) -> None:
    clock(desk, NOON)
    settled(desk, 20, "refused")
    assert breaker.check(desk.conn, NOON) == 1
    desk.wait(minutes=1)
    assert (
        actions.set_switch(desk.conn, 1, "automatic_money", False, "平台已经恢复", "主管阿兰", desk.now)
        is None
    )
    clock(desk, desk.now)
    assert breaker.check(desk.conn, desk.now) == 0


def test_what_the_buyer_changed_meanwhile_is_no_error(desk: Desk) -> None:
    clock(desk, NOON)
    settled(desk, 20, "refused")
    desk.conn.execute("UPDATE cases SET application_version = 2")
    desk.conn.commit()
    assert breaker.check(desk.conn, NOON) == 0


@pytest.mark.parametrize(("minutes", "opens"), [(29, 0), (30, 0), (31, 1), (600, 1)])
def test_an_outcome_unknown_for_too_long_opens_it(desk: Desk, minutes: int, opens: int) -> None:
    clock(desk, NOON)
    settled(desk, 1, "unknown")
    desk.conn.execute("UPDATE intent SET sent_at = sent_at - make_interval(mins => %s)", (minutes,))
    desk.conn.commit()
    assert breaker.check(desk.conn, NOON) == opens
    assert opened_by(desk) == [("breaker:unknown", "automatic_money", True)] * opens


@pytest.mark.parametrize(("own", "opens"), [({}, 1), ({"differences_max": 1}, 0)])
def test_an_open_difference_opens_it(desk: Desk, own: dict[str, object], opens: int) -> None:
    limit(desk, **own)
    desk.conn.execute(
        "WITH run AS (INSERT INTO reconciliation (shop_id, since, until, at, ours, ours_fen, theirs, theirs_fen, differences,"
        " waiting, by_whom, head_seq, head_hash) VALUES (1, %s, %s, %s, 0, 0, 1, 5, 1, 0, '店主', 0, '') RETURNING id)"
        " INSERT INTO difference (shop_id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id)"
        " SELECT 1, 'R1', 'only_theirs', 0, 5, %s, id FROM run",
        (NOON - timedelta(days=1), NOON, NOON, NOON),
    )
    desk.conn.commit()
    assert breaker.check(desk.conn, NOON) == opens
    if opens:
        assert desk.one("SELECT why FROM switch") == "与平台对账有差异没有处理：已到 1，上限 0。"


def test_a_refund_that_was_sent_meanwhile_opens_nothing(desk: Desk) -> None:
    """Another worker's list may still name it."""
    clock(desk, NOON)
    limit(desk, auto_refund_day_max=10)
    plan(desk, ("R1", 10))
    assert send(desk, "R1")
    assert breaker.over(desk.conn, 1, 10, NOON) is False
    plan(desk, ("R2", 10))
    assert breaker.over(desk.conn, 1, 10, NOON + timedelta(days=10**4)) is False  # R1 is just being sent
    go(desk, "unknown", "R1")
    assert breaker.over(desk.conn, 1, 10, NOON + timedelta(days=10**4)) is True
    assert desk.one("SELECT by_whom, why FROM switch") == (
        "breaker:day", "今天自动退款的预算用完，下一笔放不下：已到 ¥0.10，上限 ¥0.10。"
    )  # fmt: skip
    assert breaker.over(desk.conn, 1, 10, NOON) is False


def test_only_the_shop_concerned_is_stopped(desk: Desk) -> None:
    clock(desk, NOON)
    desk.conn.execute("INSERT INTO shop (code, name, platform) VALUES ('lan', '阿兰的店', 'taobao')")
    desk.conn.commit()
    settled(desk, 20, "refused")
    assert breaker.check(desk.conn, NOON) == 1
    held = "SELECT held_back(%s, 'agree_refund', true, %s)"
    assert [desk.one(held, *asked) for asked in ((1, "rule:x"), (1, "主管阿兰"), (2, "rule:x"))] == [
        True,
        False,
        False,
    ]
    assert desk.one("SELECT held_back(1, 'message:x', false, 'rule:x')") is False
