"""The only writer of cases: merging what happened, recording what was decided, and what people do.

The set-based part runs inside the caller's transaction on a connection that went through `stage.prepare`.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases.approvals import decide_approval, expire_approvals, resolve
from aftersale.cases.people import assign, note, person_intent, set_facts, set_switch, undo
from aftersale.cases.stage import Batch, columns
from aftersale.core.records import Application, Arrival, BadInput, Order
from aftersale.pg.sql import queries

__all__ = [
    "Merged", "Outcome", "assign", "decide_approval", "expire_approvals", "look_now", "merge", "note", "notice_deadlines", "park",
    "person_intent", "record_verdicts", "resolve", "set_facts", "set_switch", "settle", "staged", "undo", "watch",
]  # fmt: skip

log = logging.getLogger(__name__)
_MERGE = queries("aftersale.cases", "merge.sql")
_RECORD = queries("aftersale.cases", "record.sql")
_OUTCOME = queries("aftersale.cases", "outcome.sql")
_DEADLINES = queries("aftersale.cases", "deadlines.sql")
_PARK = """INSERT INTO parked (shop_id, source, place, why, raw)
SELECT %s, %s, * FROM unnest(%s::text[], %s::text[], %s::bytea[]) ON CONFLICT DO NOTHING"""
_APPLICATION = columns(Application)
_ORDER = columns(Order)


def _updates(names: Iterable[str], key: str) -> str:
    # A closed application no longer tells its kind: what it was stays.
    # What is told encrypted later takes no phone tail away.
    new = {
        "aftersale_type": "coalesce(excluded.aftersale_type, c.aftersale_type)",
        "phone_tail": "coalesce(excluded.phone_tail, o.phone_tail)",
    }
    return ", ".join(f"{n} = {new.get(n, f'excluded.{n}')}" for n in names if n != key)


def _kept(names: Iterable[str], skip: set[str]) -> str:
    return ", ".join(f"{n} = coalesce(a.{n}, c.{n})" for n in names if n not in skip)


def _differs(told: str, held: str, names: Iterable[str]) -> str:
    return " OR ".join(f"{told}.{n} <> {held}.{n}" for n in names)


# What must agree where the version does; what one side leaves out is no contradiction.
_APPLICATION_TELLS = ("order_id", "amount_fen", "state", "phase", "aftersale_type", "applied_at", "due_at")
_ORDER_TELLS = ("paid_fen", "order_state", "shipped", "tracking_no")


def _contradicts(told: str, held: str) -> str:
    """Whether the goods had left is read from the order's state, which goes on while the application stays as it is."""
    kinds = (f"replace({one}.aftersale_type, 'unshipped', 'shipped')" for one in (told, held))
    others = (name for name in _APPLICATION_TELLS if name != "aftersale_type")
    return f"{_differs(told, held, others)} OR {' <> '.join(kinds)}"


CONTRADICTIONS, ANSWERS = (
    _MERGE[name].format(
        application_differs=_differs("a", "c", _APPLICATION_TELLS),
        application_contradicts=_contradicts("a", "c"),
        order_differs=_differs("a", "o", _ORDER_TELLS),
    )
    for name in ("contradictions", "answers")
)
APPLICATIONS = _MERGE["applications"].format(
    columns=", ".join(_APPLICATION),
    selected=", ".join(f"a.{n}" for n in _APPLICATION),
    updates=_updates(_APPLICATION, "case_id"),
    differs=_differs("excluded", "c", _APPLICATION_TELLS),
)
ORDERS = _MERGE["orders"].format(
    columns=", ".join(_ORDER),
    updates=_updates(_ORDER, "order_id"),
    differs=_differs("excluded", "o", _ORDER_TELLS),
)
KEEP_UNTOLD = _MERGE["keep_untold"].format(kept=_kept(_APPLICATION, {"case_id", "application_version"}))
KEEP_UNTOLD_ORDERS = _MERGE["keep_untold_orders"].format(kept=_kept(_ORDER, {"order_id", "order_version"}))
PARCELS = {"stage_parcel", "stage_interception", "stage_inbound", "stage_order", "stage_application"}
NAMED_ORDERS = {"stage_order", "stage_warehouse", "stage_application"}
REACHING = {"stage_order", "stage_parcel", "stage_interception", "stage_warehouse", "stage_inbound"}


@dataclass(frozen=True, slots=True)
class Merged:
    """Ids of what a batch inserted and updated; everything else in it was known already."""

    inserted: frozenset[tuple[str, str]]
    updated: frozenset[tuple[str, str]]


def merge(conn: Connection[Any], batch: Batch, now: datetime, *, partial: bool = False) -> Merged:
    """Merge a batch into the record and fill temp table `touched` with the cases to be decided.

    `partial` records (files) leave untouched what they do not tell; snapshots of a platform replace.
    """
    filled = batch.copy(conn)
    if batch.asked:
        _tell(conn.execute(ANSWERS))
    with conn.pipeline():
        if "stage_message" in filled:
            conn.execute(_MERGE["messages"])
        conn.execute(_MERGE["inbox"])
        if "stage_notice" in filled:
            conn.execute(_MERGE["notices"])
        if len(filled & PARCELS) > 1:
            conn.execute(_MERGE["lock_parcels"])
        _merge_parcels(conn, filled)
        if len(filled & NAMED_ORDERS) > 1:
            conn.execute(_MERGE["lock_orders"])
        orders = _merge_orders(conn, filled, partial)
        if filled & REACHING:
            conn.execute(_MERGE["reached"])
            conn.execute(_MERGE["lock_cases"])
        cases = None
        if "stage_application" in filled:
            if partial:
                conn.execute(KEEP_UNTOLD)
            cases = conn.execute(APPLICATIONS, {"now": now})
        if "stage_order" in filled:
            conn.execute(_MERGE["order_money"])
    if not partial and _some_known(batch, orders, cases):
        _tell(conn.execute(CONTRADICTIONS))
    return _merged(("order", orders), ("application", cases))


def _tell(contradictions: Iterable[Any]) -> None:
    for shop_id, place in contradictions:
        log.error(
            "shop %s: %s came twice with different content; what the platform answers last counts",
            shop_id,
            place,
        )


def _some_known(batch: Batch, orders: Any, cases: Any) -> bool:
    """Was a snapshot told that changed nothing: a repeat, an older one, or one that contradicts?"""
    told = ((orders, "stage_order"), (cases, "stage_application"))
    return batch.repeated or any(
        cursor is not None and cursor.rowcount < len(batch.named[name]) for cursor, name in told
    )


def _merge_parcels(conn: Connection[Any], filled: frozenset[str]) -> None:
    if "stage_parcel" in filled:
        conn.execute(_MERGE["parcels"])
    if "stage_event" in filled:
        conn.execute(_MERGE["tracking_events"])
    if "stage_interception" in filled:
        conn.execute(_MERGE["interceptions"])
    if "stage_inbound" in filled:
        conn.execute(_MERGE["inbounds"])
        conn.execute(_MERGE["inbounds_unowned"])
    if filled & {"stage_order", "stage_application"}:
        conn.execute(_MERGE["named_parcels"])


def _merge_orders(conn: Connection[Any], filled: frozenset[str], partial: bool) -> Any:
    cursor = None
    if "stage_order" in filled:
        if partial:
            conn.execute(KEEP_UNTOLD_ORDERS)
        cursor = conn.execute(ORDERS)
    if "stage_line" in filled:
        conn.execute(_MERGE["order_lines"])
    if "stage_share" in filled:
        conn.execute(_MERGE["order_shares"])
    if "stage_warehouse" in filled:
        conn.execute(_MERGE["warehouse"])
    if "stage_application" in filled:
        conn.execute(_MERGE["named_orders"])
    return cursor


def _merged(*results: tuple[str, Any]) -> Merged:
    inserted: set[tuple[str, str]] = set()
    updated: set[tuple[str, str]] = set()
    for kind, cursor in results:
        for external_id, is_new in cursor.fetchall() if cursor is not None else ():
            (inserted if is_new else updated).add((kind, external_id))
    return Merged(frozenset(inserted), frozenset(updated))


def look_now(conn: Connection[Any], now: datetime) -> None:
    """Have the touched cases decided by the next worker that looks."""
    conn.execute(_MERGE["look_now"], {"now": now})


def record_verdicts(conn: Connection[Any], now: datetime, book_version: str) -> None:
    """Write the batch's verdicts (temp table `verdict`) as decisions, intents, queue rows, deadlines and looks."""
    arguments = {"now": now, "book_version": book_version}
    with conn.pipeline():
        for statement in _RECORD.values():
            used = {key: value for key, value in arguments.items() if f"%({key})s" in statement}
            conn.execute(statement if used else statement.replace("%%", "%"), used or None)


def park(conn: Connection[Any], shop_id: int, source: str, bad: Sequence[BadInput]) -> int:
    """Keep what could not be understood, with its place and reason; how many rows are new."""
    told = [(one.where[:500], one.why[:500], one.raw[:65_536]) for one in bad]
    columns = [list(column) for column in zip(*told, strict=True)] or [[], [], []]
    return conn.execute(_PARK, (shop_id, source, *columns)).rowcount


def staged(arrivals: Iterable[tuple[int, Arrival]]) -> Batch:
    """A batch of (shop_id, arrival)."""
    batch = Batch()
    for shop_id, arrival in arrivals:
        batch.add(shop_id, arrival)
    return batch


def notice_deadlines(conn: Connection[Any], since: datetime, now: datetime) -> int:
    """Record each deadline between these moments that passed with its case still ours, once, with the cause; how many."""
    return conn.execute(_DEADLINES["notice"], {"since": since, "now": now}).rowcount


def settle(conn: Connection[Any], outcomes: Sequence["Outcome"], now: datetime) -> int:
    """Write what became of sent intents; how many were still ours to settle (the epoch is the fence)."""
    names = [f.name for f in fields(Outcome)]
    told = {name: [getattr(one, name) for one in outcomes] for name in names}
    conn.execute(_OUTCOME["lock_told"], {"shop_id": told["shop_id"], "case_id": told["case_id"]})
    count = conn.execute(_OUTCOME["settle"], {**told, "now": now}).rowcount
    refused = [one for one in outcomes if (one.kind, one.state) == ("refuse", "done")]
    if refused:
        keys = ("shop_id", "case_id", "platform_version")
        conn.execute(
            _OUTCOME["proof_used"],
            {"now": now, **{key: [getattr(one, key) for one in refused] for key in keys}},
        )
    return count


def watch(conn: Connection[Any], now: datetime) -> int:
    """Give the automatic money that is held back to people (queue `over_budget`); how many cases are new there."""
    stopped = conn.execute(_OUTCOME["money_stopped"].replace("%%", "%")).fetchone() == (True,)
    return conn.execute(_OUTCOME["watch"], {"now": now}).rowcount if stopped else 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one sent intent: `state` done, refused, unknown, with_person, or approved (again `again_at`).

    `asked`: it is the platform's answer to a question, not to the call itself; approved then means "not done".
    """

    shop_id: int
    case_id: str
    kind: str
    platform_version: int
    amount_fen: int
    epoch: int
    state: str
    outcome: str | None = None
    again_at: datetime | None = None
    asked: bool = False
