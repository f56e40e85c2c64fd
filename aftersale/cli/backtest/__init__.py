"""`aftersale backtest BOOK --data F`: what a rulebook would have done, and what another version would change."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from aftersale.cli.backtest.trial import RECORD, Trial, Wish, tried
from aftersale.cli.progress import Bar, unusable

if TYPE_CHECKING:
    from aftersale.core.rulebook import Book

SHANGHAI_HINT = "2026-11-11T20:05:00"


@click.command(epilog="Exit code: 0 fine, 2 the input cannot be used.")
@click.argument("book")
@click.option(
    "--data", required=True, help="A .parquet or .csv of facts, or 'record' for a shop's decisions."
)
@click.option("--against", help="Compare with this book: a shipped one's name or a file.")
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE",
              help="A setting of BOOK (yuan, hours, true/false, a,b,c); may be repeated.")  # fmt: skip
@click.option(
    "--sweep", metavar="NAME=A..B/STEP", help="Try a setting with many values in one pass; or NAME=A,B,C."
)
@click.option("--overlaps", is_flag=True, help="Which later rules would have spoken too.")
@click.option("--engine", type=click.Choice(["duckdb", "spark"]), default="duckdb", show_default=True)
@click.option("--master", default="local[*]", show_default=True, help="Where Spark runs.")
@click.option("--at", "at_text", metavar="ISO",
              help="Decide every row at this moment (default: its decided_at, or now).")  # fmt: skip
@click.option("--minutes", multiple=True, metavar="[QUEUE=]N",
              help="People's minutes for one case, of all queues or of one (default: 5).")  # fmt: skip
@click.option("--examples", type=click.IntRange(0, 100), default=5, show_default=True,
              help="Case ids shown for each change.")  # fmt: skip
@click.option("--shop", help="With --data record: the shop's code; its own settings count.")
@click.option("--which", type=click.Choice(["all", "first", "last"]), default="all", show_default=True,
              help="With --data record: all decisions, or each case's first or last.")  # fmt: skip
@click.option("--export", "export_to", type=click.Path(path_type=Path, dir_okay=False),
              help="With --data record: keep the history as this .parquet.")  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write everything to this .xlsx."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(
    book: str, data: str, against: str | None, values: tuple[str, ...], sweep: str | None, overlaps: bool,
    engine: str, master: str, at_text: str | None, minutes: tuple[str, ...], examples: int, shop: str | None,
    which: str, export_to: Path | None, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """What BOOK would have done with history: cases and money by rule, people's hours, the automatic share.

    \b
    aftersale backtest refund --data history.parquet
    aftersale backtest refund --data history.parquet --set small_amount_max=20 --against refund
    aftersale backtest refund --data history.parquet --sweep small_amount_max=5..100/5
    aftersale backtest my-refund.yaml --data record --shop ming --against refund --out changes.xlsx
    aftersale backtest refund --data record --shop ming --export history.parquet
    aftersale backtest refund --data history.parquet --engine spark
    """
    from aftersale.cli.backtest.words import lines
    from aftersale.core.facts import RulebookError
    from aftersale.pg import Refused
    from aftersale.plan.source import UnusableData

    try:
        wish = Wish(_book(book), values, _book(against) if against else None, sweep, overlaps, engine, master,
                    _moment(at_text), minutes, examples)  # fmt: skip
        with Bar("回测", quiet=as_json) as bar, TemporaryDirectory() as folder:
            path, own = (
                _exported(wish.book, shop, which, export_to, Path(folder))
                if data == RECORD
                else (Path(data), {})
            )
            found = tried(wish, path, own, None if as_json else bar.show)
        _save(found, out)
    except (RulebookError, UnusableData, Refused, OSError) as error:
        unusable(" ".join(str(error).split()))
    if as_json:
        click.echo(json.dumps(asdict(found), ensure_ascii=False, default=str))
        return
    click.echo("\n".join(lines(found)))
    for written in filter(None, (export_to, out)):
        click.echo(f"已写入 {written}")


def _book(told: str) -> "Book":
    """A shipped book by its name, or a file."""
    from aftersale.core.language.grammar import nearest
    from aftersale.rulebooks import books

    if told in books.shipped():
        return books.book(told)
    path = Path(told)
    if path.suffix not in (".yaml", ".yml"):
        unusable(f"没有名为「{told}」的规则书{nearest(told, books.shipped())}；自己的规则书请给 .yaml 文件")
    try:
        return books.parse(path.read_text("utf-8"))
    except UnicodeDecodeError:
        unusable(f"{told}：不是 UTF-8 文本")
    except OSError as error:
        unusable(f"{told}：打不开（{error.strerror}），请检查路径")


def _moment(text: str | None) -> datetime | None:
    from aftersale.core.language.grammar import moment

    found = moment(text) if text else None
    if text and found is None:
        unusable(f"--at「{text}」不是时间；应写成 {SHANGHAI_HINT}")
    return found


def _exported(
    book: "Book", shop: str | None, which: str, export_to: Path | None, folder: Path
) -> tuple[Path, dict[str, object]]:
    from aftersale.core.refusal import Refusal
    from aftersale.pg.connect import check, connect
    from aftersale.plan.history import export

    if shop is None:
        unusable("--data record 要和 --shop 一起用")
    path = export_to or folder / "history.parquet"
    long = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    with connect(application="aftersale backtest", settings=long) as conn:
        check(conn)
        found = export(conn, shop, book, path, which=which)  # type: ignore[arg-type]
    if isinstance(found, Refusal):
        unusable(found.why)
    return path, dict(found.settings)


def _save(found: Trial, out: Path | None) -> None:
    if out is None:
        return
    from aftersale.cli.backtest.workbook import write  # 0.2 s, seldom needed

    write(out, found)
