"""The typed tree a rule becomes after parsing; every back end (SQL, evaluation, trace, lint) walks it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Literal

from aftersale.core.language.saying import Saying, plain

Op = Literal["=", "<>", "<", "<=", ">", ">="]

Value = bool | int | float | Decimal | str | datetime | tuple[str | int, ...]
"""A fact or setting: enum as text, money in fen, moments aware; float only for a given age (71.5 hours),
Decimal only for a `decimal` setting, which formulas read and conditions do not."""

Kind = Literal[
    "bool", "int", "fen", "decimal", "text", "enum", "timestamptz", "hours", "minutes", "days", "list",
    "number", "string", "null", "json",
]  # fmt: skip
"""`number`, `string` and `null` are literals that still take the type of their neighbour."""

SECONDS: dict[str, int] = {"minutes": 60, "hours": 3600, "days": 86400}
"""Durations are exact: a day is 24 hours."""

FLIPPED: dict[Op, Op] = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


STRINGS: frozenset[Kind] = frozenset({"text", "enum", "string"})
COUNTS: frozenset[Kind] = frozenset({"int", "number", "hours", "minutes", "days"})
NUMBERS: frozenset[Kind] = COUNTS | {"fen"}


@dataclass(frozen=True, slots=True)
class Type:
    """`values`: an enum's members, or the literals a `string` can be; `age`: time since or until a moment."""

    kind: Kind
    values: frozenset[str] = frozenset()
    age: bool = False


@dataclass(frozen=True, slots=True)
class Lit:
    """A constant; `None` is SQL NULL."""

    value: Value | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A fact by name: stored, derived or an age."""

    name: str


@dataclass(frozen=True, slots=True)
class Knob:
    """A shop setting by name (`:name` in the text)."""

    name: str


@dataclass(frozen=True, slots=True)
class Compare:
    op: Op
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Age:
    """`hours_since_x op bound`; lowered to a comparison of x with a moment so that an index serves it."""

    fact: str
    op: Op
    bound: Node


@dataclass(frozen=True, slots=True)
class After:
    """The decision moment is `at` or later (a rule's effective dates)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Logic:
    op: Literal["and", "or"]
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    item: Node


@dataclass(frozen=True, slots=True)
class In:
    """`options`: literals, or the one list setting."""

    item: Node
    options: tuple[Lit, ...] | Knob


@dataclass(frozen=True, slots=True)
class IsNull:
    item: Node


@dataclass(frozen=True, slots=True)
class IsTruth:
    item: Node
    truth: bool


@dataclass(frozen=True, slots=True)
class Case:
    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Call:
    """`coalesce`; `least` and `greatest` (unknown when any part is, as in the SQL standard);
    `percent_of(amount, percent)`, cut towards zero."""

    name: Literal["coalesce", "least", "greatest", "percent_of"]
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Arith:
    op: Literal["+", "-", "*"]
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Shift:
    """A moment `count` units of `seconds` later (`sign` 1) or earlier (-1)."""

    moment: Node
    sign: Literal[1, -1]
    count: Node
    seconds: int


Node = (
    Lit
    | Ref
    | Knob
    | Compare
    | Age
    | After
    | Logic
    | Not
    | In
    | IsNull
    | IsTruth
    | Case
    | Call
    | Arith
    | Shift
)

TRUE, FALSE, UNKNOWN = Lit(True), Lit(False), Lit(None)


class ExpressionError(Exception):
    """A text that is no rule expression; `position`: 1-based character in it, None when unknown."""

    def __init__(self, position: int | None, why: Saying) -> None:
        super().__init__(plain(why))
        self.position = position
        self.why = why


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: Node) -> Iterator[Node]:
    for field in fields(node):
        yield from _nodes(getattr(node, field.name))


def _nodes(part: object) -> Iterator[Node]:
    if isinstance(part, tuple):
        for item in part:
            yield from _nodes(item)
    elif isinstance(part, Node):
        yield part


def conjuncts(node: Node) -> tuple[Node, ...]:
    """The parts all of which must be TRUE."""
    return node.items if isinstance(node, Logic) and node.op == "and" else (node,)


def both(op: Literal["and", "or"], items: tuple[Node, ...]) -> Node:
    """Joins conditions, flattening nested joins of the same kind."""
    flat: list[Node] = []
    for item in items:
        flat.extend(item.items if isinstance(item, Logic) and item.op == op else (item,))
    return flat[0] if len(flat) == 1 else Logic(op, tuple(flat))


def unify(a: Type, b: Type) -> Type | None:
    """The type that holds both; None when nothing does."""
    if a.kind == "null" or b.kind == "null":
        return b if a.kind == "null" else a
    if a.kind in STRINGS and b.kind in STRINGS:
        return _unify_strings(a, b)
    if a.kind == b.kind:
        return Type(a.kind)
    if a.kind in NUMBERS and b.kind in NUMBERS and "number" in (a.kind, b.kind):
        return Type(b.kind if a.kind == "number" else a.kind)
    if a.kind in COUNTS and b.kind in COUNTS and "int" in (a.kind, b.kind):
        return Type(b.kind if a.kind == "int" else a.kind)
    return None


def _unify_strings(a: Type, b: Type) -> Type | None:
    if "text" in (a.kind, b.kind):
        return Type("text")
    if a.kind == b.kind == "string":
        return Type("string", a.values | b.values)
    if a.kind == b.kind == "enum":
        return Type("enum", a.values | b.values) if a.values & b.values else None
    literal, enum = (a, b) if a.kind == "string" else (b, a)
    return enum if literal.values <= enum.values else None
