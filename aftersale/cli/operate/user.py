"""`aftersale user`."""

import getpass
import os

import click

from aftersale.cli import fail


@click.group("user")
def command() -> None:
    """Somebody who cannot get in, when no owner is left at a page who could help.

    \b
    aftersale user reset-second-step 店主林姐 --why "手机丢了，当面确认过是本人"
    """


@command.command("reset-second-step")
@click.argument("name")
@click.option("--why", required=True, help="Why; the person and the audit log are told.")
def reset_second_step(name: str, why: str) -> None:
    """Take away the second step that NAME has lost: codes, keys and recovery codes are void, every session ends.

    At the next sign-in NAME is told and sets a new one before anything else. The password stays; `aftersale shop
    staff` gives a new one.
    """
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django

    django.setup()
    from django.contrib.auth.models import User

    from aftersale.cases.rows import moment
    from aftersale.people.accounts import lost

    try:
        with connect(application="aftersale user") as conn:
            check(conn)
    except Refused as refused:
        fail(refused.why)
    user = User.objects.filter(username=name).first()
    if user is None:
        fail(f"没有叫 {name} 的账号")
    done = lost.take_away(user.pk, name, why, f"{lost.ON_SERVER}{getpass.getuser()}", moment())
    if done:
        fail(done.why)
    click.echo(f"{name} 的两步验证已重设。{name} sets a new second step at the next sign-in.")
