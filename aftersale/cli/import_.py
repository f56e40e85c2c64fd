"""`aftersale import FILE --shop CODE`: a merchant's export into the record."""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import click
from psycopg import Connection

from aftersale.cli.progress import Bar, unusable
from aftersale.clock import Clock
from aftersale.core.records import Arrival, BadInput
from aftersale.core.refusal import Refusal
from aftersale.intake import arrive
from aftersale.intake.files.reading import Entry, Reading, arrivals_of, read
from aftersale.intake.files.trouble import UnusableFile
from aftersale.pg import Refused
from aftersale.pg.connect import connect

SOURCE = "file"
BAD_SHOWN = 20


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


@click.command(
    epilog="Exit code: 0 fine, 1 some rows are bad (parked; the rest went in), 2 nothing could be used."
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--shop", required=True, help="The shop's code.")
@click.option("--layout", help="Take the file for this layout.")
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="The corrected mapping of an unknown layout."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(file: Path, shop: str, layout: str | None, mapping: Path | None, as_json: bool) -> None:
    """Read a merchant's export (.csv, .xlsx, .xls) into the record; reading it again changes nothing.

    \b
    aftersale import refunds.csv --shop demo
    aftersale import odd.csv --shop demo --mapping odd.csv.mapping.yaml
    """
    try:
        with (
            Bar("导入", quiet=as_json) as bar,
            connect(application="aftersale import", autocommit=True) as conn,
        ):
            found = arrive.shop_id(conn, shop)
            if isinstance(found, Refusal):
                unusable(found.why)
            now = Clock(lambda: conn).now()
            reading = read(file, now=now, layout=layout, mapping=mapping, progress=bar.show)
            rows = take_in(conn, found, reading, now)
    except (UnusableFile, Refused) as error:
        unusable(str(error))
    _show(rows, reading, as_json)
    sys.exit(1 if reading.bad else 0)


def take_in(conn: Connection[Any], shop: int, reading: Reading, now: datetime) -> Rows:
    """Everything of the reading into the shop's record; bad rows are parked. `conn` is in autocommit."""
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


def _show(rows: Rows, reading: Reading, as_json: bool) -> None:
    if as_json:
        bad = [{"line": r.line, "column": r.column, "value": r.value, "why": r.why} for r in reading.bad]
        told = {"file": reading.path.name, "layout": reading.layout.name, "rows": rows.rows, **asdict(rows)}
        click.echo(
            json.dumps({**told, "missing_facts": reading.missing_facts, "bad_rows": bad}, ensure_ascii=False)
        )
        return
    click.echo(
        f"{reading.path.name}：{reading.layout.title}，{rows.rows:,} 行 = 新增 {rows.inserted:,}"
        f" + 更新 {rows.updated:,} + 不变 {rows.unchanged:,} + 拒收 {rows.rejected:,}。"
    )
    for row in reading.bad[:BAD_SHOWN]:
        click.echo(f"  {row}", err=True)
    if reading.bad:
        click.echo(f"坏行已搁置 {len(reading.bad):,} 行，改好文件后重新导入即可。", err=True)
