"""What is due, remembered between two claims, so that a claim touches nothing but the rows it takes (P30)."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Due:
    """The key of an approved intent; `automatic` is money that no person approved."""

    shop_id: int
    case_id: str
    kind: str
    platform_version: int
    amount_fen: int
    automatic: bool
    deadline_at: datetime | None


class Waiting:
    """Due intents by shop, each shop's in the order of their deadlines, as of the last listing."""

    def __init__(self) -> None:
        self._by_shop: dict[int, deque[Due]] = {}
        self._served: dict[int, int] = {}
        self._turns = 0

    def __bool__(self) -> bool:
        return bool(self._by_shop)

    def fill(self, rows: Iterable[Due]) -> None:
        """Forget the last listing; `rows` come ordered by deadline within their shop."""
        self._by_shop = {}
        for row in rows:
            self._by_shop.setdefault(row.shop_id, deque()).append(row)

    def take(self, count_max: int) -> list[Due]:
        """The next intents of one shop: in turn of the most urgent shop and of the one that waited longest (F26)."""
        self._turns += 1
        shop_id = min(self._by_shop, key=self._urgency if self._turns % 2 else self._patience)
        self._served[shop_id] = self._turns
        line = self._by_shop[shop_id]
        taken = [line.popleft() for _ in range(min(count_max, len(line)))]
        if not line:
            del self._by_shop[shop_id]
        return taken

    def _urgency(self, shop_id: int) -> tuple[datetime, int]:
        return self._by_shop[shop_id][0].deadline_at or _NEVER, shop_id

    def _patience(self, shop_id: int) -> tuple[int, int]:
        return self._served.get(shop_id, 0), shop_id


def within(due: Sequence[Due], refunds_left: int, left_fen: int) -> tuple[list[Due], list[Due]]:
    """What of one shop's list may go, and what automatic money is left of; none overtakes one before it."""
    go: list[Due] = []
    over: list[Due] = []
    for one in due:
        fits = not over and refunds_left > 0 and one.amount_fen <= left_fen
        if one.automatic and not fits:
            over.append(one)
            continue
        go.append(one)
        if one.automatic:
            refunds_left, left_fen = refunds_left - 1, left_fen - one.amount_fen
    return go, over
