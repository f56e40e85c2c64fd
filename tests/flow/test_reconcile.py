"""Our ledger against the platform's, both ways; the platform is the sandbox, over its wire."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from aftersale.act.reconcile import Pace, Reconciler
from aftersale.cases import actions, ledger
from aftersale.cases.ledger import Compared
from aftersale.cli.ledger import command
from aftersale.connectors.outcome import Ok
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.refunds import Agreement
from aftersale.core.refusal import Refusal
from aftersale.pg.connect import opened
from tests.conftest import Database
from tests.flow.desk import staff
from tests.flow.market import MarketDesk, Row, fen, market_desk
from tests.sandbox.running import START, Running, running

SHOP = "demo2"
GET, LIST = "taobao.refund.get", "taobao.refunds.receive.get"
OPEN = "SELECT case_id, kind, ours_fen, theirs_fen FROM difference WHERE resolved_at IS NULL ORDER BY case_id"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Running]:
    with running("--applications", "150", "--shops", "2", "--qps", "10000") as one:
        one.control.jump(START + timedelta(hours=10))
        yield one


@pytest.fixture
def market(embedded_database: Database, sandbox: Running) -> Iterator[MarketDesk]:
    with market_desk(embedded_database, sandbox) as desk:
        actions.set_switch(desk.conn, 0, "", True, "只看不动", "主管阿兰", desk.now)
        settle(desk)
        yield desk


def settle(market: MarketDesk, **span: float) -> None:
    """Time goes on, by a minute unless told; everything that changed there is pulled, read and decided."""
    market.sandbox.control.jump(market.now + timedelta(**(span or {"minutes": 1})))
    market.now = market.sandbox.control.state().now
    puller = market.puller()
    while market.one("SELECT count(*) FROM pull_cursor WHERE since < %s", market.now):
        market.conn.execute("UPDATE pull_cursor SET next_pull_at = '-infinity'")
        market.conn.commit()
        assert puller._pull() == 1
    bring(market)


def bring(market: MarketDesk) -> None:
    """What is wanted is fetched, read and decided, until nothing is wanted."""
    puller = market.puller()
    while market.all("SELECT FROM to_fetch LIMIT 1"):
        market.conn.execute("UPDATE to_fetch SET due_at = '-infinity'")
        market.conn.commit()
        while puller._fetch():
            pass
        while market.worker.turn():
            pass


@pytest.fixture
def reconciler(market: MarketDesk) -> Iterator[Reconciler]:
    conn = opened(market.database.app, application="reconcile")
    yield Reconciler(conn, market.sandbox.http, lambda: market.now, Pace(calls_per_s=5000.0))
    conn.close()


def compared(market: MarketDesk, reconciler: Reconciler) -> Compared:
    market.conn.commit()
    done = reconciler.reconcile(market.shops[SHOP], START - timedelta(days=1))
    assert isinstance(done, Compared), done
    return done


def paid_there(market: MarketDesk) -> dict[str, int]:
    return {one.refund_id: one.amount_fen for one in market.sandbox.control.ledger() if one.shop == SHOP}


def waiting_there(market: MarketDesk) -> Row:
    """An application of the shop that a seller could agree to now."""
    rows = market.sandbox.control.applications()
    return next(
        row
        for row in rows
        if (row["shop"], row["status"], row["dispute_type"]) == (SHOP, "WAIT_SELLER_AGREE", "REFUND")
        and fen(row) <= 100_000
    )


def in_the_back_office(market: MarketDesk) -> Row:
    """Somebody refunds an application on the platform's own pages."""
    row = waiting_there(market)
    given = refunds.agree(
        market.sandbox.top(SHOP), [Agreement(row["refund_id"], fen(row), int(row["refund_version"]))]
    )
    assert isinstance(given[row["refund_id"]], Ok), given
    return row


def tampered(market: MarketDesk, statement: str, *values: Any) -> None:
    with psycopg.connect(market.database.admin) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute(statement, values)


def joins(market: MarketDesk, **roles: str) -> None:
    """These people, too, work for the shop, and for no other."""
    staff(market.conn, market.shops[SHOP], roles)
    market.conn.commit()


def test_a_day_on_which_both_agree(market: MarketDesk, reconciler: Reconciler) -> None:
    theirs = paid_there(market)
    assert len(theirs) > 1
    done = reconciler.reconcile(market.shops[SHOP])
    assert isinstance(done, Compared)
    assert (done.ours, done.ours_fen) == (done.theirs, done.theirs_fen) == (len(theirs), sum(theirs.values()))
    assert (done.waiting, done.differences) == (0, ())
    assert done.window.since == START - timedelta(days=1)
    row = market.one(
        "SELECT shop_id, ours, ours_fen, theirs_fen, differences, head_seq, by_whom FROM reconciliation"
    )
    head = ledger.head(market.conn, market.shops[SHOP])
    assert head is not None
    fen_there = sum(theirs.values())
    assert row == (market.shops[SHOP], len(theirs), fen_there, fen_there, 0, head.seq, "worker")


def test_a_refund_in_the_back_office_comes_in_and_agrees(market: MarketDesk, reconciler: Reconciler) -> None:
    compared(market, reconciler)
    row = in_the_back_office(market)
    waits = compared(market, reconciler)
    assert (waits.waiting, waits.differences) == (1, ())  # the pull has not come that far: no difference yet
    settle(market)
    assert market.one("SELECT amount_fen, origin FROM ledger WHERE case_id = %s", row["refund_id"]) == (
        fen(row),
        "platform",
    )
    done = compared(market, reconciler)
    assert (done.waiting, done.differences, done.ours) == (0, (), len(paid_there(market)))


def test_a_refund_that_never_reached_us_is_found_fetched_and_healed(
    market: MarketDesk, reconciler: Reconciler
) -> None:
    row = in_the_back_office(market)
    market.sandbox.control.jump(market.now + timedelta(minutes=5))
    market.now = market.sandbox.control.state().now
    market.conn.execute("UPDATE pull_cursor SET since = %s", (market.now,))  # the pull passed it by
    done = compared(market, reconciler)
    assert [(one.case_id, one.kind, one.ours_fen, one.theirs_fen) for one in done.differences] == [
        (row["refund_id"], "only_theirs", 0, fen(row))
    ]
    assert market.all(OPEN) == [(row["refund_id"], "only_theirs", 0, fen(row))]
    assert market.one("SELECT kind, external_id FROM to_fetch") == ("application", row["refund_id"])
    again = compared(market, reconciler)
    assert (again.waiting, again.differences, again.agreed_again) == (1, (), 0)  # on its way, so not judged
    assert len(market.all(OPEN)) == 1
    bring(market)
    healed = compared(market, reconciler)
    assert (healed.waiting, healed.differences, healed.agreed_again) == (0, (), 1)
    assert market.all("SELECT resolved_by, note FROM difference") == [
        ("reconciliation", "再次核对，两边一致")
    ]


def test_the_platforms_own_refund_agrees(market: MarketDesk, reconciler: Reconciler) -> None:
    before = paid_there(market)
    settle(market, hours=13)
    new = set(paid_there(market)) - set(before)
    assert new, "nothing was refunded by the platform in that time"
    done = compared(market, reconciler)
    assert (done.differences, done.waiting) == ((), 0)
    assert done.ours_fen == done.theirs_fen


def test_a_row_lost_from_our_ledger_is_found(market: MarketDesk, reconciler: Reconciler) -> None:
    case_id, lost_fen = next(iter(paid_there(market).items()))
    tampered(market, "DELETE FROM ledger WHERE case_id = %s", case_id)
    done = compared(market, reconciler)
    assert [(one.case_id, one.kind, one.theirs_fen) for one in done.differences] == [
        (case_id, "only_theirs", lost_fen)
    ]
    assert done.theirs_fen - done.ours_fen == lost_fen
    market.conn.commit()
    assert [one.kind for one in ledger.verify(market.conn, market.shops[SHOP])] == ["missing"]


def test_another_amount_is_found_once_and_stays_explained(market: MarketDesk, reconciler: Reconciler) -> None:
    case_id, fen_there = next(iter(paid_there(market).items()))
    tampered(market, "UPDATE ledger SET amount_fen = amount_fen + 7 WHERE case_id = %s", case_id)
    shop_id = market.shops[SHOP]
    for new in (True, False):
        found = compared(market, reconciler).differences
        assert [(one.kind, one.ours_fen, one.theirs_fen, one.new) for one in found] == [
            ("amount", fen_there + 7, fen_there, new)
        ]
        market.conn.execute("DELETE FROM to_fetch")
    assert market.one("SELECT count(*) FROM difference") == 1
    note = "SELECT actor, what FROM happening WHERE case_id = %s AND kind = 'difference'"
    assert market.all(note, case_id) == [("reconciliation", f"amount {fen_there + 7} {fen_there}")]
    joins(market, 财务小周="finance")
    said = ledger.resolve(market.conn, shop_id, case_id, " 多退的 0.07 元已收回 ", "财务小周", market.now)
    assert said is None
    assert compared(market, reconciler).differences == ()
    assert market.one("SELECT resolved_by, note FROM difference") == ("财务小周", "多退的 0.07 元已收回")
    tampered(market, "UPDATE ledger SET amount_fen = amount_fen + 1 WHERE case_id = %s", case_id)
    assert [one.ours_fen for one in compared(market, reconciler).differences] == [fen_there + 8]


def test_only_who_answers_for_the_money_explains_a_difference(
    market: MarketDesk, reconciler: Reconciler
) -> None:
    case_id = next(iter(paid_there(market)))
    tampered(market, "DELETE FROM ledger WHERE case_id = %s", case_id)
    compared(market, reconciler)
    shop_id, other = market.shops[SHOP], market.shops["demo1"]
    joins(market, 财务小周="finance", 仓库老李="warehouse")
    where = (market.conn, shop_id, case_id)
    for name in ("客服小明", "仓库老李", "外人老吴", ""):
        refused = ledger.resolve(*where, "查过了", name, market.now)
        assert isinstance(refused, Refusal)
        assert refused.code == "not_permitted"
    elsewhere = ledger.resolve(market.conn, other, case_id, "查过了", "财务小周", market.now)
    assert isinstance(elsewhere, Refusal)
    assert elsewhere.code == "not_permitted"
    for note in ("", "  ", "长" * 501):
        refused = ledger.resolve(*where, note, "主管阿兰", market.now)
        assert isinstance(refused, Refusal)
        assert refused.code == "no_note"
    assert len(market.all(OPEN)) == 1
    assert ledger.resolve(*where, "查过了", "主管阿兰", market.now) is None
    late = ledger.resolve(*where, "我也查了", "店主", market.now)
    assert isinstance(late, Refusal)
    assert late.code == "no_difference"
    assert market.one("SELECT resolved_by FROM difference") == "主管阿兰"


ROW = "INSERT INTO ledger (shop_id, case_id, order_id, amount_fen, origin, at) VALUES (%s, %s, 'T1', 2950, %s, %s)"


def claim(market: MarketDesk, case_id: str, at: Any) -> None:
    market.conn.execute(ROW, (market.shops[SHOP], case_id, "person", at))
    market.conn.commit()


def test_what_only_we_have_is_asked_about_before_it_is_a_difference(
    market: MarketDesk, reconciler: Reconciler
) -> None:
    open_there = waiting_there(market)["refund_id"]
    claim(market, open_there, market.now)
    claim(market, "999999999", market.now)
    found = compared(market, reconciler).differences
    assert sorted((one.case_id, one.kind, one.ours_fen, one.theirs_fen) for one in found) == sorted(
        [(open_there, "only_ours", 2_950, 0), ("999999999", "only_ours", 2_950, 0)]
    )
    assert market.all("SELECT external_id FROM to_fetch") == []


def test_the_edges_of_the_window_are_no_differences(market: MarketDesk, reconciler: Reconciler) -> None:
    """Paid there just before the window and written here in it, or the other way round."""
    case_id, _ = next(iter(paid_there(market).items()))
    changed = market.sandbox.control.applications()
    modified = next(row["modified"] for row in changed if row["refund_id"] == case_id)
    at = START.fromisoformat(f"{modified}+08:00")
    tampered(market, "UPDATE ledger SET at = %s WHERE case_id = %s", at + timedelta(seconds=2), case_id)
    shop_id = market.shops[SHOP]
    market.conn.commit()
    edges = [(at + timedelta(seconds=1), None), (None, at + timedelta(seconds=1))]
    for since, until in edges:
        done = reconciler.reconcile(shop_id, since, until)
        assert isinstance(done, Compared)
        assert (done.differences, done.waiting, done.ours_fen) == ((), 0, done.theirs_fen)
        assert done.ours > 0


def test_money_under_way_is_not_judged(market: MarketDesk, reconciler: Reconciler) -> None:
    row = in_the_back_office(market)
    market.conn.execute(
        """WITH held AS (UPDATE order_money SET held_fen = held_fen + %(fen)s WHERE shop_id = %(shop)s AND order_id = %(order)s)
        INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at,
          planned_by, approved_by, created_at, changed_at)
        VALUES (%(shop)s, %(case)s, 'agree_refund', %(version)s, %(fen)s, %(order)s, true, 'approved', now(), 'rule:x',
          'rule:x', now(), now())""",
        {"shop": market.shops[SHOP], "case": row["refund_id"], "version": int(row["refund_version"]), "fen": fen(row),
         "order": str(row["tid"])},
    )  # fmt: skip
    for state in ("sending", "unknown"):
        market.conn.execute(
            "UPDATE intent SET state = %s WHERE case_id = %s AND money", (state, row["refund_id"])
        )
    settle(market)
    done = compared(market, reconciler)
    assert (done.waiting, done.differences) == (1, ())


def test_a_platform_that_does_not_answer_changes_nothing(market: MarketDesk, reconciler: Reconciler) -> None:
    case_id = next(iter(paid_there(market)))
    tampered(market, "DELETE FROM ledger WHERE case_id = %s", case_id)
    compared(market, reconciler)
    market.conn.execute("DELETE FROM to_fetch")
    market.conn.commit()
    for method in (LIST, GET):
        if method == GET:
            claim(market, "999999999", market.now)
        market.sandbox.control.faults({"rules": [{"match": {"method": method}, "do": {"http_500": True}}]})
        refused = reconciler.reconcile(market.shops[SHOP])
        assert isinstance(refused, Refusal)
        assert refused.code == "not_told"
        assert market.one("SELECT count(*) FROM reconciliation") == 1
        assert [row[0] for row in market.all(OPEN)] == [case_id]


def test_a_shop_is_due_once_a_day_and_again_while_something_differs(
    market: MarketDesk, reconciler: Reconciler
) -> None:
    count = "SELECT count(*) FROM reconciliation WHERE shop_id = %s"
    settle(market, seconds=(START + timedelta(days=3, hours=12) - market.now).total_seconds())
    assert [reconciler.turn() for _ in range(3)] == [1, 1, 0]
    settle(market, minutes=61)
    assert reconciler.turn() == 0
    settle(market, days=1)
    claim(market, "999999999", market.now)
    assert [reconciler.turn() for _ in range(3)] == [1, 1, 0]
    assert market.one(count, market.shops[SHOP]) == 2
    settle(market, minutes=59)
    assert reconciler.turn() == 0
    settle(market, minutes=2)
    assert [reconciler.turn(), reconciler.turn()] == [1, 0]
    assert market.one(count, market.shops[SHOP]) == 3
    assert market.all(OPEN) == [("999999999", "only_ours", 2_950, 0)]


def test_a_shop_without_a_door_is_never_due(market: MarketDesk, reconciler: Reconciler) -> None:
    market.conn.execute("UPDATE shop SET session_key = NULL")
    market.conn.commit()
    assert reconciler.turn() == 0
    refused = reconciler.reconcile(market.shops[SHOP])
    assert isinstance(refused, Refusal)
    assert refused.code == "no_access"


def test_the_command_says_what_differs_and_fails(market: MarketDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in market.database.environment().items():
        monkeypatch.setenv(name, value)
    market.conn.execute(
        "INSERT INTO clock (real_at, virtual_at, speed) VALUES (clock_timestamp(), %s, 0)", (market.now,)
    )
    market.conn.commit()
    agrees = CliRunner().invoke(command, ("reconcile", "--shop", SHOP))
    assert (agrees.exit_code, "0 单不一致" in agrees.output) == (0, True), agrees.output
    claim(market, "999999999", market.now)
    differs = CliRunner().invoke(command, ("reconcile", "--shop", SHOP))
    assert differs.exit_code == 1
    assert "999999999  只有我们记了  我们 ¥29.50  平台 ¥0.00" in differs.output
    told = json.loads(CliRunner().invoke(command, ("reconcile", "--shop", SHOP, "--json")).output)
    assert [(one["shop"], [found["kind"] for found in one["differences"]]) for one in told] == [
        (SHOP, ["only_ours"])
    ]
    day = CliRunner().invoke(
        command, ("reconcile", "--shop", SHOP, "--since", "2026-11-12", "--until", "2026-11-11")
    )
    assert (day.exit_code, day.output) == (1, f"{SHOP}  没有核对：核对的开始时间要早于结束时间\n")


def test_one_worker_a_shop(market: MarketDesk, reconciler: Reconciler) -> None:
    shop_id = market.shops[SHOP]
    with opened(market.database.app, application="other") as other:
        other.execute("SELECT pg_advisory_lock(hashtext('reconcile'), %s)", (shop_id,))
        refused = reconciler.reconcile(shop_id)
        assert isinstance(refused, Refusal)
        assert refused.code == "busy"
        other.execute("SELECT pg_advisory_unlock_all()")
    compared(market, reconciler)
