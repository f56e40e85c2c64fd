"""A threshold stands in one place: change it, and `ask`, the live decision, its trace and the page change."""

import html
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from aftersale.ask.answer import answer
from aftersale.ask.convert import in_yuan
from aftersale.cases.settings import set_settings
from aftersale.core.record_text import facts_of
from aftersale.core.records import Interception, Parcel, Record, TrackingEvent, WarehouseOrder
from aftersale.people.accounts import ensure_user
from aftersale.people.why import decision_of, why
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order
from tests.people.conftest import PASSWORD
from tests.people.shops import stand_still

NUMBER = "SF1"


def _unshipped(amount_fen: int, warehouse_state: str | None = None, **told: Any) -> list[Record]:
    stock = [WarehouseOrder("T1", 1, warehouse_state)] if warehouse_state else []
    return [order(paid_fen=amount_fen), *stock, application(amount_fen=amount_fen, **told)]


def _shipped(amount_fen: int, last_hours: float = 5, state: str = "in_transit", **told: Any) -> list[Record]:
    at = NOON - timedelta(hours=last_hours)
    signed = {"signed_at": at, "signed_by": "self"} if state == "signed" else {}
    parcel = Parcel(NUMBER, 1, "SF", state, 3, at, events=(TrackingEvent(at, "快件在路上"),), **signed)
    sent = order(
        paid_fen=amount_fen, shipped=True, shipped_at=NOON - timedelta(hours=100), tracking_no=NUMBER
    )
    usual = {"aftersale_type": "shipped_refund_only", "reason": "no_longer_want"}
    return [sent, parcel, application(amount_fen=amount_fen, **{**usual, **told})]


def _stopping(hours: float) -> Interception:
    return Interception(NUMBER, 1, "requested", NOON - timedelta(hours=hours))


RETURN = {"aftersale_type": "return_refund", "reason": "seven_day_no_reason"}
# setting | its other value | as people read it | platform | what happened
THRESHOLDS: list[tuple[str, Any, str, str, Callable[[], list[Record]]]] = [
    ("hold_auto_refund_max", 1_300, "¥13.00", "pdd", lambda: _unshipped(5_000, "hold")),
    ("unprinted_auto_refund_max", 1_100, "¥11.00", "pdd", lambda: _unshipped(5_000, "unprinted")),
    ("unshipped_auto_refund_max", 1_200, "¥12.00", "tmall", lambda: _unshipped(5_000, "unprinted")),
    ("small_amount_max", 4_300, "¥43.00", "pdd", lambda: _unshipped(1_200, "packing")),
    ("auto_agree_return_max", 1_400, "¥14.00", "tmall", lambda: _shipped(5_000, 100, "signed", **RETURN)),
    ("seven_day_hours", 99, "99 小时", "tmall", lambda: _shipped(5_000, 100, "signed", **RETURN)),
    ("no_update_hours", 33, "33 小时", "tmall", lambda: _shipped(1_500, 40)),
    ("advance_limit", 9_900, "¥99.00", "tmall", lambda: _shipped(5_000, 80)),
    ("unsigned_no_result_hours", 35, "35 小时", "tmall", lambda: [*_shipped(1_500, 5), _stopping(40)]),
    ("stopped_refund_max", 1_600, "¥16.00", "tmall", lambda: _shipped(5_000, 5, "refused")),
    ("unshipped_direct_max", 1_700, "¥17.00", "pdd", lambda: _unshipped(5_000)),
]  # fmt: skip


@pytest.fixture
def desk(
    embedded_database: Database, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Desk]:
    for name, value in embedded_database.environment().items():
        monkeypatch.setenv(name, value)
    connections.close_all()
    desk = Desk(embedded_database, platform=request.param)
    stand_still(desk.conn)
    desk.conn.commit()
    ensure_user("主管阿兰", PASSWORD, {"ming": "lead"})
    yield desk
    connections.close_all()
    desk.close()


def _asked(desk: Desk) -> dict[str, Any]:
    """The live case as a question: the facts of its newest decision, in the field's words."""
    decision = decision_of(1, "R1")
    assert decision is not None
    catalogue = books.catalogue().facts
    known = facts_of(decision.facts, decision.reads or [], catalogue)
    given = {name: _plain(value, catalogue[name].type.kind) for name, value in known.items()}
    return {"given": {**given, "ask": "triage:c_24h", "now": desk.now.isoformat()}}


def _plain(value: Any, kind: str) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return in_yuan(value) if kind == "fen" and value is not None else value


def _said_by_ask(desk: Desk) -> str:
    settings = json.loads(desk.one("SELECT settings::text FROM shop"))
    found = answer(_asked(desk), desk.now, strict=True, trace=False, settings=settings)
    assert "error" not in found, found
    return str(found["rule"])


def _trace(desk: Desk) -> str:
    decision = decision_of(1, "R1")
    assert decision is not None
    told = why(decision)
    assert told is not None
    rules = [*([told.won] if told.won else []), *told.near]
    return "\n".join(part.text for rule in rules for part in rule.conjuncts)


def _page() -> str:
    browser = Client(headers={"host": "127.0.0.1"})
    assert browser.post("/login", {"username": "主管阿兰", "password": PASSWORD}).status_code == 302
    answered = browser.get("/case/ming/R1")
    assert answered.status_code == 200
    return html.unescape(answered.content.decode())


@pytest.mark.parametrize(
    ("name", "value", "shown", "desk", "happened"),
    THRESHOLDS,
    ids=[row[0] for row in THRESHOLDS],
    indirect=["desk"],
)
def test_a_threshold_changes_everything_that_reads_it(
    desk: Desk, name: str, value: int, shown: str, happened: Callable[[], list[Record]]
) -> None:
    desk.tell(*happened())
    before = desk.one("SELECT rule FROM handling")
    titles = {rule.name: rule.title for rule in books.book().rules}
    assert _said_by_ask(desk) == before
    assert (titles[before] in _page(), shown in _trace(desk)) == (True, False)

    assert set_settings(desk.conn, "ming", {name: value}, "主管阿兰", desk.now) == 1
    assert desk.look() == 1

    after = desk.one("SELECT rule FROM handling")
    assert after != before
    assert _said_by_ask(desk) == after
    assert (titles[after] in _page(), shown in _trace(desk), shown in _page()) == (True, True, True)


def test_the_table_has_ten_thresholds_of_the_book() -> None:
    names = {row[0] for row in THRESHOLDS}
    assert len(names) >= 10
    assert names <= set(books.book().settings)
