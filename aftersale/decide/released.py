"""What a shop published for itself decides its cases; known with the batch after it was published."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.facts import RulebookError
from aftersale.core.language.saying import plain
from aftersale.core.rulebook import Book
from aftersale.decide.verdict import Target, statement
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.books import Action
from aftersale.rulebooks.editing.fit import fault

log = logging.getLogger(__name__)
_SQL = queries("aftersale.decide", "released.sql")
TARGET = Target(
    touched="(SELECT shop_id, case_id FROM touched WHERE shop_id = ANY (%(shops)s)) AS of_release",
    shop="(SELECT id, platform, settings FROM shop WHERE id = ANY (%(shops)s)) AS shop",
)
KEPT_MAX = 200


class Releases:
    """Releases made ready for one connection; `book` decides shops that have none."""

    def __init__(self, conn: Connection[Any], book: Book, actions: Mapping[str, Action]) -> None:
        self._conn, self._book, self._actions = conn, book, actions
        self._statements: dict[str, str | None] = {}

    def decide(self, now: datetime) -> bool:
        """Fill `verdict`, shops of one book together; False, with nothing done, when none here has a release."""
        groups = self._conn.execute(_SQL["groups"], {"book": self._book.name}).fetchall()
        if all(release is None for release, _, _ in groups):
            return False
        for release, version, shops in groups:
            self._group(release, version, {"now": now, "shops": shops})
        return True

    def _group(self, release: int | None, version: str | None, told: dict[str, Any]) -> None:
        own = self._statement(release, version) if release is not None and version is not None else None
        self._conn.execute(own or self._shipped(), told)
        if own is not None:
            self._conn.execute(_SQL["pin"], {"version": version, "shops": told["shops"]})
        elif release is not None:
            self._conn.execute(_SQL["hold"], {"shops": told["shops"]})

    def _shipped(self) -> str:
        return self._made(self._book.version, self._book)

    def _made(self, version: str, book: Book) -> str:
        found = self._statements.get(version)
        if found is None:
            found = statement(book, self._actions, shops_differ=True, target=TARGET)
            self._statements[version] = found
        return found

    def _statement(self, release: int, version: str) -> str | None:
        """None for a text that this version of the software cannot read."""
        if version in self._statements:
            return self._statements[version]
        if len(self._statements) >= KEPT_MAX:
            self._statements.clear()
        row = self._conn.execute(_SQL["text"], {"release": release}).fetchone()
        assert row is not None
        try:
            book = books.parse(row[0])
            why = fault(book, {})
        except RulebookError as error:
            book, why = self._book, error.told
        if why is None:
            return self._made(version, book)
        log.error("release %s pays nothing, this software cannot read it: %s", release, plain(why))
        self._statements[version] = None
        return None
