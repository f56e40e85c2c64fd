"""A draft of the rulebook on live cases: it watches (shadow), or decides a share of them within a budget (canary)."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import nearest
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import Book, Output, resolve_settings
from aftersale.decide.verdict import Target, statement
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

log = logging.getLogger(__name__)
_SQL = queries("aftersale.decide", "draft.sql")
TARGET = Target(
    "draft_verdict",
    "(SELECT shop_id, case_id FROM touched WHERE shop_id = %(shop)s) AS of_draft",
    "(SELECT s.id, s.platform, s.settings || d.settings AS settings FROM shop s"
    " JOIN draft d ON d.shop_id = s.id AND d.ended_at IS NULL) AS shop",
)


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


class Drafts:
    """The drafts that are live, made ready for one connection."""

    def __init__(self, conn: Connection[Any]) -> None:
        self._conn = conn
        self._statements: dict[str, str | None] = {}

    def decide(self, now: datetime) -> None:
        """What drafts say on the cases in `touched`, after `verdict` was filled and before it is recorded."""
        self._conn.execute(_SQL["table"])
        for draft, shop, version, share, left, text, settings in self._conn.execute(_SQL["live"]).fetchall():
            told = {
                "draft": draft,
                "shop": shop,
                "version": version,
                "share": share,
                "now": now,
                "left": left,
            }
            if share:
                row = self._conn.execute(_SQL["lock"], {"draft": draft}).fetchone()
                told["left"] = row[0] if row else 0
            ruling = self._statement(version, text)
            if ruling is not None:
                self._say(ruling, settings, told)

    def _say(self, ruling: str, settings: str, told: Mapping[str, Any]) -> None:
        self._conn.execute(_SQL["empty"])
        self._conn.execute(ruling, {"now": told["now"], "shop": told["shop"]})
        used = {key: told[key] for key in ("draft", "now", "share", "left")}
        cases = [row[0] for row in self._conn.execute(_SQL["record"], used).fetchall()]
        self._conn.execute(_SQL["look"])
        if cases:
            read = {"cases": cases, "version": told["version"], "settings": settings}
            self._conn.execute(_SQL["replace"], read)

    def _statement(self, version: str, text: str) -> str | None:
        """None for a draft that was readable once and is no more: it is not asked, and stops nobody."""
        if version not in self._statements:
            try:
                book = books.parse(text)
            except RulebookError as error:
                log.warning("draft %s is not asked any more: %s", version, error)
                self._statements[version] = None
            else:
                made = statement(book, books.actions(), shops_differ=True, target=TARGET)
                self._statements[version] = made
        return self._statements[version]


def fault(book: Book, settings: Mapping[str, object]) -> str | None:
    """Why this book cannot decide live cases; None when it can."""
    try:
        resolve_settings(book, settings)
    except RulebookError as error:
        return str(error)
    if book.name != "refund" or book.hit != "first":
        return f"只有 refund 规则书能处理售后单，这一本是 {book.name}"
    unfit = [one.name for one in book.settings.values() if one.history or one.type.kind == "decimal"]
    if unfit:
        return f"设置 {unfit[0]} 有 history 或是小数，处理售后单的规则书里不能用：请给规则写 from/until，或用整数"
    named = [*((rule.name, rule.then) for rule in book.rules), ("otherwise", book.otherwise)]
    return next((why for name, then in named if (why := _misfit(name, then))), None)


def _misfit(rule: str, then: Mapping[str, Output]) -> str | None:
    """What the pipeline could not carry out of one rule."""
    action, queue = (getattr(then.get(key), "value", None) for key in ("action", "queue"))
    if not isinstance(action, str) or action not in books.actions():
        return f"规则 {rule}：没有名为 {action} 的动作{nearest(str(action), books.actions())}"
    if queue is not None and queue not in books.queues():
        return f"规则 {rule}：没有名为 {queue} 的队列{nearest(str(queue), books.queues())}"
    if books.actions()[action].money and queue is None and then.get("amount") is None:
        return f"规则 {rule} 会自动付款，必须写 amount"
    return None


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
) -> int | Refusal:
    """Try a draft on the shop's live cases from now on; its id."""
    try:
        book = books.parse(text)
    except RulebookError as error:
        return Refusal("book", str(error))
    why = fault(book, settings)
    if why:
        return Refusal("book", why)
    with conn.transaction():
        conn.execute(_PUBLISH, (book.version, book.name, text, list(book.reads)))
        told = {"shop": shop, "version": book.version, "settings": json.dumps(settings, ensure_ascii=False)}
        more = {"share": share_percent, "budget": budget_fen, "by": by, "now": now}
        row = conn.execute(_SQL["start"], {**told, **more}).fetchone()
    if row is not None:
        return int(row[0])
    known = conn.execute("SELECT EXISTS (SELECT FROM shop WHERE code = %s)", (shop,)).fetchone()
    if known == (True,):
        return Refusal("running", f"店铺 {shop} 已有一个草稿在试行，先停下它：aftersale draft stop {shop}")
    return Refusal("no_shop", f"没有代码为 {shop} 的店铺")


def stop(conn: Connection[Any], shop: str, by: str, now: datetime) -> bool:
    """Whether a draft was running; its cases go back to the published book when they are next decided."""
    with conn.transaction():
        return conn.execute(_SQL["stop"], {"shop": shop, "by": by, "now": now}).fetchone() is not None


def drafts(conn: Connection[Any], shop: str | None = None) -> list[Draft]:
    """The latest fifty, newest first."""
    return [Draft(*row) for row in conn.execute(_SQL["drafts"], {"shop": shop}).fetchall()]


def moves(conn: Connection[Any], draft_id: int) -> list[Move]:
    """What the draft would have done, beside what was done; most frequent first."""
    rows = conn.execute(_SQL["moves"], {"draft": draft_id}).fetchall()
    return [Move(*(*row[:7], tuple(row[7]))) for row in rows]


_PUBLISH = queries("aftersale.decide", "verdict.sql")["publish"]
