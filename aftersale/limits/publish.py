"""The books' limits in the database: every default, and what is permitted (P13) and possible as functions."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from psycopg import Connection, sql

from aftersale.core.lowering import lower, sql_literal
from aftersale.core.rulebook import Book, Setting
from aftersale.limits import possible
from aftersale.pg import Refused
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.permission import BOOK

_SQL = queries("aftersale.limits", "publish.sql")
_TYPES = {"bool": "bool", "text": "text", "enum": "text"}

CHANNELS: Mapping[str, str] = {
    "web": "person",
    "api": "person",
    "bulk": "batch_tool",
    "import": "batch_tool",
    "rule": "batch_tool",
}
"""Through which door an act comes → the book's `executor`. Whatever else comes counts as a batch tool."""


@dataclass(frozen=True, slots=True)
class Default:
    """A row of setting_default; values as JSON."""

    name: str
    value: str
    by_platform: str
    book: str


@cache
def defaults() -> tuple[Default, ...]:
    """The settings of all shipped books by name, each from the book that owns it."""
    found = {default.name: default for name in books.shipped() for default in _owned(books.book(name), name)}
    return tuple(found[name] for name in sorted(found))


def _owned(book: Book, name: str) -> Iterator[Default]:
    lent = {setting for names in books.borrowed(name).values() for setting in names}
    for setting in book.settings.values():
        if setting.name not in lent:
            yield Default(setting.name, _json(setting.default), _json(dict(setting.by_platform)), name)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


@cache
def function() -> str:
    """The book `permissions` as SQL that makes the function."""
    book = books.book(BOOK)
    lowered = lower(
        book, "postgres", fact=lambda name: f"g.{name}", setting=lambda name: f"s.{name}", now="g.at"
    )
    arms = " ".join(f"WHEN {sql_literal(k, 'postgres')} THEN '{v}'" for k, v in CHANNELS.items())
    rules = ["otherwise", *(rule.name for rule in book.rules)]
    outputs = ("allowed", "why", "needs_approval", "account_required")
    return _SQL["permitted"].format(
        executor=f"CASE permitted.channel {arms} ELSE 'batch_tool' END",
        names=", ".join(f"'{name}'" for name in book.settings),
        settings=", ".join(f"{_setting(one)} AS {name}" for name, one in book.settings.items()),
        rule_no=lowered.rule_no,
        rules=f"ARRAY[{', '.join(sql_literal(one, 'postgres') for one in rules)}]",
        **{key: lowered.output(key, "n.rule_no") for key in outputs},
    )


def _setting(setting: Setting) -> str:
    read = f"nullif(t.told -> '{setting.name}', 'null')"
    if setting.type.kind == "list":
        return f"ARRAY(SELECT jsonb_array_elements_text({read}))"
    return f"({read} #>> '{{}}')::{_TYPES.get(setting.type.kind, 'bigint')}"


@cache
def version() -> str:
    """Hash of all that is published."""
    said = [function(), _SQL["each"], _SQL["one"], possible.function(), *(repr(one) for one in defaults())]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]


def publish(conn: Connection[Any]) -> None:
    """Write it all as the tables' owner; commits. Running it again changes nothing."""
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(hashtext('limits.publish'))")
        conn.execute(function().encode())
        for name in ("each", "one"):
            conn.execute(_SQL[name])
        conn.execute(possible.function().encode())
        conn.execute(sql.SQL(_SQL["named"]).format(hash=sql.Literal(version())))
        conn.execute(_SQL["forget"], {"names": [one.name for one in defaults()]})
        for one in defaults():
            values = {"name": one.name, "value": one.value, "by_platform": one.by_platform, "book": one.book}
            conn.execute(_SQL["setting"], values)
        conn.execute(_SQL["published"], (version(),))


def check_published(conn: Connection[Any]) -> None:
    """Raise `Refused` when this database has never had the limits of these books."""
    with conn.transaction():
        known = conn.execute(_SQL["known"], (version(),)).fetchone()
    if known != (True,):
        raise Refused(
            "limits", "the limits in the database are not those of these rulebooks: run `aftersale migrate`"
        )
