"""A shop's published text decides its cases from the next batch on; money needs a second person; nothing unread gets in."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from aftersale.core.refusal import Refusal
from aftersale.publishing import edits, release, steps
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import Desk, application, order

TEXT = books.text("refund.yaml")
SHIPPED = books.book().version
TITLE = TEXT.replace("title: 已经退款或关闭", "title: 已结束", 1)
CAREFUL = TEXT.replace(
    "default: 20000, min: 0, title: 未发货直接退的上限", "default: 1000, min: 0, title: 未发货直接退的上限"
)
LAN, MING, BOSS = "主管阿兰", "客服小明", "店主"


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    desk = Desk(embedded_database, platform="pdd")
    yield desk
    desk.close()


def _edit(desk: Desk, text: str, by: str = LAN, **values: object) -> edits.Edit:
    one = edits.begin(desk.conn, 1, by, desk.now)
    assert edits.save(desk.conn, one, text, values, by, desk.now, one.revision) is None
    found = edits.edit_of(desk.conn, 1)
    assert found is not None
    return found


def _publish(desk: Desk, one: edits.Edit, by: str = LAN) -> int | Refusal:
    return release.publish(desk.conn, "ming", 1, by, "试一试", one.sha256, desk.now)


def _code(found: object) -> str:
    assert isinstance(found, Refusal), found
    return found.code


def _approve(desk: Desk, one: edits.Edit, by: str = BOSS) -> Refusal | None:
    assert edits.ask(desk.conn, one, LAN, "少付一点", one.sha256, desk.now) is None
    return edits.answer(desk.conn, one, by, one.sha256, True, "", desk.now)


def _application(desk: Desk, no: int, amount_fen: int) -> None:
    one = replace(application(f"R{no}", amount_fen=amount_fen), order_id=f"T{no}")
    desk.tell(order(f"T{no}", paid_fen=amount_fen), one)


def _paying(desk: Desk) -> list[tuple[str, int]]:
    return desk.all(
        "SELECT case_id, amount_fen FROM intent WHERE money AND state = 'approved' ORDER BY case_id"
    )


def test_the_next_batch_is_decided_by_what_was_published(desk: Desk) -> None:
    _application(desk, 1, 5_000)
    one = _edit(desk, CAREFUL)
    assert _approve(desk, one) is None
    made = _publish(desk, one)
    assert isinstance(made, int)
    _application(desk, 2, 5_000)
    assert _paying(desk) == [("R1", 5_000)]
    versions = desk.all("SELECT case_id, book_version, queue FROM decision ORDER BY case_id, id")
    assert versions[0] == ("R1", SHIPPED, None)
    assert versions[-1] == ("R2", books.parse(CAREFUL).version, "unshipped_manual")
    kept = desk.all("SELECT shipped, approved_by, published_by, why FROM book_release ORDER BY id")
    assert kept == [(True, None, "aftersale", "随软件安装的规则书"), (False, BOSS, LAN, "试一试")]
    assert desk.all("SELECT what FROM audit ORDER BY id") == [
        "rule_edit",
        "rule_ask",
        "rule_approve",
        "rule_publish",
    ]


def test_another_shop_stays_with_the_book_of_the_software(desk: Desk) -> None:
    desk.conn.execute("INSERT INTO shop (code, name, platform) VALUES ('tea', '青山茶铺', 'pdd')")
    desk.conn.commit()
    one = _edit(desk, CAREFUL)
    assert _approve(desk, one) is None
    assert isinstance(_publish(desk, one), int)
    from aftersale.cases import actions
    from aftersale.core.records import Arrival

    told = [(shop, r) for shop in (1, 2) for r in (order(paid_fen=5_000), application(amount_fen=5_000))]
    with desk.conn.transaction():
        actions.merge(
            desk.conn, actions.staged((s, Arrival(r, f"{s}{r}", desk.now)) for s, r in told), desk.now
        )
        desk.decider.decide(desk.now)
    assert desk.all("SELECT shop_id, queue FROM handling ORDER BY shop_id") == [
        (1, "unshipped_manual"),
        (2, None),
    ]
    assert desk.all("SELECT book_version FROM decision ORDER BY shop_id") == [
        books.parse(CAREFUL).version,
        SHIPPED,
    ]


def test_money_needs_a_second_person_and_an_edit_voids_the_yes(desk: Desk) -> None:
    one = _edit(desk, CAREFUL)
    assert _code(_publish(desk, one)) == "four_eyes"
    assert _code(steps.step(desk.conn, "ming", 1, 10, 100_000, LAN, one.sha256, desk.now)) == "four_eyes"
    assert edits.ask(desk.conn, one, LAN, "少付一点", one.sha256, desk.now) is None
    assert _code(edits.answer(desk.conn, one, LAN, one.sha256, True, "", desk.now)) == "own"
    assert edits.answer(desk.conn, one, BOSS, one.sha256, True, "", desk.now) is None
    again = _edit(
        desk,
        CAREFUL.replace(
            "default: 1000, min: 0, title: 未发货直接退", "default: 900000, min: 0, title: 未发货直接退"
        ),
    )
    assert _code(_publish(desk, again)) == "four_eyes"
    assert desk.all("SELECT count(*) FROM book_live") == [0]
    assert desk.all("SELECT voided_at IS NOT NULL FROM book_approval") == [True]
    back = _edit(desk, CAREFUL)
    assert _code(_publish(desk, back)) == "four_eyes"


def test_who_wrote_a_part_cannot_say_yes(desk: Desk) -> None:
    _edit(desk, TITLE, BOSS)
    one = _edit(desk, CAREFUL)
    assert edits.ask(desk.conn, one, MING, "少付一点", one.sha256, desk.now) is None
    assert _code(edits.answer(desk.conn, one, BOSS, one.sha256, True, "", desk.now)) == "own"
    assert _code(edits.answer(desk.conn, one, LAN, one.sha256, True, "", desk.now)) == "own"


def test_words_alone_need_no_second_person(desk: Desk) -> None:
    one = _edit(desk, TITLE)
    assert isinstance(_publish(desk, one), int)
    assert desk.all("SELECT money FROM book_release WHERE NOT shipped") == [False]


BROKEN = {
    "unreadable": TEXT.replace("when: intervened", "when: intervenedd", 1),
    "unreadable ": TEXT.replace("queue: intervention, why: intervened", "queue: nowhere, why: intervened", 1),
    "unreadable  ": "book: refund",
    "lint": TEXT.replace(
        "  - name: intervened\n", "  - {name: twin, title: 同上, when: state = 'closed', then: {action: none, queue: null}}\n"
        "  - name: intervened\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("code", BROKEN)
def test_what_is_wrong_is_not_published(desk: Desk, code: str) -> None:
    one = _edit(desk, BROKEN[code])
    assert _code(_publish(desk, one)) == code.strip()
    if code != "lint":
        assert _code(steps.step(desk.conn, "ming", 1, 0, 0, LAN, one.sha256, desk.now)) == "unreadable"
    assert desk.all("SELECT count(*) FROM book_release") == [0]
    assert desk.all("SELECT count(*) FROM book_live") == [0]


def test_the_tables_refuse_what_went_round_the_functions(desk: Desk) -> None:
    one = _edit(desk, TITLE)
    assert isinstance(_publish(desk, one), int)
    copy = (
        "INSERT INTO book_release (shop_id, book, version, text, sha256, settings, money, authors, published_by, published_at, why)"
        " SELECT shop_id, book, %s, text, sha256, settings, %s, authors, published_by, published_at, why FROM book_release"
        " WHERE NOT shipped"
    )
    for version, money in ((books.parse(TITLE).version, True), ("unlinted", False)):
        with pytest.raises(psycopg.errors.IntegrityError), desk.conn.transaction():
            desk.conn.execute(copy, (version, money))
    with pytest.raises(psycopg.Error), desk.conn.transaction():
        desk.conn.execute("UPDATE book_release SET text = ''")


def test_one_click_goes_back_with_the_settings_of_then(desk: Desk) -> None:
    first = _edit(desk, TEXT, unshipped_direct_max=1_000)
    assert _approve(desk, first) is None
    older = _publish(desk, first)
    second = _edit(desk, TEXT, unshipped_direct_max=3_000)
    assert _approve(desk, second) is None
    assert isinstance(_publish(desk, second), int)
    _application(desk, 1, 2_000)
    assert _paying(desk) == [("R1", 2_000)]
    assert isinstance(older, int)
    assert isinstance(release.roll_back(desk.conn, "ming", 1, older, BOSS, desk.now), int)
    assert desk.one("SELECT settings FROM shop") == {"unshipped_direct_max": 1_000}
    _application(desk, 2, 2_000)
    assert _paying(desk) == [("R1", 2_000)]
    shipped = desk.one("SELECT min(id) FROM book_release WHERE shipped")
    assert isinstance(release.roll_back(desk.conn, "ming", 1, shipped, BOSS, desk.now), int)
    assert desk.all("SELECT count(*) FROM book_live") == [0]
    assert desk.one("SELECT settings FROM shop") == {}
    _application(desk, 3, 2_000)
    assert _paying(desk) == [("R1", 2_000), ("R3", 2_000)]


def test_open_cases_are_decided_again(desk: Desk) -> None:
    _application(desk, 1, 30_000)
    assert _paying(desk) == []
    one = _edit(desk, TEXT, unshipped_direct_max=100_000, unshipped_auto_refund_max=100_000)
    assert _approve(desk, one) is None
    assert isinstance(_publish(desk, one), int)
    assert desk.look() == 1
    assert _paying(desk) == [("R1", 30_000)]


def test_a_release_that_cannot_be_read_pays_nothing(desk: Desk) -> None:
    one = _edit(desk, TITLE)
    assert isinstance(_publish(desk, one), int)
    with psycopg.connect(desk.database.admin) as admin:
        admin.execute("ALTER TABLE book_release DISABLE TRIGGER append_only")
        admin.execute("UPDATE book_release SET text = 'book: refund' WHERE NOT shipped")
    _application(desk, 1, 900)
    assert desk.all("SELECT rule <> '', queue FROM handling") == [(True, "data_missing")]
    assert _paying(desk) == []


def test_a_trial_watches_then_decides_a_share_then_all(desk: Desk) -> None:
    one = _edit(desk, CAREFUL)
    watching = steps.step(desk.conn, "ming", 1, 0, 0, LAN, one.sha256, desk.now)
    assert isinstance(watching, int)
    _application(desk, 1, 5_000)
    assert _paying(desk) == [("R1", 5_000)]
    assert desk.all("SELECT queue, live_queue FROM shadow") == [("unshipped_manual", None)]
    assert _approve(desk, one) is None
    deciding = steps.step(desk.conn, "ming", 1, 100, 100_000, LAN, one.sha256, desk.now)
    assert isinstance(deciding, int)
    _application(desk, 2, 5_000)
    assert _paying(desk) == [("R1", 5_000)]
    assert isinstance(_publish(desk, one), int)
    assert desk.all("SELECT ended_at IS NOT NULL FROM draft ORDER BY id") == [True, True]


def test_two_people_at_once_lose_nothing(desk: Desk) -> None:
    one = edits.begin(desk.conn, 1, LAN, desk.now)
    assert edits.save(desk.conn, one, TITLE, {}, LAN, desk.now, one.revision) is None
    assert _code(edits.save(desk.conn, one, CAREFUL, {}, BOSS, desk.now, one.revision)) == "stale"
    found = edits.edit_of(desk.conn, 1)
    assert found is not None
    assert (found.text, found.authors) == (TITLE, [LAN])
