"""The limits in the database say, cell by cell, what the book says; and nothing passes them."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from aftersale.cases import actions
from aftersale.cases.settings import set_settings
from aftersale.limits import publish
from aftersale.pg import Refused
from aftersale.pg.connect import opened
from aftersale.rulebooks import books
from aftersale.rulebooks.permission import Act, may
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order, staff

Cell = tuple[str | None, str | None, int | None, str]
BOOK = books.book("permissions")
ROLES = (*BOOK.catalogue.facts["role"].values, None)
ACTIONS = (*BOOK.catalogue.facts["action"].values, None)
LIMITS = sorted(
    {
        20_000,
        *(s.default for s in BOOK.settings.values() if isinstance(s.default, int) and s.type.kind == "fen"),
    }
)
AMOUNTS = (None, -1, 0, *(edge for limit in LIMITS for edge in (limit - 1, limit, limit + 1)), 2**62)
CHANNELS = (*publish.CHANNELS, "fax")
CELLS: list[Cell] = [(r, a, n, c) for r in ROLES for a in ACTIONS for n in AMOUNTS for c in CHANNELS]
SAYS = """
SELECT p.allowed, p.why, p.needs_approval, p.account_required, p.rule
FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::text[]) WITH ORDINALITY AS c (role, action, amount, channel, no)
CROSS JOIN LATERAL permitted(1, c.role, c.action, c.amount, c.channel, {more}) p ORDER BY c.no
"""
PEOPLE: dict[str, dict[str, Any]] = {
    "plain": {"refund_right": True},
    "no refund right": {"refund_right": False},
    "reviewed": {"refund_right": True, "reviewed": True},
    "deposit": {"refund_right": True, "reviewed": True, "presale_deposit": True},
    "sub-account": {"refund_right": True, "reviewed": True, "account": "sub"},
    "own limit": {"refund_right": True, "reviewed": True, "max_amount": 500},
    "helps with refunds": {"helper_job": "refunds", "access_ends_at": NOON + timedelta(hours=1)},
    "helped": {"helper_job": "refunds", "access_ends_at": NOON - timedelta(hours=1)},
}


@pytest.fixture
def desk(embedded_database: Database) -> Iterator[Desk]:
    made = Desk(embedded_database)
    made.conn.execute("INSERT INTO clock VALUES (true, clock_timestamp(), %s, 0)", (NOON,))
    made.conn.commit()
    yield made
    made.close()


def in_sql(desk: Desk, about: dict[str, Any], cells: list[Cell]) -> list[Any]:
    names = {"max_amount": "max_amount_fen"}
    kinds = {"max_amount": "bigint", "account": "text", "helper_job": "text", "access_ends_at": "timestamptz"}
    more = ", ".join(f"{names.get(n, n)} => %s::{kinds.get(n, 'bool')}" for n in about)
    columns = [list(column) for column in zip(*cells, strict=True)]
    return desk.all(SAYS.replace("{more}", more), *columns, *about.values())


def in_python(about: dict[str, Any], settings: dict[str, object], cells: list[Cell]) -> list[Any]:
    leaves = [
        may(
            Act(role, action, amount, executor=publish.CHANNELS.get(channel, "batch_tool"), **about),
            settings,
            NOON,
        )
        for role, action, amount, channel in cells
    ]
    return [
        (one.allowed, one.why, one.needs_approval, one.account_required, one.rule or "otherwise")
        for one in leaves
    ]


@pytest.mark.parametrize("about", PEOPLE.values(), ids=list(PEOPLE))
def test_every_cell_says_in_the_database_what_the_book_says(desk: Desk, about: dict[str, Any]) -> None:
    cells = [cell for no, cell in enumerate(CELLS) if no % 7 == list(PEOPLE.values()).index(about) % 7]
    assert len(cells) > 1_000
    assert in_sql(desk, about, cells) == in_python(about, {}, cells)


def test_a_shops_own_limit_moves_both_together(desk: Desk) -> None:
    edge: list[Cell] = [("lead", "refund", n, "web") for n in (50_000, 50_001, 200_000, 200_001)]
    before = in_sql(desk, PEOPLE["plain"], edge)
    assert [cell[0] for cell in before] == [True, True, True, False]
    set_settings(desk.conn, "ming", {"lead_refund_max": 50_000}, "店主", desk.now)
    after = in_sql(desk, PEOPLE["plain"], edge)
    assert [cell[0] for cell in after] == [True, False, False, False]
    assert after == in_python(PEOPLE["plain"], {"lead_refund_max": 50_000}, edge)


def test_every_setting_of_every_book_is_read_in_the_database_as_in_the_book(desk: Desk) -> None:
    said = dict(desk.all("SELECT name, setting_of(1, name) FROM setting_default"))
    known = {
        name: setting.usual("tmall")
        for book in books.shipped()
        for name, setting in books.book(book).settings.items()
    }
    assert said == json.loads(json.dumps(known, default=str))
    assert desk.one("SELECT setting_of(1, 'no_such_setting') IS NULL") is True


def test_the_application_cannot_move_a_default(desk: Desk) -> None:
    for statement in ("UPDATE setting_default SET value = '9'", "DELETE FROM setting_default",
                      "INSERT INTO books_published VALUES ('x')"):  # fmt: skip
        with (
            pytest.raises(psycopg.errors.RaiseException, match="aftersale migrate alone"),
            desk.conn.transaction(),
        ):
            desk.conn.execute(statement)


def test_a_worker_with_other_books_does_not_start_until_they_are_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish.check_published(desk.conn)
    theirs = publish.version()
    monkeypatch.setattr(publish, "version", lambda: "of a later release")
    with pytest.raises(Refused, match="run `aftersale migrate`"):
        publish.check_published(desk.conn)
    with opened(desk.database.owner) as owner:
        publish.publish(owner)
    publish.check_published(desk.conn)
    monkeypatch.setattr(publish, "version", lambda: theirs)
    publish.check_published(desk.conn)  # a worker of the release before goes on beside it


WAYS_ROUND = {
    "approving without a limit": "UPDATE intent SET state = 'approved', approved_by = '客服小明'",
    "approving as nobody": "UPDATE intent SET state = 'approved', approved_by = NULL",
    "approving as a stranger": "UPDATE intent SET state = 'approved', approved_by = '外人老吴'",
    "half a rule": "UPDATE intent SET state = 'approved', approved_by = 'rule:small_amount'",
    "a whole rule": "UPDATE intent SET state = 'approved', planned_by = 'rule:small_amount', approved_by = 'rule:small_amount'",
    "another amount": "UPDATE intent SET amount_fen = 20000, state = 'approved', approved_by = '客服小明'",
    "a new row": "INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at,"
    " planned_by, approved_by, created_at, changed_at) SELECT shop_id, 'R9', kind, platform_version, amount_fen, order_id,"
    " money, 'approved', due_at, planned_by, planned_by, created_at, changed_at FROM intent",
    "as if sent": "INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at,"
    " planned_by, approved_by, created_at, changed_at) SELECT shop_id, 'R9', kind, platform_version, amount_fen, order_id,"
    " money, 'sending', due_at, planned_by, planned_by, created_at, changed_at FROM intent",
    "its own yes": "UPDATE approval SET state = 'approved', decided_by = requested_by, decided_at = moment()",
    "a yes without a limit": "UPDATE approval SET state = 'approved', decided_by = '外人老吴', decided_at = moment()",
    "more time": "UPDATE approval SET expires_at = expires_at + interval '1 day'",
    "a forged approval": "INSERT INTO approval (shop_id, case_id, kind, platform_version, amount_fen, channel, requested_by,"
    " requested_at, expires_at, state, decided_by, decided_at) SELECT shop_id, case_id, kind, platform_version, 1, channel,"
    " requested_by, requested_at, expires_at, 'approved', '店主', moment() FROM approval",
}


@pytest.mark.parametrize("statement", WAYS_ROUND.values(), ids=list(WAYS_ROUND))
def test_the_applications_own_role_cannot_write_its_way_round(desk: Desk, statement: str) -> None:
    desk.tell(order(paid_fen=50_000), application(amount_fen=30_000))
    assert actions.person_intent(desk.conn, 1, "R1", "agree_refund", 30_000, 1, "客服小明", desk.now) is None
    assert desk.one("SELECT state, approved_by FROM intent WHERE money") == ("planned", None)
    with (
        pytest.raises((psycopg.errors.RaiseException, psycopg.errors.CheckViolation)),
        desk.conn.transaction(),
    ):
        desk.conn.execute(statement)
    assert desk.one("SELECT state, approved_by FROM intent WHERE money") == ("planned", None)
    assert desk.one("SELECT state, decided_by FROM approval") == ("requested", None)


ACTS: list[tuple[str, str, int, str | None]] = [
    ("客服小明", "agree_refund", 20_000, None),
    ("客服小明", "agree_return", 0, None),
    ("仓库小周", "agree_refund", 100, "not_in_role"),
    ("仓库小周", "intercept", 0, None),
    ("财务小钱", "refuse", 0, "not_in_role"),
    ("支援小李", "agree_refund", 10_000, None),
    ("支援小王", "agree_refund", 100, "access_ended"),
    ("新人小赵", "agree_refund", 100, "no_refund_right"),
    ("离职小孙", "agree_refund", 100, "role_or_action_unknown"),
    ("外人老吴", "agree_refund", 100, "role_or_action_unknown"),
]


@pytest.mark.parametrize(("by", "kind", "amount_fen", "code"), ACTS)
def test_who_is_not_allowed_is_refused_with_the_books_reason(
    desk: Desk, by: str, kind: str, amount_fen: int, code: str | None
) -> None:
    roles = {"仓库小周": "warehouse", "财务小钱": "finance", "支援小李": "helper", "支援小王": "helper",
             "新人小赵": "agent", "离职小孙": "lead"}  # fmt: skip
    staff(desk.conn, 1, roles)
    of = "user_id = (SELECT id FROM auth_user WHERE username = %s)"
    ends = f"UPDATE membership SET helper_job = 'refunds', access_ends_at = %s WHERE {of}"
    desk.conn.execute(ends, (NOON + timedelta(hours=1), "支援小李"))
    desk.conn.execute(ends, (NOON - timedelta(hours=1), "支援小王"))
    desk.conn.execute(f"UPDATE membership SET refund_right = false WHERE {of}", ("新人小赵",))
    desk.conn.execute("UPDATE auth_user SET is_active = false WHERE username = '离职小孙'")
    desk.conn.commit()
    fits: dict[str, Any] = {"aftersale_type": "return_refund", "reason": "quality", "received": True}
    fits = {} if kind == "agree_refund" else fits
    desk.tell(order(paid_fen=50_000, shipped=bool(fits)), application(amount_fen=30_000, **fits))
    refused = actions.person_intent(desk.conn, 1, "R1", kind, amount_fen, 1, by, desk.now)
    assert (refused.code if refused else None) == code
    states = desk.all("SELECT state FROM intent")
    assert states == ([] if code else ["approved"])
    assert desk.one("SELECT held_fen FROM order_money") == (0 if code or not amount_fen else amount_fen)


def test_splitting_a_refund_over_applications_of_an_order_does_not_raise_a_limit(desk: Desk) -> None:
    desk.tell(order(paid_fen=90_000), order("T2", paid_fen=90_000), application(amount_fen=30_000))
    desk.tell(application("R2", amount_fen=30_000), application("R3", order_id="T2", amount_fen=30_000))

    def agree(case_id: str, amount_fen: int, by: str = "客服小明") -> str:
        refused = actions.person_intent(desk.conn, 1, case_id, "agree_refund", amount_fen, 1, by, desk.now)
        assert refused is None, refused
        return str(
            desk.one("SELECT state FROM intent WHERE case_id = %s AND amount_fen = %s", case_id, amount_fen)
        )

    assert agree("R1", 12_000) == "approved"
    assert agree("R2", 8_001) == "planned"
    assert actions.undo(desk.conn, 1, "R2", "agree_refund", "客服小明", desk.now) is None
    assert agree("R2", 8_000) == "approved"
    assert agree("R3", 20_000) == "approved"  # another order
