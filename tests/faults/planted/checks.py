"""Small checks for what no schedule of faults can show: each plays a quiet case in a place and tells what is wrong.

A sound place passes all of them; `hunt` asks it first.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, LiteralString

import psycopg

from aftersale.act import run
from aftersale.act.run import Actor, Limits
from aftersale.cases import actions, ledger
from aftersale.cases.actions import Outcome
from tests.faults.judge import ORDER_MONEY, Finding
from tests.faults.simulation.crew import AGENT, FAST, OWNER, TEXTS
from tests.faults.simulation.market import START, World
from tests.faults.simulation.people import SEEN, WAITING
from tests.faults.simulation.place import Place
from tests.faults.simulation.points import QUIET, Crashed
from tests.faults.simulation.turns import slow
from tests.faults.simulation.wire import Fate

Check = Callable[[Place], list[Finding]]
FINISHED = 20_000
BLOCKS_MAX = 300


@contextmanager
def scene(place: Place, applications: int = 1, total_fen: int = 8_000) -> Iterator[Crashed]:
    """Cases of one shop at Taobao that were read and decided, and nothing has been sent."""
    world = World(
        Random("checks"), applications, kinds=("unshipped",), amounts=(total_fen,), shops=("demo2",)
    )
    one = Crashed(place, 1, QUIET, world)
    one.fate_of_all = Fate()
    with slow(one.time), one.crew.http:
        one.crew.move_in()
        one.world.wait(45 * 60_000)
        one._deliver()
        for _ in range(3):
            one.turn("desk", "desk1", lambda: one.crew.desk("desk1"))
        yield one
    place.forget()


def put_off(place: Place) -> list[Finding]:
    """What has to wait does not wait past the margin before its deadline (P5)."""
    with scene(place) as one:
        place.admin.execute("UPDATE intent SET state = 'sending', sent_at = now(), sends = 1")
        row = place.admin.execute(
            "SELECT shop_id, case_id, kind, platform_version, amount_fen, epoch, deadline_at FROM intent WHERE deadline_at IS NOT NULL LIMIT 1"
        ).fetchone()
        assert row is not None, "nothing was decided"
        conn = place.connection("act1")
        with conn.transaction():
            shop_id, case_id, kind, version, amount_fen, epoch, deadline_at = row
            later = Outcome(shop_id, case_id, kind, version, amount_fen, epoch, "approved", "later: limited",
                            deadline_at + timedelta(days=2))  # fmt: skip
            assert actions.settle(conn, [later], one.now()) == 1, "nothing was settled"
        late = place.admin.execute(
            "SELECT case_id, due_at, deadline_at FROM intent WHERE due_at > deadline_at"
            " - make_interval(mins => (setting_of(shop_id, 'act_margin_minutes') #>> '{}')::int)"
        ).fetchall()
    return [Finding("P5", f"{row[0]} is put off to {row[1]}, and due by {row[2]}") for row in late]


def overpaid(place: Place) -> list[Finding]:
    """What the platform paid beyond an order that we filled is counted when ours is refused (P3)."""
    with scene(place) as one:
        row = place.admin.execute(
            "UPDATE intent SET state = 'sending', sent_at = now(), sends = 1 WHERE money"
            " RETURNING shop_id, case_id, kind, platform_version, amount_fen, epoch"
        ).fetchone()
        assert row is not None, "nothing was decided"
        assert place.admin.execute("SELECT held_fen = paid_fen FROM order_money").fetchall() == [(True,)]
        place.admin.execute(
            'INSERT INTO cases SELECT (jsonb_populate_record(c, \'{"case_id": "other"}\')).* FROM cases c'
        )
        conn = place.connection("act1")
        with conn.transaction():
            conn.execute(
                "INSERT INTO ledger (shop_id, case_id, order_id, amount_fen, origin, at)"
                " SELECT shop_id, 'other', order_id, 1_000, 'platform', now() FROM cases WHERE case_id = 'other'"
            )
            conn.execute("UPDATE order_money SET held_fen = least(paid_fen, held_fen + 1_000)")
            assert actions.settle(conn, [Outcome(*row, "refused")], one.now()) == 1, "nothing was settled"
        wrong = place.admin.execute(ORDER_MONEY).fetchall()
    return [
        Finding("P3", f"of order {order} {held} are held, {fen} are paid or open")
        for order, held, fen in wrong
    ]


def late_yes(place: Place) -> list[Finding]:
    """A request that ran out is not approved any more (P14)."""
    with scene(place, total_fen=250_000) as one:
        shop_id, case_id, version, amount_fen, _ = place.admin.execute(SEEN).fetchall()[0]
        ask = partial(one.people.do, "agree", AGENT, shop_id, case_id, version, amount_fen)
        one.turn("person", AGENT, ask)
        waiting = place.admin.execute(WAITING).fetchall()
        assert waiting, "nobody was to be asked"
        row = place.admin.execute("SELECT expires_at FROM approval").fetchone()
        assert row is not None
        one._wait(int((row[0] - one.now()).total_seconds() * 1000) + 1_000)
        one.turn("person", OWNER, partial(one.people.decide, OWNER, waiting[0], True))
        return list(one.findings)


def stale_click(place: Place) -> list[Finding]:
    """A yes to what the buyer changed meanwhile does not count (P11)."""
    with scene(place, total_fen=45_000) as one:
        shop_id, case_id, version, amount_fen, _ = place.admin.execute(SEEN).fetchall()[0]
        place.admin.execute("UPDATE cases SET application_version = application_version + 1")
        one.turn(
            "person", OWNER, partial(one.people.do, "agree", OWNER, shop_id, case_id, version, amount_fen)
        )
        return list(one.findings)


def nearest_first(place: Place) -> list[Finding]:
    """The nearest deadline goes first (P5)."""
    with scene(place, 3) as one:
        place.admin.execute("UPDATE intent SET state = 'done' WHERE NOT money")
        place.admin.execute(
            "UPDATE intent i SET deadline_at = %s::timestamptz - n * interval '1 hour' FROM (SELECT case_id,"
            " row_number() OVER (ORDER BY case_id) AS n FROM intent WHERE money) o WHERE i.case_id = o.case_id",
            (one.now() + timedelta(days=1),),
        )
        wanted = [row[0] for row in place.admin.execute(
            "SELECT case_id FROM intent WHERE money AND state = 'approved' ORDER BY deadline_at")]  # fmt: skip
        assert len(wanted) > 1, "several refunds were to be decided"
        limits = Limits(calls_per_s=FAST, claim_max=1, ask_after_s=0.0)
        actor = Actor(place.connection("act1"), one.crew.http, one.now, TEXTS, limits)
        for _ in wanted:
            actor.turn()
        sent = [call.refund_id for call in one.wire.calls if call.submit]
    return [] if sent == wanted else [Finding("P5", f"sent in the order {sent}, due in the order {wanted}")]


def missed(place: Place) -> list[Finding]:
    """A deadline that passed is written down with its cause (P5)."""
    with scene(place) as one:
        one._wait(10 * 24 * 3_600_000)
        conn = place.connection("tidy")
        with conn.transaction():
            actions.notice_deadlines(conn, START, one.now())
        told = place.admin.execute("SELECT FROM missed_deadline").rowcount
    return [] if told else [Finding("P5", "a deadline passed and nobody wrote it down")]


REWRITES: tuple[LiteralString, ...] = (
    "UPDATE ledger SET amount_fen = amount_fen + 1",
    "DELETE FROM ledger",
    "TRUNCATE ledger",
)


def tamper(place: Place) -> list[Finding]:
    """The application cannot rewrite the ledger, and whoever can is found out (P15)."""
    found = []
    with scene(place) as one:
        one._round()
        conn = place.connection("act1")
        for statement in REWRITES:
            with suppress(psycopg.Error), conn.transaction() as whole:
                if conn.execute(statement).rowcount:
                    found.append(Finding("P15", f"the application may: {statement}"))
                raise psycopg.Rollback(whole)
        first = "(SELECT ctid FROM ledger ORDER BY shop_id, case_id LIMIT 1)"
        changed = place.admin.execute(
            f"UPDATE ledger SET amount_fen = amount_fen + 1 WHERE ctid = {first}".encode()
        )
        assert changed.rowcount == 1, "nothing was paid"
        if not ledger.verify(place.admin, 2):
            found.append(Finding("P15", "a payment was changed by one fen, and the chain does not show it"))
    return found


COPIES = """
DO $$ DECLARE one intent; BEGIN
  SELECT * INTO one FROM intent WHERE money LIMIT 1;
  INSERT INTO intent SELECT (jsonb_populate_record(one, jsonb_build_object('case_id', one.case_id || '-' || n,
    'state', 'done'))).* FROM generate_series(1, %s) AS n;
END $$
"""


def fast(place: Place) -> list[Finding]:
    """What is finished costs a claim nothing: it reads no more pages than it would without (P30)."""
    found = []
    with scene(place) as one:
        place.admin.execute(COPIES.replace("%s", str(FINISHED)).encode())
        place.admin.execute("ANALYZE intent")
        conn = place.connection("act1")
        values = {"now": one.now(), "since": START - timedelta(days=1), "per_shop": 600, "lease_s": 60.0, "wait_s": 0.0,
                  "limit": 60}  # fmt: skip
        for name in ("due", "abandon", "claim_unknown"):
            blocks = _blocks(conn, run._SQL[name], values)
            if blocks > BLOCKS_MAX:
                found.append(Finding("P30", f"{name} reads {blocks} pages with {FINISHED} finished intents"))
    return found


def _blocks(conn: psycopg.Connection[Any], statement: str, values: dict[str, Any]) -> int:
    used = {key: value for key, value in values.items() if f"%({key})s" in statement}
    with conn.transaction(force_rollback=True):
        row = conn.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}".encode(), used).fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
