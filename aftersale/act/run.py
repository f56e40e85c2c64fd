"""Stage 3: what was decided leaves, once. Claim in one transaction, call outside any, settle in another."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2
from psycopg import Connection

from aftersale.act import breaker
from aftersale.act.claim import EVER, SHARE, Claims, Limits
from aftersale.act.question import NO_ANSWER
from aftersale.act.refuse import Words
from aftersale.act.taobao import KINDS, Taobao
from aftersale.act.work_item import Item, Shop
from aftersale.cases import actions
from aftersale.cases.actions import Outcome
from aftersale.cases.again import again
from aftersale.connectors import pace
from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao.client import AUTHORISATION
from aftersale.pg.sql import queries

__all__ = ["Actor", "Limits", "outcome"]

_SQL = queries("aftersale.act", "queries.sql")
PERSON_CODES = ("sms_code", "subuser.has-no-permission", NO_ANSWER)
STOPPED = TryLater(0.0, "stopped")
ASK_S_MAX = 30.0  # a platform that lets every question time out must not make a turn look hung; the rest is asked later
BACK = 5  # leases
SWITCH_S = 0.05  # how old what the switches said may be when a call begins


class Actor:
    """Sends the intents of all shops over one database connection and one HTTP client.

    Once `stopping` says so no further call is begun; what was claimed goes back.
    """

    def __init__(
        self,
        conn: Connection[Any],
        http: httpx2.Client,
        now: Callable[[], datetime],
        texts: Mapping[str, str],
        limits: Limits | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.conn, self._http, self._now, self._texts = conn, http, now, texts
        self.limits, self._stopping = limits or Limits(), stopping
        self._claims = Claims(conn, self.limits)
        self._shops: dict[int, Taobao] = {}
        self._sweep_at = self._sweep_all_at = 0.0
        with conn.transaction():
            conn.execute(_SQL["kinds"], (",".join(KINDS),))

    def turn(self) -> int:
        """One round: abandoned → unknown, ask about the unknown, send the due. How many intents moved."""
        began = time.monotonic()
        asked = self._sweep() if began >= self._sweep_at else 0
        return asked + self._send()

    def _sweep(self) -> int:
        """What a claim does not see: the abandoned, the unknown, what breakers hold back.

        It looks back a few leases, and at everything as seldom as that takes long (docs/adr/0020).
        """
        began, now = time.monotonic(), self._now()
        everything = began >= self._sweep_all_at
        since = EVER if everything else now - BACK * timedelta(seconds=self.limits.lease_s)
        with self.conn.transaction():
            values = {"now": now, "since": since, "lease_s": self.limits.lease_s}
            self.conn.execute(_SQL["abandon"], values)
        breaker.check(self.conn, now)
        with self.conn.transaction():
            actions.watch(self.conn, now)
        items = self._unknown(now, since)
        rest = SHARE * (time.monotonic() - began)
        if everything and self.limits.ask_after_s:
            self._sweep_all_at = began + rest
        self._sweep_at = began + min(self.limits.ask_after_s, max(self.limits.ask_after_s / 5, rest))
        return self._ask(items)

    def _send(self) -> int:
        ours = self._lease()
        items = [] if self._stopping() else self._claims.take(self._now())
        if not items:
            return 0
        door = self._door(items[0].shop_id)
        for batch in door.batches(items):
            self._settle(batch, self._call(door, batch, ours))
        return len(items)

    def _lease(self) -> Callable[[], bool]:
        """Is what was claimed now still ours to send? Half the lease is left for the answer to come."""
        until = time.monotonic() + self.limits.lease_s / 2
        return lambda: time.monotonic() < until and not self._stopping()

    def _call(self, door: Taobao, batch: list[Item], ours: Callable[[], bool]) -> dict[str, Answer]:
        """Answers by case id; those that may go no more are not sent."""
        rate = self.limits.calls_per_s / door.calls(batch)
        if not self._stopping() and not pace.wait_turn(self.conn, door.shop.app_key, rate):
            return {item.case_id: TryLater(5.0, "call budget") for item in batch}
        may_go = self._may_go(batch)
        go = [item for item in batch if item.case_id in may_go]
        answers = door.send(go, self._still(go, ours)) if go else {}
        for item in go:
            answers[item.case_id] = self._asked_again(door, item, answers[item.case_id])
        self._heed(door, answers.values())
        return answers | {item.case_id: STOPPED for item in batch if item.case_id not in may_go}

    def _still(self, batch: Sequence[Item], ours: Callable[[], bool]) -> Callable[[], bool]:
        """May all of a batch still go? A batch may be many calls, and a switch thrown between two counts (P17)."""
        read_at = time.monotonic()

        def still() -> bool:
            nonlocal read_at
            if ours() and time.monotonic() - read_at > SWITCH_S:
                read_at = time.monotonic()
                return len(self._may_go(batch)) == len(batch)
            return ours()

        return still

    def _may_go(self, batch: Sequence[Item]) -> set[str]:
        """Whose switch was thrown since the claim, or whom another worker has taken over, is not among them."""
        values = {
            "shop_id": batch[0].shop_id,
            "kind": batch[0].kind,
            "case_ids": [item.case_id for item in batch],
            "versions": [item.platform_version for item in batch],
            "amounts_fen": [item.amount_fen for item in batch],
            "epochs": [item.epoch for item in batch],
        }
        with self.conn.transaction():
            return {case_id for (case_id,) in self.conn.execute(_SQL["may_go"], values)}

    def _asked_again(self, door: Taobao, item: Item, answer: Answer) -> Answer:
        """A second send that is refused: the first one may have had its effect late (F23), so the platform is asked."""
        if item.sends < 2 or not isinstance(answer, Rejected):
            return answer
        if not pace.wait_turn(self.conn, door.shop.app_key, self.limits.calls_per_s):
            return Unknown(answer.message)
        said = door.ask(item)
        if isinstance(said, Rejected) and said.code == NO_ANSWER:
            return Unknown(said.message)
        return answer if isinstance(said, TryLater | Rejected) else said

    def _heed(self, door: Taobao, answers: Iterable[Answer]) -> None:
        """A limit has all callers of the application wait, an expired authorisation stops its shop."""
        for answer in answers:
            if isinstance(answer, TryLater) and "limited" in answer.code:
                pace.blocked(self.conn, door.shop.app_key, answer.after_s)
                return
            told = (
                answer.code
                if isinstance(answer, TryLater)
                else answer.why
                if isinstance(answer, Unknown)
                else ""
            )
            if told.startswith(AUTHORISATION):
                self._close(door.shop, told)
                return

    def _close(self, shop: Shop, told: str) -> None:
        """Nothing of this shop leaves until a person has renewed its authorisation and releases the switch (F25)."""
        why = f"平台授权已失效，请店主重新授权后在开关页恢复（{told.removeprefix(AUTHORISATION + ': ')}）"
        with self.conn.transaction():
            row = self.conn.execute(_SQL["door_closed"], (shop.id,)).fetchone()
            if row != (True,):
                actions.set_switch(self.conn, shop.id, "", True, why, "breaker:authorisation", self._now())
        self._shops.pop(shop.id, None)

    def _unknown(self, now: datetime, since: datetime) -> list[Item]:
        """What to ask the platform about; after a restore also what is approved."""
        wait_s, limit = self.limits.ask_after_s, self.limits.claim_max
        items = self._claim("claim_unknown", {"wait_s": wait_s, "limit": limit, "now": now, "since": since})
        with self.conn.transaction():
            asks_first = self.conn.execute(_SQL["asks_first"]).fetchone() == (True,)
        return items + (self._claim("claim_unasked", {"limit": limit}) if asks_first else [])

    def _ask(self, items: Sequence[Item]) -> int:
        until = time.monotonic() + ASK_S_MAX
        for item in items:
            door = self._door(item.shop_id)
            if (
                self._stopping()
                or time.monotonic() > until
                or not pace.wait_turn(self.conn, door.shop.app_key, self.limits.calls_per_s)
            ):
                continue
            answer = door.ask(item)
            if isinstance(answer, Unknown):
                self._heed(door, [answer])
            else:
                self._settle([item], {item.case_id: answer}, asked=True)
        return len(items)

    def _claim(self, name: str, values: Mapping[str, object]) -> list[Item]:
        with self.conn.transaction():
            return [Item(*row) for row in self.conn.execute(_SQL[name], values)]

    def _settle(self, items: Iterable[Item], answers: Mapping[str, Answer], *, asked: bool = False) -> None:
        now = self._now()
        outcomes = [outcome(item, answers[item.case_id], now, asked=asked) for item in items]

        def settle() -> None:
            with self.conn.transaction():
                actions.settle(self.conn, outcomes, now)

        again(settle)

    def _door(self, shop_id: int) -> Taobao:
        if shop_id not in self._shops:
            row = self.conn.execute(_SQL["shop"], (shop_id,)).fetchone()
            self.conn.commit()
            assert row is not None, f"an intent of shop {shop_id}, which does not exist"
            self._shops[shop_id] = Taobao(
                Shop(*row), self._http, self._now, self._texts, self._parcel, self._said, self._refusing
            )
        return self._shops[shop_id]

    def _parcel(self, item: Item) -> tuple[str | None, str | None, str | None]:
        row = self.conn.execute(_SQL["parcel"], (item.shop_id, item.order_id)).fetchone()
        self.conn.commit()
        return (row[0], row[1], row[2]) if row else (None, None, None)

    def _said(self, item: Item) -> str:
        key = item.kind.partition(":")[2]
        row = self.conn.execute(_SQL["said"], (item.shop_id, item.case_id, key)).fetchone()
        self.conn.commit()
        assert row is not None, "a message of which nobody knows the words"
        return str(row[0])

    def _refusing(self, item: Item) -> Words | None:
        values = (item.shop_id, item.case_id, item.platform_version)
        row = self.conn.execute(_SQL["refusing"], values).fetchone()
        self.conn.commit()
        return Words(row[0], row[1], bytes(row[2] or b"")) if row else None


def outcome(item: Item, answer: Answer, now: datetime, *, asked: bool = False) -> Outcome:
    """The platform's answer to the call, or to the question (`asked`), as the intent's next state."""
    key = (item.shop_id, item.case_id, item.kind, item.platform_version, item.amount_fen, item.epoch)
    match answer:
        case Ok():
            return Outcome(*key, "done", asked=asked)
        case Unknown(why):
            return Outcome(*key, "unknown", why)
        case TryLater(after_s, code):
            again_at = now + timedelta(seconds=after_s)
            return Outcome(*key, "approved", f"later: {code}", again_at, asked)
        case Rejected(code, sub_code, message):
            person = code in PERSON_CODES or sub_code in PERSON_CODES
            said = f"{code} {sub_code} {message}".strip()
            return Outcome(*key, "with_person" if person else "refused", said, asked=asked)
