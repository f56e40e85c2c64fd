"""Raw bodies that wait to be read: claimed oldest first, fair between shops, and counted before they are tried.

A body that makes the process die leaves no error. So the first batches after a start are counted (`tries`) in a
transaction of their own before they are read; what was begun TRIES_TOGETHER times is then taken one by one, each counted
first, and after TRIES_MAX it is parked. (So many processes may start at once beside the same bodies.)
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from aftersale.cases.floor import Floor
from aftersale.pg.sql import queries

_SQL = queries("aftersale.intake", "waiting.sql")
BODIES_MAX, BYTES_MAX = 500, 1_000_000
OTHERS_MAX, AHEAD_MAX = 250, 10_000
IDS_BACK = 5000  # bodies are stored in nearly the order of their numbers
TRIES_TOGETHER, TRIES_MAX = 3, 5
COUNTED_BATCHES = 10


@dataclass(frozen=True, slots=True)
class Body:
    """A raw body as it came; `tries`: how often a process began to read it."""

    arrival_id: int
    shop_id: int
    source: str
    raw: bytes
    tries: int = 0


class Waiting:
    """The queue of unread bodies as one worker sees it over its connection."""

    def __init__(self, conn: Connection[Any]) -> None:
        self.conn = conn
        self._floor = Floor(0, lambda arrival_id: max(0, arrival_id - IDS_BACK))
        self._uncounted_after = COUNTED_BATCHES
        self._counted = set[int]()
        self._ahead = 0

    def count(self) -> None:
        """In a transaction of its own, while this process is new: a try of the next batch, once a body."""
        if not self._uncounted_after:
            return
        self._uncounted_after -= 1
        values = {
            "bodies": BODIES_MAX,
            "floor": self._floor.at,
            "tries": TRIES_TOGETHER,
            "counted": list(self._counted),
        }
        with self.conn.transaction():
            self._counted |= {row[0] for row in self.conn.execute(_SQL["count"], values)}

    def suspects(self, bodies: Iterable[Body]) -> list[int]:
        """Those that several processes began to read and did not end, the least tried first."""
        often = [one for one in bodies if one.tries >= TRIES_TOGETHER and one.arrival_id not in self._counted]
        return [one.arrival_id for one in sorted(often, key=lambda one: one.tries)]

    def claim(self) -> list[Body]:
        """Take the oldest bodies within the caller's transaction, and others' if one shop floods."""
        bodies = self._floor.claim(self._claim)
        shop_id = _flooding(bodies)
        return bodies if shop_id is None else bodies + self._of_others(shop_id)

    def _claim(self, floor: int) -> tuple[list[Body], int]:
        values = {"bodies": BODIES_MAX, "bytes": BYTES_MAX, "floor": floor}
        bodies = [Body(*row) for row in self.conn.execute(_SQL["claim"], values)]
        if bodies:
            return bodies, bodies[0].arrival_id
        last = self.conn.execute(_SQL["last"]).fetchone()
        return bodies, last[0] if last else 0

    def _of_others(self, shop_id: int) -> list[Body]:
        """Look ahead, each body once, for what other shops have waiting behind."""
        self._ahead = max(self._ahead, self._floor.at)
        values = {"shop_id": shop_id, "after": self._ahead, "ahead": AHEAD_MAX, "bodies": OTHERS_MAX}
        row = self.conn.execute(_SQL["others"], values).fetchone()
        ids, seen_to = row if row else ([], None)
        if not ids:
            self._ahead = seen_to or self._ahead
            return []
        values = {"ids": ids, "bytes": BYTES_MAX // 2}
        taken = [Body(*one) for one in self.conn.execute(_SQL["claim_these"], values)]
        self._ahead = taken[-1].arrival_id if taken else ids[-1]
        return taken

    def try_one(self, arrival_id: int) -> bool:
        """In a transaction of its own: one more try of this body; False when it has had too many."""
        with self.conn.transaction():
            row = self.conn.execute(_SQL["try_one"], {"arrival_id": arrival_id}).fetchone()
        return row is None or row[0] <= TRIES_MAX

    def forgive(self, arrival_ids: Iterable[int], *, counted: bool = True) -> None:
        """In a transaction of its own: these tries failed through no fault of the bodies.

        `counted`: those among them that `count` counted, which it will count again.
        """
        ids = self._counted & set(arrival_ids) if counted else set(arrival_ids)
        with self.conn.transaction():
            self.conn.execute(_SQL["forgive"], {"ids": list(ids)})
        self._counted -= ids

    def claim_one(self, arrival_id: int) -> list[Body]:
        """Take this very body within the caller's transaction, if nobody else has."""
        return [Body(*row) for row in self.conn.execute(_SQL["claim_one"], {"arrival_id": arrival_id})]

    def peek(self, arrival_id: int) -> list[Body]:
        """This very body, if it is unread."""
        return [Body(*row) for row in self.conn.execute(_SQL["peek"], {"arrival_id": arrival_id})]


def _flooding(bodies: Sequence[Body]) -> int | None:
    """The shop that has more than half of a full batch."""
    if len(bodies) < BODIES_MAX and sum(len(body.raw) for body in bodies) < BYTES_MAX:
        return None
    ((shop_id, count),) = Counter(body.shop_id for body in bodies).most_common(1)
    return shop_id if count > len(bodies) / 2 else None
