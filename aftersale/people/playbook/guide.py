"""What a step of a playbook asks and writes down (playbook_steps.yaml), and answers of people as facts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from aftersale.core.expression import Value
from aftersale.core.facts import Fact, read_yaml
from aftersale.core.money import fen_from_yuan
from aftersale.people import words
from aftersale.rulebooks import books

SHANGHAI = ZoneInfo("Asia/Shanghai")
TEXT_MAX = 80
TITLED = ("next_step", "first", "action", "options", "next")


@dataclass(frozen=True, slots=True)
class Step:
    """`evidence`: the kind of evidence by which it is done; `repeats`: it comes again after it was done."""

    sets: Mapping[str, object] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    script: str | None = None
    evidence: str | None = None
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """A fact that is answered with a step. `options`: value and title; without them it is written."""

    name: str
    title: str
    kind: str
    options: tuple[tuple[str, str], ...]


@cache
def _steps() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    found = read_yaml(books.text("playbook_steps.yaml"), "playbook_steps")
    return found["steps"], found["choices"]


def step_of(code: str, issue: str | None) -> Step:
    """A step that the file does not name asks nothing and is done when people say so."""
    entry = dict(_steps()[0].get(code, {}))
    entry |= entry.pop("again", {}).get(issue, {})
    return Step(**{**entry, "asks": tuple(entry.get("asks", ()))})


def step_title(code: str) -> str:
    """The step in words, whichever outcome of a book it is."""
    titles = (words.word(key, code) for key in TITLED)
    return next((title for title in titles if title != code), code)


def facts_of(book: str) -> Mapping[str, Fact]:
    return books.book(book).catalogue.facts


def ask_of(name: str, book: str) -> Ask | None:
    """None: the book's catalogue has no such fact."""
    fact = facts_of(book).get(name)
    if fact is None:
        return None
    title = fact.title if words.language() == "zh" else fact.title_en
    return Ask(name, title, fact.type.kind, _options(fact))


def _options(fact: Fact) -> tuple[tuple[str, str], ...]:
    if fact.type.kind == "bool":
        return (("True", words.answer(fact.name, "True")), ("False", words.answer(fact.name, "False")))
    if fact.type.values:
        return tuple((value, words.word(fact.name, value)) for value in fact.type.values)
    chosen = _steps()[1].get(fact.name)
    return tuple(_choice(chosen["book"], name) for name in chosen["settings"]) if chosen else ()


def _choice(book: str, setting: str) -> tuple[str, str]:
    """The first value of a setting's list stands for all of them."""
    one = books.book(book).settings[setting]
    assert isinstance(one.default, tuple)
    return str(one.default[0]), one.title if words.language() == "zh" else one.title_en


def answer(fact: Fact, text: str) -> Value | None:
    """What somebody wrote as a fact's value; None when it is empty or no such value."""
    said = text.strip()
    options = [value for value, _title in _options(fact)]
    if options and said not in options:
        return None
    match fact.type.kind:
        case "bool":
            return said == "True"
        case "fen":
            fen = fen_from_yuan(said)
            return fen if fen is not None and fen >= 0 else None
        case "timestamptz":
            return local_moment(said)
        case "int" | "days" | "hours":
            return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else None
    return said[:TEXT_MAX] or None


def local_moment(text: str) -> datetime | None:
    """'2026-11-12T18:00' as people of the shop mean it."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)
