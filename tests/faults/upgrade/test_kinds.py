"""A worker and a kind of intent that only a newer release knows (F41): it stays for that one, and everything else leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from aftersale.act.taobao import KINDS
from aftersale.cases.people import KINDS as PERSONS
from aftersale.pg.connect import opened
from aftersale.rulebooks import books
from tests.flow.market import AT_ONCE, MarketDesk, Row
from tests.flow.paying import approved
from tests.flow.test_health import alive, found

COMPENSATE = """
INSERT INTO intent (shop_id, case_id, kind, platform_version, amount_fen, order_id, money, state, due_at, planned_by,
  approved_by, created_at, changed_at)
SELECT shop_id, case_id, 'compensate', platform_version, 0, order_id, false, 'approved', due_at, planned_by, approved_by,
  created_at, changed_at FROM intent WHERE kind = 'agree_refund' AND case_id = %s
"""
SENDS = "UPDATE intent SET state = 'sending' WHERE kind = 'compensate'"
LOSES = "UPDATE intent SET state = 'unknown', epoch = epoch + 1 WHERE kind = 'compensate'"
STANDS = "SELECT state, epoch, sends, asked_at IS NULL FROM intent WHERE kind = 'compensate'"

YEARS = timedelta(days=3650)


def planned(market: MarketDesk, row: Row) -> None:
    market.conn.execute(COMPENSATE, (row["refund_id"],))
    market.conn.commit()


@contextmanager
def newer(market: MarketDesk) -> Iterator[psycopg.Connection[Any]]:
    """A session of a worker that knows it."""
    with opened(market.database.app) as conn:
        conn.execute("SELECT set_config('aftersale.kinds', 'agree_refund,compensate', false)")
        conn.commit()
        yield conn


def test_it_waits_for_who_knows_it_and_is_told(market: MarketDesk, tmp_path: Path) -> None:
    rows = approved(market, 3)
    planned(market, rows[0])
    assert market.actor().turn() == 3
    assert [market.states()[row["refund_id"]] for row in rows] == ["done"] * 3
    assert market.one(STANDS) == ("approved", 0, 0, True)
    alive(market, "act")
    market.conn.execute("UPDATE intent SET state = 'cancelled' WHERE state = 'approved' AND money")
    assert "idle_intent" in found(market, tmp_path, YEARS)
    with newer(market) as conn:
        conn.execute(SENDS)
    assert market.one(STANDS) == ("sending", 1, 1, True)
    assert "idle_intent" not in found(market, tmp_path, YEARS)


def test_what_a_newer_worker_sent_is_neither_given_up_nor_asked_about(market: MarketDesk) -> None:
    (row,) = approved(market, 1)
    planned(market, row)
    actor = market.actor(replace(AT_ONCE, lease_s=0.0))
    with newer(market) as conn:
        conn.execute(SENDS)
        conn.commit()
        actor.turn()
        assert market.one(STANDS) == ("sending", 1, 1, True)
        conn.execute(LOSES)
        conn.commit()
    actor.turn()
    assert market.one(STANDS) == ("unknown", 2, 1, True)
    market.actor().turn()
    assert market.states()[row["refund_id"]] == "done"


def test_who_says_nothing_knows_what_releases_did_that_could_not_say(market: MarketDesk) -> None:
    known = ["agree_refund", "agree_return", "cancel_shipment", "intercept", "message:soothe"]
    asked = [*known, "refuse", "compensate", ""]
    assert market.all("SELECT k FROM unnest(%s::text[]) k WHERE kind_known(k)", asked) == known


def test_every_kind_that_rules_and_people_plan_is_known_here() -> None:
    by_rule = {kind for action in books.actions().values() for kind in action.intents}
    assert by_rule | set(PERSONS) <= set(KINDS)
