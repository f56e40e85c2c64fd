"""`aftersale decide FILE`: what the rules would do with a merchant's export, with no server."""

import json
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import yaml

from aftersale.cli.decide.judging import judge, queue_titles
from aftersale.cli.decide.sentences import lines
from aftersale.cli.decide.summary import Summary
from aftersale.cli.decide.verdicts import Options
from aftersale.cli.progress import Bar, unusable
from aftersale.core.facts import RulebookError
from aftersale.core.rulebook import Book, resolve_settings
from aftersale.intake.files.cells import SHANGHAI
from aftersale.intake.files.reading import Reading, read
from aftersale.intake.files.trouble import UnusableFile
from aftersale.rulebooks import books

BAD_SHOWN = 20
PLATFORMS = ("tmall", "taobao", "pdd")


@click.command(
    epilog="Exit code: 0 fine, 1 some rows are bad (the rest is decided), 2 the input cannot be used."
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--book", "book_name", default="refund", show_default=True, help="The rulebook.")
@click.option(
    "--settings", type=click.Path(path_type=Path), help="YAML of the shop's settings (name: value)."
)
@click.option("--out", type=click.Path(path_type=Path), help="Write every decision to this .xlsx.")
@click.option("--now", "now_text", metavar="ISO", help="Decide as of this moment (default: now).")
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="The corrected mapping of an unknown layout."
)
@click.option("--layout", help="Take the file for this layout.")
@click.option("--platform", type=click.Choice(PLATFORMS), help="The shop's platform (default: the layout's).")
@click.option(
    "--as-applied/--as-is",
    default=True,
    help="Finished cases: decide them as if they had just been applied for (default), or as they are.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    file: Path, *, book_name: str, settings: Path | None, out: Path | None, now_text: str | None,
    mapping: Path | None, layout: str | None, platform: str | None, as_applied: bool, as_json: bool,
) -> None:  # fmt: skip
    """What the rules would do with a merchant's export (.csv, .xlsx, .xls), with no server.

    \b
    aftersale decide refunds.xlsx
    aftersale decide refunds.csv --out decisions.xlsx
    aftersale decide odd.csv --mapping odd.csv.mapping.yaml --json
    """
    now = _moment(now_text)
    try:
        with Bar("读取并判定", quiet=as_json) as bar, tempfile.TemporaryDirectory() as folder:
            reading = read(file, now=now, mapping=mapping, layout=layout, progress=bar.show)
            book, values = _rules(book_name, settings)
            options = Options(platform or reading.layout.platform, now, as_applied)
            found = judge(reading, book, values, options, Path(folder), out)
    except (UnusableFile, OSError) as error:
        unusable(str(error))
    _show(found, reading, lines(found, book, queue_titles(), now), out, as_json)
    sys.exit(1 if reading.bad else 0)


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(SHANGHAI)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        unusable(f"--now「{text}」不是时间；应写成 2026-11-11T20:05:00")
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def _rules(name: str, path: Path | None) -> tuple[Book, Mapping[str, Any]]:
    try:
        book = books.book(name)
    except FileNotFoundError:
        unusable(f"没有名为「{name}」的规则书；判定导出文件用 refund")
    if book.hit != "first" or book.catalogue.name != "case":
        unusable(f"规则书「{name}」不判定售后单；判定导出文件用 refund")
    try:
        given = yaml.safe_load(path.read_text("utf-8")) if path else {}
        if not isinstance(given or {}, dict):
            unusable(f"{path}：设置文件应为 名称: 值")
        return book, resolve_settings(book, given or {}, exactly=True)
    except RulebookError as error:
        unusable(str(error))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        unusable(f"{path}：设置文件读不了（{type(error).__name__}）；请检查路径，内容应为 名称: 值")


def _show(found: Summary, reading: Reading, text: list[str], out: Path | None, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.as_json(reading), ensure_ascii=False))
        return
    click.echo("\n".join(text))
    if reading.bad:
        click.echo(f"\n坏行 {len(reading.bad):,} 行，没有判定：", err=True)
    for row in reading.bad[:BAD_SHOWN]:
        click.echo(f"  {row}", err=True)
    if len(reading.bad) > BAD_SHOWN:
        click.echo(f"  其余 {len(reading.bad) - BAD_SHOWN:,} 行见 --out 的「坏行」或 --json", err=True)
    if out is not None:
        click.echo(f"已写入 {out}")
