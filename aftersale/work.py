"""`aftersale work`: the stages in their order, over and over, until told to stop.

1 read what has arrived and decide it, in one transaction  2 decide what is due  3 send what is approved  4 fetch and pull
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from aftersale.act.run import Actor
from aftersale.cases import actions, stage
from aftersale.core.records import BadInput
from aftersale.decide.run import Decider
from aftersale.intake import arrive
from aftersale.intake.pull import Puller

log = logging.getLogger(__name__)
BODIES_MAX = 100
LOOKS_MAX = 1000
IDLE_S = 0.05


@dataclass
class Worker:
    """One worker: two connections of its own (deciding and sending never wait for one another)."""

    conn: Connection[Any]
    decider: Decider
    actor: Actor | None
    puller: Puller | None
    now: Callable[[], datetime]
    stopping: threading.Event = field(default_factory=threading.Event)

    def decide_forever(self) -> None:
        """Intake and deciding, until stopped."""
        while not self.stopping.is_set():
            if not self._guarded(self.decide_once):
                self.stopping.wait(IDLE_S)

    def act_forever(self) -> None:
        """Sending, fetching and pulling, until stopped."""
        while not self.stopping.is_set():
            moved = 0
            if self.actor:
                moved += self._guarded(self.actor.turn)
            if self.puller:
                moved += self._guarded(self.puller.turn)
            if not moved:
                self.stopping.wait(IDLE_S)

    def _guarded(self, turn: Callable[[], int]) -> int:
        """One turn; whatever breaks is logged and tried again, and nothing half-done stays."""
        try:
            return turn()
        except Exception:
            log.exception("a turn failed and will be repeated")
            self.stopping.wait(1.0)
            return 0

    def decide_once(self) -> int:
        """One batch of news, then one batch of due cases; how many bodies and cases were handled."""
        return self.take_news() + self.take_due()

    def take_news(self) -> int:
        """Read, merge and decide in one transaction: either all of it happened or none."""
        try:
            with self.conn.transaction():
                bodies = arrive.claim(self.conn, BODIES_MAX)
                self._take(bodies)
            return len(bodies)
        except psycopg.errors.DeadlockDetected:
            return 1
        except (psycopg.DataError, psycopg.IntegrityError):
            return self._one_by_one([body.arrival_id for body in bodies])

    def _take(self, bodies: list[arrive.Body]) -> None:
        batch = arrive.read(self.conn, bodies)
        if batch.size:
            now = self.now()
            actions.merge(self.conn, batch, now)
            self.decider.decide(now)

    def _one_by_one(self, arrival_ids: list[int]) -> int:
        """A body that the record refuses is parked, so that it spoils no others."""
        for arrival_id in arrival_ids:
            try:
                with self.conn.transaction():
                    self._take(arrive.claim_one(self.conn, arrival_id))
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                with self.conn.transaction():
                    for body in arrive.claim_one(self.conn, arrival_id):
                        why = " ".join(str(error).split())
                        bad = BadInput(f"arrival {arrival_id}", why, body.raw)
                        actions.park(self.conn, body.shop_id, body.source, [bad])
        return len(arrival_ids)

    def take_due(self) -> int:
        """Decide the cases whose look is due."""
        with self.conn.transaction():
            now = self.now()
            count = self.decider.claim_due(now, LOOKS_MAX)
            if count:
                self.decider.decide(now)
        return count


def new_worker(connect: Callable[[], Connection[Any]]) -> Connection[Any]:
    """A connection ready for the set-based path."""
    conn = connect()
    stage.prepare(conn)
    return conn
