"""What the application's own role tries in SQL, and what the platform does to an order's money behind our back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from psycopg import Connection, Error

from aftersale.cases import actions, stage
from aftersale.cases.actions import Outcome
from aftersale.cases.again import again
from aftersale.core.refusal import Refusal
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order, staff

INSERT = """
INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at, planned_by,
  approved_by, created_at, changed_at, asked_at)
VALUES (1, %s, 'agree_refund', 1, %s, %s, true, %s, now(), %s, %s, now(), now(), %s)
"""
STATES = "SELECT case_id, state FROM intent WHERE money ORDER BY case_id"
HELD = "SELECT held_fen FROM order_money WHERE order_id = 'T1'"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    made.conn.execute("INSERT INTO clock VALUES (true, clock_timestamp(), %s, 0)", (NOON,))
    made.conn.commit()
    yield made
    made.close()


def by_hand(desk: Desk, *case_ids: str, amount_fen: int = 5_000) -> None:
    """Applications of T1 that no rule pays."""
    desk.tell(order(), *[
        application(one, amount_fen=amount_fen, reason="fake", aftersale_type="return_refund", state="return_agreed") for one in case_ids
    ])  # fmt: skip


def forge(
    desk: Desk,
    case_id: str = "R1",
    amount_fen: int = 5_000,
    order_id: str = "T1",
    state: str = "approved",
    planned_by: str = "rule:x",
    approved_by: str = "rule:x",
    asked_at: str | None = None,
    first: str = "SELECT 1",
) -> str:
    """Why the database refuses what the application writes by hand, after `first`."""
    values = (case_id, amount_fen, order_id, state, planned_by, approved_by, asked_at)
    try:
        with desk.conn.transaction():
            desk.conn.execute(first)
            desk.conn.execute(INSERT, values)
    except Error as refused:
        return str(refused)
    return "it was written"


def sent(desk: Desk, *outcomes: Outcome) -> None:
    with desk.conn.transaction():
        desk.conn.execute("UPDATE intent SET state = 'sending' WHERE state = 'approved'")
        actions.settle(desk.conn, outcomes, desk.now)


def told(case_id: str, amount_fen: int, state: str, *, asked: bool = False, epoch: int = 1) -> Outcome:
    return Outcome(1, case_id, "agree_refund", 1, amount_fen, epoch, state, "x", asked=asked)


def test_what_is_not_held_is_not_planned(desk: Desk) -> None:
    by_hand(desk, "R1", "R2")
    assert "is not held" in forge(desk)
    assert "is not held" in forge(desk, "R9", first="UPDATE order_money SET held_fen = 5000")
    assert actions.person_intent(desk.conn, 1, "R1", "agree_refund", 5_000, 1, "主管阿兰", desk.now) is None
    assert "is not held" in forge(desk, "R2")
    assert "is not held" in forge(desk, "R2", 9_000, first="UPDATE order_money SET held_fen = 9000")
    assert desk.all(STATES) == [("R1", "approved")]


def test_what_has_left_is_not_planned_again(desk: Desk) -> None:
    desk.tell(order(), application("R0", amount_fen=9_000, zero_second_covered=True))
    by_hand(desk, "R1", amount_fen=9_000)
    sent(desk, told("R0", 9_000, "done"))
    assert desk.all(STATES) == [("R0", "done")]
    assert "is not held" in forge(desk, amount_fen=9_000)


def test_another_orders_money_is_not_this_ones(desk: Desk) -> None:
    by_hand(desk, "R1")
    desk.tell(order("T2"))
    first = "UPDATE order_money SET held_fen = 5000 WHERE order_id = 'T2'"
    assert "is not held" in forge(desk, order_id="T2", first=first)


@pytest.mark.parametrize("state", ["sending", "unknown", "done", "refused", "cancelled", "with_person"])
def test_nothing_is_born_with_a_past(desk: Desk, state: str) -> None:
    by_hand(desk, "R1")
    assert "nothing has become of it" in forge(desk, state=state)
    assert "nothing has become of it" in forge(desk, asked_at="infinity")


def test_a_person_who_is_called_like_a_rule_is_nobody(desk: Desk) -> None:
    by_hand(desk, "R1")
    staff(desk.conn, 1, {"rule:boss": "owner"})
    desk.conn.commit()
    refused = actions.person_intent(desk.conn, 1, "R1", "agree_refund", 5_000, 1, "rule:boss", desk.now)
    assert isinstance(refused, Refusal)
    assert refused.code == "role_or_action_unknown"
    assert "role_or_action_unknown" in forge(desk, planned_by="客服小明", approved_by="rule:boss")


@pytest.mark.parametrize(
    "name", ["Rule:x", "ｒule:x", "rule：x", " rule:x", "", "rule", "客服小明 ", "客服⼩明"]
)
def test_a_look_alike_is_nobody(desk: Desk, name: str) -> None:
    by_hand(desk, "R1")
    first = "UPDATE order_money SET held_fen = 5000"
    assert "role_or_action_unknown" in forge(desk, planned_by=name, approved_by=name, first=first)


def test_four_eyes_are_not_one_pair_in_other_letters(desk: Desk) -> None:
    staff(desk.conn, 1, {"Ming": "agent", "ming": "owner"})
    desk.tell(
        order(paid_fen=90_000),
        application(amount_fen=30_000, reason="fake", aftersale_type="return_refund", state="return_agreed"),
    )
    assert actions.person_intent(desk.conn, 1, "R1", "agree_refund", 30_000, 1, "Ming", desk.now) is None
    (number,) = desk.all("SELECT id FROM approval")
    refused = actions.decide_approval(
        desk.conn, 1, number, True, "ming", "", desk.now, seen_amount_fen=30_000, seen_version=1
    )
    assert refused is not None
    assert refused.code == "four_eyes"
    assert desk.all(STATES) == [("R1", "planned")]


def test_temporary_tables_fool_no_guard(desk: Desk) -> None:
    by_hand(desk, "R1")
    temporary_first = "SET LOCAL search_path = pg_temp, public"
    owner = (
        f"{temporary_first};"
        " CREATE TEMP TABLE membership (LIKE public.membership INCLUDING DEFAULTS);"
        " INSERT INTO membership SELECT id, 1, 'owner' FROM auth_user WHERE username = '客服小明';"
        " UPDATE order_money SET paid_fen = 3000000, held_fen = 3000000"
    )
    assert "above_limit" in forge(
        desk, amount_fen=3_000_000, planned_by="客服小明", approved_by="客服小明", first=owner
    )
    desk.tell(application("R0", zero_second_covered=True))
    with desk.conn.transaction():
        desk.conn.execute(temporary_first)
        desk.conn.execute(
            "CREATE TEMP TABLE clock AS SELECT true AS single, clock_timestamp() AS real_at,"
            " timestamptz '2030-01-01' AS virtual_at, 0::float8 AS speed"
        )
        desk.conn.execute("UPDATE intent SET state = 'sending' WHERE state = 'approved'")
    assert desk.one("SELECT spent_at FROM intent WHERE money") == NOON


def test_a_send_under_a_rules_name_gives_no_budget_back(desk: Desk) -> None:
    by_hand(desk, "R1")
    assert actions.person_intent(desk.conn, 1, "R1", "agree_refund", 5_000, 1, "主管阿兰", desk.now) is None
    with pytest.raises(Error, match="who approved it stays"), desk.conn.transaction():
        desk.conn.execute("UPDATE intent SET state = 'sending', approved_by = 'rule:x'")
    assert desk.all(STATES) == [("R1", "approved")]


@pytest.fixture
def doubtful(desk: Desk) -> Desk:
    """50.00 were sent without an answer, and the platform refuses the question."""
    desk.tell(order(), application(zero_second_covered=True))
    sent(desk, told("R1", 5_000, "unknown"))
    with desk.conn.transaction():
        actions.settle(desk.conn, [told("R1", 5_000, "with_person", asked=True)], desk.now)
    assert desk.all(STATES) == [("R1", "with_person")]
    return desk


def test_what_may_have_happened_is_asked_again_and_not_sent(doubtful: Desk) -> None:
    assert actions.resolve(doubtful.conn, 1, "R1", "agree_refund", "again", "主管阿兰", doubtful.now) is None
    assert doubtful.one("SELECT state, sends, approved_by FROM intent WHERE money") == (
        "unknown",
        1,
        "rule:zero_second",
    )
    assert doubtful.one(HELD) == 5_000


def test_what_may_have_happened_is_not_cancelled(doubtful: Desk) -> None:
    refused = actions.resolve(doubtful.conn, 1, "R1", "agree_refund", "cancel", "主管阿兰", doubtful.now)
    assert refused is not None
    assert refused.code == "in_doubt"
    doubtful.tell(application(version=2, reason="fake", aftersale_type="return_refund"))
    for state in ("approved", "cancelled"):
        with pytest.raises(Error, match="neither sent again nor cancelled"), doubtful.conn.transaction():
            doubtful.conn.execute("UPDATE intent SET state = %s WHERE money", (state,))
    assert (doubtful.all(STATES), doubtful.one(HELD)) == ([("R1", "with_person")], 5_000)


@pytest.mark.parametrize(
    ("state", "ends", "held_fen"), [("refunded", "done", 5_000), ("closed", "cancelled", 0)]
)
def test_the_platforms_end_of_the_application_settles_it(
    doubtful: Desk, state: str, ends: str, held_fen: int
) -> None:
    doubtful.tell(application(version=2, state=state))
    assert (doubtful.all(STATES), doubtful.one(HELD)) == ([("R1", ends)], held_fen)


def test_two_applications_of_an_order_closed_together_free_both(desk: Desk) -> None:
    both = [
        application(one, amount_fen=fen, zero_second_covered=True)
        for one, fen in (("R1", 3_000), ("R2", 4_000))
    ]
    desk.tell(order(), *both)
    desk.conn.execute("UPDATE intent SET state = 'with_person' WHERE money")
    desk.conn.commit()
    desk.tell(*[application(one, 2, state="closed", amount_fen=3_000) for one in ("R1", "R2")])
    assert desk.all(STATES) == [("R1", "cancelled"), ("R2", "cancelled")]
    assert desk.one(HELD) == 0


def test_what_the_platform_paid_beyond_our_holds_is_never_free(desk: Desk) -> None:
    """100.00 paid: 50.00 of ours are out when the platform pays 80.00; then ours is refused."""
    desk.tell(order(), application("A", zero_second_covered=True))
    desk.tell(application("B", amount_fen=8_000, state="refunded"))
    assert desk.one(HELD) == 10_000
    sent(desk, told("A", 5_000, "refused"))
    assert desk.one(HELD) == 8_000
    desk.tell(application("C", amount_fen=5_000, zero_second_covered=True))
    assert desk.all(STATES) == [("A", "refused")]
    desk.tell(application("B", 2, amount_fen=8_000))  # the platform takes it back
    assert desk.one(HELD) == 0


FULL = "SELECT held_fen, exact FROM order_money WHERE order_id = 'T1'"


def test_an_order_filled_by_adding_up_is_known_exactly_until_it_changes(desk: Desk) -> None:
    desk.tell(order(paid_fen=5_000), application("A", zero_second_covered=True))
    assert desk.one(FULL) == (5_000, True)
    desk.tell(application("A", 2, reason="fake", aftersale_type="return_refund", state="return_agreed"))
    assert (desk.all(STATES), desk.one(FULL)) == ([("A", "cancelled")], (0, False))
    assert actions.person_intent(desk.conn, 1, "A", "agree_refund", 5_000, 2, "主管阿兰", desk.now) is None
    assert desk.one(FULL) == (5_000, True)
    assert actions.undo(desk.conn, 1, "A", "agree_refund", "主管阿兰", desk.now) is None
    assert desk.one(FULL) == (0, False)


def test_what_the_platform_pays_beyond_an_order_that_we_filled_is_counted(desk: Desk) -> None:
    desk.tell(order(paid_fen=5_000), application("A", zero_second_covered=True))
    desk.tell(application("B", amount_fen=3_000, state="refunded"))
    assert desk.one(FULL) == (5_000, False)
    sent(desk, told("A", 5_000, "refused"))
    assert desk.one(FULL) == (3_000, False)


@pytest.mark.parametrize(
    "change",
    [
        "held_fen = least(paid_fen, held_fen + 3000)",
        "held_fen = held_fen - 1000",
        "paid_fen = 6000",
        "paid_fen = 6000, held_fen = 6000, exact = true",
    ],
)
def test_a_change_that_says_nothing_of_it_leaves_the_order_uncertain(desk: Desk, change: str) -> None:
    """As a worker of the release before writes it; or one who says it of an order that had no room."""
    desk.tell(order(paid_fen=5_000), application("A", zero_second_covered=True))
    desk.conn.execute(f"UPDATE order_money SET {change}")
    assert desk.one("SELECT exact FROM order_money") is False


def test_an_order_with_room_left_is_never_said_to_be_full(desk: Desk) -> None:
    desk.tell(order(paid_fen=6_000), application("A", zero_second_covered=True))
    for change in ("exact = true", "held_fen = 5999, exact = true"):
        desk.conn.execute(f"UPDATE order_money SET {change}")
        assert desk.one("SELECT exact FROM order_money") is False, change


def test_what_a_case_has_paid_counts_for_the_order_that_it_names_now(desk: Desk) -> None:
    desk.tell(order(), application("A", amount_fen=3_000, state="refunded"))
    desk.tell(order("T2", paid_fen=5_000), application("B", order_id="T2", zero_second_covered=True))
    full = "SELECT held_fen, exact FROM order_money ORDER BY order_id"
    assert desk.all(full) == [(3_000, False), (5_000, True)]
    desk.tell(application("A", 2, order_id="T2", amount_fen=3_000, state="refunded"))
    assert desk.all(full) == [(3_000, False), (5_000, False)]
    sent(desk, told("B", 5_000, "refused"))
    assert desk.all(full) == [(3_000, False), (3_000, False)]
    desk.tell(application("C", order_id="T2", amount_fen=2_001, zero_second_covered=True))
    assert desk.all(STATES) == [("B", "refused")]


def test_an_order_that_grows_counts_what_had_left_before(desk: Desk) -> None:
    desk.tell(order(paid_fen=5_000), application("B", amount_fen=8_000, state="refunded"))
    desk.tell(order(version=2, paid_fen=10_000))
    assert desk.one(HELD) == 8_000
    desk.tell(application("C", amount_fen=2_001, zero_second_covered=True))
    assert desk.all(STATES) == []


def test_a_payment_taken_back_beyond_what_was_paid_stops_nothing(desk: Desk) -> None:
    desk.tell(order(paid_fen=0), application("B", amount_fen=8_000, state="refunded"))
    desk.tell(application("B", 2, amount_fen=8_000))
    assert desk.one("SELECT sum(amount_fen) FROM ledger") == 0
    assert desk.one(HELD) == 0


EACH_FEN, FITS, AT_ONCE = 700, 14, 16


def worker(desk: Desk, case_id: str, ending: str) -> None:
    """A person pays a part; then it stays, is taken back, or the platform refuses it. At last it is tried again."""
    with opened(desk.database.app) as conn:

        def pay() -> bool:
            refused = actions.person_intent(conn, 1, case_id, "agree_refund", EACH_FEN, 1, "店主", desk.now)
            assert refused is None or refused.code == "over_paid", refused
            return refused is None

        if again(pay) and ending == "undone":
            assert actions.undo(conn, 1, case_id, "agree_refund", "店主", desk.now) is None
            again(pay)
        elif ending == "refused":
            again(lambda: refused_there(conn, case_id, desk))
            again(pay)


def refused_there(conn: Connection[Any], case_id: str, desk: Desk) -> None:
    with conn.transaction():
        moved = conn.execute(
            "UPDATE intent SET state = 'sending' WHERE case_id = %s AND state = 'approved'", (case_id,)
        )
        if moved.rowcount:
            actions.settle(conn, [told(case_id, EACH_FEN, "refused")], desk.now)


def test_parts_paid_undone_refused_and_paid_again_never_pass_what_was_paid(desk: Desk) -> None:
    names = [f"R{n}" for n in range(64)]
    by_hand(desk, *names, amount_fen=EACH_FEN)
    start = Barrier(AT_ONCE, timeout=60)
    with ThreadPoolExecutor(AT_ONCE, initializer=start.wait) as pool:
        endings = ("kept", "undone", "refused")
        jobs = [pool.submit(worker, desk, one, endings[n % 3]) for n, one in enumerate(names)]
        for job in jobs:
            job.result()
    live = "SELECT count(*), coalesce(sum(amount_fen), 0)::bigint FROM intent WHERE state IN ('approved', 'planned')"
    count, fen = desk.one(live)
    assert (fen, count <= FITS) == (count * EACH_FEN, True)
    assert desk.one(HELD) == fen


def test_a_batch_looks_for_names_as_the_guards_do(desk: Desk) -> None:
    """Otherwise a function that both call is planned anew at each change from one to the other."""
    stage.prepare(desk.conn)
    path = desk.one("SELECT 'search_path=' || current_setting('search_path')")
    guards = "SELECT proconfig FROM pg_proc WHERE proname IN ('intent_held', 'intent_held_again')"
    assert desk.all(guards) == [[path], [path]]
