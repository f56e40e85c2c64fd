"""The shop's values of the settings that rules read, as a form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from aftersale.core.expression import Knob, Value, walk
from aftersale.core.facts import RulebookError
from aftersale.core.money import yuan_text
from aftersale.core.rulebook import Book, Rule, Setting
from aftersale.people import words
from aftersale.people.jobs.saying import worded
from aftersale.publishing.edits import Edit
from aftersale.rulebooks.editing.blocks import flow
from aftersale.rulebooks.told import told_value


@dataclass(frozen=True, slots=True)
class Threshold:
    """`text`: what the draft would have; empty where the default holds. `now`: what decides today.
    `readers`: the names and titles of rules; `options`: values with their words."""

    name: str
    title: str
    kind: str
    unit: str
    text: str
    now: str
    usual: str
    readers: tuple[tuple[str, str], ...]
    changed: bool
    options: tuple[tuple[str, str], ...]


def thresholds(book: Book, own: Mapping[str, Any], edit: Edit) -> tuple[Threshold, ...]:
    readers = {rule.name: _knobs(rule) for rule in book.rules}
    return tuple(
        _threshold(
            one,
            own,
            edit,
            tuple((rule.name, _titled(rule)) for rule in book.rules if one.name in readers[rule.name]),
        )
        for one in book.settings.values()
    )


def _threshold(
    one: Setting, own: Mapping[str, Any], edit: Edit, readers: tuple[tuple[str, str], ...]
) -> Threshold:
    drafted = edit.values[one.name] if one.name in edit.values else own.get(one.name)
    kind = one.type.kind
    unit = {"fen": _("元"), "hours": _("小时"), "minutes": _("分钟"), "days": _("天")}.get(kind, "")
    codes = sorted(one.type.values) if kind == "enum" else ("true", "false") if kind == "bool" else ()
    options = tuple((code, _said(one, code)) for code in codes)
    usual = _said(one, written(kind, one.default))
    return Threshold(
        one.name, title_of(one), kind, unit, written(kind, drafted), written(kind, own.get(one.name)), usual,
        readers, one.name in edit.values, options,
    )  # fmt: skip


def written(kind: str, value: Value | None) -> str:
    """As people type it; empty where nothing is said."""
    if value is None:
        return ""
    if kind == "fen" and isinstance(value, int):
        return yuan_text(value).removeprefix("¥").replace(",", "")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else flow(value)


def title_of(setting: Setting) -> str:
    """In the language of the page."""
    return setting.title if words.language() == "zh" else setting.title_en


def shown_value(setting: Setting, value: Any) -> str:
    """With its unit, for people to read."""
    if setting.type.kind == "fen" and isinstance(value, int):
        return yuan_text(value)
    return _said(setting, written(setting.type.kind, value))


def _said(setting: Setting, text: str) -> str:
    if setting.type.kind == "bool":
        return {"true": _("是"), "false": _("否")}.get(text, text)
    return words.word(setting.name, text) if setting.type.kind == "enum" and text else text


def _titled(rule: Rule) -> str:
    return rule.title if words.language() == "zh" else rule.title_en


def asked_values(book: Book | None, edit: Edit, form: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The draft's values with those of the form; why not, where one cannot be read. Only what differs is kept."""
    values = dict(edit.values)
    if book is None:
        return values, ""
    for name, setting in book.settings.items():
        text, before = form.get(f"value-{name}"), form.get(f"was-{name}")
        if text is None or text.strip() == before:
            continue
        try:
            values[name] = told_value(book, setting, text.strip()) if text.strip() else None
        except RulebookError as error:
            return values, _("%(setting)s：%(why)s") % {
                "setting": title_of(setting),
                "why": worded(error.why),
            }
        if isinstance(values[name], tuple):
            values[name] = list(values[name])
    return values, ""


def _knobs(rule: Rule) -> set[str]:
    nodes = [rule.when, *(one for one in rule.then.values() if hasattr(one, "__dataclass_fields__"))]
    return {part.name for node in nodes for part in walk(node) if isinstance(part, Knob)}  # type: ignore[arg-type]
