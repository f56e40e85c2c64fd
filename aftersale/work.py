"""`aftersale work`: the stages in their order, over and over, until told to stop.

1 read what has arrived, merge and decide it, in one transaction   2 decide the cases whose look is due
3 send what is approved, ask what became of the unknown            4 fetch and pull what the pushes did not bring
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import Connection

from aftersale.cases import actions
from aftersale.core.records import BadInput
from aftersale.decide.run import Decider
from aftersale.intake import arrive
from aftersale.pg import Refused

log = logging.getLogger(__name__)
BODIES_MAX = 60
LOOKS_MAX = 1000
IDLE_S = 0.05
AGAIN_S = 1.0

Turn = Callable[[], int]
"""Does what is to be done now and says how much that was; leaves nothing half-done when it raises."""


def forever(build: Callable[[], Turn], stopping: threading.Event) -> None:
    """Turns, one after the other. Whatever breaks is told, and everything is built anew: connections, too."""
    turn: Turn | None = None
    while not stopping.is_set():
        try:
            turn = turn or build()
            if not turn():
                stopping.wait(IDLE_S)
        except (psycopg.OperationalError, psycopg.InterfaceError, Refused) as error:
            log.warning("the database is away, trying again: %s", " ".join(str(error).split()))
            turn = None
            stopping.wait(AGAIN_S)
        except Exception:
            log.exception("a turn failed and will be repeated")
            turn = None
            stopping.wait(AGAIN_S)


@dataclass
class Desk:
    """Intake and deciding over one connection (which went through `stage.prepare`)."""

    conn: Connection[Any]
    decider: Decider
    now: Callable[[], datetime]

    def turn(self) -> int:
        """One batch of news, then one batch of due cases; how many bodies and cases were handled."""
        return self.take_news() + self.take_due()

    def take_news(self) -> int:
        """Read, merge and decide in one transaction: either all of it happened or none."""
        taken: list[int] = []
        try:
            with self.conn.transaction():
                bodies = arrive.claim(self.conn, BODIES_MAX)
                taken += [body.arrival_id for body in bodies]
                self._take(bodies)
            return len(taken)
        except psycopg.OperationalError:
            raise
        except Exception:
            log.exception("a batch of %s bodies failed and is taken one by one", len(taken))
            return self._one_by_one(taken)

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
            except psycopg.OperationalError:
                raise
            except Exception as error:
                self._park(arrival_id, f"{type(error).__name__}: {' '.join(str(error).split())}")
        return len(arrival_ids)

    def _park(self, arrival_id: int, why: str) -> None:
        with self.conn.transaction():
            for body in arrive.claim_one(self.conn, arrival_id):
                bad = BadInput(f"arrival {arrival_id}", why, body.raw)
                actions.park(self.conn, body.shop_id, body.source, [bad])

    def take_due(self) -> int:
        """Decide the cases whose look is due."""
        with self.conn.transaction():
            now = self.now()
            count = self.decider.claim_due(now, LOOKS_MAX)
            if count:
                self.decider.decide(now)
        return count
