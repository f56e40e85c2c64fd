"""A reading into the record: the rows that are new, changed, known already or bad."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from psycopg import Connection

from aftersale.core.records import Arrival, BadInput
from aftersale.intake import arrive
from aftersale.intake.files.reading import Entry, Reading, arrivals_of

SOURCE = "file"


@dataclass(frozen=True, slots=True)
class Rows:
    """What became of a file's rows: inserted + updated + unchanged + rejected = rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0

    @property
    def rows(self) -> int:
        return self.inserted + self.updated + self.unchanged + self.rejected


def take_in(
    conn: Connection[Any],
    shop: int,
    reading: Reading,
    now: datetime,
    told: Callable[[int], bool] = lambda rows: False,
) -> Rows:
    """Everything of the reading into the shop's record; bad rows are parked. `conn` is in autocommit.

    `told` hears after each batch how many rows are through; it ends the reading there when it says so.
    """
    inserted = updated = unchanged = 0
    for entries in _batches(reading.entries(), reading):
        found = arrive.take_in(conn, shop, chain.from_iterable(a for _, a in entries), SOURCE, now)
        for entry, _ in entries:
            names = _names(entry)
            if names & found.inserted:
                inserted += entry.rows
            elif names & found.updated:
                updated += entry.rows
            else:
                unchanged += entry.rows
        if told(inserted + updated + unchanged):
            break
    bad = [BadInput(f"{reading.path.name}:{row.line}", str(row), row.raw) for row in reading.bad]
    for at in range(0, len(bad), arrive.BATCH_MAX):
        arrive.park(conn, shop, bad[at : at + arrive.BATCH_MAX], SOURCE)
    return Rows(inserted, updated, unchanged + reading.repeated, len(bad))


def _batches(entries: Iterable[Entry], reading: Reading) -> Iterator[list[tuple[Entry, list[Arrival]]]]:
    """Entries with their arrivals, together at most a batch of arrivals (one entry is never split)."""
    batch: list[tuple[Entry, list[Arrival]]] = []
    size = 0
    for entry in entries:
        arrivals = arrivals_of(entry, reading.layout)
        if batch and size + len(arrivals) > arrive.BATCH_MAX:
            yield batch
            batch, size = [], 0
        batch.append((entry, arrivals))
        size += len(arrivals)
    if batch:
        yield batch


def _names(entry: Entry) -> set[tuple[str, str]]:
    """The objects an entry tells of, as the record names them."""
    return {("order", entry.order.order_id), *(("application", case.case_id) for case in entry.applications)}
