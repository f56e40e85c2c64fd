"""Approved refunds through the sandbox's marketplace, judged by its own ledger."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import httpx2
import msgspec
from psycopg import Connection

from aftersale.act.run import Actor, Limits
from aftersale.bench.figures import Figure
from aftersale.bench.place import Place
from aftersale.cases import actions, stage
from aftersale.connectors.taobao import mapping
from aftersale.core.money import fen_from_yuan
from aftersale.core.records import Application, Arrival, Order
from aftersale.demo import sandbox_shops
from aftersale.sandbox.control import Control, Payment

Tell = Callable[[str], None]
REFUNDS_ASKED = 10_000
CALLS_PER_S = 5000
BATCH = 1000
PATIENCE_S = 300.0
BY = "店主"
_OWNER = """
WITH made AS (
  INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active, date_joined)
  VALUES (%(by)s, '!', false, '', '', '', false, true, now())
  ON CONFLICT (username) DO UPDATE SET is_active = true RETURNING id)
INSERT INTO membership (user_id, shop_id, role) SELECT m.id, s.id, 'owner' FROM made m CROSS JOIN shop s
WHERE s.id = ANY (%(shops)s) ON CONFLICT (user_id, shop_id) DO UPDATE SET role = 'owner'
"""


def execution(place: Place, refunds: int, tell: Tell) -> list[Figure]:
    """Every figure `execution.*`: a person approved each refund, one worker sends them."""
    with _sandbox(refunds * 5) as url, Control(url) as control, place.connect() as conn:
        state = control.jump(control.state().now + timedelta(hours=30))
        waiting = list(islice(_waiting(control), refunds))
        since = state.now - timedelta(days=2)
        shops = [(shop.code, shop.platform, shop.session) for shop in state.shops]
        ids = dict(
            zip((shop.code for shop in state.shops), sandbox_shops(conn, url, shops, since), strict=True)
        )
        conn.execute(_OWNER, {"by": BY, "shops": list(ids.values())})
        conn.commit()
        approved = _approve(conn, ids, waiting, state.now)
        tell(f"execution: {approved:,} refunds approved")
        before = len(control.ledger())
        seconds = _send(conn, state.now)
        paid = control.ledger(before)
        ours = _ledger(conn, list(ids.values()))
    twice, wrong = _judge(paid, ours, approved)
    tell(f"execution: {len(paid):,} refunds in {seconds:.1f} s")
    return [
        Figure("execution.refunds", (float(len(paid)),)),
        Figure("execution.seconds", (seconds * REFUNDS_ASKED / len(paid),)),
        Figure("execution.twice", (float(twice),)),
        Figure("execution.wrong", (float(wrong),)),
    ]


@contextmanager
def _sandbox(applications: int) -> Iterator[str]:
    """One whose clock stands, so that nobody but us moves."""
    command = [
        sys.executable, "-m", "aftersale.sandbox", "--json", "--speed", "0", "--start", "2026-11-11", "--shops", "2",
        "--applications", str(applications), "--qps", str(CALLS_PER_S * 2),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, "the sandbox did not start, the reason is above"
            yield str(msgspec.json.decode(line)["url"])
        finally:
            process.terminate()


def _waiting(control: Control) -> Iterator[dict[str, Any]]:
    """Refunds that wait for the seller and may be agreed to without goods coming back."""
    for one in control.applications():
        if one["status"] == "WAIT_SELLER_AGREE" and one["dispute_type"] == "REFUND":
            yield one


def _approve(
    conn: Connection[Any], ids: Mapping[str, int], waiting: Sequence[Mapping[str, Any]], now: datetime
) -> int:
    """Into the record with their orders, then agreed to by a person; how many."""
    stage.prepare(conn)
    told = [(ids[one["shop"]], mapping.application(one), _order(one)) for one in waiting]
    known = [(shop, case, order) for shop, case, order in told if isinstance(case, Application)]
    for at in range(0, len(known), BATCH // 2):
        part = known[at : at + BATCH // 2]
        records = [(shop, record) for shop, case, order in part for record in (order, case)]
        with conn.transaction():
            arrivals = ((shop, Arrival(record, f"bench:{record}", now)) for shop, record in records)
            actions.merge(conn, actions.staged(arrivals), now)
    approved = 0
    for shop, case, _ in known:
        amount_fen = case.amount_fen or 0
        refused = actions.person_intent(
            conn, shop, case.case_id, "agree_refund", amount_fen, case.version, BY, now, undo_s=0
        )
        approved += refused is None
    return approved


def _order(refund: Mapping[str, Any]) -> Order:
    return Order(str(refund["tid"]), 1, order_state="paid", paid_fen=fen_from_yuan(refund["total_fee"]))


def _send(conn: Connection[Any], now: datetime) -> float:
    """Turns of the sender until nothing is under way; seconds."""
    with httpx2.Client(trust_env=False) as http:
        actor = Actor(conn, http, lambda: now, {}, Limits(CALLS_PER_S, ask_after_s=1.0))
        began = time.monotonic()
        while _under_way(conn):
            assert time.monotonic() < began + PATIENCE_S, "the refunds do not come to an end"
            actor.turn()
        return time.monotonic() - began


def _under_way(conn: Connection[Any]) -> bool:
    with conn.transaction():
        row = conn.execute(
            "SELECT EXISTS (SELECT FROM intent WHERE state IN ('approved', 'sending', 'unknown') AND planned_by = %s)",
            (BY,),
        ).fetchone()
    return row == (True,)


def _ledger(conn: Connection[Any], shops: Sequence[int]) -> dict[str, int]:
    with conn.transaction():
        rows = conn.execute(
            "SELECT case_id, amount_fen FROM ledger WHERE shop_id = ANY (%s)", (list(shops),)
        ).fetchall()
    return dict(rows)


def _judge(paid: Sequence[Payment], ours: Mapping[str, int], approved: int) -> tuple[int, int]:
    """How many were paid twice, and on how many the two ledgers and the approvals differ."""
    theirs = {one.refund_id: one.amount_fen for one in paid}
    twice = len(paid) - len(theirs)
    differ = sum(theirs.get(case) != ours.get(case) for case in theirs.keys() | ours.keys())
    return twice, differ + abs(approved - len(theirs))
