"""What a platform would turn away is refused before anything is written: one book for every way."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from aftersale.cases import actions
from aftersale.cases.approvals import decide_approval, resolve
from aftersale.cases.people import Refusing
from aftersale.clock import follow
from aftersale.core.look import decide
from aftersale.core.records import Parcel
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order

WORDS = Refusing(1, "商品影响二次销售", "您好，商品已经使用过，暂时不能退")

KINDS = ("agree_refund", "agree_return", "refuse", "intercept")


@pytest.fixture
def desk(embedded_database: Database, request: pytest.FixtureRequest) -> Iterator[Desk]:
    made = Desk(embedded_database, platform=getattr(request, "param", "tmall"))
    yield made
    made.close()


def press(desk: Desk, kind: str, amount_fen: int = 0, version: int = 1) -> Any:
    return actions.person_intent(desk.conn, 1, "R1", kind, amount_fen, version, "店主", desk.now)


# platform, what is pressed, type, state, more of the application, shipped, why not
CASES = """
tmall   agree_refund  return_refund          applied         -                              yes  return_first
tmall   agree_refund  return_refund          return_agreed   -                              yes  -
tmall   agree_refund  return_refund          return_shipped  -                              yes  -
tmall   agree_refund  return_refund          -               -                              yes  -
tmall   agree_refund  return_refund          seller_refused  -                              yes  return_first
pdd     agree_refund  return_refund          seller_refused  -                              yes  -
pdd     agree_refund  return_refund          applied         -                              yes  return_first
tmall   agree_refund  exchange               applied         -                              yes  no_money_asked
tmall   agree_refund  repair                 return_shipped  -                              yes  no_money_asked
tmall   agree_refund  resend                 -               -                              yes  no_money_asked
tmall   agree_refund  -                      applied         -                              yes  -
tmall   agree_refund  unshipped_refund_only  applied         -                              no   -
tmall   agree_refund  unshipped_refund_only  seller_refused  -                              no   -
tmall   agree_refund  unshipped_refund_only  applied         operation_limit=web_only       no   web_only
tmall   agree_refund  unshipped_refund_only  refunded        -                              no   finished
tmall   agree_return  return_refund          applied         -                              yes  -
tmall   agree_return  return_refund          seller_refused  -                              yes  -
tmall   agree_return  exchange               -               -                              yes  -
tmall   agree_return  return_refund          return_agreed   -                              yes  return_agreed_before
tmall   agree_return  exchange               return_shipped  -                              yes  return_agreed_before
tmall   agree_return  shipped_refund_only    applied         -                              yes  no_return
tmall   agree_return  -                      applied         -                              yes  -
tmall   agree_return  return_refund          closed          -                              yes  finished
tmall   refuse        shipped_refund_only    applied         -                              yes  -
tmall   refuse        unshipped_refund_only  applied         -                              no   unshipped_refused
tmall   refuse        unshipped_refund_only  applied         -                              ?    -
tmall   refuse        return_refund          applied         reason=seven_day_no_reason     yes  no_reason_refused
tmall   refuse        return_refund          return_shipped  reason=seven_day_no_reason     yes  -
tmall   refuse        return_refund          return_agreed   -                              yes  not_now_refused
tmall   refuse        return_refund          applied         operation_limit=cannot_refuse  yes  never_refused
tmall   refuse        return_refund          applied         intervened=yes                 yes  never_refused
pdd     refuse        shipped_refund_only    applied         -                              yes  refused_there
tmall   intercept     unshipped_refund_only  applied         -                              no   nothing_under_way
tmall   intercept     return_refund          applied         -                              yes  -
tmall   intercept     unshipped_refund_only  applied         -                              ?    -
"""


def cases() -> list[tuple[str, ...]]:
    return [tuple(line.split()) for line in CASES.strip().splitlines()]


def told(kind: str, state: str, more: str) -> dict[str, Any]:
    name, _equals, value = more.partition("=")
    own: dict[str, Any] = {} if more == "-" else {name: True if value == "yes" else value}
    return {"aftersale_type": None if kind == "-" else kind, "state": None if state == "-" else state, **own}


@pytest.mark.parametrize("desk", ["tmall", "pdd"], indirect=True)
def test_what_cannot_be_is_refused_and_nothing_happens(desk: Desk, request: pytest.FixtureRequest) -> None:
    platform = request.node.callspec.params["desk"]
    mine = [case for case in cases() if case[0] == platform]
    assert len(mine) >= 3
    for no, (_platform, pressed, kind, state, more, shipped, why) in enumerate(mine):
        case_id, order_id = f"R{no}", f"T{no}"
        sent = {"yes": True, "no": False, "?": None}[shipped]
        form = {"reason": "quality", "received": True, **told(kind, state, more)}
        desk.tell(order(order_id, shipped=sent), application(case_id, order_id=order_id, **form))
        before = left(desk, case_id)
        fen, words = 5_000 * (pressed == "agree_refund"), WORDS if pressed == "refuse" else None
        refused = actions.person_intent(
            desk.conn, 1, case_id, pressed, fen, 1, "店主", desk.now, refusing=words
        )
        assert (refused.code if refused else "-") == why, mine[no]
        if refused:
            assert refused.why == f"没有执行：{books.title('why', why)}"
            assert left(desk, case_id) == before
        else:
            assert (
                desk.one("SELECT kind FROM intent WHERE case_id = %s AND planned_by = '店主'", case_id)
                == pressed
            )


def left(desk: Desk, case_id: str) -> list[Any]:
    """All that an act would leave behind."""
    return [
        desk.all(f"SELECT to_jsonb(t)::text FROM {table} t WHERE case_id = %s ORDER BY 1", case_id)
        for table in ("intent", "queue_item", "approval", "happening", "look", "handling")
    ] + [desk.all("SELECT held_fen FROM order_money ORDER BY order_id")]


def test_the_database_says_what_the_book_says(desk: Desk) -> None:
    """Every value of every fact that the book reads, unknown too, a few of them at a time."""
    book = books.book("possible")
    wishes: list[dict[str, Any]] = [
        {"aftersale_type": kind, "state": state, **more}
        for kind in (None, "unshipped_refund_only", "shipped_refund_only", "return_refund", "exchange", "compensation")
        for state in (None, "applied", "return_agreed", "return_shipped", "seller_refused", "refunded")
        for more in ({}, {"operation_limit": "web_only"}, {"operation_limit": None, "intervened": None, "reason": None},
                     {"platform_initiated": True}, {"reason": "seven_day_no_reason"})
    ]  # fmt: skip
    desk.tell(
        *(order(f"T{no}", shipped=(None, False, True)[no % 3]) for no in range(len(wishes))),
        *(application(f"R{no}", order_id=f"T{no}", **wish) for no, wish in enumerate(wishes)),
    )
    said = "SELECT c.case_id, k.kind, i.why FROM cases c CROSS JOIN unnest(%s::text[]) AS k (kind) CROSS JOIN LATERAL impossible(1, c.case_id, k.kind) i"
    in_sql = {(case_id, kind): why for case_id, kind, why in desk.all(said, list(KINDS))}
    facts = "SELECT case_id, platform, aftersale_type, state, reason, intervened, platform_initiated, operation_limit, shipped FROM case_facts"
    names = facts.removeprefix("SELECT case_id, ").removesuffix(" FROM case_facts").split(", ")
    in_python = {}
    for case_id, *values in desk.all(facts):
        for kind in KINDS:
            known = {**dict(zip(names, values, strict=True)), "attempt": kind}
            if why := decide(book, known, {}, NOON).outcome.get("why"):
                in_python[case_id, kind] = why
    assert in_sql == in_python
    assert len(in_sql) > 300
    assert {rule.then["why"].value for rule in book.rules} - set(in_sql.values()) == {  # type: ignore[union-attr]
        "refused_there",
        "parcel_arrived",
    }


def test_a_second_persons_yes_is_refused_alike_and_a_no_is_not(desk: Desk) -> None:
    desk.tell(order(paid_fen=500_000), application(amount_fen=300_000))
    asked = actions.person_intent(desk.conn, 1, "R1", "agree_refund", 300_000, 1, "主管阿兰", desk.now)
    assert asked is None
    number = desk.one("SELECT id FROM approval")
    desk.conn.execute("UPDATE cases SET operation_limit = 'web_only'")
    desk.conn.commit()
    before = left(desk, "R1")

    def answer(yes: bool) -> Any:
        return decide_approval(
            desk.conn, 1, number, yes, "店主", "去后台退", desk.now, seen_amount_fen=300_000, seen_version=1
        )

    refused = answer(yes=True)
    assert (refused.code, refused.why) == ("web_only", "没有执行：平台只允许在网页后台操作")
    assert left(desk, "R1") == before
    assert desk.one("SELECT state FROM intent WHERE money") == "planned"
    assert answer(yes=False) is None
    assert desk.one("SELECT state FROM intent WHERE money") == "cancelled"


def test_what_came_back_is_not_tried_again_when_it_cannot_be(desk: Desk) -> None:
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    assert press(desk, "agree_refund", 30_000) is None
    desk.conn.execute("UPDATE intent SET state = 'with_person' WHERE money")
    desk.conn.execute("UPDATE cases SET operation_limit = 'web_only'")
    desk.conn.commit()
    before = left(desk, "R1")
    refused = resolve(desk.conn, 1, "R1", "agree_refund", "again", "店主", desk.now)
    assert refused is not None
    assert refused.code == "web_only"
    assert left(desk, "R1") == before


@pytest.mark.parametrize(
    ("state", "code"), [("in_transit", None), ("signed", "parcel_arrived"), ("returned", "parcel_arrived")]
)
def test_a_parcel_that_arrived_is_not_stopped(desk: Desk, state: str, code: str | None) -> None:
    parcel = Parcel("SF1", 1, "shunfeng", state, 2, NOON, NOON if state == "signed" else None, "self", ())
    sent = order(shipped=True, tracking_no="SF1", shipped_at=NOON - timedelta(days=2))
    desk.tell(sent, parcel, application(aftersale_type="return_refund", reason="quality", received=True))
    refused = press(desk, "intercept")
    assert (refused.code if refused else None) == code
    assert len(desk.all("SELECT 1 FROM intent WHERE kind = 'intercept'")) == (0 if code else 1)


# speed of the shops' clock, deadline in the shops' minutes, seconds of theirs until it is sent
WINDOWS = [
    (1.0, 2_880, 30),
    (120.0, 2_880, 3_600),
    (60.0, 2_880, 1_800),
    (0.0, 2_880, 30),
    (120.0, 60, 1_800),  # the margin of 30 minutes before the deadline
    (120.0, 30, 30),  # within the margin
    (120.0, -5, 3_600),  # over already, nothing to hurry for
    (1.0, 30, 30),
    (1.0, 1 / 3, 15),  # 20 seconds before the deadline: 5 remain for the call
    (120.0, 0.05, 0),
]


@pytest.mark.parametrize(("speed", "minutes", "seconds"), WINDOWS)
def test_the_time_to_undo_is_thirty_seconds_of_a_person(
    desk: Desk, speed: float, minutes: float, seconds: int
) -> None:
    follow(desk.conn, desk.now, speed)
    desk.tell(
        order(paid_fen=50_000), application(amount_fen=30_000, due_at=NOON + timedelta(minutes=minutes))
    )
    assert press(desk, "agree_refund", 20_000) is None
    waits = "SELECT extract(epoch FROM due_at - created_at)::int FROM intent WHERE planned_by = '店主'"
    assert desk.one(waits) == seconds


def test_a_second_persons_yes_leaves_the_same_time(desk: Desk) -> None:
    follow(desk.conn, desk.now, 120.0)
    desk.tell(order(paid_fen=500_000), application(amount_fen=300_000))
    assert actions.person_intent(desk.conn, 1, "R1", "agree_refund", 300_000, 1, "主管阿兰", desk.now) is None
    number, later = desk.one("SELECT id FROM approval"), desk.now + timedelta(minutes=5)
    said = decide_approval(
        desk.conn, 1, number, True, "店主", "", later, seen_amount_fen=300_000, seen_version=1
    )
    assert said is None
    assert desk.one("SELECT due_at FROM intent WHERE money") == later + timedelta(seconds=3_600)
