"""Stage 2: the published rulebook speaks on every touched case, in the transaction that brought the news.

A shop's own release comes before the book of the software; which one it is is read with every batch."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from aftersale.cases import actions
from aftersale.cases.floor import Floor
from aftersale.core.rulebook import Book
from aftersale.decide.draft import Drafts
from aftersale.decide.released import Releases
from aftersale.decide.verdict import column, statement
from aftersale.pg.sql import queries
from aftersale.rulebooks.books import Action

_SQL = queries("aftersale.decide", "verdict.sql")
EARLIEST, SLACK = datetime(1, 1, 1, tzinfo=UTC), timedelta(seconds=10)


class Decider:
    """One rulebook made ready for one connection (which went through `stage.prepare`)."""

    def __init__(
        self, conn: Connection[Any], book: Book, text: str, book_actions: Mapping[str, Action]
    ) -> None:
        self.conn = conn
        self.book = book
        self._actions = book_actions
        self._statements: dict[bool, str] = {}
        reads = ", ".join(f"f.{column(book, name)}" for name in book.reads)
        self._handed_over = _SQL["hand_over"].format(reads=reads)
        self._drafts = Drafts(conn)
        self._releases = Releases(conn, book, book_actions)
        self._due = Floor(EARLIEST, lambda at: max(EARLIEST + SLACK, at) - SLACK)
        with conn.transaction():
            conn.execute(_SQL["publish"], (book.version, book.name, text, list(book.reads)))

    def decide(self, now: datetime) -> None:
        """Decide the cases in temp table `touched`, within the caller's transaction."""
        differ, drafted, released = self.conn.execute(_SQL["shops_differ"]).fetchone() or (True, True, True)
        if not (released and self._releases.decide(now)):
            self.conn.execute(self._statement(differ), {"now": now})
        if drafted:
            self._drafts.decide(now)
        self.conn.execute(_SQL["too_late"], {"now": now})
        actions.record_verdicts(self.conn, now, self.book.version)

    def hand_over(self, now: datetime) -> None:
        """The cases in `touched` go to people undecided; the book is asked again in an hour."""
        self.conn.execute(self._handed_over, {"now": now})
        actions.record_verdicts(self.conn, now, self.book.version)

    def _statement(self, shops_differ: bool) -> str:
        if shops_differ not in self._statements:
            self._statements[shops_differ] = statement(self.book, self._actions, shops_differ=shops_differ)
        return self._statements[shops_differ]

    def claim_due(self, now: datetime, limit: int) -> int:
        """Touch the cases whose look is due, those longest due first; how many."""

        def claim(floor: datetime) -> tuple[int, datetime]:
            values = {"now": now, "limit": limit, "floor": floor}
            row = self.conn.execute(_SQL["claim_due"], values).fetchone()
            assert row is not None
            return row[0], row[1] or now

        return self._due.claim(claim)

    def shops_due(self, now: datetime) -> list[int]:
        return [row[0] for row in self.conn.execute(_SQL["shops_due"], {"now": now})]

    def claim_of(self, shop_id: int, now: datetime, limit: int) -> int:
        """The same of one shop."""
        values = {"now": now, "limit": limit, "shop": shop_id}
        row = self.conn.execute(_SQL["claim_of"], values).fetchone()
        assert row is not None
        return int(row[0])

    def later(self, shop_id: int, now: datetime) -> str | None:
        """Have the case of the shop that is due longest wait an hour; which one it is."""
        row = self.conn.execute(_SQL["later"], {"shop": shop_id, "now": now}).fetchone()
        return None if row is None else row[0]
