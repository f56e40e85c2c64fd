"""work_order_templates.yaml, checked when it is read."""

from collections.abc import Collection, Mapping
from dataclasses import MISSING
from functools import cache
from typing import Any, get_args

from aftersale.core.facts import RulebookError, check_keys, check_name, read_yaml
from aftersale.core.language.grammar import nearest
from aftersale.core.workorders.template import Choice, Department, Field, Kind, Step, Template
from aftersale.rulebooks import books

FILE = "work_order_templates"
PREFILLS = ("tracking_no", "return_tracking_no", "item_value_fen", "title")
HOURS_MAX = 720
ROLES = ("agent", "lead", "finance", "warehouse", "owner", "helper")


@cache
def departments() -> Mapping[str, Department]:
    """By code, in the order of the page."""
    return _known()[0]


@cache
def templates() -> Mapping[str, Template]:
    """By code, in the order of the page."""
    return _known()[1]


@cache
def _known() -> tuple[Mapping[str, Department], Mapping[str, Template]]:
    return parse(books.text(f"{FILE}.yaml"))


def parse(written: str) -> tuple[Mapping[str, Department], Mapping[str, Template]]:
    """Departments and templates of a file's text. Raises RulebookError naming the place."""
    data = read_yaml(written, FILE)
    check_keys(FILE, None, data, ("departments", "templates"), ("departments", "templates"))
    rooms = [_department(one) for one in _list("departments", data["departments"])]
    known = _by_code("departments", rooms)
    found = [_template(one, known) for one in _list("templates", data["templates"])]
    return known, _by_code("templates", found)


def _department(entry: Any) -> Department:
    _checked("departments", entry, Department)
    roles = tuple(map(str, _list("roles", entry["roles"])))
    for role in roles:
        _among(entry["code"], "roles", role, ROLES)
    return Department(entry["code"], entry["title"], entry["title_en"], roles)


def _template(entry: Any, rooms: Mapping[str, Department]) -> Template:
    _checked("templates", entry, Template)
    code = entry["code"]
    stages = tuple(
        tuple(_step(code, one, rooms) for one in _list(f"{code}.stages", stage))
        for stage in _list(f"{code}.stages", entry["stages"])
    )
    steps = [step for stage in stages for step in stage]
    _by_code(f"{code}.stages", steps)
    flags = {name: entry.get(name) is True for name in ("urgent", "important")}
    return Template(
        code, entry["title"], entry["title_en"], _fields(code, entry.get("fields", [])), stages, **flags
    )


def _step(template: str, entry: Any, rooms: Mapping[str, Department]) -> Step:
    _checked(template, entry, Step)
    place = f"{template}.{entry['code']}"
    _among(place, "department", entry["department"], rooms)
    hours = entry["hours"]
    if type(hours) is not int or not 0 < hours <= HOURS_MAX:
        raise RulebookError(FILE, place, "hours", f"应当是 1 到 {HOURS_MAX} 的整数")
    fields = _fields(place, entry.get("fields", []))
    return Step(entry["code"], entry["title"], entry["title_en"], entry["department"], hours, fields)


def _fields(place: str, entries: Any) -> tuple[Field, ...]:
    found = [_field(place, one) for one in (_list(place, entries) if entries else ())]
    names = [one.name for one in found]
    if len(set(names)) < len(names):
        raise RulebookError(FILE, place, "fields", "同名的项出现了两次")
    return tuple(found)


def _field(place: str, entry: Any) -> Field:
    check_keys(FILE, place, entry, tuple(Field.__dataclass_fields__), ("name", "title", "title_en"))
    check_name(FILE, entry["name"])
    where, kind = f"{place}.{entry['name']}", entry.get("kind", "text")
    _among(where, "kind", kind, get_args(Kind))
    choices = tuple(_choice(where, one) for one in entry.get("choices", ()))
    if (kind == "choice") != bool(choices):
        raise RulebookError(FILE, where, "choices", "选择项要有选项，别的项没有选项")
    prefill = entry.get("prefill")
    if prefill is not None:
        _among(where, "prefill", prefill, PREFILLS)
    required = entry.get("required", False) is True
    return Field(entry["name"], entry["title"], entry["title_en"], kind, required, choices, prefill)


def _choice(where: str, entry: Any) -> Choice:
    _checked(where, entry, Choice)
    return Choice(entry["code"], entry["title"], entry["title_en"])


def _checked(place: str, entry: Any, made: type[Any]) -> None:
    fields = made.__dataclass_fields__
    needed = [key for key, one in fields.items() if one.default is MISSING and one.default_factory is MISSING]
    check_keys(FILE, place, entry, tuple(fields), [key for key in needed if key != "fields"])
    check_name(FILE, entry["code"])


def _list(place: str, found: Any) -> list[Any]:
    if not isinstance(found, list) or not found:
        raise RulebookError(FILE, place, None, "这里应当是列表，至少有一项")
    return found


def _among(place: str, key: str, value: Any, known: Collection[str]) -> None:
    if value not in known:
        raise RulebookError(FILE, place, key, f"没有名为 {value} 的项{nearest(str(value), known)}")


def _by_code(place: str, found: list[Any]) -> Mapping[str, Any]:
    known = {one.code: one for one in found}
    if len(known) < len(found):
        raise RulebookError(FILE, place, "code", "同一个代码出现了两次")
    return known
