"""Claiming: which approved intents are ours to send next. A short transaction of its own, never a call in it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from psycopg import Connection
from psycopg.errors import CheckViolation

from aftersale.act import breaker
from aftersale.act.due import Due, Waiting, within
from aftersale.act.work_item import Item
from aftersale.cases import actions
from aftersale.cases.again import again
from aftersale.pg.sql import queries

_SQL = queries("aftersale.act", "queries.sql")
PER_SHOP = 600
LIST_S, LIST_ALL_S = 1.0, 2.0
SHARE, ALL_SHARE = 20, 100  # a listing rests this many times as long as it took
ALL_REST_S = 120.0
SLACK = timedelta(seconds=10)  # what is planned in a transaction shows when that commits
EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard and how patiently we send. Times are real seconds.

    `ask_after_s` lies between two questions; 0 also has every turn look at everything anew.
    """

    calls_per_s: float = 40.0
    claim_max: int = 60
    lease_s: float = 60.0
    ask_after_s: float = 10.0


class Claims:
    """Claims over one connection from a list that is made anew every now and then (docs/adr/0020).

    A listing begins where the last one found the oldest it could use; one over everything follows every few seconds.
    """

    def __init__(self, conn: Connection[Any], limits: Limits) -> None:
        self.conn, self.limits = conn, limits
        self._waiting = Waiting()
        self._since = EVER
        self._list_at = self._list_all_at = 0.0

    def take(self, now: datetime) -> list[Item]:
        """The next intents of one shop in the order of their deadlines, now in state sending; [] = none is due."""
        self._list(now)
        while self._waiting:
            wanted = self._waiting.take(self.limits.claim_max)
            try:
                claimed, over = again(partial(self._claim, wanted, now))
            except CheckViolation:  # the budget's last word: another worker was faster
                continue
            if over:
                self._over(over[0], now)
            if claimed:
                return claimed
        return []

    def _list(self, now: datetime) -> None:
        began = time.monotonic()
        if self._waiting and began < self._list_at:
            return
        everything = began >= self._list_all_at
        values = {"since": EVER if everything else self._since, "now": now, "per_shop": PER_SHOP}
        with self.conn.transaction():
            rows = self.conn.execute(_SQL["due"], values).fetchall()
        self._waiting.fill(Due(*row[:-1]) for row in rows)
        self._since = min([row[-1] for row in rows[:1]] + [now - SLACK])
        took = time.monotonic() - began
        if self.limits.ask_after_s:
            self._list_at = began + max(LIST_S, SHARE * took)
            if everything:
                self._list_all_at = began + min(ALL_REST_S, max(LIST_ALL_S, ALL_SHARE * took))

    def _claim(self, wanted: Sequence[Due], now: datetime) -> tuple[list[Item], list[Due]]:
        shop_id = wanted[0].shop_id
        with self.conn.transaction():
            go, over = list(wanted), list[Due]()
            if any(one.automatic for one in wanted):
                left = self.conn.execute(_SQL["money_left"], (shop_id,)).fetchone()
                assert left is not None, "money_left answers for every shop"
                go, over = within(wanted, left[0] or 0, left[1] or 0)
            claimed = [Item(*row) for row in self.conn.execute(_SQL["claim"], _keys(shop_id, go, now))]
        place = {(one.case_id, one.kind): n for n, one in enumerate(go)}
        spending = any(
            one.automatic for one in go
        )  # the breaker would hold back these as well: it waits for them
        return sorted(claimed, key=lambda item: place[item.case_id, item.kind]), [] if spending else over

    def _over(self, first: Due, now: datetime) -> None:
        """Automatic money that does not fit into the budget waits, watched over by people."""
        breaker.over(self.conn, first.shop_id, first.amount_fen, now)
        with self.conn.transaction():
            actions.watch(self.conn, now)


def _keys(shop_id: int, due: Sequence[Due], now: datetime) -> dict[str, object]:
    return {
        "shop_id": shop_id,
        "now": now,
        "case_ids": [one.case_id for one in due],
        "kinds": [one.kind for one in due],
        "versions": [one.platform_version for one in due],
        "amounts_fen": [one.amount_fen for one in due],
    }
