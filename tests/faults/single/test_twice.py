"""What happens twice at once, or again while it is being put right (F5, F44, F55)."""

import threading
from collections.abc import Callable
from datetime import timedelta

import httpx2
import pytest

from aftersale.act.reconcile import Reconciler
from aftersale.act.run import Actor, Limits
from aftersale.cases import actions
from aftersale.pg.connect import opened
from aftersale.rulebooks import books
from tests.flow.desk import Desk, application, order
from tests.flow.market import MarketDesk, fen
from tests.flow.paying import AGREE, approved, calls, paid


class Killed(BaseException):
    """As kill -9 is: nothing of ours runs after it."""


class Dying(httpx2.HTTPTransport):
    """The worker is killed when the platform has done what it was asked and the answer is on its way."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        super().handle_request(request).read()
        raise Killed


def doomed(market: MarketDesk) -> Actor:
    conn = opened(market.database.app, application="doomed")
    texts = {code: action.message for code, action in books.actions().items() if action.message}
    limits = Limits(calls_per_s=2000.0, lease_s=0.0, ask_after_s=0.0)
    return Actor(conn, httpx2.Client(transport=Dying()), lambda: market.now, texts, limits)


def test_killed_while_paying_and_again_while_asking_about_it(market: MarketDesk) -> None:
    """F5: each recovery is as repeatable as the first attempt."""
    (row,) = approved(market, 1, "demo2")
    agrees = calls(market, AGREE)
    first = doomed(market)
    first.limits = Limits(calls_per_s=2000.0, ask_after_s=0.0)
    dies(first)
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [])
    assert market.states()[row["refund_id"]] == "sending"
    for _ in range(3):
        dies(doomed(market))
        assert market.states()[row["refund_id"]] == "unknown"
    market.actor().turn()
    assert market.states()[row["refund_id"]] == "done"
    assert (paid(market, row), market.paid_here()) == ([fen(row)], [(row["refund_id"], fen(row))])
    assert calls(market, AGREE) == agrees + 1


def dies(actor: Actor) -> None:
    with pytest.raises(Killed):
        actor.turn()
    actor.conn.close()


def at_once(*works: Callable[[], object]) -> list[object]:
    """All of them begin at the same moment; what each returned."""
    gate, results = threading.Barrier(len(works)), list[object]([None] * len(works))

    def run(n: int, work: Callable[[], object]) -> None:
        gate.wait()
        results[n] = work()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_two_watchers_notice_a_missed_deadline_once(desk: Desk) -> None:
    """F44: nobody is the leader, a row is."""
    case_ids = [f"R{n}" for n in range(40)]
    desk.tell(*(order(f"T{one}") for one in case_ids),
              *(application(one, order_id=f"T{one}", amount_fen=None, due_at=desk.now + timedelta(hours=1)) for one in case_ids))  # fmt: skip
    desk.wait(hours=2)
    conns = [opened(desk.database.app) for _ in range(4)]

    def notice(n: int) -> Callable[[], object]:
        def work() -> None:
            with conns[n].transaction():
                actions.notice_deadlines(conns[n], desk.now - timedelta(days=1), desk.now)

        return work

    at_once(*(notice(n) for n in range(4)))
    for conn in conns:
        conn.close()
    missed = desk.one("SELECT count(*) FROM missed_deadline WHERE kind = 'platform'")
    assert missed == len(case_ids)
    assert desk.one("SELECT count(*) FROM happening WHERE kind = 'deadline' AND actor = 'platform'") == missed


def test_two_that_compare_the_ledger_write_one_comparison(market: MarketDesk) -> None:
    conns = [opened(market.database.app) for _ in range(2)]
    both = [Reconciler(conn, market.sandbox.http, lambda: market.now) for conn in conns]
    while any(at_once(*(one.turn for one in both))):
        pass
    for conn in conns:
        conn.close()
    assert market.all("SELECT shop_id, count(*) FROM reconciliation GROUP BY 1 ORDER BY 1") == [
        (shop_id, 1) for shop_id in sorted(market.shops.values())
    ]


def test_with_the_keys_of_another_shop_nothing_is_paid(market: MarketDesk) -> None:
    """F55: the platform knows whose session it is; what it does not know there is refused, and people have it."""
    rows = approved(market, 2, "demo2")
    before = market.paid_there()
    market.conn.execute("UPDATE shop SET session_key = 'session-demo1' WHERE code = 'demo2'")
    market.conn.commit()
    actor = market.actor()
    while actor.turn():
        pass
    assert market.paid_there() == before
    assert market.paid_here() == []
    waiting = market.all("SELECT case_id FROM queue_item")
    for row in rows:
        assert market.states()[row["refund_id"]] in ("refused", "with_person")
        assert row["refund_id"] in waiting
