"""`aftersale migrate`."""

import os

import click

from aftersale.cli import fail


@click.command("migrate")
def command() -> None:
    """Bring the database's tables up to date.

    \b
    aftersale migrate                the embedded database, or DATABASE_URL with DATABASE_OWNER_URL

    Running it again changes nothing.
    """
    from aftersale.pg import Refused

    try:
        migrate()
    except Refused as refused:
        fail(refused.why)
    click.echo("数据库已是最新。The database is up to date.")


def migrate() -> None:
    """Prepare the roles and apply every migration as the owner. Raises `Refused`."""
    from aftersale.pg.connect import database_url, parsed
    from aftersale.pg.roles import prepare

    prepare(database_url("owner"), app=str(parsed(database_url("app"))["user"]))
    _django_as_owner()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)


def _django_as_owner() -> None:
    """Django in this process speaks as the owner; the pages run in another process, as the application."""
    os.environ["AFTERSALE_ROLE"] = "owner"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django

    django.setup()
