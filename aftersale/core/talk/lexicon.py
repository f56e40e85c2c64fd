"""The detection sets of `rulebooks/reply_checks.yaml`, compiled."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from aftersale.core.facts import RulebookError, check_keys, read_yaml

Scope = Literal["sentence", "text", "alone"]
_KEYS = {"checks", "fillers", "parts", "escalation", "promises", "topics"}
_CHECK_KEYS = {"kind", "title", "title_en", "scope", "blocks", "patterns", "unless"}


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of bad reply. `scope`: what a pattern is looked for in; `alone`: only where nothing else is said.
    `blocks`: such a message is not sent; `unless`: in the same sentence, then it is not meant."""

    kind: str
    title: str
    title_en: str
    scope: Scope
    blocks: bool
    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]


@dataclass(frozen=True, slots=True)
class Signs:
    """Patterns that say something, unless one of the others stands in the same sentence."""

    patterns: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]

    def found(self, text: str) -> str | None:
        """The first passage that says it."""
        if any(one.search(text) for one in self.unless):
            return None
        return next((match[0] for one in self.patterns if (match := one.search(text))), None)


@dataclass(frozen=True)
class Lexicon:
    """`fillers`: what says nothing; `parts`: apology, explanation …; `promises`: by kind of promise."""

    checks: tuple[Check, ...]
    fillers: re.Pattern[str]
    parts: Mapping[str, Signs]
    escalation: Mapping[str, Signs]
    promises: Mapping[str, Signs]


def parse_lexicon(text: str) -> Lexicon:
    """Raises RulebookError when the file is wrong."""
    name = "reply_checks"
    data = read_yaml(text, name)
    check_keys(name, None, data, _KEYS, ("checks", "fillers", "parts", "escalation", "promises"))
    return Lexicon(
        tuple(_check(name, one) for one in data["checks"]),
        _compiled(name, "fillers", "|".join(data["fillers"])),
        {key: _signs(name, key, one) for key, one in data["parts"].items()},
        {key: _signs(name, key, one) for key, one in data["escalation"].items()},
        {key: _signs(name, key, one) for key, one in data["promises"].items()},
    )


def _check(name: str, entry: Any) -> Check:
    check_keys(name, "checks", entry, _CHECK_KEYS, ("kind", "title", "title_en", "patterns"))
    signs = _signs(name, entry["kind"], entry)
    return Check(
        entry["kind"], entry["title"], entry["title_en"], entry.get("scope", "sentence"),
        bool(entry.get("blocks", True)), signs.patterns, signs.unless,
    )  # fmt: skip


def _signs(name: str, part: str, entry: Any) -> Signs:
    entry = {"patterns": entry} if isinstance(entry, list) else entry
    return Signs(
        tuple(_compiled(name, part, one) for one in entry["patterns"]),
        tuple(_compiled(name, part, one) for one in entry.get("unless") or ()),
    )


def _compiled(name: str, part: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise RulebookError(name, part, None, f"{pattern}:{error}") from error
