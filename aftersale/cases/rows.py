"""Reading the record on Django's connection: a query's columns are a dataclass's fields."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from django.db import connection
from psycopg import Connection, Cursor

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)
else:
    Row = TypeVar("Row")
Answer = TypeVar("Answer")

_known: ContextVar[dict[Any, Any] | None] = ContextVar("known", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Within, what is `remembered` is read once. For a page that changes nothing."""
    token = _known.set({})
    try:
        yield
    finally:
        _known.reset(token)


def remembered(key: tuple[Any, ...], find: Callable[[], Answer]) -> Answer:
    """What `find` says, asked anew outside of `once`."""
    known = _known.get()
    if known is None:
        return find()
    if key not in known:
        known[key] = find()
    return cast("Answer", known[key])


def read(shape: type[Row], sql: str, params: Mapping[str, Any], *, kept: bool = False) -> list[Row]:
    """All rows as `shape`; the columns must be its fields, in any order. `kept`: the connection keeps the plan, which
    is for statements whose planning takes longer than they do."""
    with _cursor(kept) as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        assert set(names) == {field.name for field in fields(shape)}, (shape, names)
        return [shape(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def expected(sql: str, params: Mapping[str, Any]) -> int:
    """How many rows the planner expects of a statement that is not run."""

    def find() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
            return int(cursor.fetchone()[0][0]["Plan"]["Plan Rows"])

    return remembered(("expected", sql, str(params)), find)


@contextmanager
def _cursor(kept: bool) -> Iterator[Any]:
    if not kept:
        with connection.cursor() as cursor:
            yield cursor
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, Kept(connection.connection) as keeping:
        yield keeping


class Kept(Cursor[Any]):
    """Prepares what it executes; values go to the server apart from the statement."""

    def execute(self, query: Any, params: Any = None, **_how: Any) -> Self:
        return super().execute(query, params, prepare=True)


def first(shape: type[Row], sql: str, params: Mapping[str, Any], *, kept: bool = False) -> Row | None:
    """The first row, or None."""
    found = read(shape, sql, params, kept=kept)
    return found[0] if found else None


def moment() -> datetime:
    """The time that counts: real, or the sandbox's."""
    return remembered(("moment",), _moment)


def _moment() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT moment()")
        found = cursor.fetchone()[0]
        assert isinstance(found, datetime)
        return found


def left_s(at: datetime, now: datetime) -> float:
    """How many real seconds a person has until `at`; while the shops' time stands still they count as it does."""
    return (at - now).total_seconds() / pace()


def pace() -> float:
    """How many seconds of the shops' time one real second takes; 1 while it stands still."""
    return remembered(("pace",), _speed) or 1.0


def _speed() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce((SELECT speed FROM clock), 1)")
        return float(cursor.fetchone()[0])


def record_connection() -> Connection[Any]:
    """Django's own connection, as psycopg knows it."""
    connection.ensure_connection()
    return cast("Connection[Any]", connection.connection)
