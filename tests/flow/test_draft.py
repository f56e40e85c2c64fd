"""A draft on live cases: it watches without changing anything, or decides its share within its budget."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from aftersale.core.refusal import Refusal
from aftersale.publishing import trial as draft
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import Desk, application, order

TEXT = books.text("refund.yaml")
SHIPPED = books.book().version


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    desk = Desk(database, platform="pdd")
    yield desk
    desk.close()


def _start(
    desk: Desk, share: int = 0, budget_fen: int = 0, text: str = TEXT, **settings: object
) -> int | Refusal:
    return draft.start(
        desk.conn, "ming", text, settings, "主管阿兰", desk.now, share_percent=share, budget_fen=budget_fen
    )


def _decided(desk: Desk) -> list[tuple[str, str, str | None]]:
    return desk.all("SELECT case_id, rule, queue FROM handling ORDER BY case_id")


def _paying(desk: Desk) -> list[tuple[str, int]]:
    return desk.all("SELECT case_id, amount_fen FROM intent WHERE money ORDER BY case_id")


def _application(desk: Desk, case_id: str, order_id: str, amount_fen: int) -> None:
    one = replace(application(case_id, amount_fen=amount_fen), order_id=order_id)
    desk.tell(order(order_id, paid_fen=amount_fen), one)


def test_a_shadow_changes_nothing_and_says_what_it_would_have_done(desk: Desk) -> None:
    assert isinstance(_start(desk, unshipped_direct_max=1_000), int)
    _application(desk, "R1", "T1", 900)
    _application(desk, "R2", "T2", 5_000)
    live = _decided(desk)
    assert [row[2] for row in live] == [None, None]
    assert _paying(desk) == [("R1", 900), ("R2", 5_000)]
    shadow = desk.all(
        "SELECT case_id, queue, money, live_queue, live_money, canary FROM shadow ORDER BY case_id"
    )
    assert shadow == [
        ("R1", None, True, None, True, False),
        ("R2", "unshipped_manual", False, None, True, False),
    ]
    (same, other) = sorted(draft.moves(desk.conn, 1), key=lambda move: move.changed)
    assert (same.changed, same.cases, other.changed, other.cases) == (False, 1, True, 1)
    assert (other.live_fen, other.fen, other.examples) == (5_000, 0, ("R2",))
    assert desk.all("SELECT DISTINCT book_version FROM decision") == [SHIPPED]


def test_a_whole_canary_decides_and_the_decision_names_its_version(desk: Desk) -> None:
    strict = TEXT.replace(
        "default: 20000, min: 0, title: 未发货直接退的上限",
        "default: 1000, min: 0, title: 未发货直接退的上限",
    )
    assert strict != TEXT
    assert isinstance(_start(desk, share=100, budget_fen=100_000, text=strict), int)
    _application(desk, "R1", "T1", 900)
    _application(desk, "R2", "T2", 5_000)
    assert [row[2] for row in _decided(desk)] == [None, "unshipped_manual"]
    assert _paying(desk) == [("R1", 900)]
    assert desk.all("SELECT DISTINCT book_version FROM decision") == [books.parse(strict).version]
    assert desk.one("SELECT spent_fen FROM draft") == 900


def test_the_budget_is_never_passed(desk: Desk) -> None:
    """The published book gives these to a person; the draft would pay them all, and pays until the budget."""
    assert isinstance(_start(desk, share=100, budget_fen=65_000, unshipped_direct_max=1_000_000), int)
    for no in range(5):
        _application(desk, f"R{no}", f"T{no}", 30_000)
    assert [case for case, _ in _paying(desk)] == ["R0", "R1"]
    assert desk.one("SELECT spent_fen FROM draft") == 60_000
    assert desk.all("SELECT case_id FROM queue_item ORDER BY case_id") == ["R2", "R3", "R4"]
    assert desk.all("SELECT case_id FROM shadow WHERE canary ORDER BY case_id") == ["R0", "R1"]


def test_the_budget_holds_within_one_batch(desk: Desk) -> None:
    assert isinstance(_start(desk, share=100, budget_fen=65_000, unshipped_direct_max=1_000_000), int)
    desk.tell(
        *(order(f"T{no}", paid_fen=30_000) for no in range(5)),
        *(replace(application(f"R{no}", amount_fen=30_000), order_id=f"T{no}") for no in range(5)),
    )
    assert len(_paying(desk)) == 2
    assert desk.one("SELECT spent_fen FROM draft") == 60_000


def test_a_share_is_kept_to_and_a_case_stays_with_its_book(desk: Desk) -> None:
    assert isinstance(_start(desk, share=30, budget_fen=10_000_000, unshipped_direct_max=1_000), int)
    for no in range(200):
        _application(desk, f"R{no}", f"T{no}", 5_000)
    canary = set(desk.all("SELECT case_id FROM shadow WHERE canary"))
    assert 40 <= len(canary) <= 80
    assert set(desk.all("SELECT case_id FROM queue_item")) == canary
    for case in sorted(canary)[:5]:
        desk.tell(replace(application(case, 2, amount_fen=5_000), order_id=case.replace("R", "T")))
    assert set(desk.all("SELECT case_id FROM shadow WHERE canary")) == canary


def test_after_the_end_the_published_book_decides_again(desk: Desk) -> None:
    assert isinstance(_start(desk, share=100, budget_fen=1, unshipped_direct_max=1_000), int)
    _application(desk, "R1", "T1", 5_000)
    assert [row[2] for row in _decided(desk)] == ["unshipped_manual"]
    assert draft.stop(desk.conn, "ming", "主管阿兰", desk.now) is True
    assert draft.stop(desk.conn, "ming", "主管阿兰", desk.now) is False
    desk.tell(application("R1", 2, amount_fen=5_000))
    assert [row[2] for row in _decided(desk)] == [None]
    assert desk.all("SELECT count(*) FROM queue_item") == [0]


REFUSED = [
    ({"text": "book: refund"}, "缺少 hit"),
    (
        {"text": TEXT.replace("action: none, queue: null}", "action: nothing, queue: null}", 1)},
        "没有名为 nothing 的动作",
    ),
    (
        {
            "text": TEXT.replace(
                "queue: intervention, why: intervened", "queue: intervenshion, why: intervened", 1
            )
        },
        "没有名为 intervenshion 的队列，最近的是 intervention",
    ),
    (
        {
            "text": TEXT.replace(
                "settings:\n", "settings:\n  - {name: share, type: decimal, default: '0.1', title: 比例}\n", 1
            )
        },
        "设置 share 有 history 或是小数",
    ),
    ({"unshipped_direct_maks": 3}, "没有名为 unshipped_direct_maks 的设置"),
    ({"unshipped_direct_max": -1}, "小于允许的最小值"),
]


@pytest.mark.parametrize(("told", "why"), REFUSED)
def test_what_cannot_decide_is_refused(desk: Desk, told: dict[str, object], why: str) -> None:
    found = _start(desk, **told)  # type: ignore[arg-type]
    assert isinstance(found, Refusal)
    assert why in found.why
    assert desk.all("SELECT count(*) FROM draft") == [0]


def test_one_draft_at_a_time(desk: Desk) -> None:
    assert isinstance(_start(desk), int)
    second = _start(desk)
    assert isinstance(second, Refusal)
    assert second.code == "running"
    nowhere = draft.start(desk.conn, "tea", TEXT, {}, "主管阿兰", desk.now)
    assert isinstance(nowhere, Refusal)
    assert nowhere.code == "no_shop"


def test_a_draft_that_can_no_longer_be_read_stops_nobody(desk: Desk) -> None:
    """As after an upgrade that took away a fact it reads."""
    with desk.conn.transaction():
        desk.conn.execute(
            "INSERT INTO book_version (version, book, text, reads) VALUES ('old', 'refund', 'book: old', '{}')"
        )
        desk.conn.execute(
            "INSERT INTO draft (shop_id, book_version, share_percent, budget_fen, started_by, started_at)"
            " VALUES (1, 'old', 100, 100000, '主管阿兰', now())"
        )
    _application(desk, "R1", "T1", 5_000)
    assert _decided(desk) == [("R1", "changed_mind", None)]
    assert desk.all("SELECT count(*) FROM shadow") == [0]
