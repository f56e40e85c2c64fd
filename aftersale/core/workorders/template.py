"""What a work order of one kind asks for, and who does which of its steps in which order (R-305)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from aftersale.core.money import FEN_MAX, fen_from_yuan, yuan
from aftersale.core.refusal import Refusal

Kind = Literal["text", "waybill", "number", "fen", "date", "choice"]
Given = str | int | None
TEXT_MAX, NUMBER_MAX = 500, 100_000
_WAYBILL = re.compile(r"[A-Za-z0-9-]{4,64}")


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    title: str
    title_en: str


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. `prefill`: the column of the case it is taken from."""

    name: str
    title: str
    title_en: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[Choice, ...] = ()
    prefill: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What one department does within `hours` of working time, counted from its turn."""

    code: str
    title: str
    title_en: str
    department: str
    hours: int
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Department:
    """`roles`: who of a shop works for it."""

    code: str
    title: str
    title_en: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """`stages`: one after the other; the steps of a stage run side by side."""

    code: str
    title: str
    title_en: str
    fields: tuple[Field, ...]
    stages: tuple[tuple[Step, ...], ...]
    urgent: bool = False
    important: bool = False

    @property
    def steps(self) -> dict[str, Step]:
        return {step.code: step for stage in self.stages for step in stage}


def prefilled(fields: tuple[Field, ...], known: Mapping[str, Given]) -> dict[str, str]:
    """What a case already says of a form, as a person would write it. `known`: by the names of `prefill`."""
    values = {field.name: known.get(field.prefill) for field in fields if field.prefill}
    return {name: yuan(one) if isinstance(one, int) else one or "" for name, one in values.items()}


def filled(fields: tuple[Field, ...], given: Mapping[str, str]) -> dict[str, Given] | Refusal:
    """The values as they are kept: money in fen, what is left out as None; a value that does not fit is refused."""
    found = begun(fields, given)
    if not isinstance(found, Refusal) and any(one.required and found[one.name] is None for one in fields):
        return Refusal("missing", "必填的项还没有填完")
    return found


def begun(fields: tuple[Field, ...], given: Mapping[str, str]) -> dict[str, Given] | Refusal:
    """What was filled in so far, by the same measure; what is required may still be left out."""
    found: dict[str, Given] = {}
    for field in fields:
        written = given.get(field.name, "").strip()
        value = _value(field, written) if written else None
        if written and value is None:
            return _UNFIT[field.kind]
        found[field.name] = value
    return found


def written(field: Field, value: Given) -> str:
    """A kept value as a person would write it into the form."""
    if value is None:
        return ""
    return yuan(value) if field.kind == "fen" and isinstance(value, int) else str(value)


_UNFIT: Mapping[Kind, Refusal] = {
    "text": Refusal("bad_value", "文字最多 500 个字，只能有一行"),
    "waybill": Refusal("bad_value", "运单号是 4 到 64 位字母和数字"),
    "number": Refusal("bad_value", "请写 0 到 100000 的整数"),
    "fen": Refusal("bad_value", "请写大于零的金额，最多两位小数"),
    "date": Refusal("bad_value", "日期请写成 2026-11-11"),
    "choice": Refusal("bad_value", "请从列表里选一项"),
}


def _value(field: Field, written: str) -> Given:
    if field.kind == "fen":
        amount_fen = fen_from_yuan(written) if written.isascii() else None
        return amount_fen if amount_fen is not None and 0 < amount_fen <= FEN_MAX else None
    if field.kind == "number":
        fits = written.isascii() and written.isdigit() and len(written) < 8 and int(written) <= NUMBER_MAX
        return int(written) if fits else None
    if field.kind == "date":
        return _date(written)
    if field.kind == "choice":
        return written if written in {choice.code for choice in field.choices} else None
    if field.kind == "waybill":
        return written if _WAYBILL.fullmatch(written) else None
    return written if len(written) <= TEXT_MAX and written.isprintable() else None


def _date(written: str) -> str | None:
    try:
        return date.fromisoformat(written).isoformat() if len(written) == 10 else None
    except ValueError:
        return None
