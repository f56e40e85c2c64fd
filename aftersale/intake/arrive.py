"""The one way in: whatever comes (push, pull, file) becomes arrivals, and arrivals become the record."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from psycopg import Connection

from aftersale.cases import actions, stage
from aftersale.core.records import Arrival, BadInput
from aftersale.core.refusal import Refusal
from aftersale.intake.sources import SOURCES
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


@dataclass(frozen=True, slots=True)
class Body:
    """A raw body as it came."""

    arrival_id: int
    shop_id: int
    source: str
    raw: bytes


def store(conn: Connection[Any], bodies: Sequence[tuple[int, str, bytes]]) -> None:
    """Store raw bodies (shop_id, source, body) in the caller's transaction; read later, never lost."""
    shops, sources, raws = zip(*bodies, strict=True)
    conn.execute(_SQL["store"], (list(shops), list(sources), list(raws)))


def claim(conn: Connection[Any], bodies_max: int = 500, bytes_max: int = 1_000_000) -> list[Body]:
    """Take the oldest unread bodies within the caller's transaction."""
    return [Body(*row) for row in conn.execute(_SQL["claim"], {"bodies": bodies_max, "bytes": bytes_max})]


def peek(conn: Connection[Any], arrival_id: int) -> list[Body]:
    """This very body, if it is unread."""
    return [Body(*row) for row in conn.execute(_SQL["peek"], {"arrival_id": arrival_id})]


def claim_one(conn: Connection[Any], arrival_id: int) -> list[Body]:
    """Take this very body, if nobody else has."""
    return [Body(*row) for row in conn.execute(_SQL["claim_one"], {"arrival_id": arrival_id})]


def read(conn: Connection[Any], bodies: Sequence[Body]) -> stage.Batch:
    """Read bodies into one batch; what cannot be understood is parked in the same transaction."""
    batch = stage.Batch()
    for body in bodies:
        bad = []
        for one in SOURCES[body.source].read(body.raw):
            if isinstance(one, BadInput):
                bad.append(one)
            else:
                batch.add(body.shop_id, one)
        if bad:
            actions.park(conn, body.shop_id, body.source, bad)
    return batch
