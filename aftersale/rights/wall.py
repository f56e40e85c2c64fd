"""The wall between shops: what a request reads and writes is the person's shops', whatever the code asks for."""

from collections.abc import Callable, Collection
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished
from django.db import connection
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from psycopg import Connection

from aftersale.cases.access import Shop
from aftersale.cases.rows import once
from aftersale.pg import Refused
from aftersale.pg.sql import queries

SQL = queries("aftersale.rights", "wall.sql")
OPEN_TABLES = ("invitation", "membership")
"""Have a shop_id and no wall: they are what tells whose shops these are, and are read before that is known."""
EVERYWHERE = 0

_shops: ContextVar[tuple[int, ...] | None] = ContextVar("shops", default=None)


def behind_wall(following: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], Any]:
    """Middleware: a request starts behind the wall with no shop, until `open_to` names the person's."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        _shops.set(())
        if connection.connection is not None:
            _stand()
        with once() if request.method in ("GET", "HEAD") else nullcontext():
            return following(request)

    return answer


def open_to(shops: Collection[Shop]) -> None:
    """From here to the end of the request these shops' rows exist, and those that concern all shops."""
    ids = (EVERYWHERE, *(shop.id for shop in shops))
    if _shops.get() not in (None, ids):
        _shops.set(ids)
        if connection.connection is not None:
            _stand()


def _stand(**_: Any) -> None:
    shops = _shops.get()
    if shops is not None:
        with connection.cursor() as cursor:
            cursor.execute(SQL["stand"], {"shops": f"{{{','.join(map(str, shops))}}}" if shops else ""})


def _leave(**_: Any) -> None:
    """The connection may live longer than the request."""
    if _shops.get() is not None:
        _shops.set(None)
        if connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute(SQL["leave"])


connection_created.connect(_stand, dispatch_uid="aftersale.rights.wall")
request_finished.connect(_leave, dispatch_uid="aftersale.rights.wall")


def build(conn: Connection[Any], app: str) -> None:
    """As the tables' owner: put every table with a shop_id behind the wall. Commits; running it again changes nothing."""
    with conn.transaction():
        check(conn, app)
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('rights.wall'))")
        asked = {"app": app, "open": list(OPEN_TABLES)}
        for name in ("grants", "revokes", "walls", "views"):
            for (statement,) in conn.execute(SQL[name], asked).fetchall():
                conn.execute(statement.encode())


def check(conn: Connection[Any], app: str) -> None:
    """Raise `Refused` unless the application may step behind the wall."""
    if conn.execute(SQL["exists"]).fetchone() != (True,) or conn.execute(
        SQL["may_become"], {"app": app}
    ).fetchone() != (True,):
        raise Refused(
            "no_people_role",
            f"people's requests need a role of their own: have an administrator run `CREATE ROLE aftersale_people; "
            f"ALTER ROLE {app} NOINHERIT; GRANT aftersale_people TO {app}`, see docs/postgresql.md",
        )
