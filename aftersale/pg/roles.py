"""The roles: `aftersale_owner` makes and owns the tables, `aftersale_app` owns nothing, and is `aftersale_people` while it
works for a person."""

import psycopg
from psycopg import sql

from aftersale.pg import Refused
from aftersale.pg.connect import opened
from aftersale.pg.sql import queries

OWNER = "aftersale_owner"
APP = "aftersale_app"
PEOPLE = "aftersale_people"
QUERIES = queries(__package__, "roles.sql")


def create(admin_url: str, *, owner_password: str, app_password: str) -> None:
    """Make both roles, or put those that exist right; `admin_url` is a superuser's."""
    with opened(admin_url, application="aftersale roles") as connection:
        for role, password in ((OWNER, owner_password), (APP, app_password)):
            name = sql.Identifier(role)
            if not _holds(connection, "exists", role=role):
                connection.execute(_composed("create", role=name))
            connection.execute(_composed("define", role=name, password=sql.Literal(password)))
    create_people(admin_url)


def create_people(admin_url: str, app: str = APP) -> None:
    """Make the role behind the wall between shops, which `app` may become but is not."""
    with opened(admin_url, application="aftersale roles") as connection:
        if not _holds(connection, "exists", role=PEOPLE):
            connection.execute(_composed("create_people", people=sql.Identifier(PEOPLE)))
        if not _holds(connection, "may_become", app=app, people=PEOPLE):
            names = {"app": sql.Identifier(app), "people": sql.Identifier(PEOPLE)}
            connection.execute(_composed("become_people", **names))


def create_database(admin_url: str, name: str) -> None:
    """Make the database, if absent, owned by `aftersale_owner`."""
    with opened(admin_url, application="aftersale roles", autocommit=True) as connection:
        if not _holds(connection, "database_exists", name=name):
            made = _composed("create_database", name=sql.Identifier(name), owner=sql.Identifier(OWNER))
            connection.execute(made)


def prepare(owner_url: str, app: str = APP) -> None:
    """Let `app` use what the owner will create; to be run before migrations, any number of times.

    Rows of tables that are only appended to are protected by the migrations, which revoke more.
    """
    with opened(owner_url, application="aftersale roles") as connection:
        if not _holds(connection, "exists", role=app):
            raise Refused(
                "no_app_role",
                f"the role {app} does not exist: have an administrator run "
                f"`CREATE ROLE {app} LOGIN PASSWORD '…'`, see docs/postgresql.md",
            )
        if not _holds(connection, "is_owner"):
            raise Refused(
                "not_owner",
                f"{connection.info.user} does not own the database {connection.info.dbname}: "
                "DATABASE_OWNER_URL must name its owner",
            )
        names = {"app": sql.Identifier(app), "database": sql.Identifier(connection.info.dbname)}
        for name in ("close", "close_schema", "admit", "admit_schema", "tables", "sequences"):
            connection.execute(_composed(name, **names))


def _holds(connection: psycopg.Connection, query: str, /, **values: str) -> bool:
    row = connection.execute(QUERIES[query], values).fetchone()
    return row == (True,)


def _composed(query: str, /, **parts: sql.Composable) -> sql.Composed:
    return sql.SQL(QUERIES[query]).format(**parts)
