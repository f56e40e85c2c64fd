"""`aftersale migrate`."""

import os
import random
import time
from collections.abc import Callable

import click

from aftersale.cli import fail


@click.command("migrate")
@click.option(
    "--wait-s", default=60.0, show_default=True, help="How long to try again while others hold what it needs."
)
def command(wait_s: float) -> None:
    """Bring the database's tables up to date.

    \b
    aftersale migrate                the embedded database, or DATABASE_URL with DATABASE_OWNER_URL

    Running it again changes nothing. Nobody waits behind it for more than two seconds: what it needs and another
    holds is tried again a little later.
    """
    from aftersale.pg import Refused

    try:
        migrate(wait_s)
    except Refused as refused:
        fail(refused.why)
    click.echo("数据库已是最新。The database is up to date.")


def migrate(wait_s: float = 60.0) -> None:
    """Prepare the roles, apply every migration as the owner, publish the books' limits, build the wall between shops. Raises `Refused`."""
    from aftersale.limits.publish import publish
    from aftersale.pg.connect import admin_url, database_url, opened, parsed
    from aftersale.pg.roles import create_people, prepare

    app = str(parsed(database_url("app"))["user"])
    if (admin := admin_url()) is not None:
        create_people(admin, app)
    prepare(database_url("owner"), app=app)
    _django_as_owner()
    from django.core.management import call_command

    _patiently(lambda: call_command("migrate", verbosity=0, interactive=False), wait_s)
    from aftersale.rights import wall

    with opened(database_url("owner"), application="aftersale limits") as conn:
        publish(conn)
        wall.build(conn, app)


def _patiently(step: Callable[[], object], wait_s: float) -> None:
    """Each migration is a transaction under lock_timeout: done wholly, or tried again until `wait_s` have passed (F42)."""
    from django.db import OperationalError, connection
    from psycopg import errors

    from aftersale.pg import Refused

    until = time.monotonic() + wait_s
    while True:
        try:
            step()
            return
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected):
                raise
        connection.close()
        if time.monotonic() > until:
            why = f"others held a table for {wait_s:.0f} s: end long transactions (pg_stat_activity), then run it again"
            raise Refused("locked", why)
        click.echo("一张表正被占用，稍后再试。A table is in use, trying again.", err=True)
        time.sleep(random.uniform(0.5, 1.5))


def _django_as_owner() -> None:
    """Django in this process speaks as the owner; the pages run in another process, as the application."""
    os.environ["AFTERSALE_ROLE"] = "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django

    django.setup()
