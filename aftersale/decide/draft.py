"""A draft of the rulebook on live cases: it watches (shadow), or decides a share of them within a budget (canary)."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.facts import RulebookError
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
