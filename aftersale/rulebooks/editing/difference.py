"""What one version of a book says differently from another, rule by rule, and whether that can move money."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aftersale.core.expression import Knob, Lit, Value, walk
from aftersale.core.facts import read_yaml
from aftersale.core.rulebook import Book, Const, Output, Setting
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.blocks import flow

What = Literal["added", "removed", "changed", "moved"]
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One key of a rule or setting; None: it is not said."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One rule, setting or value of a shop. `title` as it is afterwards."""

    kind: Literal["rule", "setting", "value", "book"]
    what: What
    name: str
    title: str
    lines: tuple[Line, ...]
    title_en: str = ""


def changes(before: str, after: str, values: tuple[Said, Said] = ({}, {})) -> tuple[Change, ...]:
    """Of two texts that can be read, and of the shop's own values of settings beside them. Raises RulebookError."""
    old, new = read_yaml(before, "?"), read_yaml(after, "?")
    heads = [
        {key: data.get(key) for key in (*data,) if key not in ("rules", "settings")} for data in (old, new)
    ]
    head = _lines(heads[0], heads[1])
    titles = {
        str(one["name"]): str(one["title"]) for data in (old, new) for one in data.get("settings") or ()
    }
    own = [
        Change("value", "changed", line.key, titles.get(line.key, line.key), (line,))
        for line in _lines(values[0], values[1])
    ]
    return (
        *([Change("book", "changed", *_named(new, "book"), head, _english(new, "book"))] if head else []),
        *own,
        *_listed("setting", old.get("settings") or [], new.get("settings") or []),
        *_listed("rule", old["rules"], new["rules"]),
    )


def _listed(kind: Literal["rule", "setting"], old: list[Said], new: list[Said]) -> Iterator[Change]:
    befores, afters = ({str(one["name"]): one for one in side} for side in (old, new))
    stayed = _in_order([n for n in befores if n in afters], [n for n in afters if n in befores])
    for name, one in afters.items():
        was = befores.get(name)
        lines = _lines(was or {}, one)
        what: What = "added" if was is None else "changed" if lines else "moved"
        if lines or (kind == "rule" and was is not None and name not in stayed):
            yield Change(kind, what, *_named(one), lines, _english(one))
    for one in (befores[name] for name in befores if name not in afters):
        yield Change(kind, "removed", *_named(one), _lines(one, {}), _english(one))


def _named(one: Said, key: str = "name") -> tuple[str, str]:
    return str(one.get(key)), str(one.get("title"))


def _english(one: Said, key: str = "name") -> str:
    return str(one.get("title_en") or one.get(key))


def _in_order(old: list[str], new: list[str]) -> set[str]:
    """The longest part of the names that kept its order: only the others have moved."""
    place = {name: n for n, name in enumerate(old)}
    best: list[list[str]] = []
    for name in new:
        ahead = [one for one in best if place[one[-1]] < place[name]]
        best.append([*_longest(ahead), name])
    return set(_longest(best))


def _longest(found: list[list[str]]) -> list[str]:
    return max(found, key=len) if found else []


def _lines(before: Said, after: Said) -> tuple[Line, ...]:
    keys = [*before, *(key for key in after if key not in before)]
    told = ((key, _told(before, key), _told(after, key)) for key in keys)
    return tuple(Line(key, was, now) for key, was, now in told if was != now)


def _told(side: Said, key: str) -> str | None:
    if key not in side:
        return None
    text = side[key] if isinstance(side[key], str) else flow(side[key])
    return " ".join(str(text).split())


def may_move_money(old: Book, new: Book, own: tuple[Said, Said]) -> bool:
    """Whether a case might be paid otherwise; no only where that is certain.

    The first rule that holds decides, so whatever stands before the last paying rule counts, with every setting
    that is read there.
    """
    return _paying(old, own[0]) != _paying(new, own[1])


def _paying(book: Book, own: Said) -> list[object]:
    thens = [(rule.when, rule.then) for rule in book.rules]
    last = max((n for n, (_, then) in enumerate(thens, 1) if pays(then)), default=0)
    if pays(book.otherwise):
        thens, last = [*thens, (Lit(True), book.otherwise)], len(thens) + 1
    found: list[object] = []
    for when, then in thens[:last]:
        amount = then.get("amount") if pays(then) else None
        read = [one for one in (when, amount) if one is not None and not isinstance(one, Const)]
        knobs = {part.name for node in read for part in walk(node) if isinstance(part, Knob)}
        values = {name: _value(book.settings[name], own) for name in sorted(knobs)}
        found.append((when, pays(then), amount, repr(then.get("first")) if pays(then) else "", values))
    return found


def _value(setting: Setting, own: Said) -> tuple[Value, tuple[tuple[str, Value], ...]]:
    value = own.get(setting.name)
    told = setting.default if value is None else tuple(value) if isinstance(value, list) else value
    return told, () if value is not None else tuple(sorted(setting.by_platform.items()))


def pays(then: Mapping[str, Output]) -> bool:
    """Whether automation sends money for a case that this outcome decides."""
    action, queue = (getattr(then.get(key), "value", None) for key in ("action", "queue"))
    first = getattr(then.get("first"), "value", None) or ()
    codes = [code for code in (action, *first) if code in books.actions()]
    return queue is None and any(
        books.actions()[code].money or "agree_refund" in books.actions()[code].intents for code in codes
    )
