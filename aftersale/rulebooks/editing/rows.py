"""A condition as rows of fact, relation and value, and back; what is no simple comparison stays as text."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from aftersale.core.facts import Fact

RELATIONS = (
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not in",
    "true",
    "false",
    "not true",
    "not false",
    "null",
    "known",
)
ALONE = frozenset(RELATIONS[8:])
"""Relations that take no value."""

_WORD = re.compile(r"'(?:[^']|'')*'|[A-Za-z_]\w*|[()]|\s+|.", re.S)
_VALUE = r"(-?\d+|'(?:[^']|'')*'|:?[a-z]\w*)"
_SHAPES = (
    (re.compile(rf"([a-z]\w*)\s*(<=|>=|<>|!=|=|<|>)\s*{_VALUE}"), None),
    (re.compile(r"([a-z]\w*)\s+(not\s+in|in)\s*(\([^()]*\)|:[a-z]\w*)", re.I), None),
    (re.compile(r"([a-z]\w*)\s+is\s+(not\s+null|null|not\s+true|not\s+false|true|false)", re.I), None),
    (re.compile(r"not\s+([a-z]\w*)", re.I), "false"),
    (re.compile(r"([a-z]\w*)"), "true"),
)
_IS = {"not null": "known", "null": "null"}


@dataclass(frozen=True, slots=True)
class Row:
    """`fact` empty: `value` is a condition as text."""

    fact: str
    relation: str
    value: str

    @property
    def text(self) -> str:
        match self.relation:
            case "true":
                return self.fact
            case "false":
                return f"not {self.fact}"
            case "not true" | "not false":
                return f"({self.fact}) is {self.relation}"
            case "null":
                return f"{self.fact} is null"
            case "known":
                return f"{self.fact} is not null"
            case "in" | "not in":
                options = self.value if self.value.startswith((":", "(")) else f"({self.value})"
                return f"{self.fact} {self.relation} {options}"
        return f"{self.fact} {self.relation} {self.value}" if self.fact else self.value


def rows(condition: str, facts: Mapping[str, Fact]) -> tuple[Row, ...]:
    """All of which must hold."""
    return tuple(_row(part, facts) for part in parts(condition))


def parts(condition: str) -> tuple[str, ...]:
    """The text cut at every `and` that is not within brackets, `case` or `between`; whole where an `or` stands beside."""
    found, here, depth, between = [], "", 0, False
    for word in _words(condition):
        low = word.lower()
        depth += {"(": 1, "case": 1, ")": -1, "end": -1}.get(low, 0)
        if depth == 0 and low == "or":
            return (" ".join(condition.split()),)
        if depth == 0 and low == "and" and not between:
            found.append(here)
            here = ""
            continue
        between = low == "between" or (between and not (depth == 0 and low == "and"))
        here += " " if word.isspace() else word
    return tuple(text.strip() for text in [*found, here] if text.strip())


def _words(condition: str) -> Iterator[str]:
    return (found[0] for found in _WORD.finditer(condition))


def _row(part: str, facts: Mapping[str, Fact]) -> Row:
    bare = re.sub(r"^\(\s*([a-z]\w*)\s*\)(?=\s+is\s)", r"\1", part)
    for shape, relation in _SHAPES:
        found = shape.fullmatch(bare)
        if found and found[1] in facts:
            if relation:
                return Row(found[1], relation, "")
            said = " ".join(found[2].lower().split())
            said = _IS.get(said, "<>" if said == "!=" else said)
            return Row(found[1], said, "" if said in ALONE else found[3])
    return Row("", "", part)


def joined(given: Iterable[Row]) -> tuple[str, ...]:
    """The conditions as texts, ready for `written`; a text with a bare `or` gets brackets."""
    made = [row.text if row.fact else _guarded(row.value) for row in given if row.fact or row.value.strip()]
    return tuple(made)


def _guarded(text: str) -> str:
    depth = 0
    for word in _words(text):
        depth += {"(": 1, "case": 1, ")": -1, "end": -1}.get(word.lower(), 0)
        if depth == 0 and word.lower() == "or":
            return f"({text.strip()})"
    return text.strip()
