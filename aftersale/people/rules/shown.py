"""Rules in words: conditions and outcomes as sentences, with what each rule did lately."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.core.cache import caches
from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.rows import read
from aftersale.core.expression import Knob, Lit
from aftersale.core.facts import RulebookError
from aftersale.core.language.wording import Language, Wording
from aftersale.core.look import environment
from aftersale.core.rulebook import Book, Const, Output, Rule, resolve_settings
from aftersale.people import words
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.difference import pays

SQL = queries("aftersale.people.rules", "rules.sql")
DAYS, FRESH_S = 30, 300
SHOWN_FIRST = ("action", "queue", "amount")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one rule in the last DAYS days."""

    rule: str
    cases: int
    paid_fen: int
    disputes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line of what follows; `key` as the book writes it."""

    key: str
    title: str
    value: str


@dataclass(frozen=True, slots=True)
class Told:
    """A rule as people read it; `pays`: automation sends money by it."""

    no: int
    name: str
    title: str
    conditions: tuple[str, ...]
    outcome: tuple[Outcome, ...]
    queue: str | None
    pays: bool
    requirement: str


def figures(shops: Collection[Shop], now: datetime) -> Mapping[str, Figures]:
    """By rule; as of the last minutes."""
    ids = sorted(shop.id for shop in shops)
    key = f"rules:{','.join(map(str, ids))}"
    found: dict[str, Figures] | None = caches["process"].get(key)
    if found is None:
        rows = read(Figures, SQL["figures"], {"shop_ids": ids, "since": now - timedelta(days=DAYS)})
        found = {row.rule: row for row in rows}
        caches["process"].set(key, found, FRESH_S)
    return found


@lru_cache(maxsize=64)
def parsed(text: str) -> Book | None:
    """None while the text cannot be read."""
    try:
        return books.parse(text)
    except RulebookError:
        return None


def told(book: Book) -> tuple[Told, ...]:
    return _told(book.version, words.language(), _Kept(book))


@dataclass(frozen=True, slots=True)
class _Kept:
    """A book that the cache knows by its version alone."""

    book: Book

    def __hash__(self) -> int:
        return hash(self.book.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept) and other.book.version == self.book.version


@lru_cache(maxsize=64)
def _told(_version: str, language: Language, kept: _Kept) -> tuple[Told, ...]:
    book = kept.book
    env = environment(book, {}, resolve_settings(book, {}), datetime(2026, 1, 1, tzinfo=UTC))
    wording = Wording(book, env, language, general=True)
    return tuple(_rule(no, rule, wording) for no, rule in enumerate(book.rules, 1))


def _rule(no: int, rule: Rule, wording: Wording) -> Told:
    keys = [
        *(key for key in SHOWN_FIRST if key in rule.then),
        *(key for key in rule.then if key not in SHOWN_FIRST),
    ]
    outcome = tuple(_outcome(key, rule.then[key], wording) for key in keys)
    queue = getattr(rule.then.get("queue"), "value", None)
    conditions = tuple(wording.text(part) for part in rule.conjuncts)
    return Told(
        no, rule.name, wording.title(rule), conditions, outcome, queue, pays(rule.then), rule.requirement
    )


def _outcome(key: str, output: Output, wording: Wording) -> Outcome:
    return Outcome(key, _key(key, wording), _output(key, output, wording))


def _key(key: str, wording: Wording) -> str:
    return books.output(wording.book.name, key, wording.language)


def _output(key: str, output: Output, wording: Wording) -> str:
    if isinstance(output, (Lit, Const)):
        return _value(key, output.value, wording)
    if isinstance(output, Knob) and wording.book.settings[output.name].type.kind in ("enum", "list"):
        told = _value(output.name, wording.env.settings[output.name], wording)
        return f"{wording.title(wording.book.settings[output.name])} {told}"
    return str(wording.side(output, None))


def _value(key: str, value: object, wording: Wording) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, (list, tuple)):
        return _("、").join(_value(key, one, wording) for one in value) or "—"
    if isinstance(value, dict):
        told = (
            {"key": _key(part, wording), "value": _value(part, one, wording)} for part, one in value.items()
        )
        return _("、").join(_("%(key)s：%(value)s") % one for one in told)
    if isinstance(value, str):
        return words.word(key, value)
    kind = wording.book.outputs[key].kind if key in wording.book.outputs else None
    return wording.show(value, kind)  # type: ignore[arg-type]
