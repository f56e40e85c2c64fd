"""A draft tried on a shop's live cases: it begins, says what it would have done, and ends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.facts import RulebookError
from aftersale.core.refusal import Refusal, refusal_of
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.fit import fault

SQL = queries("aftersale.publishing", "trial.sql")


@dataclass(frozen=True, slots=True)
class Move:
    """Cases that the published book and the draft took the same way; money is what each pays by itself (fen)."""

    live_rule: str
    rule: str
    live_queue: str | None
    queue: str | None
    cases: int
    live_fen: int
    fen: int
    examples: tuple[str, ...]

    @property
    def changed(self) -> bool:
        return (self.live_rule, self.live_queue, self.live_fen) != (self.rule, self.queue, self.fen)


@dataclass(frozen=True, slots=True)
class Draft:
    """`share_percent` 0: it only watches. Money in fen; `spent_fen` never passes `budget_fen`."""

    id: int
    shop: str
    version: str
    share_percent: int
    budget_fen: int
    spent_fen: int
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    edit_id: int | None


def start(
    conn: Connection[Any],
    shop: str,
    text: str,
    settings: Mapping[str, object],
    by: str,
    now: datetime,
    *,
    share_percent: int = 0,
    budget_fen: int = 0,
    edit_id: int | None = None,
) -> int | Refusal:
    """Try a draft on the shop's live cases from now on; its id."""
    try:
        book = books.parse(text)
    except RulebookError as error:
        return refusal_of("book", error.told)
    why = fault(book, settings)
    if why:
        return refusal_of("book", why)
    with conn.transaction():
        conn.execute(SQL["keep"], (book.version, book.name, text, list(book.reads)))
        told = {"shop": shop, "version": book.version, "settings": json.dumps(settings, ensure_ascii=False)}
        more = {"share": share_percent, "budget": budget_fen, "by": by, "now": now, "edit": edit_id}
        row = conn.execute(SQL["start"], {**told, **more}).fetchone()
    if row is not None:
        return int(row[0])
    known = conn.execute("SELECT EXISTS (SELECT FROM shop WHERE code = %s)", (shop,)).fetchone()
    if known == (True,):
        return Refusal("running", f"店铺 {shop} 已有一个草稿在试行，先停下它：aftersale draft stop {shop}")
    return Refusal("no_shop", f"没有代码为 {shop} 的店铺")


def stop(conn: Connection[Any], shop: str, by: str, now: datetime) -> bool:
    """Whether a draft was running; its cases go back to the published book when they are next decided."""
    with conn.transaction():
        return conn.execute(SQL["stop"], {"shop": shop, "by": by, "now": now}).fetchone() is not None


def drafts(conn: Connection[Any], shop: str | None = None) -> list[Draft]:
    """The latest fifty, newest first."""
    return [Draft(*row) for row in conn.execute(SQL["drafts"], {"shop": shop}).fetchall()]


def moves(conn: Connection[Any], draft_id: int) -> list[Move]:
    """What the draft would have done, beside what was done; most frequent first."""
    rows = conn.execute(SQL["moves"], {"draft": draft_id}).fetchall()
    return [Move(*(*row[:7], tuple(row[7]))) for row in rows]
