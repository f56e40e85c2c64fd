"""Reading the record on Django's connection: a query's columns are a dataclass's fields."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.db import connection
from psycopg import Connection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound=DataclassInstance)
else:
    Row = TypeVar("Row")


def read(shape: type[Row], sql: str, params: Mapping[str, Any]) -> list[Row]:
    """All rows as `shape`; the columns must be its fields, in any order."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        assert set(names) == {field.name for field in fields(shape)}, (shape, names)
        return [shape(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def first(shape: type[Row], sql: str, params: Mapping[str, Any]) -> Row | None:
    """The first row, or None."""
    found = read(shape, sql, params)
    return found[0] if found else None


def moment() -> datetime:
    """The time that counts: real, or the sandbox's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT moment()")
        found = cursor.fetchone()[0]
        assert isinstance(found, datetime)
        return found


def record_connection() -> Connection[Any]:
    """Django's own connection, as psycopg knows it."""
    connection.ensure_connection()
    return cast("Connection[Any]", connection.connection)
