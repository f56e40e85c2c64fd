"""The sandbox's own book of money paid back: append-only, one entry per refund at most."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType

import msgspec


@dataclass(frozen=True, slots=True)
class Entry:
    """One payment to a buyer. `by` is seller or platform; `request_id` names the seller's call."""

    seq: int
    shop: str
    refund_id: str
    order_id: str
    amount_fen: int
    at_ms: int
    by: str
    request_id: str


class Ledger:
    """Entries in memory and, when a path is given, as JSON lines that survive a crash."""

    def __init__(self, path: Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._paid: set[str] = set()
        self._file = path.open("ab") if path else None
        self._dirty = False

    def pay(
        self,
        shop: str,
        refund_id: str,
        order_id: str,
        *,
        amount_fen: int,
        at_ms: int,
        by: str,
        request_id: str,
    ) -> None:
        """Append one payment; a second one for the same refund is a broken invariant."""
        assert refund_id not in self._paid, f"refund {refund_id} was paid already"
        assert amount_fen > 0, f"refund {refund_id} pays nothing"
        entry = Entry(len(self.entries) + 1, shop, refund_id, order_id, amount_fen, at_ms, by, request_id)
        self._paid.add(refund_id)
        self.entries.append(entry)
        if self._file:
            self._file.write(msgspec.json.encode(asdict(entry)) + b"\n")
            self._dirty = True

    def sync(self) -> None:
        """Everything paid so far is on disk when this returns; called before a payment is told to anybody."""
        if self._file and self._dirty:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._dirty = False

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self.sync()
            self._file.close()
