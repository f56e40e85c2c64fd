"""`aftersale instance`."""

import getpass
import json

import click

from aftersale.cli import fail


@click.group("instance")
def command() -> None:
    """Which database this is, and whether it may send. After a restore or a copy a person accepts it first.

    \b
    aftersale instance state
    aftersale instance accept
    """


@command.command("state")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def state(as_json: bool) -> None:
    """Does it send, only ask, or wait to be accepted?"""
    from aftersale import instance
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect, home_folder

    try:
        with connect(application="aftersale instance") as conn:
            check(conn)
            found, copied = instance.state(conn), instance.is_copy(conn, home_folder())
    except Refused as refused:
        fail(refused.why)
    since = found.since.isoformat() if found.since else None
    if as_json:
        told = {"asking_since": since, "why": found.why, "copy": copied}
        click.echo(json.dumps(told, ensure_ascii=False))
    elif copied:
        click.echo("这是一个副本，不发送：确认另一个已停用后，执行 aftersale instance accept")
        click.echo("A copy, sends nothing: when the other one is off, run aftersale instance accept")
    elif since is None:
        click.echo("正常发送。Sends as usual.")
    else:
        click.echo(f"{since} 起只核对，不发送：{found.why}。工作进程核对完会自己恢复发送。")
        click.echo("Only asks, sends nothing, until its workers have asked about everything under way.")


@command.command("accept")
def accept() -> None:
    """This database is the one that works from now on; the other one, if it still exists, is off.

    It asks the platforms about everything under way before it sends again.
    """
    from aftersale import instance
    from aftersale.clock import Clock
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect, home_folder

    try:
        with connect(application="aftersale instance") as conn:
            check(conn)
            now = Clock(lambda: connect(application="aftersale clock")).now()
            done = instance.accept(conn, home_folder(), getpass.getuser(), now)
    except Refused as refused:
        fail(refused.why)
    click.echo(
        "已认可。启动工作进程（aftersale work）：它先向平台核对，核对完自己开始发送。Accepted; its workers ask before they send."
        if done
        else "没有等待认可的副本。No copy waits to be accepted."
    )
