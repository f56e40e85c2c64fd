"""The script library (R-293, R-294, annex 4): scripts with placeholders, filled from a case."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aftersale.core.facts import RulebookError, check_keys, read_yaml

_PLACE = re.compile(r"\{([a-z_]+)\}")
_KEYS = {"groups", "placeholders", "scripts", "guides", "topics", "blocked"}
_SCRIPT_KEYS = {
    "code", "title", "title_en", "group", "seed", "when", "when_en", "must", "requirement", "variants",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """One wording with its English gloss."""

    text: str
    gloss: str

    @property
    def placeholders(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(_PLACE.findall(self.text)))


@dataclass(frozen=True, slots=True)
class Script:
    """`must`: the parts that every variant holds; `seed`: a reference script that every shop starts with."""

    code: str
    title: str
    title_en: str
    group: str
    when: str
    when_en: str
    must: tuple[str, ...]
    requirement: str
    variants: tuple[Variant, ...]
    seed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A group of quick replies; `starts_empty`: without templates, the agent's own."""

    code: str
    title: str
    title_en: str
    starts_empty: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A placeholder; `example` is shown while its value is not known."""

    title: str
    title_en: str
    example: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What a question is about: any of `words`, without words everything; `plan`: steps to take."""

    script: str
    plan: tuple[str, ...]
    words: tuple[str, ...] = ()
    phase: str | None = None


@dataclass(frozen=True)
class Library:
    scripts: Mapping[str, Script]
    groups: tuple[Group, ...]
    placeholders: Mapping[str, Place]
    guides: Mapping[str, str]
    topics: tuple[Topic, ...]
    blocked: Mapping[str, tuple[str, ...]]

    @property
    def seeds(self) -> tuple[str, ...]:
        return tuple(code for code, one in self.scripts.items() if one.seed)

    def in_group(self, code: str) -> tuple[Script, ...]:
        return tuple(one for one in self.scripts.values() if one.group == code)


@dataclass(frozen=True, slots=True)
class Filled:
    """`text` is None while a placeholder is missing: an unfinished sentence is never sent."""

    text: str | None
    missing: tuple[str, ...]


def fill(script: Script, values: Mapping[str, str | None], variant: int = 0) -> Filled:
    """The text with the case's values, or the placeholders that have none (empty text is none)."""
    wording = script.variants[variant % len(script.variants)]
    missing = tuple(name for name in wording.placeholders if not values.get(name))
    if missing:
        return Filled(None, missing)
    return Filled(_PLACE.sub(lambda match: str(values[match[1]]), wording.text), ())


def parse_library(text: str) -> Library:
    """Raises RulebookError when the file is wrong, also for a placeholder, group or script that is not there."""
    data = read_yaml(text, "scripts")
    check_keys("scripts", None, data, _KEYS, tuple(_KEYS))
    scripts = [_script(entry) for entry in data["scripts"]]
    found = Library(
        {one.code: one for one in scripts},
        tuple(Group(**one) for one in data["groups"]),
        {name: Place(**one) for name, one in data["placeholders"].items()},
        data["guides"],
        tuple(Topic(one["script"], tuple(one["plan"]), tuple(map(str, one["words"])), one.get("phase")) for one in data["topics"]),
        {one["kind"]: tuple(map(str, one["samples"])) for one in data["blocked"]},
    )  # fmt: skip
    _check(found, [one.code for one in scripts])
    return found


def _script(entry: Any) -> Script:
    check_keys("scripts", str(entry.get("code")), entry, _SCRIPT_KEYS, tuple(_SCRIPT_KEYS - {"seed"}))
    variants = tuple(Variant(one["text"], one["gloss"]) for one in entry["variants"])
    return Script(**{**entry, "must": tuple(entry["must"]), "variants": variants})


def _check(library: Library, codes: list[str]) -> None:
    groups = {one.code for one in library.groups}
    for code in codes:
        script = library.scripts[code]
        strange = {name for one in script.variants for name in one.placeholders} - set(library.placeholders)
        if strange or script.group not in groups or codes.count(code) > 1 or not script.variants:
            raise RulebookError("scripts", code, None, f"占位符、分组或代码不对：{sorted(strange) or code}")
    unknown = [one.script for one in library.topics if one.script not in library.scripts]
    if unknown:
        raise RulebookError("scripts", unknown[0], "topics", "没有这个话术")
