"""Whether the application may run on this connection: server, role, migrations."""

import os

import psycopg

from aftersale.pg import Refused
from aftersale.pg.sql import queries

OLDEST = 150000
QUERIES = queries(__package__, "check.sql")

Migration = tuple[str, str]  # app, name


def check(connection: psycopg.Connection) -> None:
    """Raise `Refused` unless server ≥ 15, the role is nobody special, and migrations are applied."""
    with connection.transaction():
        refused = (
            version_refusal(connection.info.server_version)
            or _role_refusal(connection)
            or _migration_refusal(connection)
        )
    if refused is not None:
        raise refused


def version_refusal(version: int) -> Refused | None:
    """`version` as libpq counts: 150018 is 15.18."""
    if version >= OLDEST:
        return None
    older = version // 10000
    return Refused("too_old", f"this server is PostgreSQL {older}: use {OLDEST // 10000} or newer")


def pending(known: dict[Migration, tuple[Migration, ...]], applied: set[Migration]) -> list[Migration]:
    """Migrations to be run. `known`: each with those that it replaces; either stands for the other."""
    squashed = {one for whole, parts in known.items() if whole in applied for one in parts}
    done = applied | squashed | {whole for whole, parts in known.items() if parts and set(parts) <= applied}
    return sorted(set(known) - done)


def _role_refusal(connection: psycopg.Connection) -> Refused | None:
    user = connection.info.user
    row = connection.execute(QUERIES["role"]).fetchone()
    assert row is not None
    superuser, bypasses = row
    if superuser:
        return Refused("superuser", f"{user} is a superuser or may become one: connect as aftersale_app")
    if bypasses:
        return Refused("bypasses_policies", f"{user} may bypass row policies: connect as aftersale_app")
    owned = connection.execute(QUERIES["owned"]).fetchone()
    if owned is not None:
        return Refused("owner", f"{user} owns {owned[0]} or may become its owner: connect as aftersale_app")
    return None


def _migration_refusal(connection: psycopg.Connection) -> Refused | None:
    applied: set[Migration] = set()
    if connection.execute(QUERIES["migrations_table"]).fetchone() == (True,):
        applied = {(app, name) for app, name in connection.execute(QUERIES["applied"])}
    missing = pending(_known(), applied)
    if not missing:
        return None
    app, name = missing[0]
    why = f"{len(missing)} migrations are pending, the first is {app} {name}: run `aftersale migrate`"
    return Refused("migrations", why)


def _known() -> dict[Migration, tuple[Migration, ...]]:
    """Every migration of the installed Django apps, with those that it replaces."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django
    from django.apps import apps
    from django.db.migrations.loader import MigrationLoader

    if not apps.ready:
        django.setup()
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {key: tuple(found.replaces) for key, found in loader.disk_migrations.items()}
