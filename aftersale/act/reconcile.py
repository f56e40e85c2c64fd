"""Our ledger against the platform's refunds, both ways, once a day and whenever somebody asks (P3; F51)."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from psycopg import Connection

from aftersale.cases import ledger
from aftersale.cases.ledger import Compared, Theirs, Window
from aftersale.connectors import pace
from aftersale.connectors.outcome import Ok, Rejected, TryLater
from aftersale.connectors.taobao import mapping, refunds
from aftersale.connectors.taobao.client import TopClient
from aftersale.core.records import Application
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

log = logging.getLogger(__name__)
_SQL = queries("aftersale.act", "reconcile.sql")
WINDOW_MAX = timedelta(hours=24)
FAILED_PAUSE_S = 300.0
GONE = "refund-not-exist"


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls a second of an application; seconds of the shop's time until what waits or differs is compared again."""

    calls_per_s: float = 40.0
    again_after_s: float = 3600.0
    patience_s: float = 30.0


class Reconciler:
    """Compares shops over one database connection and one HTTP client."""

    def __init__(
        self,
        conn: Connection[Any],
        http: httpx2.Client,
        now: Callable[[], datetime],
        pace: Pace | None = None,
    ) -> None:
        self.conn, self._http, self._now, self._pace = conn, http, now, pace or Pace()
        self._failed: dict[int, float] = {}

    def turn(self) -> int:
        """Compare one shop that is due; how many were."""
        shop_id = self._due()
        if shop_id is None:
            return 0
        done = self.reconcile(shop_id)
        if isinstance(done, Refusal):
            self._failed[shop_id] = time.monotonic() + FAILED_PAUSE_S
            log.warning("shop %s: the ledger was not compared: %s", shop_id, done.why)
            return 0
        log.info("shop %s: ledger head %s", shop_id, self.head(shop_id))
        if done.differences:
            log.error("shop %s: %s refunds differ from the platform's", shop_id, len(done.differences))
        return 1

    def _due(self) -> int | None:
        self._failed = {shop: until for shop, until in self._failed.items() if until > time.monotonic()}
        values = {
            "now": self._now(),
            "failed": list(self._failed),
            "again_after_s": self._pace.again_after_s,
        }
        with self.conn.transaction():
            row = self.conn.execute(_SQL["due"], values).fetchone()
        return int(row[0]) if row else None

    def head(self, shop_id: int) -> ledger.Head | None:
        with self.conn.transaction():
            return ledger.head(self.conn, shop_id)

    def reconcile(
        self, shop_id: int, since: datetime | None = None, until: datetime | None = None, by: str = "worker"
    ) -> Compared | Refusal:
        """Compare a shop from `since` (its yesterday's midnight, or the last time if that is longer ago) until `until` (now).

        One worker a shop at a time.
        """
        with self.conn.transaction():
            locked = self.conn.execute(_SQL["lock"], {"shop_id": shop_id}).fetchone()
        if locked != (True,):
            return Refusal("busy", "另一个进程正在核对这家店")
        try:
            return self._reconcile(shop_id, since, until, by)
        finally:
            if not self.conn.broken:
                self.conn.execute(_SQL["unlock"], {"shop_id": shop_id})
                self.conn.commit()

    def _reconcile(
        self, shop_id: int, since: datetime | None, until: datetime | None, by: str
    ) -> Compared | Refusal:
        now = self._now()
        with self.conn.transaction():
            row = self.conn.execute(_SQL["shop"], {"shop_id": shop_id, "now": now}).fetchone()
        if row is None or None in row:
            return Refusal("no_access", "这家店没有平台授权，没有可以核对的账")
        *access, yesterday, began = row
        window = Window(since or yesterday, until or now)
        if window.since >= window.until:
            return Refusal("window", "核对的开始时间要早于结束时间")
        with self.conn.transaction():
            claims = {"shop_id": shop_id, "since": window.since, "until": window.until}
            claimed = [case_id for (case_id,) in self.conn.execute(_SQL["claimed"], claims)]
        platform = _Platform(
            self.conn, TopClient(*access, now=self._now, http=self._http), access[1], self._pace
        )
        try:
            told = {one.case_id: one for one in platform.listed(window)}
            asked = [platform.asked(case_id) for case_id in claimed if case_id not in told]
            told |= {one.case_id: one for one in asked if one}
        except NotTold as error:
            return Refusal("not_told", f"平台没有把账说全：{error}；稍后再核对")
        return ledger.compare(self.conn, shop_id, window, list(told.values()), began, by, now)


class NotTold(Exception):
    """The platform did not answer; the text says what it said instead."""


@dataclass(frozen=True, slots=True)
class _Platform:
    """What one shop's platform says it paid back. Raises NotTold."""

    conn: Connection[Any]
    client: TopClient
    app_key: str
    pace: Pace

    def listed(self, window: Window) -> Iterator[Theirs]:
        """The refunds that ended with money back and were last changed in the window."""
        since = window.since
        while since < window.until:
            until, page_no, more = min(window.until, since + WINDOW_MAX), 1, True
            while more:
                self._wait()
                page = refunds.changed(self.client, since, until, page_no, status="SUCCESS")
                if not isinstance(page, refunds.Page):
                    raise NotTold(self._why(page))
                yield from filter(None, map(_theirs, page.refunds))
                page_no, more = page_no + 1, page.has_next
            since = until

    def asked(self, case_id: str) -> Theirs | None:
        """One application that the list does not name; None when the answer makes no sense."""
        self._wait()
        answer = refunds.detail(self.client, case_id)
        if isinstance(answer, Ok):
            return _theirs(answer.body)
        if isinstance(answer, Rejected) and GONE in answer.sub_code:
            return Theirs(case_id, 0, None)
        raise NotTold(self._why(answer))

    def _wait(self) -> None:
        if not pace.wait_turn(
            self.conn, self.app_key, self.pace.calls_per_s, patience_s=self.pace.patience_s
        ):
            raise NotTold("调用额度用完了")

    def _why(self, answer: object) -> str:
        if isinstance(answer, TryLater):
            if "limited" in answer.code:
                pace.blocked(self.conn, self.app_key, answer.after_s)
            return answer.code
        return f"{answer.sub_code} {answer.message}" if isinstance(answer, Rejected) else str(answer)


def _theirs(row: Mapping[str, Any]) -> Theirs | None:
    read = mapping.application(row)
    if not isinstance(read, Application):
        log.warning("%s cannot be compared: %s", read.where, read.why)
        return None
    paid = read.amount_fen or 0 if read.state == "refunded" else 0
    return Theirs(read.case_id, paid, mapping.moment(str(row["modified"])))
