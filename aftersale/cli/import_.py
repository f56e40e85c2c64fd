"""`aftersale import FILE --shop CODE`: a merchant's export into the record."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from aftersale.cli.progress import Bar, unusable
from aftersale.clock import Clock
from aftersale.core.refusal import Refusal
from aftersale.intake import arrive
from aftersale.intake.files.reading import Reading, read
from aftersale.intake.files.taking import Rows, take_in
from aftersale.intake.files.trouble import UnusableFile
from aftersale.pg import Refused
from aftersale.pg.connect import connect

BAD_SHOWN = 20


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
