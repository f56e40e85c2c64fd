"""What people do to a case: through the one writer, refused as values, never more money than there is."""

from collections.abc import Callable, Iterator

import pytest

from aftersale.cases import actions
from aftersale.cases.actions import Outcome
from aftersale.core.refusal import Refusal
from tests.conftest import Database
from tests.flow.desk import Desk, application, order

MONEY = "SELECT state, amount_fen, planned_by FROM intent WHERE money ORDER BY created_at"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    yield made
    made.close()


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """A case of 300.00 that waits for a person: the book pays no more than 200.00 by itself."""
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    assert desk.one("SELECT queue FROM queue_item") == "unshipped_manual"
    return desk


def agree(desk: Desk, amount_fen: int = 30_000, version: int = 1, kind: str = "agree_refund") -> str | None:
    refused = actions.person_intent(desk.conn, 1, "R1", kind, amount_fen, version, "主管阿兰", desk.now)
    return refused.code if refused else None


def undo(desk: Desk) -> str | None:
    refused = actions.undo(desk.conn, 1, "R1", "agree_refund", "主管阿兰", desk.now)
    return refused.code if refused else None


def test_a_person_pays_and_nothing_leaves_while_it_can_be_undone(waiting: Desk) -> None:
    assert agree(waiting, 20_000) is None
    assert waiting.one(MONEY) == ("approved", 20_000, "主管阿兰")
    assert waiting.one("SELECT extract(epoch FROM due_at - created_at)::int FROM intent") == 30
    assert waiting.one("SELECT held_fen FROM order_money") == 20_000
    assert waiting.all("SELECT queue FROM queue_item") == []
    assert undo(waiting) is None
    assert waiting.one(MONEY) == ("cancelled", 20_000, "主管阿兰")
    assert waiting.one("SELECT held_fen FROM order_money") == 0
    waiting.look()
    assert waiting.one("SELECT queue FROM queue_item") == "unshipped_manual"
    assert waiting.all("SELECT what FROM happening WHERE kind = 'person' ORDER BY id") == [
        "agree_refund",
        "undo agree_refund",
    ]
    assert agree(waiting, 20_000) is None
    assert waiting.one(MONEY)[0] == "approved"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"amount_fen": 0}, "amount"),
        ({"amount_fen": -1}, "amount"),
        ({"amount_fen": 30_001}, "amount"),
        ({"version": 2}, "changed"),
        ({"version": 0}, "changed"),
        ({"kind": "delete_everything"}, "unknown_kind"),
    ],
)
def test_what_a_person_may_not_do_is_refused_and_changes_nothing(
    waiting: Desk, wish: dict[str, int], code: str
) -> None:
    assert agree(waiting, **wish) == code  # type: ignore[arg-type]
    assert waiting.all("SELECT kind FROM intent") == []
    assert waiting.one("SELECT held_fen FROM order_money") == 0
    assert waiting.one("SELECT queue FROM queue_item") == "unshipped_manual"
    assert waiting.all("SELECT what FROM happening") == []


def test_nobody_pays_twice_nor_more_than_was_paid(waiting: Desk) -> None:
    assert agree(waiting) is None
    assert agree(waiting) == "already"
    assert agree(waiting, 10_000) == "already"
    waiting.tell(application("R2", amount_fen=30_000))
    refused = actions.person_intent(waiting.conn, 1, "R2", "agree_refund", 20_001, 1, "主管阿兰", waiting.now)
    assert refused is not None
    assert refused.code == "over_paid"
    assert waiting.one("SELECT held_fen FROM order_money") == 30_000
    last = actions.person_intent(waiting.conn, 1, "R2", "agree_refund", 20_000, 1, "主管阿兰", waiting.now)
    assert last is None
    assert waiting.one("SELECT held_fen FROM order_money") == 50_000


def test_a_finished_case_and_an_unknown_one_are_refused(waiting: Desk) -> None:
    waiting.tell(application(version=2, state="closed"))
    assert agree(waiting, version=2) == "finished"
    missing = actions.person_intent(waiting.conn, 1, "R404", "agree_refund", 1, 1, "主管阿兰", waiting.now)
    other = actions.person_intent(waiting.conn, 2, "R1", "agree_refund", 1, 1, "外人老吴", waiting.now)
    assert [one.code for one in (missing, other) if one] == ["no_case", "no_case"]


def test_what_has_left_cannot_be_undone(waiting: Desk) -> None:
    agree(waiting)
    waiting.conn.execute("UPDATE intent SET state = 'sending'")
    waiting.conn.commit()
    assert undo(waiting) == "too_late"
    assert waiting.one("SELECT held_fen FROM order_money") == 30_000


def test_the_books_intent_is_not_a_persons_to_undo(desk: Desk) -> None:
    desk.tell(order(), application(zero_second_covered=True))
    assert undo(desk) == "too_late"
    assert desk.one(MONEY)[0] == "approved"


def test_a_change_of_the_buyer_takes_a_persons_intent_back(waiting: Desk) -> None:
    agree(waiting)
    waiting.tell(application(version=2, amount_fen=29_000))
    assert waiting.one(MONEY) == ("cancelled", 30_000, "主管阿兰")
    assert waiting.one("SELECT held_fen FROM order_money") == 0
    assert waiting.one("SELECT queue FROM queue_item") == "unshipped_manual"


def test_what_the_platform_refused_a_person_may_try_again_and_a_rule_may_not(desk: Desk) -> None:
    desk.tell(order(), application(zero_second_covered=True))
    desk.conn.execute("UPDATE intent SET state = 'sending'")
    refused = Outcome(1, "R1", "agree_refund", 1, 5_000, 1, "refused", "15 isv.balance 余额不足")
    with desk.conn.transaction():
        actions.settle(desk.conn, [refused], desk.now)
    desk.conn.commit()
    desk.tell(order(version=2))
    assert desk.one(MONEY) == ("refused", 5_000, "rule:zero_second")
    assert desk.one("SELECT held_fen FROM order_money") == 0
    assert desk.one("SELECT queue FROM queue_item") == "platform_refused"
    assert agree(desk, 5_000) is None
    assert desk.one(MONEY) == ("approved", 5_000, "主管阿兰")
    assert desk.one("SELECT held_fen FROM order_money") == 5_000


def test_what_a_person_found_out_is_decided_with(desk: Desk) -> None:
    drop = application(aftersale_type="price_diff_refund", reason="price_drop")
    desk.tell(order(shipped=True, promo="double11"), drop)
    assert desk.one("SELECT rule FROM handling") == "price_diff_check"
    told = actions.set_facts(desk.conn, 1, "R1", {"difference_confirmed": True}, "客服小明", desk.now)
    assert told is None
    assert desk.look() == 1
    assert desk.one("SELECT rule FROM handling") == "price_diff_direct"
    assert desk.one(MONEY)[1] == 5_000
    assert desk.one("SELECT actor, what FROM happening") == ("客服小明", "difference_confirmed = True")


FACTS: list[tuple[str, dict[str, object], str]] = [
    ("R1", {}, "unknown_fact"),
    ("R1", {"amount_fen": 1}, "unknown_fact"),
    ("R1", {"fault": "seller", "state": "closed"}, "unknown_fact"),
    ("R1", {"fault": "the weather"}, "bad_value"),
    ("R1", {"resaleable": "yes"}, "bad_value"),
    ("R404", {"resaleable": True}, "no_case"),
]


@pytest.mark.parametrize(("case_id", "facts", "code"), FACTS)
def test_facts_that_are_none_are_refused(
    waiting: Desk, case_id: str, facts: dict[str, object], code: str
) -> None:
    refused = actions.set_facts(waiting.conn, 1, case_id, facts, "客服小明", waiting.now)
    assert refused is not None
    assert refused.code == code
    assert waiting.all("SELECT what FROM happening") == []
    assert waiting.all("SELECT case_id FROM look WHERE case_id = 'R404'") == []
    assert waiting.one("SELECT person_version FROM cases") == 0


REFUSED: list[tuple[Callable[[Desk], Refusal | None], str]] = [
    (lambda desk: actions.note(desk.conn, 1, "R1", "客服小明", "  ", desk.now), "length"),
    (lambda desk: actions.note(desk.conn, 1, "R1", "客服小明", "字" * 2001, desk.now), "length"),
    (lambda desk: actions.note(desk.conn, 1, "R404", "客服小明", "在吗", desk.now), "no_case"),
    (lambda desk: actions.assign(desk.conn, 1, "R404", "客服小明", "主管阿兰", desk.now), "not_waiting"),
]


@pytest.mark.parametrize(("act", "code"), REFUSED)
def test_notes_and_hands_that_reach_nothing(
    waiting: Desk, act: Callable[[Desk], Refusal | None], code: str
) -> None:
    refused = act(waiting)
    assert refused is not None
    assert refused.code == code
    assert waiting.all("SELECT what FROM happening") == []


def test_a_case_is_noted_and_given_to_a_colleague(waiting: Desk) -> None:
    assert actions.note(waiting.conn, 1, "R1", "客服小明", " 已电话联系 ", waiting.now) is None
    assert actions.assign(waiting.conn, 1, "R1", "客服小明", "主管阿兰", waiting.now, "amount_check") is None
    assert waiting.one("SELECT owner, queue FROM queue_item") == ("客服小明", "amount_check")
    assert waiting.all("SELECT actor, what FROM happening ORDER BY id") == [
        ("客服小明", "已电话联系"),
        ("主管阿兰", "→ 客服小明 amount_check"),
    ]
    assert actions.assign(waiting.conn, 1, "R1", None, "主管阿兰", waiting.now) is None
    assert waiting.one("SELECT owner FROM queue_item") is None


def test_an_undone_and_repeated_refund_falls_when_the_platform_pays_first(waiting: Desk) -> None:
    assert (agree(waiting), undo(waiting), agree(waiting)) == (None, None, None)
    waiting.tell(application(version=2, state="refunded", amount_fen=30_000))
    assert waiting.one("SELECT state FROM intent WHERE kind = 'agree_refund'") == "cancelled"
    assert waiting.one("SELECT held_fen FROM order_money") == 30_000
    assert waiting.one("SELECT amount_fen, origin FROM ledger") == (30_000, "platform")
