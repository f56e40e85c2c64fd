"""What the platform turned away is people's until the application changes; whoever leaves meanwhile decides nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import Connection

from aftersale.act.taobao import KINDS
from aftersale.cases import actions
from aftersale.cases.actions import Outcome
from aftersale.cases.leave.back import Back, hand_back
from aftersale.cases.people import Refusing
from aftersale.core.records import Application
from aftersale.core.refusal import Refusal
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order

WORDS = Refusing(2, "商品影响二次销售", "亲，很抱歉，商品已经使用过，这次的申请我们没法同意。")
INTENTS = "SELECT kind, amount_fen, state, planned_by FROM intent ORDER BY kind, amount_fen"
QUEUE = "SELECT queue, owner FROM queue_item"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    made.conn.execute("INSERT INTO clock VALUES (true, clock_timestamp(), %s, 0)", (NOON,))
    made.conn.commit()
    yield made
    made.close()


def freight(version: int = 1) -> Application:
    """¥9.00, which the rules pay."""
    return application(version=version, aftersale_type="freight_refund", amount_fen=900, phase="aftersale")


def press(desk: Desk, kind: str, amount_fen: int = 0) -> Refusal | None:
    words = WORDS if kind == "refuse" else None
    refusal = actions.person_intent(
        desk.conn, 1, "R1", kind, amount_fen, 1, "客服小明", desk.now, refusing=words
    )
    desk.conn.commit()
    return refusal


def turned_away(desk: Desk, kind: str, amount_fen: int = 0, ended: str = "refused") -> None:
    """It was sent, and the platform said no, or nothing."""
    with desk.conn.transaction():
        desk.conn.execute("SELECT set_config('aftersale.kinds', %s, true)", (",".join(KINDS),))
        row = desk.conn.execute(
            "UPDATE intent SET state = 'sending' WHERE kind = %s AND state = 'approved' RETURNING epoch",
            (kind,),
        ).fetchone()
        assert row is not None
        said = "refused isv.invalid-parameter:refuse_reason_id"
        outcome = Outcome(1, "R1", kind, 1, amount_fen, row[0], ended, said)
        actions.settle(desk.conn, [outcome], desk.now)


def look_again(desk: Desk) -> None:
    """News of the order, none of the application."""
    desk.wait(minutes=5)
    desk.tell(order(version=2, shipped=True))
    desk.wait(minutes=5)
    desk.tell(order(version=3, shipped=True, paid_fen=20_000))


def test_no_rule_pays_what_a_person_refused_and_the_platform_did_not_take(desk: Desk) -> None:
    desk.tell(order(shipped=True), freight())
    [(kind, _fen, state, rule)] = desk.all(INTENTS)
    assert (kind, state, rule[:5]) == ("agree_refund", "approved", "rule:")
    assert press(desk, "refuse") is None
    turned_away(desk, "refuse")
    look_again(desk)
    assert desk.all(INTENTS) == [
        ("agree_refund", 900, "cancelled", rule),
        ("refuse", 0, "refused", "客服小明"),
    ]
    assert desk.all(QUEUE) == [("platform_refused", None)]
    assert desk.one("SELECT held_fen FROM order_money") == 0
    desk.tell(freight(version=2))
    assert desk.one("SELECT amount_fen, state, outcome FROM intent WHERE platform_version = 2") == (
        900,
        "approved",
        None,
    )


def test_no_rule_pays_more_than_the_person_whose_amount_the_platform_did_not_take(desk: Desk) -> None:
    desk.tell(order(shipped=True), freight())
    rule = desk.all(INTENTS)[0][3]
    assert press(desk, "agree_refund", 300) is None
    turned_away(desk, "agree_refund", 300)
    look_again(desk)
    assert desk.all(INTENTS) == [
        ("agree_refund", 300, "refused", "客服小明"),
        ("agree_refund", 900, "cancelled", rule),
    ]
    assert desk.all(QUEUE) == [("platform_refused", None)]


def test_what_a_rule_decides_anew_says_nothing_of_the_person_who_undid(desk: Desk) -> None:
    desk.tell(order(shipped=True), freight())
    rule = desk.all(INTENTS)[0][3]
    assert press(desk, "refuse") is None
    assert desk.one("SELECT outcome FROM intent WHERE money") == "改由 客服小明 处理"
    assert actions.undo(desk.conn, 1, "R1", "refuse", "客服小明", desk.now) is None
    desk.conn.commit()
    look_again(desk)
    money = desk.one("SELECT state, planned_by, outcome FROM intent WHERE money")
    assert money == ("approved", rule, None)


def test_a_refusal_of_which_nobody_knows_stays_in_its_words_and_with_people(desk: Desk) -> None:
    """The platform took it in and answers no question: other words must not stand in its place."""
    desk.tell(order(shipped=True), freight())
    assert press(desk, "refuse") is None
    turned_away(desk, "refuse", ended="with_person")
    with desk.conn.transaction():
        desk.conn.execute(
            "UPDATE intent SET sent_at = %s, asked_at = %s + interval '1 s' WHERE kind = 'refuse'",
            (desk.now, desk.now),
        )
    look_again(desk)
    assert desk.all(QUEUE) == [("platform_refused", None)]
    resolve = (desk.conn, 1, "R1", "refuse")
    refused = actions.resolve(*resolve, "cancel", "主管阿兰", desk.now)
    assert refused is not None
    assert (refused.code, "拒绝" in refused.why) == ("in_doubt", True)
    assert actions.resolve(*resolve, "again", "主管阿兰", desk.now) is None
    desk.conn.commit()
    assert desk.one("SELECT state FROM intent WHERE kind = 'refuse'") == "unknown"


LEAVES = "DELETE FROM membership m USING auth_user u WHERE u.id = m.user_id AND m.shop_id = 1 AND u.username = '客服小明'"
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leaver' AND wait_event_type = 'Lock'"


def leave(conn: Connection[tuple[object, ...]], desk: Desk) -> Back:
    with conn.transaction():
        conn.execute(LEAVES)
        return hand_back(conn, 1, "客服小明", "agent", "店主", desk.now)


def test_whoever_leaves_while_they_decide_has_it_taken_back(desk: Desk, embedded_database: Database) -> None:
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    with (
        opened(embedded_database.app, settings=SETTINGS, application="leaver") as leaving,
        opened(embedded_database.app, settings=SETTINGS, autocommit=True) as watching,
        ThreadPoolExecutor(1) as pool,
    ):
        with desk.conn.transaction():
            asked = (desk.conn, 1, "R1", "agree_refund", 20_000, 1, "客服小明", desk.now)
            assert actions.person_intent(*asked) is None
            left = pool.submit(leave, leaving, desk)
            while not left.done() and watching.execute(WAITS).fetchone() == (0,):
                pass
            assert not left.done()
        assert left.result(timeout=10).unsent == 1
    assert desk.one("SELECT state FROM intent WHERE money") == "cancelled"
    assert desk.one("SELECT held_fen FROM order_money") == 0


def test_whoever_left_just_before_decides_nothing(desk: Desk) -> None:
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    leave(desk.conn, desk)
    desk.conn.commit()
    refused = press(desk, "agree_refund", 20_000)
    assert refused is not None
    assert desk.all(INTENTS) == []
