"""Sentences with their values apart, so that a page can say them in its reader's language."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TypedDict


class Saying(TypedDict):
    """A sentence and its values as JSON holds them: texts, numbers, lists of them, names, other sentences."""

    say: str
    values: dict[str, object]


class Named(TypedDict):
    """What a book names and titles; the sentence as it was written has the name, a page the title."""

    name: str
    zh: str
    en: str


def saying(say: str, /, **values: object) -> Saying:
    return {"say": say, "values": values}


def verbatim(text: str) -> Saying:
    """A sentence that is finished already, per cent signs and all."""
    return saying(text.replace("%", "%%"))


def named(name: str, zh: str, en: str) -> Named:
    return {"name": name, "zh": zh, "en": en}


def told(say: str, values: Mapping[str, object]) -> str:
    """The sentence as it was written."""
    return say % {name: plain(value) for name, value in values.items()}


def plain(value: object) -> str:
    """A value, or a whole saying, as it was written."""
    if isinstance(value, list):
        return "、".join(map(plain, value))
    if isinstance(value, dict):
        return told(value["say"], value["values"]) if "say" in value else str(value["name"])
    return str(value)


def closest(name: str, known: Iterable[object]) -> Saying | str:
    """The end of a sentence about an unknown name: which known one is similar, if any."""
    close = get_close_matches(name, map(str, known), n=1, cutoff=0.5)
    return saying("，最近的是 %(name)s", name=close[0]) if close else ""
