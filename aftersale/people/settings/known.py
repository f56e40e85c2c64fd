"""Every setting of the books: default, the shop's own value, the rules that read it."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.rows import first, read
from aftersale.core.expression import Knob, Value, walk
from aftersale.core.language.wording import Wording, bare
from aftersale.core.look import environment
from aftersale.core.rulebook import Book, Const, Rule, Setting, resolve_settings, setting_value
from aftersale.people import words
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.books import Language
from aftersale.rulebooks.documentation import own_book

SQL = queries("aftersale.people.settings", "settings.sql")


@dataclass(frozen=True, slots=True)
class Own:
    settings: str
    platform: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Values as JSON; None: the default."""

    name: str
    before: str | None
    after: str | None
    by_whom: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reader:
    """A rule that reads a setting."""

    book: str
    rule: str
    zh: str
    en: str

    @property
    def title(self) -> str:
        return self.zh if words.language() == "zh" else self.en

    @property
    def book_title(self) -> str:
        book = books.book(self.book)
        return book.title if words.language() == "zh" else book.title_en


@dataclass(frozen=True, slots=True)
class Line:
    """A setting as the shop has it; texts in the language of the page."""

    book: str
    setting: Setting
    title: str
    usual: str
    own: str | None
    readers: tuple[Reader, ...]
    changed: Changed | None


def own_of(shop: Shop) -> dict[str, Value]:
    """The shop's own values, as they count."""
    found = first(Own, SQL["own"], {"shop_id": shop.id})
    given = json.loads(found.settings) if found else {}
    known = {name: books.book(book).settings[name] for name, (book, _readers) in index().items()}
    return {
        name: known[name].counted(setting_value(known[name].type.kind, value))
        for name, value in given.items()
        if name in known
    }


def lines_of(shop: Shop) -> list[Line]:
    """Every setting, by book."""
    own = own_of(shop)
    changed = {one.name: one for one in read(Changed, SQL["changed"], {"shop_id": shop.id})}
    return [_line(shop, name, own, changed) for name in index()]


def line_of(shop: Shop, name: str) -> Line | None:
    """None for a name that no book knows."""
    if name not in index():
        return None
    history = history_of(shop, name)
    return _line(shop, name, own_of(shop), {name: history[0]} if history else {})


def history_of(shop: Shop, name: str) -> list[Changed]:
    """The newest change first."""
    return read(Changed, SQL["history"], {"shop_id": shop.id, "name": name})


@cache
def index() -> Mapping[str, tuple[str, tuple[Reader, ...]]]:
    """Setting → the book that owns it, the rules of all books that read it."""
    names = {name: own_book(name) for book in books.shipped() for name in books.book(book).settings}
    readers: dict[str, list[Reader]] = {name: [] for name in names}
    for code in books.shipped():
        for rule in books.book(code).rules:
            for knob in _knobs(rule):
                readers[knob].append(Reader(code, rule.name, rule.title, rule.title_en))
    order = sorted(names, key=lambda name: (names[name], list(books.book(names[name]).settings).index(name)))
    return {name: (names[name], tuple(readers[name])) for name in order}


def shown(book: Book, setting: Setting, value: Value | None) -> str:
    """A value with its unit; codes in the words of the book of actions or of the first fact that knows them all."""
    if setting.type.kind in ("list", "enum"):
        codes = value if isinstance(value, tuple) else (value,) if value else ()
        value = tuple(titles_of(tuple(map(str, codes))))
    text = _wording(book.name, words.language()).show(value, setting.type.kind, setting.unit)
    return _units().get(setting.unit or "", "%(n)s") % {"n": text} if bare(setting) else text


def _units() -> dict[str, str]:
    return {
        "%": "%(n)s%%",
        "h": _("%(n)s 小时"),
        "min": _("%(n)s 分钟"),
        "s": _("%(n)s 秒"),
        "g": _("%(n)s 克"),
        "bytes": _("%(n)s 字节"),
        "characters": _("%(n)s 个字"),
    }


def titles_of(codes: tuple[str, ...]) -> tuple[str, ...]:
    """In words as far as they are known."""
    known = _knowing(codes)
    return tuple(known.get(code, code) for code in codes)


def choices_of(codes: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Codes with their words, in the order of the fact that knows them."""
    known, some = _knowing(tuple(codes)), set(codes)
    return tuple(
        (code, known.get(code, code)) for code in (*known, *sorted(some - set(known))) if code in some
    )


def _knowing(codes: tuple[str, ...]) -> Mapping[str, str]:
    known = books.titles()
    for name in ("role", "reason", "aftersale_type", *known):
        if codes and set(codes) <= set(known.get(name, ())):
            return {code: words.word(name, code) for code in known[name]}
    return {code: words.word("action", code) for code in codes if set(codes) <= set(books.actions())}


@cache
def _wording(code: str, language: Language) -> Wording:
    book = books.book(code)
    env = environment(book, {}, resolve_settings(book, {}), datetime.fromtimestamp(0, UTC))
    return Wording(book, env, language, general=True)


def _line(shop: Shop, name: str, own: Mapping[str, Value], changed: Mapping[str, Changed]) -> Line:
    code, readers = index()[name]
    book = books.book(code)
    setting = book.settings[name]
    title = setting.title if words.language() == "zh" else setting.title_en
    mine = shown(book, setting, own[name]) if own.get(name) is not None else None
    usual = shown(book, setting, setting.usual(shop.platform))
    return Line(code, setting, title, usual, mine, readers, changed.get(name))


def _knobs(rule: Rule) -> set[str]:
    outputs = [one for one in rule.then.values() if not isinstance(one, Const)]
    return {part.name for node in (rule.when, *outputs) for part in walk(node) if isinstance(part, Knob)}
