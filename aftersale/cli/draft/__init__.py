"""`aftersale draft`."""

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aftersale.cli import fail

if TYPE_CHECKING:
    from psycopg import Connection

    from aftersale.publishing.trial import Move

EXAMPLES_MAX = 20


@click.group("draft")
def command() -> None:
    """Try a rulebook on live cases before it may decide them.

    A draft first watches (shadow): what it would have done stands beside what was done. Then it may decide a share
    of the cases (canary), until the money it pays by itself reaches a budget. A shop tries one draft at a time.

    \b
    aftersale draft start --shop ming --book my-refund.yaml
    aftersale draft start --shop ming --set advance_limit=50
    aftersale draft report ming
    aftersale draft stop ming
    aftersale draft start --shop ming --set advance_limit=50 --share 10 --budget 2000
    """


@command.command("start")
@click.option("--shop", required=True, help="Code of the shop.")
@click.option("--book", "book_path", type=click.Path(path_type=Path, dir_okay=False),
              help="The draft; without it the book that decides the shop now, with --set.")  # fmt: skip
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE",
              help="A setting's value in the draft (yuan, hours, true/false, a,b,c); may be repeated.")  # fmt: skip
@click.option("--share", type=click.IntRange(0, 100), default=0, show_default=True,
              help="Percent of the cases that the draft decides itself.")  # fmt: skip
@click.option("--budget", default="0", show_default=True,
              help="Yuan that the draft may pay by itself in all.")  # fmt: skip
def start_command(
    shop: str, book_path: Path | None, values: tuple[str, ...], share: int, budget: str
) -> None:
    """Let a draft watch the shop's cases, or decide a share of them.

    \b
    aftersale draft start --shop ming --set hold_auto_refund_max=300 --share 10 --budget 2000
    """
    from aftersale.core.facts import RulebookError
    from aftersale.core.money import fen_from_yuan
    from aftersale.core.refusal import Refusal
    from aftersale.publishing.live import text_deciding
    from aftersale.publishing.trial import start
    from aftersale.rulebooks import books
    from aftersale.rulebooks.told import told_settings

    budget_fen = fen_from_yuan(budget)
    if budget_fen is None or budget_fen < 0:
        fail(f"--budget {budget}：请写成以元计的金额，如 2000", 2)
    if share and not budget_fen:
        fail("--share 要和 --budget 一起用：草稿自己付的钱必须有上限", 2)
    try:
        text = books.text("refund.yaml") if book_path is None else book_path.read_text("utf-8")
        settings = told_settings(books.parse(text), values)
    except OSError as error:
        fail(f"{book_path}：打不开（{error.strerror}），请检查路径", 2)
    except UnicodeDecodeError:
        fail(f"{book_path}：不是 UTF-8 文本", 2)
    except RulebookError as error:
        fail(str(error), 2)
    with _record() as (conn, now):
        tried = text if book_path else text_deciding(conn, shop)
        made = start(
            conn, shop, tried, settings, getpass.getuser(), now, share_percent=share, budget_fen=budget_fen
        )
    if isinstance(made, Refusal):
        fail(made.why)
    doing = f"决定 {share}% 的售后单，自动付款不超过 {budget} 元" if share else "只旁观，不决定"
    click.echo(f"草稿 {made} 开始试行：{doing}。看结果：aftersale draft report {shop}")


@command.command("stop")
@click.argument("shop")
def stop_command(shop: str) -> None:
    """End the draft of SHOP; its cases go back to the published book when they are next decided.

    \b
    aftersale draft stop ming
    """
    from aftersale.publishing.trial import stop

    with _record() as (conn, now):
        stopped = stop(conn, shop, getpass.getuser(), now)
    if not stopped:
        fail(f"店铺 {shop} 没有正在试行的草稿")
    click.echo(f"店铺 {shop} 的草稿已停下。")


@command.command("list")
@click.option("--shop", help="Only this shop's.")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_command(shop: str | None, as_json: bool) -> None:
    """The latest drafts, newest first.

    \b
    aftersale draft list --shop ming
    """
    from dataclasses import asdict

    from aftersale.core.money import yuan_text
    from aftersale.publishing.trial import drafts

    with _record() as (conn, _):
        found = drafts(conn, shop)
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, default=str))
        return
    for one in found:
        state = "已停" if one.ended_at else (f"决定 {one.share_percent}%" if one.share_percent else "旁观")
        spent = f"{yuan_text(one.spent_fen)} / {yuan_text(one.budget_fen)}"
        click.echo(
            f"{one.id}  {one.shop}  {state}  已付 {spent}  {one.started_by} {one.started_at:%Y-%m-%d %H:%M}"
        )
    if not found:
        click.echo("还没有草稿：aftersale draft start --shop CODE --set NAME=VALUE")


@command.command("report")
@click.argument("shop")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def report_command(shop: str, as_json: bool) -> None:
    """What the latest draft of SHOP did, or would have done, beside the published book.

    \b
    aftersale draft report ming --json
    """
    from dataclasses import asdict

    from aftersale.publishing.trial import drafts, moves

    with _record() as (conn, _):
        found = drafts(conn, shop)
        if not found:
            fail(f"店铺 {shop} 还没有试行过草稿：aftersale draft start --shop {shop}")
        seen = moves(conn, found[0].id)
    if as_json:
        told = {"draft": asdict(found[0]), "moves": [asdict(one) for one in seen]}
        click.echo(json.dumps(told, ensure_ascii=False, default=str))
    else:
        _print(seen)


def _print(seen: "list[Move]") -> None:
    from aftersale.core.money import yuan_text

    changed = [one for one in seen if one.changed]
    cases, other = sum(one.cases for one in seen), sum(one.cases for one in changed)
    live, draft = sum(one.live_fen for one in seen), sum(one.fen for one in seen)
    alone = sum(one.cases for one in seen if one.live_queue is None)
    alone_then = sum(one.cases for one in seen if one.queue is None)
    click.echo(f"{cases:,} 单，{other:,} 单的判断不同。")
    click.echo(f"不需要人的：{alone:,} → {alone_then:,} 单；自动付款：{yuan_text(live)} → {yuan_text(draft)}")
    for one in changed[:EXAMPLES_MAX]:
        click.echo(f"  {one.cases:>6,}  {one.live_rule} → {one.rule}  例：{'、'.join(one.examples)}")
    if len(changed) > EXAMPLES_MAX:
        click.echo(f"  另有 {len(changed) - EXAMPLES_MAX} 种变化，用 --json 看全部")


@contextmanager
def _record() -> "Iterator[tuple[Connection[Any], Any]]":
    """The record and its present moment."""
    from aftersale.clock import Clock
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    try:
        with connect(application="aftersale draft") as conn:
            check(conn)
            yield conn, Clock(lambda: connect(application="aftersale clock")).now()
    except Refused as refused:
        fail(refused.why)
