"""Four eyes: what is above a limit waits for another person, who says yes or no to exactly what they saw."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tune
from hypothesis import strategies as st

from aftersale.cases import actions
from aftersale.cases.actions import Outcome
from aftersale.cases.settings import set_settings
from aftersale.core.refusal import Refusal
from aftersale.pg.connect import SETTINGS, opened
from tests.conftest import Database, fresh
from tests.flow.desk import Desk, application, order, staff

MONEY = "SELECT state, amount_fen, planned_by, approved_by FROM intent WHERE money ORDER BY created_at"
HELD = "SELECT held_fen FROM order_money"
APPROVAL = "SELECT state, decided_by, why FROM approval ORDER BY id"
QUEUE = "SELECT queue FROM queue_item"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    at(made)
    yield made
    made.close()


def at(desk: Desk) -> None:
    """The shop's time is the test's."""
    desk.conn.execute("DELETE FROM clock")
    desk.conn.execute("INSERT INTO clock VALUES (true, clock_timestamp(), %s, 0)", (desk.now,))
    desk.conn.commit()


def code(refused: Refusal | None) -> str | None:
    return refused.code if refused else None


def agree(
    desk: Desk, amount_fen: int = 30_000, by: str = "客服小明", case_id: str = "R1", version: int = 1
) -> str | None:
    return code(
        actions.person_intent(desk.conn, 1, case_id, "agree_refund", amount_fen, version, by, desk.now)
    )


def decide(
    desk: Desk,
    yes: bool = True,
    by: str = "主管阿兰",
    why: str = "",
    amount_fen: int = 30_000,
    version: int = 1,
) -> str | None:
    newest = desk.one("SELECT max(id) FROM approval")
    return code(
        actions.decide_approval(
            desk.conn, 1, newest, yes, by, why, desk.now, seen_amount_fen=amount_fen, seen_version=version
        )
    )


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """300.00 asked of 500.00 paid; 客服小明 may pay 200.00 alone and has asked for the rest."""
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    assert agree(desk) is None
    assert desk.one(MONEY) == ("planned", 30_000, "客服小明", None)
    assert desk.one(APPROVAL) == ("requested", None, "above_limit")
    assert desk.one("SELECT expires_at - requested_at FROM approval") == timedelta(hours=24)
    assert (desk.one(HELD), desk.all(QUEUE)) == (30_000, [])
    return desk


def test_another_person_says_yes_and_it_is_sent_after_the_time_to_undo(waiting: Desk) -> None:
    assert decide(waiting) is None
    assert waiting.one(MONEY) == ("approved", 30_000, "客服小明", "主管阿兰")
    assert waiting.one(APPROVAL) == ("approved", "主管阿兰", "above_limit")
    assert waiting.one("SELECT due_at FROM intent") == waiting.now + timedelta(seconds=30)
    assert waiting.one(HELD) == 30_000
    assert waiting.all("SELECT actor, what FROM happening WHERE kind = 'approval' ORDER BY id") == [
        ("客服小明", "requested"), ("主管阿兰", "approved"),
    ]  # fmt: skip


def test_another_person_says_no_and_the_case_waits_again_with_its_money_free(waiting: Desk) -> None:
    assert decide(waiting, yes=False) == "no_reason"
    assert decide(waiting, yes=False, why="先看凭证") is None
    assert waiting.one(MONEY)[0] == "cancelled"
    assert waiting.one("SELECT outcome FROM intent") == "复核退回：先看凭证"
    assert waiting.one(APPROVAL) == ("refused", "主管阿兰", "先看凭证")
    assert waiting.one(HELD) == 0
    waiting.look()
    assert waiting.one(QUEUE) == "unshipped_manual"
    assert agree(waiting) is None  # asked again: a new request, not the old answer
    assert waiting.one(MONEY) == ("planned", 30_000, "客服小明", None)
    assert decide(waiting) is None
    assert waiting.one(MONEY)[0] == "approved"


NOT_APPROVED: list[tuple[dict[str, Any], str]] = [
    ({"by": "客服小明"}, "four_eyes"),
    ({"by": "外人老吴"}, "role_or_action_unknown"),
    ({"amount_fen": 30_001}, "changed"),
    ({"amount_fen": 29_999}, "changed"),
    ({"version": 2}, "changed"),
    ({"by": "客服小红"}, "above_limit"),
    ({"by": "客服小红", "yes": False, "why": "不"}, "above_limit"),
]


@pytest.mark.parametrize(("wish", "why"), NOT_APPROVED)
def test_who_may_not_and_what_was_not_seen_is_not_approved(
    waiting: Desk, wish: dict[str, Any], why: str
) -> None:
    staff(waiting.conn, 1, {"客服小红": "agent"})
    waiting.conn.commit()
    assert decide(waiting, **wish) == why
    assert waiting.one(MONEY) == ("planned", 30_000, "客服小明", None)
    assert waiting.one(APPROVAL)[0] == "requested"


def test_the_second_to_press_learns_who_was_first(waiting: Desk) -> None:
    assert decide(waiting) is None
    assert decide(waiting) == "already"
    late = actions.decide_approval(
        waiting.conn, 1, 1, False, "店主", "不退", waiting.now, seen_amount_fen=30_000, seen_version=1
    )
    assert late == Refusal("decided", "另一位同事已经先复核了这一条", who="主管阿兰", at=waiting.now)
    assert waiting.one(MONEY)[0] == "approved"
    assert agree(waiting, 10_000, by="主管阿兰") == "already"


def test_a_change_of_the_buyer_voids_the_request(waiting: Desk) -> None:
    waiting.tell(application(version=2, amount_fen=29_000))
    assert waiting.one(MONEY)[0] == "cancelled"
    assert waiting.one(APPROVAL)[0] == "void"
    assert waiting.one(HELD) == 0
    assert decide(waiting) == "void"
    assert waiting.one(MONEY)[0] == "cancelled"


def test_a_change_of_the_buyer_voids_what_was_approved(waiting: Desk) -> None:
    decide(waiting)
    waiting.tell(application(version=2, amount_fen=29_000))
    assert waiting.one(MONEY)[0] == "cancelled"
    assert waiting.one(APPROVAL)[0] == "void"
    assert agree(waiting, 29_000, version=2) is None
    assert waiting.all(MONEY)[-1] == ("planned", 29_000, "客服小明", None)


def test_nobody_answers_and_the_case_waits_again(waiting: Desk) -> None:
    waiting.wait(hours=24, seconds=-1)
    at(waiting)
    assert actions.expire_approvals(waiting.conn, waiting.now) == 0
    waiting.wait(seconds=1)
    at(waiting)
    assert decide(waiting) == "expired"
    assert actions.expire_approvals(waiting.conn, waiting.now) == 1
    assert actions.expire_approvals(waiting.conn, waiting.now) == 0
    assert waiting.one(MONEY)[0] == "cancelled"
    assert waiting.one(APPROVAL)[:2] == ("void", None)
    assert waiting.one(HELD) == 0
    waiting.look()
    assert waiting.one(QUEUE) == "unshipped_manual"


def test_a_limit_that_was_lowered_meanwhile_counts(waiting: Desk) -> None:
    set_settings(waiting.conn, "ming", {"lead_refund_max": 20_000}, "店主", waiting.now)
    assert decide(waiting) == "above_limit"
    assert waiting.one(MONEY)[0] == "planned"
    assert decide(waiting, by="店主") is None
    assert waiting.one(MONEY) == ("approved", 30_000, "客服小明", "店主")


def test_what_was_taken_back_needs_a_new_answer(waiting: Desk) -> None:
    decide(waiting)
    assert actions.undo(waiting.conn, 1, "R1", "agree_refund", "主管阿兰", waiting.now) is None
    assert waiting.one(APPROVAL)[0] == "void"
    assert agree(waiting) is None
    assert waiting.one(MONEY) == ("planned", 30_000, "客服小明", None)


def test_a_person_takes_over_what_a_rule_has_not_sent(desk: Desk) -> None:
    desk.tell(order(), application(zero_second_covered=True))
    assert desk.one(MONEY) == ("approved", 5_000, "rule:zero_second", "rule:zero_second")
    assert agree(desk, 4_000) is None
    assert sorted(desk.all("SELECT state, amount_fen, planned_by FROM intent WHERE money")) == [
        ("approved", 4_000, "客服小明"), ("cancelled", 5_000, "rule:zero_second"),
    ]  # fmt: skip
    assert desk.one(HELD) == 4_000


def test_the_same_amount_taken_over_is_one_intent_under_the_persons_name(desk: Desk) -> None:
    desk.tell(order(), application(zero_second_covered=True))
    assert agree(desk, 5_000) is None
    assert desk.one(MONEY) == ("approved", 5_000, "客服小明", "客服小明")
    assert desk.one(HELD) == 5_000
    assert agree(desk, 5_000) == "already"


def test_what_a_rule_has_sent_is_not_taken_over_and_a_refusal_leaves_the_rules_own(desk: Desk) -> None:
    desk.tell(order(), application(zero_second_covered=True))
    assert agree(desk, 5_001) == "amount"
    assert agree(desk, 5_000, by="外人老吴") == "role_or_action_unknown"
    assert desk.one(MONEY) == ("approved", 5_000, "rule:zero_second", "rule:zero_second")
    desk.conn.execute("UPDATE intent SET state = 'sending' WHERE money")
    desk.conn.commit()
    assert agree(desk, 4_000) == "already"
    assert desk.one(MONEY)[0] == "sending"
    assert desk.one(HELD) == 5_000


def resolve(desk: Desk, how: str, by: str = "客服小明") -> str | None:
    return code(actions.resolve(desk.conn, 1, "R1", "agree_refund", how, by, desk.now))


@pytest.fixture
def with_person(desk: Desk) -> Desk:
    """The platform wants a code by SMS for 50.00."""
    desk.tell(order(), application(zero_second_covered=True))
    desk.conn.execute("UPDATE intent SET state = 'sending'")
    asked = Outcome(1, "R1", "agree_refund", 1, 5_000, 1, "with_person", "40 sms_code")
    with desk.conn.transaction():
        actions.settle(desk.conn, [asked], desk.now)
    assert desk.one(MONEY)[0] == "with_person"
    return desk


def test_what_waits_for_the_main_account_is_sent_again_under_the_persons_name(with_person: Desk) -> None:
    assert resolve(with_person, "again", "外人老吴") == "role_or_action_unknown"
    assert resolve(with_person, "again") is None
    assert with_person.one(MONEY) == ("approved", 5_000, "rule:zero_second", "客服小明")
    assert with_person.one(HELD) == 5_000
    assert resolve(with_person, "again") == "already"


def test_that_it_was_done_there_is_asked_not_believed(with_person: Desk) -> None:
    assert resolve(with_person, "done_there") is None
    assert with_person.one(MONEY)[0] == "with_person"
    assert with_person.all("SELECT count(*) FROM ledger") == [0]
    assert with_person.one("SELECT kind, external_id FROM to_fetch") == ("application", "R1")


def test_what_waits_for_the_main_account_is_cancelled(with_person: Desk) -> None:
    assert resolve(with_person, "cancel") is None
    assert with_person.one(MONEY)[0] == "cancelled"
    assert with_person.one(HELD) == 0
    assert resolve(with_person, "cancel") == "already"
    assert resolve(with_person, "pay twice") == "unknown_kind"


CHANGES = ("amount_fen", "platform_version", "case_id", "kind", "order_id", "shop_id")


@pytest.fixture(scope="module")
def shared(embedded_server: Any) -> Iterator[Desk]:
    """One database for many small worlds."""
    for database in fresh(embedded_server):
        made = Desk(database)
        at(made)
        yield made
        made.close()


_number = iter(range(1, 1_000_000))


@tune(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.integers(20_001, 200_000),
    change=st.sampled_from(CHANGES),
    by=st.integers(-20_000, 20_000).filter(bool),
    after=st.booleans(),
)
def test_a_yes_to_one_thing_never_pays_another(
    shared: Desk, asked: int, change: str, by: int, after: bool
) -> None:
    """Whatever bound field differs, before or after the yes: nothing else than what was seen is approved."""
    no = next(_number)
    case_id = f"P{no}"
    shared.tell(
        order(f"T{no}", paid_fen=400_000), application(case_id, order_id=f"T{no}", amount_fen=300_000)
    )
    assert agree(shared, asked, case_id=case_id) is None
    if after:
        assert decide(shared, amount_fen=asked) is None
    value: object = {"amount_fen": asked + by, "platform_version": 1 + abs(by), "case_id": f"Q{no}",
                     "kind": "agree_return", "order_id": f"U{no}", "shop_id": 2}[change]  # fmt: skip
    with pytest.raises(psycopg.Error), shared.conn.transaction():
        shared.conn.execute(
            f"UPDATE intent SET {change} = %s, state = 'approved', approved_by = '客服小明' WHERE case_id = %s",
            (value, case_id),
        )
    if not after and change in ("amount_fen", "platform_version"):
        seen = {"amount_fen": asked, "version": 1} | {
            {"amount_fen": "amount_fen", "platform_version": "version"}[change]: value
        }
        assert decide(shared, **seen) == "changed"  # type: ignore[arg-type]
    wanted = "approved" if after else "planned"
    assert shared.all(
        "SELECT state, amount_fen, platform_version FROM intent WHERE money AND case_id IN (%s, %s)",
        case_id, f"Q{no}",
    ) == [(wanted, asked, 1)]  # fmt: skip


APPROVERS = (("主管阿兰", True), ("店主", False), ("店主", True), ("主管阿兰", False))
Press = Callable[[Any, int], Refusal | None]
"""A person's connection and place → what they were told."""


def at_once(conns: list[Any], crowd: int, press: Press) -> list[str]:
    start = Barrier(crowd)

    def one(place: int) -> str:
        start.wait()
        return code(press(conns[place], place)) or "won"

    with ThreadPoolExecutor(crowd) as people:
        return list(people.map(one, range(crowd)))


def deciding(desk: Desk, approval: int) -> Press:
    return lambda conn, place: actions.decide_approval(
        conn, 1, approval, APPROVERS[place % 4][1], APPROVERS[place % 4][0], "不退", desk.now,
        seen_amount_fen=150_000, seen_version=1,
    )  # fmt: skip


def paying(desk: Desk, case_id: str) -> Press:
    return lambda conn, place: actions.person_intent(
        conn, 1, case_id, "agree_refund", 100_000 + place, 1, APPROVERS[place % 4][0], desk.now
    )


@pytest.fixture
def conns(shared: Desk) -> Iterator[list[Any]]:
    made = [opened(shared.database.app, settings=SETTINGS) for _ in range(8)]
    yield made
    for conn in made:
        conn.close()


@pytest.mark.parametrize("second_opinion", [True, False])
def test_of_many_who_press_at_once_exactly_one_wins(
    shared: Desk, conns: list[Any], second_opinion: bool
) -> None:
    """P11: 100 rounds of 2 to 8 people with connections of their own, each with another idea, on one case."""
    for round_no in range(100):
        case_id, order_id, crowd = f"C{(no := next(_number))}", f"T{no}", 2 + round_no % 7
        shared.tell(
            order(order_id, paid_fen=400_000), application(case_id, order_id=order_id, amount_fen=300_000)
        )
        if second_opinion:
            assert agree(shared, 150_000, case_id=case_id) is None
            said = at_once(conns, crowd, deciding(shared, shared.one("SELECT max(id) FROM approval")))
            yes = APPROVERS[said.index("won") % 4][1]
            wanted = ("approved", 150_000) if yes else ("cancelled", 150_000)
        else:
            said = at_once(conns, crowd, paying(shared, case_id))
            wanted = ("approved", 100_000 + said.index("won"))
        assert said.count("won") == 1, said
        assert set(said) <= {"won", "already", "decided"}, said
        assert (
            shared.one("SELECT state, amount_fen FROM intent WHERE case_id = %s AND money", case_id) == wanted
        )
        held = wanted[1] if wanted[0] == "approved" else 0
        assert shared.one("SELECT held_fen FROM order_money WHERE order_id = %s", order_id) == held
