"""The rulebooks that are shipped, read once: the same objects for pipeline, pages and `ask`."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from aftersale.core.facts import Catalogue, Fact, RulebookError, check_keys, load_catalogue, read_yaml
from aftersale.core.language.grammar import nearest
from aftersale.core.language.saying import closest
from aftersale.core.rulebook import Book, Setting, parse_book, used
from aftersale.core.talk.script import Library, parse_library

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Action:
    """`intents`: what automation plans for a case without a queue; `offers`: what people may send instead.
    `person`: only people can do it; a rule that names it names a queue. `message`: what the buyer is told, the text
    of `script` in the library."""

    code: str
    title: str
    title_en: str
    money: bool
    person: bool
    intents: tuple[str, ...]
    offers: tuple[str, ...]
    script: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of the queue page."""

    code: str
    title: str
    title_en: str


@dataclass(frozen=True, slots=True)
class Queue:
    """Where cases of one kind wait for people; `tab` is the queue page's."""

    code: str
    title: str
    title_en: str
    tab: str


@dataclass(frozen=True, slots=True)
class Strategy:
    """A template as the shop sees it (R-014, R-015); `enabled`, `max_amount`, `types` and `reasons` name settings."""

    template: str
    title: str
    title_en: str
    platforms: tuple[str, ...]
    scenarios: tuple[str, ...]
    enabled: str
    max_amount: str | None = None
    types: str | None = None
    reasons: str | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What outcomes are called: `titles` by key, `books` where one means something else, `values` shared by keys."""

    titles: Mapping[str, tuple[str, str]]
    books: Mapping[str, Mapping[str, tuple[str, str]]]
    values: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A situation a strategy can be bound to (R-015), with the after-sales types it holds."""

    title: str
    codes: tuple[str, ...]
    types: tuple[str, ...]


def text(name: str) -> str:
    """A file of this package, e.g. 'refund.yaml'."""
    return files("aftersale.rulebooks").joinpath(name).read_text(encoding="utf-8")


@cache
def catalogue(name: str = "case") -> Catalogue:
    """The fact set, its values labelled for people. Raises RulebookError when its file is wrong."""
    written = text(f"facts/{name}.yaml")
    base = read_yaml(written, name).get("extends")
    found = load_catalogue(written, catalogue(str(base)) if base else None)
    return Catalogue(found.name, {one: _labelled(fact) for one, fact in found.facts.items()})


def _labelled(fact: Fact) -> Fact:
    said = titles().get(fact.name, {})
    if not said:
        return fact
    chinese, english = ({value: pair[n] for value, pair in said.items()} for n in (0, 1))
    return replace(fact, labels=chinese, labels_en=english)


@cache
def book(name: str = "refund") -> Book:
    """The shipped rulebook. Raises RulebookError when its file is wrong."""
    return parse(text(f"{name}.yaml"))


def parse(written: str) -> Book:
    """A rulebook's text with its fact set and the settings it uses of shipped books. Raises RulebookError."""
    data = read_yaml(written, "?")
    facts, known = data.get("facts"), fact_sets()
    if facts is not None and facts not in known:
        near, say = closest(str(facts), known), "没有名为 %(name)s 的事实目录%(nearest)s"
        raise RulebookError(str(data.get("book")), None, "facts", say, name=str(facts), nearest=near)
    return parse_book(written, catalogue(str(facts or "case")), lent(used(written)))


@cache
def borrowed(name: str) -> Mapping[str, tuple[str, ...]]:
    """Other book → the settings that a shipped book uses of it."""
    return used(text(f"{name}.yaml"))


@cache
def fact_sets() -> tuple[str, ...]:
    """The names of all fact sets, in alphabetical order."""
    folder = files("aftersale.rulebooks").joinpath("facts")
    return tuple(sorted(one.name.removesuffix(".yaml") for one in folder.iterdir()))


def lent(uses: Mapping[str, tuple[str, ...]]) -> dict[str, Setting]:
    """The settings named of other shipped books. Raises RulebookError."""
    found: dict[str, Setting] = {}
    for other, names in uses.items():
        if other not in shipped():
            near, say = closest(other, shipped()), "没有名为 %(name)s 的规则书%(nearest)s"
            raise RulebookError(other, None, "uses", say, name=other, nearest=near)
        for name in names:
            if name not in book(other).settings:
                near, say = (
                    closest(name, book(other).settings),
                    "规则书 %(book)s 没有设置 %(name)s%(nearest)s",
                )
                raise RulebookError(other, None, "uses", say, book=other, name=name, nearest=near)
            found[name] = book(other).settings[name]
    return found


@cache
def shipped() -> tuple[str, ...]:
    """The names of all rulebooks, in alphabetical order."""
    folder = files("aftersale.rulebooks")
    names = (one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))
    return tuple(sorted(name for name in names if text(f"{name}.yaml").find("\nhit: ") >= 0))


@cache
def actions() -> Mapping[str, Action]:
    """By code, each message as the script library has it."""
    return {entry["code"]: _spoken(Action(**entry)) for entry in _entries("actions", "actions", Action)}


def _spoken(action: Action) -> Action:
    if action.script is None:
        return action
    if action.script not in scripts().scripts:
        reason = f"没有名为 {action.script} 的话术{nearest(action.script, scripts().scripts)}"
        raise RulebookError("actions", action.code, "script", reason)
    return replace(action, message=scripts().scripts[action.script].variants[0].text)


@cache
def scripts() -> Library:
    """The script library. Raises RulebookError when its file is wrong."""
    return parse_library(text("scripts.yaml"))


@cache
def queues() -> Mapping[str, Queue]:
    """By code, in the order of the page."""
    return {entry["code"]: Queue(**entry) for entry in _entries("actions", "queues", Queue)}


@cache
def tabs() -> tuple[Tab, ...]:
    """In the order of the page; the tab of all queues is the page's own."""
    return tuple(Tab(**entry) for entry in _entries("actions", "tabs", Tab))


@cache
def strategies() -> tuple[Strategy, ...]:
    """A template of several platforms appears once for each scope."""
    return tuple(Strategy(**entry) for entry in _entries("strategies", "strategies", Strategy))


@cache
def templates() -> Mapping[str, Strategy]:
    """By template; one of several platforms has one title."""
    return {one.template: one for one in strategies()}


@cache
def scenarios() -> tuple[Scenario, ...]:
    return tuple(Scenario(**entry) for entry in _entries("strategies", "scenarios", Scenario))


@cache
def titles() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Per fact or outcome key: value → (Chinese, English)."""
    found = read_yaml(text("enums.yaml"), "enums")
    return {key: _pairs(values) for key, values in found.items()}


def title(key: str, value: str, language: Language = "zh") -> str:
    """The title of a fact's or outcome's value; a value without one is its own title."""
    found = (_titled(one, value) for one in (key, *outputs().values.get(key, ())))
    pair = next((one for one in found if one is not None), (value, value))
    return pair[language == "en"]


def _titled(key: str, value: str) -> tuple[str, str] | None:
    """(Chinese, English) by the names of this key alone."""
    kinds: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "action": actions,
        "queue": queues,
        "script": lambda: scripts().scripts,
        "strategy": templates,
    }
    coded = kinds[key]().get(value) if key in kinds else None
    return titles().get(key, {}).get(value) if coded is None else (str(coded.title), str(coded.title_en))


@cache
def outputs() -> Outputs:
    """Raises RulebookError when its file is wrong."""
    found = read_yaml(text("outputs.yaml"), "outputs")
    check_keys("outputs", None, found, ("titles", "books", "values"), ("titles", "books", "values"))
    own = {book: _pairs(keys) for book, keys in found["books"].items()}
    return Outputs(_pairs(found["titles"]), own, {key: tuple(one) for key, one in found["values"].items()})


def _pairs(written: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {key: (zh, en) for key, (zh, en) in written.items()}


def output(book: str, key: str, language: Language = "zh") -> str:
    """The title of an outcome's key in a book; a key without one is its own title."""
    pair = outputs().books.get(book, {}).get(key) or outputs().titles.get(key, (key, key))
    return pair[language == "en"]


def _entries(name: str, part: str, made: type[Any]) -> list[dict[str, Any]]:
    """The entries of one list of a data file, checked, with lists as tuples. Raises RulebookError."""
    fields = made.__dataclass_fields__
    needed = [key for key, field in fields.items() if field.default is MISSING]
    found = read_yaml(text(f"{name}.yaml"), name).get(part)
    if not isinstance(found, list):
        raise RulebookError(name, None, part, "这里应当是列表")
    for entry in found:
        check_keys(name, part, entry, tuple(fields), needed)
    return [
        {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
        for entry in found
    ]
