"""Asking the platform what changed: a cursor per shop, the platform's windows, and the objects that hints named.

Pull ends where push ends: what is fetched is stored as an arrival and read like any other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
import msgspec
from psycopg import Connection

from aftersale.cases import actions
from aftersale.connectors import pace
from aftersale.connectors.outcome import Ok, Rejected, TryLater
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.client import TopClient
from aftersale.core.records import BadInput
from aftersale.intake import arrive
from aftersale.pg.sql import queries

_SQL = queries("aftersale.intake", "queries.sql")
WINDOW_MAX = timedelta(hours=24)
OVERLAP = timedelta(minutes=2)  # pages may change while they are turned; what is seen twice changes nothing
FETCH_MAX = 20
PAUSE_MAX_S = 300.0
OF_THE_OBJECT = "15"  # TOP: the business refused; every other code is about the caller and passes


@dataclass(frozen=True, slots=True)
class PullLimits:
    """Real seconds between pulls of a shop, and calls a second of an application."""

    pause_s: float = 60.0
    calls_per_s: float = 40.0


class Puller:
    """Fetches for all shops over one database connection and one HTTP client."""

    def __init__(
        self,
        conn: Connection[Any],
        http: httpx2.Client,
        now: Callable[[], datetime],
        limits: PullLimits | None = None,
    ) -> None:
        self.conn, self._http, self._now = conn, http, now
        self.limits = limits or PullLimits()
        self._clients: dict[int, TopClient] = {}
        self._keys: dict[int, str] = {}

    def turn(self) -> int:
        """Fetch objects that are wanted, then pull one shop that is due; how many things were done."""
        return self._fetch() + self._pull()

    def _fetch(self) -> int:
        with self.conn.transaction():
            self.conn.execute(_SQL["known"])
            wanted = self.conn.execute(_SQL["lease_fetch"], {"limit": FETCH_MAX}).fetchall()
        for shop_id, kind, external_id, tries, due_at in wanted:
            key = {"shop_id": shop_id, "kind": kind, "external_id": external_id, "due_at": due_at}
            self._fetch_one(key, tries)
        return len(wanted)

    def _fetch_one(self, key: Mapping[str, Any], tries: int) -> None:
        shop_id = key["shop_id"]
        client = self.client(shop_id)
        if client is None or not pace.wait_turn(self.conn, self.key(shop_id), self.limits.calls_per_s):
            return
        get = refunds.detail if key["kind"] == "application" else refunds.trade
        answer = get(client, key["external_id"])
        if isinstance(answer, TryLater):
            pace.blocked(self.conn, self._keys[shop_id], answer.after_s) if "limited" in answer.code else None
        with self.conn.transaction():
            if isinstance(answer, Ok):
                source = "taobao.refund" if key["kind"] == "application" else "taobao.trade"
                arrive.store(self.conn, [(shop_id, source, msgspec.json.encode(answer.body))])
                self.conn.execute(_SQL["fetched"], key)
            elif isinstance(answer, Rejected) and answer.code == OF_THE_OBJECT:
                self._told(key, answer)
                self.conn.execute(_SQL["fetched"], key)
            else:  # wanted until the platform answers about the object itself, however long that takes
                if isinstance(answer, Rejected):
                    self._told(key, answer)
                pause_s = min(PAUSE_MAX_S, 2.0 ** min(tries, 10))
                self.conn.execute(_SQL["postpone"], {**key, "pause_s": pause_s})

    def _told(self, key: Mapping[str, Any], answer: Rejected) -> None:
        where = f"fetch {key['kind']} {key['external_id']}"
        bad = BadInput(where, f"平台没有给出这个对象：{answer.message}")
        actions.park(self.conn, key["shop_id"], "fetch", [bad])

    def _pull(self) -> int:
        with self.conn.transaction():
            row = self.conn.execute(_SQL["lease_pull"]).fetchone()
        if row is None:
            return 0
        shop_id, kind, since = row
        until = min(self._now(), since - OVERLAP + WINDOW_MAX)
        done = self._pull_window(shop_id, since - OVERLAP, until)
        more_waits = done and until == since - OVERLAP + WINDOW_MAX
        with self.conn.transaction():
            values = {"shop_id": shop_id, "kind": kind, "since": until if done else since}
            self.conn.execute(
                _SQL["pulled"], {**values, "pause_s": 0.0 if more_waits else self.limits.pause_s}
            )
        return 1

    def _pull_window(self, shop_id: int, since: datetime, until: datetime) -> bool:
        """Note every refund of the window that we know less of than the platform; False when it was cut short."""
        client, page_no = self.client(shop_id), 1
        while client is not None:
            if not pace.wait_turn(self.conn, self.key(shop_id), self.limits.calls_per_s):
                return False
            page = refunds.changed(client, since, until, page_no)
            if not isinstance(page, refunds.Page):
                return False
            self._want_newer(shop_id, page)
            if not page.has_next:
                return True
            page_no += 1
        return False

    def _want_newer(self, shop_id: int, page: refunds.Page) -> None:
        ids = [str(row["refund_id"]) for row in page.refunds]
        versions = [int(row.get("refund_version") or 0) for row in page.refunds]
        with self.conn.transaction():
            rows = self.conn.execute(
                _SQL["older"], {"shop_id": shop_id, "ids": ids, "versions": versions}
            ).fetchall()
            wanted = {"shop_id": shop_id, "kind": "application"}
            self.conn.execute(
                _SQL["want"], {**wanted, "ids": [r[0] for r in rows], "versions": [r[1] for r in rows]}
            )

    def client(self, shop_id: int) -> TopClient | None:
        """The shop's client; None when the shop has no authorisation (its data comes as files)."""
        if shop_id not in self._keys:
            row = self.conn.execute(
                "SELECT base_url, app_key, app_secret, session_key FROM shop WHERE id = %s", (shop_id,)
            ).fetchone()
            self.conn.commit()
            if row is None or None in row:
                return None
            base_url, app_key, app_secret, session = row
            self._keys[shop_id] = app_key
            self._clients[shop_id] = TopClient(
                base_url, app_key, app_secret, session, now=self._now, http=self._http
            )
        return self._clients[shop_id]

    def key(self, shop_id: int) -> str:
        """The application that a shop's client calls as."""
        return self._keys[shop_id]
