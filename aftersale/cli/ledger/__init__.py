"""`aftersale ledger`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import click

from aftersale.cli import fail

if TYPE_CHECKING:
    from psycopg import Connection

    from aftersale.cases.ledger import Compared, Head
    from aftersale.core.refusal import Refusal

KINDS = {"only_ours": "只有我们记了", "only_theirs": "只有平台付了", "amount": "金额不同"}
SHOPS = """SELECT id, code, zone FROM shop WHERE (%(code)s::text IS NULL OR code = %(code)s) AND (NOT %(with_access)s
  OR platform IN ('taobao', 'tmall') AND num_nulls(base_url, app_key, app_secret, session_key) = 0) ORDER BY code"""


@click.group("ledger")
def command() -> None:
    """The money that left: its chain, and its comparison with the platform.

    \b
    aftersale ledger verify
    aftersale ledger reconcile --shop ming
    """


@command.command("verify")
@click.option("--shop", help="Code of one shop; without it all shops.")
@click.option(
    "--head", "known", help="A head printed earlier (NUMBER:HASH) that the chain must still contain."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def verify_command(shop: str | None, known: str | None, as_json: bool) -> None:
    """Recompute the chain of every ledger row and print its head; exit code 1 when it does not hold.

    Keep the printed head somewhere else: only with it can a cut tail be proved later.

    \b
    aftersale ledger verify
    aftersale ledger verify --shop ming --head 1204:5f2a…
    """
    from aftersale.cases.ledger import head, verify

    if known and not shop:
        fail("--head 是一家店的：请同时写 --shop")
    anchors = [_head(known)] if known else []
    told: list[dict[str, Any]] = []
    with _record() as conn:
        for one in _shops(conn, shop):
            breaks = verify(conn, one.id, anchors)
            told.append({"shop": one.code, "head": str(head(conn, one.id) or ""), "breaks": breaks})
            conn.commit()
    _print_chains(told, as_json)
    if any(one["breaks"] for one in told):
        raise click.exceptions.Exit(1)


def _print_chains(told: list[dict[str, Any]], as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        rows = [{**one, "breaks": [asdict(found) for found in one["breaks"]]} for one in told]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for one in told:
        state = f"有 {len(one['breaks'])} 处对不上" if one["breaks"] else "完整"
        click.echo(f"{one['shop']}  账本{state}  链头 {one['head'] or '（还没有账）'}")
        for found in one["breaks"]:
            click.echo(f"  第 {found.seq or '？'} 笔  {found.case_id or ''}  {found.why}")


def _head(text: str) -> "Head":
    from aftersale.cases.ledger import Head

    number, _, digest = text.partition(":")
    try:
        found = Head(int(number), bytes.fromhex(digest))
    except ValueError:
        found = Head(0, b"")
    if found.seq < 1 or len(found.hash) != 32:
        fail(f"--head {text!r} 不是链头：应是 aftersale ledger verify 打印的「序号:64 位十六进制」")
    return found


@command.command("reconcile")
@click.option("--shop", help="Code of one shop; without it all shops with access to their platform.")
@click.option(
    "--since", type=click.DateTime(), help="From here, in the shop's zone; without it yesterday's midnight."
)
@click.option("--until", type=click.DateTime(), help="Until here, in the shop's zone; without it now.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def reconcile_command(
    shop: str | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Compare our ledger with the platform's refunds, both ways; exit code 1 when they differ.

    \b
    aftersale ledger reconcile --shop ming
    aftersale ledger reconcile --since 2026-11-11 --until 2026-11-12 --json
    """
    import getpass

    import httpx2

    from aftersale.act.reconcile import Reconciler
    from aftersale.clock import Clock
    from aftersale.core.refusal import Refusal
    from aftersale.pg.connect import connect

    told: list[tuple[str, Compared | Refusal]] = []
    with _record() as conn, httpx2.Client(trust_env=False) as http:
        reconciler = Reconciler(conn, http, Clock(lambda: connect(application="aftersale clock")).now)
        for one in _shops(conn, shop, with_access=shop is None):
            window = (_in_zone(since, one.zone), _in_zone(until, one.zone))
            told.append((one.code, reconciler.reconcile(one.id, *window, by=getpass.getuser())))
    if not told:
        fail("没有接上平台的店铺，没有可以核对的账")
    _print_comparisons(told, as_json)
    if any(isinstance(done, Refusal) or done.differences for _, done in told):
        raise click.exceptions.Exit(1)


def _print_comparisons(told: "list[tuple[str, Compared | Refusal]]", as_json: bool) -> None:
    from dataclasses import asdict

    from aftersale.core.refusal import Refusal

    if as_json:
        rows = [{"shop": code, **asdict(done)} for code, done in told]
        click.echo(json.dumps(rows, ensure_ascii=False, default=str))
        return
    for code, done in told:
        if isinstance(done, Refusal):
            click.echo(f"{code}  没有核对：{done.why}", err=True)
        else:
            _print_comparison(code, done)


def _print_comparison(code: str, done: "Compared") -> None:
    from aftersale.core.money import yuan_text

    waiting = f"，{done.waiting} 单还在途中，下次再核对" if done.waiting else ""
    click.echo(
        f"{code}  我们 {done.ours:,} 笔 {yuan_text(done.ours_fen)}，平台 {done.theirs:,} 笔 {yuan_text(done.theirs_fen)}，"
        f"{len(done.differences)} 单不一致{waiting}"
    )
    for one in done.differences:
        ours, theirs = yuan_text(one.ours_fen), yuan_text(one.theirs_fen)
        click.echo(f"  {one.case_id}  {KINDS[one.kind]}  我们 {ours}  平台 {theirs}")


class _Shop(NamedTuple):
    id: int
    code: str
    zone: str


def _shops(conn: "Connection[Any]", code: str | None, *, with_access: bool = False) -> list[_Shop]:
    """The shop of this code, or all of them in the order of their codes."""
    found = [_Shop(*row) for row in conn.execute(SHOPS, {"code": code, "with_access": with_access})]
    conn.commit()
    if code and not found:
        fail(f"没有代码为 {code} 的店铺")
    return found


def _in_zone(at: datetime | None, zone: str) -> datetime | None:
    return at.replace(tzinfo=ZoneInfo(zone)) if at else None


@contextmanager
def _record() -> "Iterator[Connection[Any]]":
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    try:
        with connect(application="aftersale ledger") as conn:
            check(conn)
            conn.commit()
            yield conn
    except Refused as refused:
        fail(refused.why)
