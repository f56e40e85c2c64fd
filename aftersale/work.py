"""`aftersale work`: the stages in their order, over and over, until told to stop.

1 read what has arrived, merge and decide it, in one transaction   2 decide the cases whose look is due
3 send what is approved, ask what became of the unknown            4 fetch and pull what the pushes did not bring
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
from psycopg import Connection

from aftersale.cases import actions
from aftersale.cases.again import MET, again
from aftersale.cases.stage import Batch
from aftersale.core.records import Arrival, BadInput
from aftersale.decide.run import Decider
from aftersale.health.pulse import Sign
from aftersale.intake import arrive
from aftersale.intake.sources import SOURCES
from aftersale.intake.waiting import Body, Waiting
from aftersale.pg import Refused

log = logging.getLogger(__name__)
LOOKS_MAX = 1000
APART_MAX = 100
IDLE_S = 0.05
DROWSY_AFTER, DROWSY_S = 100, 0.2  # after five seconds of nothing it looks five times a second
AGAIN_S = 1.0
OTHER_TABLES = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InsufficientPrivilege,
)
"""The database is not the one that this code is for: no body's fault."""
UNDECIDABLE = (psycopg.DataError, psycopg.IntegrityError)
"""What the book makes of a case cannot be reckoned, or a guard of the database refuses it: that is for people."""
TOO_OFTEN = "每次处理它，处理的进程都没有回来；请人工查看"

Turn = Callable[[], int]
"""Does what is to be done now and says how much that was; leaves nothing half-done when it raises."""


def forever(build: Callable[[], Turn], stopping: threading.Event, sign: Sign) -> None:
    """Turns, one after the other. Whatever breaks is told, and everything is built anew: connections, too."""
    turn: Turn | None = None
    idle = 0
    while not stopping.is_set():
        try:
            turn = turn or build()
            idle = 0 if sign.run(turn) else idle + 1
            if idle:
                stopping.wait(IDLE_S if idle < DROWSY_AFTER else DROWSY_S)
        except psycopg.errors.DeadlockDetected:
            log.info("two workers wanted the same new rows; the turn is repeated")
        except (psycopg.OperationalError, psycopg.InterfaceError, Refused) as error:
            log.warning("the database is away, trying again: %s", " ".join(str(error).split()))
            turn = None
            stopping.wait(AGAIN_S)
        except Exception:
            log.exception("a turn failed and will be repeated")
            turn = None
            stopping.wait(AGAIN_S)


def paced(turn: Turn, idle_s: float = 5.0) -> Turn:
    """The same turn, asked no more often than this while it has nothing to do."""
    next_at = 0.0

    def maybe() -> int:
        nonlocal next_at
        if time.monotonic() < next_at:
            return 0
        count = turn()
        next_at = 0.0 if count else time.monotonic() + idle_s
        return count

    return maybe


@dataclass
class Desk:
    """Intake and deciding over one connection (which went through `stage.prepare`)."""

    conn: Connection[Any]
    decider: Decider
    now: Callable[[], datetime]

    def __post_init__(self) -> None:
        self.waiting = Waiting(self.conn)

    def turn(self) -> int:
        """One batch of news, then one batch of due cases; how many bodies and cases were handled."""
        return self.take_news() + self.take_due()

    def take_news(self) -> int:
        """Read, merge and decide in one transaction: either all of it happened or none."""
        self.waiting.count()
        taken: list[int] = []
        try:
            suspects = again(lambda: self._batch(taken))
        except Exception as error:
            if isinstance(error, (*MET, *OTHER_TABLES)):
                self.waiting.forgive(taken)
            if _is_away(error):
                raise
            log.exception("a batch of %s bodies failed and is taken one by one", len(taken))
            return self._one_by_one(taken)
        return self._one_by_one(suspects) if suspects else len(taken)

    def _batch(self, taken: list[int]) -> list[int]:
        """One transaction over what is noted in `taken`; nothing is done if a process died over some: those are told."""
        suspects: list[int] = []
        with self.conn.transaction():
            bodies = self.waiting.claim()
            taken[:] = [body.arrival_id for body in bodies]
            suspects = self.waiting.suspects(bodies)
            if suspects:
                raise psycopg.Rollback
            self._take(bodies, self.decider.decide)
        return suspects

    def _take(self, bodies: list[Body], decide: Callable[[datetime], None]) -> None:
        self._merge(arrive.read(self.conn, bodies), decide)

    def _merge(self, batch: Batch, decide: Callable[[datetime], None]) -> None:
        if batch.size:
            now = self.now()
            actions.merge(self.conn, batch, now)
            decide(now)

    def _one_by_one(self, arrival_ids: list[int]) -> int:
        """A body that the record refuses, or that no process survives, spoils no others: it is taken apart."""
        for arrival_id in arrival_ids:
            if not self.waiting.try_one(arrival_id):
                self._park(arrival_id, TOO_OFTEN)
                continue
            try:
                again(partial(self._one, arrival_id))
            except Exception as error:
                if isinstance(error, (*MET, *OTHER_TABLES)):
                    self.waiting.forgive([arrival_id], counted=False)
                if _is_away(error):
                    raise
                self._take_apart(arrival_id, _said(error))
        return len(arrival_ids)

    def _one(self, arrival_id: int) -> None:
        with self.conn.transaction():
            self._take(self.waiting.claim_one(arrival_id), self._decide_or_hand_over)

    def _park(self, arrival_id: int, why: str) -> None:
        """Unread, for a person to look at."""
        with self.conn.transaction():
            for body in self.waiting.claim_one(arrival_id):
                log.error("body %s of shop %s is parked: %s", arrival_id, body.shop_id, why)
                bad = [BadInput(f"{body.source} arrival {arrival_id}", why, body.raw)]
                actions.park(self.conn, body.shop_id, body.source, bad)

    def _take_apart(self, arrival_id: int, why: str) -> None:
        """What the record takes of a body goes in; the rest is parked with its reason, and the body is done."""
        with self.conn.transaction():
            bodies = self.waiting.peek(arrival_id)
        bad = [one for body in bodies for one in self._refused(body, why)]
        with self.conn.transaction():
            for body in self.waiting.claim_one(arrival_id):
                actions.park(self.conn, body.shop_id, body.source, bad)

    def _refused(self, body: Body, why: str) -> list[BadInput]:
        """Each record in a transaction of its own; those that were refused."""
        if SOURCES[body.source].hint:
            return [BadInput(f"{body.source} body", why, body.raw)]
        try:
            ones = SOURCES[body.source].read(body.raw)
        except Exception:  # noqa: BLE001 - `why` tells it
            return [BadInput(f"{body.source} body", why, body.raw)]
        bad = [one for one in ones if isinstance(one, BadInput)]
        for one in (one for one in ones if isinstance(one, Arrival)):
            try:
                with self.conn.transaction():
                    self._merge(actions.staged([(body.shop_id, one)]), self._decide_or_hand_over)
            except Exception as error:
                if _is_away(error):
                    raise
                bad.append(BadInput(f"{body.source} {one.key}", _said(error), one.raw))
        return bad

    def take_due(self) -> int:
        """Decide the cases whose look is due. What cannot be decided keeps no other shop waiting."""
        try:
            return again(self._due)
        except UNDECIDABLE:
            log.exception("a batch of due cases cannot be decided and is taken shop by shop")
        now = self.now()
        with self.conn.transaction():
            shop_ids = self.decider.shops_due(now)
        return sum(self._due_of(shop_id, now) for shop_id in shop_ids)

    def _due_of(self, shop_id: int, now: datetime) -> int:
        try:
            return again(partial(self._some_of, shop_id, now, LOOKS_MAX, self.decider.decide))
        except UNDECIDABLE:
            log.exception("the due cases of shop %s are decided one by one", shop_id)
        for count in range(APART_MAX):
            if not self._one_of(shop_id, now):
                return count
        return APART_MAX

    def _one_of(self, shop_id: int, now: datetime) -> int:
        """A case that not even people can be given is parked, and tried again later."""
        try:
            return again(partial(self._some_of, shop_id, now, 1, self._decide_or_hand_over))
        except UNDECIDABLE as error:
            with self.conn.transaction():
                case_id = self.decider.later(shop_id, now)
                log.exception(
                    "case %s of shop %s can neither be decided nor given to people", case_id, shop_id
                )
                if case_id is not None:
                    bad = [BadInput(f"case {case_id}", _said(error), b"")]
                    actions.park(self.conn, shop_id, "decide", bad)
        return 1

    def _some_of(self, shop_id: int, now: datetime, limit: int, decide: Callable[[datetime], None]) -> int:
        with self.conn.transaction():
            count = self.decider.claim_of(shop_id, now, limit)
            if count:
                decide(now)
        return count

    def _decide_or_hand_over(self, now: datetime) -> None:
        try:
            with self.conn.transaction():
                self.decider.decide(now)
        except UNDECIDABLE:
            log.exception("the book cannot decide what was touched: it goes to people")
            self.decider.hand_over(now)

    def _due(self) -> int:
        with self.conn.transaction():
            now = self.now()
            count = self.decider.claim_due(now, LOOKS_MAX)
            if count:
                self.decider.decide(now)
        return count


def _is_away(error: Exception) -> bool:
    """Is it the database's trouble, and no fault of what we wrote?"""
    too_much = isinstance(error, psycopg.errors.ProgramLimitExceeded)
    away = (psycopg.OperationalError, psycopg.InterfaceError, *OTHER_TABLES)
    return isinstance(error, away) and not too_much


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
