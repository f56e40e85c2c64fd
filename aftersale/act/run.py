"""Stage 3: what was decided leaves, once. Claim in one transaction, call outside any, settle in another."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from psycopg import Connection

from aftersale.act.taobao import Taobao
from aftersale.act.work_item import Item, Shop
from aftersale.cases import actions
from aftersale.cases.actions import Outcome
from aftersale.connectors import pace
from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown
from aftersale.pg.sql import queries

_SQL = queries("aftersale.act", "queries.sql")
MAIN_ACCOUNT_CODES = ("sms_code", "subuser.has-no-permission", "27")


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard and how patiently we send. Times are real seconds."""

    calls_per_s: float = 40.0
    claim_max: int = 60
    lease_s: float = 60.0
    ask_after_s: float = 10.0


class Actor:
    """Sends the intents of all shops over one database connection and one HTTP client."""

    def __init__(
        self,
        conn: Connection[Any],
        http: httpx2.Client,
        now: Callable[[], datetime],
        texts: Mapping[str, str],
        limits: Limits | None = None,
    ) -> None:
        self.conn, self._http, self._now, self._texts = conn, http, now, texts
        self.limits = limits or Limits()
        self._shops: dict[int, Taobao] = {}

    def turn(self) -> int:
        """One round: abandoned → unknown, ask about the unknown, send the due. How many intents moved."""
        now = self._now()
        with self.conn.transaction():
            self.conn.execute(_SQL["abandon"], {"now": now, "lease_s": self.limits.lease_s})
        return self._ask() + self._send()

    def _send(self) -> int:
        items = self._claim("claim", {"now": self._now(), "limit": self.limits.claim_max})
        if not items:
            return 0
        door, ours = self._door(items[0].shop_id), self._lease()
        for batch in door.batches(items):
            self._settle(batch, self._call(door, batch, ours))
        return len(items)

    def _lease(self) -> Callable[[], bool]:
        """Is what was claimed now still ours to send? Half the lease is left for the answer to come."""
        until = time.monotonic() + self.limits.lease_s / 2
        return lambda: time.monotonic() < until

    def _call(self, door: Taobao, batch: list[Item], ours: Callable[[], bool]) -> dict[str, Answer]:
        if self._stopped(batch[0]):
            return {item.case_id: TryLater(0.0, "stopped") for item in batch}
        rate = self.limits.calls_per_s / door.calls(batch)
        if not pace.wait_turn(self.conn, door.shop.app_key, rate):
            return {item.case_id: TryLater(5.0, "call budget") for item in batch}
        answers = door.send(batch, ours)
        for answer in answers.values():
            if isinstance(answer, TryLater) and "limited" in answer.code:
                pace.blocked(self.conn, door.shop.app_key, answer.after_s)
                break
        return answers

    def _stopped(self, item: Item) -> bool:
        """Has a switch been thrown since the claim?"""
        with self.conn.transaction():
            row = self.conn.execute(_SQL["stopped"], (item.shop_id, item.kind)).fetchone()
        return bool(row and row[0])

    def _ask(self) -> int:
        values = {"wait_s": self.limits.ask_after_s, "limit": self.limits.claim_max}
        items = self._claim("claim_unknown", values)
        for item in items:
            door = self._door(item.shop_id)
            if not pace.wait_turn(self.conn, door.shop.app_key, self.limits.calls_per_s):
                continue
            answer = door.ask(item)
            if not isinstance(answer, Unknown):
                self._settle([item], {item.case_id: answer})
        return len(items)

    def _claim(self, name: str, values: Mapping[str, object]) -> list[Item]:
        with self.conn.transaction():
            return [Item(*row) for row in self.conn.execute(_SQL[name], values)]

    def _settle(self, items: Iterable[Item], answers: Mapping[str, Answer]) -> None:
        now = self._now()
        outcomes = [outcome(item, answers[item.case_id], now) for item in items]
        with self.conn.transaction():
            actions.settle(self.conn, outcomes, now)

    def _door(self, shop_id: int) -> Taobao:
        if shop_id not in self._shops:
            row = self.conn.execute(_SQL["shop"], (shop_id,)).fetchone()
            self.conn.commit()
            assert row is not None, f"an intent of shop {shop_id}, which does not exist"
            self._shops[shop_id] = Taobao(Shop(*row), self._http, self._now, self._texts, self._parcel)
        return self._shops[shop_id]

    def _parcel(self, item: Item) -> tuple[str | None, str | None, str | None]:
        row = self.conn.execute(_SQL["parcel"], (item.shop_id, item.order_id)).fetchone()
        self.conn.commit()
        return (row[0], row[1], row[2]) if row else (None, None, None)


def outcome(item: Item, answer: Answer, now: datetime) -> Outcome:
    """The platform's answer as the intent's next state."""
    key = (item.shop_id, item.case_id, item.kind, item.platform_version, item.amount_fen, item.epoch)
    match answer:
        case Ok():
            return Outcome(*key, "done")
        case Unknown(why):
            return Outcome(*key, "unknown", why)
        case TryLater(after_s, code):
            return Outcome(*key, "approved", f"later: {code}", now + timedelta(seconds=after_s))
        case Rejected(code, sub_code, message):
            person = code in MAIN_ACCOUNT_CODES or sub_code in MAIN_ACCOUNT_CODES
            return Outcome(
                *key, "with_person" if person else "refused", f"{code} {sub_code} {message}".strip()
            )
