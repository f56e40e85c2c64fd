"""64 partial refunds of one order at the same time, by people and by rules: never more than was paid (P3)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from psycopg.errors import CheckViolation, NotNullViolation

from aftersale.cases import actions, stage
from aftersale.cases.again import again
from aftersale.core.records import Arrival
from aftersale.decide.run import Decider
from aftersale.pg.connect import SETTINGS, opened
from aftersale.rulebooks import books
from tests.flow.desk import Desk, application, order

PAID_FEN, EACH_FEN, FITS = 10_000, 700, 14  # 14 × 7.00 = 98.00
AT_ONCE = 40
HELD = "SELECT held_fen FROM order_money"
LIVE = "SELECT count(*), sum(amount_fen)::bigint FROM intent WHERE money AND state IN ('planned', 'approved')"


def person(desk: Desk, case_id: str) -> None:
    with opened(desk.database.app) as conn:
        asked = (conn, 1, case_id, "agree_refund", EACH_FEN, 1, "主管阿兰", desk.now)
        again(lambda: actions.person_intent(*asked), tries_max=20)


def rule(desk: Desk, case_id: str) -> None:
    """A worker of its own hears of an application that the rules pay."""
    told = application(case_id, amount_fen=EACH_FEN, zero_second_covered=True)
    with opened(desk.database.app, settings=SETTINGS) as conn:
        stage.prepare(conn)
        decider = Decider(conn, books.book("refund"), books.text("refund.yaml"), books.actions())

        def hear() -> None:
            with conn.transaction():
                actions.merge(conn, actions.staged([(1, Arrival(told, case_id, desk.now))]), desk.now)
                decider.decide(desk.now)

        again(hear, tries_max=20)


@pytest.mark.parametrize(("people", "rules"), [(64, 0), (48, 16)])
def test_never_more_than_was_paid_and_as_many_as_fit(desk: Desk, people: int, rules: int) -> None:
    desk.tell(order(paid_fen=PAID_FEN))
    asked = [f"P{n}" for n in range(people)]
    desk.tell(
        *[
            application(
                one, amount_fen=EACH_FEN, reason="fake", aftersale_type="return_refund", state="return_agreed"
            )
            for one in asked
        ]
    )
    start = Barrier(AT_ONCE, timeout=60)  # as many connections as the embedded server has for us
    with ThreadPoolExecutor(AT_ONCE, initializer=start.wait) as pool:
        jobs = [pool.submit(person, desk, one) for one in asked]
        jobs += [pool.submit(rule, desk, f"A{n}") for n in range(rules)]
        for job in jobs:
            job.result()
    assert desk.one(LIVE) == (FITS, FITS * EACH_FEN)
    assert desk.one(HELD) == FITS * EACH_FEN


@pytest.mark.parametrize(
    "forged",
    [
        "UPDATE order_money SET held_fen = paid_fen + 1",
        "UPDATE order_money SET held_fen = held_fen + 10001",
        "UPDATE order_money SET held_fen = -1",
        "UPDATE order_money SET held_fen = NULL",
        "UPDATE order_money SET paid_fen = -1",
    ],
)
def test_the_application_cannot_hold_more_by_hand(desk: Desk, forged: str) -> None:
    desk.tell(order(paid_fen=PAID_FEN), application())
    before = desk.one(HELD)
    with pytest.raises((CheckViolation, NotNullViolation)), desk.conn.transaction():
        desk.conn.execute(forged)
    assert desk.one(HELD) == before
