"""`aftersale backup` and `aftersale restore`."""

import json
import signal
import threading
from datetime import datetime
from pathlib import Path

import click

from aftersale.cli import fail

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("backup")
@click.argument("folder", type=FOLDER)
@click.option("--changes", is_flag=True, help="Fetch what changed since the last time; no new whole copy.")
@click.option("--follow", is_flag=True, help="Fetch every change as it happens, until stopped.")
@click.option("--keep", type=click.IntRange(1), default=7, show_default=True, help="Whole copies that stay.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def backup(folder: Path, changes: bool, follow: bool, keep: int, as_json: bool) -> None:
    """Back up the embedded database into FOLDER while everything runs.

    \b
    aftersale backup /backup/aftersale              every night: a whole copy
    aftersale backup /backup/aftersale --changes    every five minutes: what changed
    aftersale backup /backup/aftersale --follow     or always running: nothing is lost
    aftersale restore /backup/aftersale --home new --at 2026-11-11T09:00:00+08:00

    One folder a database. An own server is backed up with its own tools: docs/postgresql.md.
    """
    from aftersale.pg import Refused
    from aftersale.pg import backup as backups

    try:
        if follow:
            stopping = threading.Event()
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stopping.set())
            backups.follow(_home(), folder, stopping, lambda _: None)
            return
        done = backups.catch_up(_home(), folder) if changes else backups.take(_home(), folder, keep=keep)
    except Refused as refused:
        fail(refused.why)
    told = {
        "base": str(done.base) if done.base else None,
        "until": done.until.isoformat(),
        "bytes": done.size_bytes,
    }
    click.echo(
        json.dumps(told)
        if as_json
        else f"{folder} 可以恢复到 {done.until.isoformat()} 为止的任何时刻。Can be restored to any moment until then."
    )


@click.command("restore")
@click.argument("folder", type=FOLDER)
@click.option("--home", required=True, type=FOLDER, help="A new AFTERSALE_HOME; the old one is not touched.")
@click.option("--at", "at_text", help="The moment, with its zone [default: the last one].")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def restore(folder: Path, home: Path, at_text: str | None, as_json: bool) -> None:
    """Make a new home as the database was at a moment.

    \b
    aftersale restore /backup/aftersale --home var2
    aftersale restore /backup/aftersale --home var2 --at 2026-11-11T09:00:00+08:00
    AFTERSALE_HOME=var2 aftersale instance accept    then it may work, and asks before it sends
    """
    from aftersale.pg import Refused
    from aftersale.pg import backup as backups

    at = _moment(at_text) if at_text else None
    try:
        done = backups.restore(folder, home, at)
    except Refused as refused:
        fail(refused.why)
    told = {"home": str(done.home), "base": str(done.base), "at": done.at.isoformat() if done.at else None}
    click.echo(
        json.dumps(told)
        if as_json
        else f"已恢复到 {done.home}。确认原来的已停用，接着：AFTERSALE_HOME={done.home} aftersale instance accept\n"
        "Restored. When the old one is off, run that command; then start the workers with this AFTERSALE_HOME."
    )


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--at {text}：不是时间，请写成 2026-11-11T09:00:00+08:00", 2)
    if at.tzinfo is None:
        fail(f"--at {text}：请写明时区，例如 {text}+08:00", 2)
    return at


def _home() -> Path:
    import os

    from aftersale.pg.connect import home_folder
    from aftersale.pg.home import Home

    if os.environ.get("DATABASE_URL"):
        fail("DATABASE_URL 指向自己的服务器：请用它自己的工具备份，见 docs/postgresql.md", 2)
    home = home_folder()
    if not Home(home).initialised():
        fail(f"{home} 里没有数据库：请设置 AFTERSALE_HOME", 2)
    return home
