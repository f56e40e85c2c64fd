"""Where PostgreSQL, DuckDB and Spark write the same thing differently."""

from datetime import UTC, datetime
from typing import Literal

from aftersale.core.expression import SECONDS, Kind, Value

Dialect = Literal["postgres", "duckdb", "spark"]

_TYPES: dict[str, dict[Dialect, str]] = {
    "bool": {"postgres": "boolean", "duckdb": "boolean", "spark": "boolean"},
    "number": {"postgres": "bigint", "duckdb": "bigint", "spark": "bigint"},
    "timestamptz": {"postgres": "timestamptz", "duckdb": "timestamptz", "spark": "timestamp"},
    "list": {"postgres": "text[]", "duckdb": "varchar[]", "spark": "array<string>"},
    "json": {"postgres": "jsonb", "duckdb": "json", "spark": "string"},
    "text": {"postgres": "text", "duckdb": "text", "spark": "string"},
}


def sql_type(kind: Kind, dialect: Dialect) -> str:
    """The column type that holds values of a kind; durations are whole numbers of their unit."""
    number = kind in ("int", "fen", "number", *SECONDS)
    return _TYPES.get("number" if number else kind, _TYPES["text"])[dialect]


def sql_literal(value: Value | None, dialect: Dialect) -> str:
    """A constant as SQL text."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case datetime():
            at = f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
            return f"timestamp '{at}Z'" if dialect == "spark" else f"timestamptz '{at}+00'"
        case str():
            return _text(value, dialect)
        case tuple():
            items = [sql_literal(item, dialect) for item in value]
            return array(items, "int" if value and isinstance(value[0], int) else "text", dialect)
    return str(value)


def _text(value: str, dialect: Dialect) -> str:
    if dialect == "spark":  # a doubled quote would join two texts, a backslash begins an escape
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return "'" + value.replace("'", "''") + "'"


def array(items: list[str], kind: Kind, dialect: Dialect) -> str:
    """An array of numbers or texts, also an empty one."""
    listed = ", ".join(items)
    if dialect == "spark":
        return f"cast(array({listed}) as array<{sql_type(kind, dialect)}>)"
    inside = "varchar" if dialect == "duckdb" and kind == "text" else sql_type(kind, dialect)
    return f"{'array' if dialect == 'postgres' else ''}[{listed}]::{inside}[]"


def known_of(items: list[str], dialect: Dialect) -> str:
    """The numbers among the items that are not NULL, in their order."""
    if dialect == "postgres":
        return f"array_remove(array[{', '.join(items)}]::int[], null)"
    if dialect == "spark":
        return f"filter(cast(array({', '.join(items)}) as array<int>), no -> no is not null)"
    return f"list_filter([{', '.join(items)}]::int[], lambda no: no is not null)"


def among(value: str, options: str, dialect: Dialect) -> str:
    """Whether an array holds a value: of an empty one nothing is unknown."""
    if dialect == "postgres":
        return f"{value} = any({options})"
    size, contains = ("size", "array_contains") if dialect == "spark" else ("len", "list_contains")
    return (
        f"case when {size}({options}) = 0 then false"
        f" when {value} is not null then {contains}({options}, {value}) end"
    )


def quotient(left: str, right: int, dialect: Dialect) -> str:
    """Division of whole numbers, cut towards zero."""
    return f"({left} {({'postgres': '/', 'duckdb': '//', 'spark': 'div'})[dialect]} {right})"


def span(count: int, seconds: int, dialect: Dialect) -> str:
    """`count` units of `seconds`. Always hours or minutes: a PostgreSQL day may have 23 hours."""
    unit, factor = _unit(seconds)
    if dialect == "spark":
        return f"interval '{count * factor}' {unit}"
    return f"interval '{count * factor} {unit}s'"


def counted_span(count: str, seconds: int, dialect: Dialect) -> str:
    """The same with a count in SQL."""
    unit, factor = _unit(seconds)
    if dialect == "postgres":
        return f"{count} * interval '{factor} {unit}s'"
    if dialect == "duckdb":
        return f"to_{unit}s({count}{f' * {factor}' if factor > 1 else ''})"
    whole = f"cast({count} * {factor} as int)"
    return f"make_dt_interval(0, {f'{whole}, 0' if unit == 'hour' else f'0, {whole}'})"


def _unit(seconds: int) -> tuple[str, int]:
    return ("minute", seconds // 60) if seconds < SECONDS["hours"] else ("hour", seconds // SECONDS["hours"])


def just_after(moment: str, dialect: Dialect) -> str:
    """One microsecond later."""
    step = "'0.000001' second" if dialect == "spark" else "'1 microsecond'"
    return f"{moment} + interval {step}"


def json_text(text: str, dialect: Dialect) -> str:
    """A JSON text as the engine's own type; Spark has none."""
    plain = _text(text, dialect)
    return plain if dialect == "spark" else f"{plain}::{sql_type('json', dialect)}"
