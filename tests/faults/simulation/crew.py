"""Who works in a schedule: each turn is the product's own code on that worker's connection."""

from collections.abc import Callable, Sequence
from datetime import datetime

import httpx2
from psycopg.types.json import Jsonb

from aftersale import instance
from aftersale.act.run import Actor, Limits
from aftersale.cases import actions
from aftersale.demo import sandbox_shop
from aftersale.intake import arrive
from aftersale.intake.pull import Puller, PullLimits
from aftersale.rulebooks import books
from aftersale.work import Desk
from tests.faults.simulation.market import SHOPS, START
from tests.faults.simulation.place import Place

FAST = 1e9
LEASE_S = 60.0
AGENT, LEAD, OWNER = "客服小明", "主管阿兰", "店主"
PEOPLE = {AGENT: "agent", LEAD: "lead", OWNER: "owner"}
TEXTS = {code: action.message for code, action in books.actions().items() if action.message}
# Real time, as far as a fetch or a pull waits for it, has passed.
WAITED = """
WITH free AS (SELECT shop_id, kind, external_id FROM to_fetch WHERE due_at < now() + interval '1 day' FOR UPDATE SKIP LOCKED)
UPDATE to_fetch f SET due_at = timestamptz '2000-01-01' + w.n * interval '1 second' FROM (
  SELECT *, row_number() OVER (ORDER BY shop_id, kind, external_id) AS n FROM free) w
WHERE (f.shop_id, f.kind, f.external_id) = (w.shop_id, w.kind, w.external_id)
"""
WAITED_PULL = """
WITH free AS (SELECT shop_id, kind FROM pull_cursor WHERE (lease_until < now() + interval '1 day') IS NOT FALSE
  FOR UPDATE SKIP LOCKED)
UPDATE pull_cursor c SET lease_until = NULL,
  next_pull_at = timestamptz '2000-01-01' + (since - timestamptz '2000-01-01') / 1000 + c.shop_id * interval '1 ms'
FROM free f WHERE (c.shop_id, c.kind) = (f.shop_id, f.kind)
"""
USERS = "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active, date_joined)\
 SELECT name, '', false, '', '', '', false, true, now() FROM unnest(%s::text[]) AS t(name) ON CONFLICT DO NOTHING"
MEMBERS = "INSERT INTO membership (user_id, shop_id, role) SELECT u.id, s.id, t.role\
 FROM unnest(%s::text[], %s::text[]) AS t(name, role) JOIN auth_user u ON u.username = t.name CROSS JOIN shop s"


class Crew:
    """The turns of one schedule over `place`, calling through `http` at the moment that `now` tells."""

    def __init__(self, place: Place, http: httpx2.Client, now: Callable[[], datetime]) -> None:
        self.place, self.http, self.now = place, http, now
        self._desks: dict[str, Desk] = {}
        self._actors: dict[tuple[str, float], Actor] = {}
        self._pullers: dict[str, Puller] = {}

    def bury(self, name: str) -> None:
        """That process is gone; the next turn is a new one's."""
        self._desks.pop(name, None)
        self._pullers.pop(name, None)
        for key in [key for key in self._actors if key[0] == name]:
            del self._actors[key]

    def move_in(self, budget: bool = False) -> None:
        """An empty record with the two shops and their people; `budget`: one automatic refund an hour."""
        self.place.empty()
        conn = self.place.connection("setup")
        for code, platform in zip(SHOPS, ("tmall", "taobao"), strict=True):
            sandbox_shop(conn, "http://market", code, platform, f"session-{code}", START)
        if budget:
            self.place.admin.execute(
                "UPDATE shop SET settings = %s", (Jsonb({"auto_refund_hour_count_max": 1}),)
            )
        self.place.admin.execute(USERS, (list(PEOPLE),))
        self.place.admin.execute(MEMBERS, (list(PEOPLE), list(PEOPLE.values())))
        self.place.admin.execute(
            "INSERT INTO clock (real_at, virtual_at, speed) VALUES (clock_timestamp(), %s, 0)", (self.now(),)
        )

    def set_clock(self) -> None:
        """The record's clock shows `now`."""
        self.place.admin.execute(
            "UPDATE clock SET real_at = clock_timestamp(), virtual_at = %s", (self.now(),)
        )

    def desk(self, name: str) -> int:
        if name not in self._desks:
            self._desks[name] = Desk(self.place.wired[name], self.place.deciders[name], self.now)
        return self._desks[name].turn()

    def act(self, name: str, lease_s: float = LEASE_S) -> int:
        if (name, lease_s) not in self._actors:
            limits = Limits(calls_per_s=FAST, lease_s=lease_s, ask_after_s=0.0)
            self._actors[name, lease_s] = Actor(self.place.wired[name], self.http, self.now, TEXTS, limits)
        return self._actors[name, lease_s].turn()

    def pull(self, name: str) -> int:
        if name not in self._pullers:
            limits = PullLimits(pause_s=0.0, calls_per_s=FAST)
            self._pullers[name] = Puller(self.place.wired[name], self.http, self.now, limits)
        return self._pullers[name].turn()

    def tidy(self, name: str) -> int:
        """What a worker does between its turns: requests that ran out, the end of asking after a restore."""
        conn, now = self.place.wired[name], self.now()
        with conn.transaction():
            ran_out = actions.expire_approvals(conn, now)
        return ran_out + instance.settle_reconcile(conn, now)

    def waited(self) -> None:
        """Fetches and pulls are due."""
        self.place.admin.execute(WAITED)
        self.place.admin.execute(WAITED_PULL)

    def accept(self, name: str, shop_id: int, source: str, bodies: Sequence[bytes]) -> int:
        """Pushed bodies are stored as the door stores them; accepted once this returns."""
        conn = self.place.wired[name]
        with conn.transaction():
            arrive.store(conn, [(shop_id, source, body) for body in bodies])
        return len(bodies)


__all__ = ["AGENT", "LEAD", "LEASE_S", "OWNER", "Crew"]
