"""Reads back a row as PostgreSQL writes it in text: fields by commas, quoted where needed, quotes doubled."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from aftersale.core.expression import Value
from aftersale.core.facts import Fact

_FIELD = re.compile(r'"((?:[^"\\]|""|\\.)*)"|([^,]*)')
_ESCAPE = re.compile(r'""|\\(.)')


def fields(text: str) -> list[str | None]:
    """The fields of a record's text; an empty unquoted field is NULL."""
    assert text[:1] + text[-1:] == "()", f"not a record: {text[:40]}"
    body, found, at = text[1:-1], list[str | None](), 0
    while True:
        match = _FIELD.match(body, at)
        assert match is not None
        quoted, plain = match.groups()
        found.append(
            _ESCAPE.sub(lambda m: m.group(1) or '"', quoted) if quoted is not None else plain or None
        )
        at = match.end() + 1
        if match.end() >= len(body):
            return found


def facts_of(text: str, reads: Sequence[str], catalogue: Mapping[str, Fact]) -> dict[str, Value | None]:
    """The facts that a decision read, typed. `reads`: their names in the order of the record."""
    values = fields(text)
    assert len(values) == len(reads), f"{len(values)} values for {len(reads)} facts"
    return {name: _value(value, catalogue[name].type.kind) for name, value in zip(reads, values, strict=True)}


def _value(text: str | None, kind: str) -> Value | None:
    if text is None:
        return None
    if kind == "bool":
        return text == "t"
    if kind in ("int", "fen"):
        return int(text)
    return datetime.fromisoformat(text) if kind == "timestamptz" else text
