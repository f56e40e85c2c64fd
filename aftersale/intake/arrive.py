"""The one way in: whatever comes (push, pull, file) becomes arrivals, and arrivals become the record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from psycopg import Connection

from aftersale.cases import actions, stage
from aftersale.connectors.phone import without_numbers
from aftersale.core.records import Arrival, BadInput, Notice, Record
from aftersale.core.refusal import Refusal
from aftersale.intake.sources import SOURCES
from aftersale.intake.waiting import Body
from aftersale.pg.sql import queries

BATCH_MAX = 1000
_SQL = queries("aftersale.intake", "queries.sql")


@dataclass(frozen=True, slots=True)
class Counts:
    """What came of a number of arrivals; `changed` names the objects (kind, id) that were inserted or updated."""

    inserted: frozenset[tuple[str, str]]
    updated: frozenset[tuple[str, str]]
    rejected: int


def shop_id(conn: Connection[Any], code: str) -> int | Refusal:
    """The shop with this code."""
    row = conn.execute("SELECT id FROM shop WHERE code = %s", (code,)).fetchone()
    if row is None:
        known = [str(r[0]) for r in conn.execute("SELECT code FROM shop ORDER BY code LIMIT 5")]
        return Refusal(
            "no_shop",
            f"没有店铺 {code!r}（已有：{'、'.join(known) or '无'}）；先添加：aftersale shop add {code} --name 名称 --platform tmall",
        )
    return int(row[0])


def take_in(
    conn: Connection[Any], shop: int, arrivals: Iterable[Arrival], source: str, now: datetime
) -> Counts:
    """Merge arrivals of one shop in transactions of at most 1000; the cases are decided by the next worker."""
    stage.prepare(conn)
    inserted: set[tuple[str, str]] = set()
    updated: set[tuple[str, str]] = set()
    waiting = iter(arrivals)
    while chunk := list(islice(waiting, BATCH_MAX)):
        with conn.transaction():
            batch = actions.staged((shop, one) for one in chunk)
            merged = actions.merge(conn, batch, now, partial=source == "file")
            actions.look_now(conn, now)
        inserted |= merged.inserted
        updated |= merged.updated
    return Counts(frozenset(inserted), frozenset(updated - inserted), 0)


def park(conn: Connection[Any], shop: int, bad: Sequence[BadInput], source: str) -> int:
    """Keep bad input with its reason; how many are new."""
    with conn.transaction():
        return actions.park(conn, shop, source, bad)


def store(conn: Connection[Any], bodies: Sequence[tuple[int, str, bytes]]) -> None:
    """Store raw bodies (shop_id, source, body) in the caller's transaction; read later, never lost."""
    shops, sources, raws = zip(*bodies, strict=True)
    conn.execute(_SQL["store"], (list(shops), list(sources), [without_numbers(raw) for raw in raws]))


def read(conn: Connection[Any], bodies: Sequence[Body]) -> stage.Batch:
    """Read bodies into one batch; what cannot be understood is parked in the same transaction."""
    batch = stage.Batch()
    for body in bodies:
        bad, source = [], SOURCES[body.source]
        for one in source.read(body.raw):
            if isinstance(one, BadInput):
                bad.append(one)
            elif source.hint:
                _look_there(conn, body.shop_id, one.record)
            else:
                batch.add(body.shop_id, one)
        if bad:
            actions.park(conn, body.shop_id, body.source, bad)
    return batch


def _look_there(conn: Connection[Any], shop_id: int, record: Record) -> None:
    """Have an object fetched whose news we do not trust, unless we know as much already."""
    kind, external_id = stage.KIND[record.__class__]
    fetched = record.kind if isinstance(record, Notice) else kind
    told = {"shop_id": shop_id, "kind": fetched, "ids": [external_id(record)]}
    conn.execute(_SQL["want"], {**told, "versions": [getattr(record, "version", 0) or 2**63 - 1]})
