"""JSON values as the types that formulas declare, and results back as JSON values."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from aftersale.ask.questions import Unclear
from aftersale.core.language.grammar import SHANGHAI, moment, nearest
from aftersale.core.money import Fen, fen_from_yuan, yuan

NUMBER_MAX = 1_000_000_000
YEARS = range(1990, 2101)
_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_EXACT = re.compile(r"(-?\d{1,12}(?:\.\d{1,12})?)(%)?", re.ASCII)  # numbers may be given as text, to be exact


def read(name: str, wanted: Any, value: Any) -> Any:
    """The value as `wanted`: money is given in yuan, times without offset are Shanghai's. Raises Unclear."""
    origin, parts = get_origin(wanted), get_args(wanted)
    if wanted is Any or wanted is object:
        return value
    if origin in (Union, UnionType):
        return _one_of(name, parts, value)
    if origin is Literal:
        value = value.lower() if isinstance(value, str) and value not in parts else value
        if value not in parts:
            raise Unclear(f"字段 {name}：不认识 {value!r}{nearest(str(value), parts)}")
        return value
    if origin in (tuple, list, frozenset, set):
        if not isinstance(value, (list, tuple)):
            raise Unclear(f"字段 {name}：{value!r} 不是列表")
        return origin(read(name, parts[0], one) for one in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise Unclear(f"字段 {name}：{value!r} 不是映射")
        return {read(name, parts[0], key): read(name, parts[1], one) for key, one in value.items()}
    return _record(name, wanted, value) if is_dataclass(wanted) else _plain(name, wanted, value)


def _one_of(name: str, kinds: tuple[Any, ...], value: Any) -> Any:
    empty = value is None or (value == "" and str not in kinds)
    if empty and NoneType in kinds:
        return None
    rest = [kind for kind in kinds if kind is not NoneType]
    if type(value) in rest:
        return value
    for kind in rest[:-1]:
        try:
            return read(name, kind, value)
        except Unclear:
            continue
    return read(name, rest[-1], value)


def _record(name: str, wanted: Any, value: Any) -> Any:
    """A dataclass from a mapping: its fields under the same names."""
    if not isinstance(value, Mapping):
        raise Unclear(f"字段 {name}：{value!r} 不是映射")
    kinds, own = get_type_hints(wanted), {one.name: one for one in fields(wanted)}
    strange = [key for key in value if key not in own]
    if strange:
        raise Unclear(f"字段 {name}：没有名为 {strange[0]} 的项{nearest(str(strange[0]), own)}")
    for key, one in own.items():
        if key not in value and one.default is MISSING and one.default_factory is MISSING:
            raise Unclear(f"字段 {name}：缺少 {key}")
    return wanted(**{key: read(f"{name}.{key}", kinds[key], one) for key, one in value.items()})


def _plain(name: str, wanted: Any, value: Any) -> Any:
    if wanted is Fen:
        return fen(name, value)
    if wanted is datetime:
        return instant(name, value)
    if wanted is date:
        return instant(name, value).date() if isinstance(value, str) else _refuse(name, value, "日期")
    if wanted is time:
        return _time(name, value)
    if wanted in (Fraction, Decimal) and isinstance(value, str) and (match := _EXACT.fullmatch(value)):
        return wanted(number(name, Decimal(match[1]) / (100 if match[2] else 1)))
    if wanted in (int, float, Fraction, Decimal):
        return _counted(name, wanted, number(name, value))
    if wanted in (bool, str):
        return (
            value if type(value) is wanted else _refuse(name, value, "是非值" if wanted is bool else "文本")
        )
    raise AssertionError(f"formulas cannot take {wanted} ({name})")


def _refuse(name: str, value: Any, kind: str) -> Any:
    raise Unclear(f"字段 {name}：{value!r} 不是{kind}")


def _counted(name: str, wanted: Any, value: int | float | Decimal) -> Any:
    if wanted is int and value != int(value):
        raise Unclear(f"字段 {name}：{value} 不是整数")
    return wanted(str(value)) if wanted in (Fraction, Decimal) else wanted(value)


def _time(name: str, value: Any) -> time:
    """'HH:MM' or 'HH:MM:SS'."""
    match = _CLOCK.fullmatch(str(value))
    if match is None or match[1] == "24":
        raise Unclear(f"字段 {name}：{value!r} 不是 HH:MM 的时刻")
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def fen(name: str, value: Any) -> int:
    """Yuan as given to fen. Raises Unclear."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    found = None if isinstance(value, bool) else fen_from_yuan(text)
    if found is None:
        raise Unclear(f"字段 {name}：{value} 不是以元计、最多两位小数的金额")
    return found


def number(name: str, value: Any) -> int | float | Decimal:
    """A finite number of sensible size, perhaps written as text. Raises Unclear."""
    if isinstance(value, str) and (match := _EXACT.fullmatch(value)) and not match[2]:
        value = Decimal(value)
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unclear(f"字段 {name}：{value!r} 不是数字")
    if not -NUMBER_MAX <= value <= NUMBER_MAX:
        raise Unclear(f"字段 {name}：{value} 超出 ±{NUMBER_MAX}")
    return value


def instant(name: str, value: Any) -> datetime:
    """Raises Unclear."""
    found = value if isinstance(value, datetime) else moment(value) if isinstance(value, str) else None
    if found is None:
        raise Unclear(f"字段 {name}：{value!r} 不是时间，请写成 2017-11-11T09:00:00")
    if found.year not in YEARS:
        raise Unclear(f"字段 {name}：{value} 不在 {YEARS[0]} 到 {YEARS[-1]} 年之间")
    return found


def shown(value: Any, kind: Any = None) -> Any:
    """For JSON: money (`Fen`) in yuan, moments as Shanghai time without offset, fractions as numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        kinds = get_type_hints(type(value))
        return {one.name: shown(getattr(value, one.name), kinds[one.name]) for one in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).replace(tzinfo=None).isoformat()
    if isinstance(value, Mapping):
        return {key: shown(one, _of(kind, 1)) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [shown(one, _of(kind, 0)) for one in value]
    if value is not None and (kind is Fen or Fen in get_args(kind)):
        return in_yuan(value)
    if isinstance(value, (Fraction, Decimal)):
        return int(value) if value == int(value) else float(value)
    return value.isoformat() if isinstance(value, (date, time)) else value


def _of(kind: Any, position: int) -> Any:
    parts = get_args(kind)
    return parts[position] if len(parts) > position else None


def in_yuan(amount_fen: int) -> int | float:
    """1250 → 12.5, 1200 → 12."""
    return amount_fen // 100 if amount_fen % 100 == 0 else float(yuan(amount_fen))
