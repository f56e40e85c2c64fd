"""Rules as blocks of lines: one is rewritten or moved, every other line stays as it was written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from aftersale.core.facts import RulebookError, read_yaml

WIDE = 110
KEYS = ("name", "title", "title_en", "platforms", "from", "until", "when", "then", "requirement", "note")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Block:
    """One entry of a list in the file; lines count from 1. `keys`: the line of each key."""

    name: str
    first: int
    last: int
    keys: Mapping[str, int]
    indent: int


def blocks(text: str, part: Literal["rules", "settings"] = "rules") -> tuple[Block, ...]:
    """In the order of the file. Raises RulebookError when the text is no YAML mapping."""
    read_yaml(text, "?")
    root = yaml.compose(text, Loader=_Loader)
    assert isinstance(root, yaml.MappingNode)
    found = next((value for key, value in root.value if key.value == part), None)
    nodes = [one for one in getattr(found, "value", ()) if isinstance(one, yaml.MappingNode)]
    lines = text.split("\n")
    ends = [*(one.start_mark.line for one in nodes[1:]), found.end_mark.line + 1] if found else []
    return tuple(_block(one, lines, end) for one, end in zip(nodes, ends, strict=False))


def _block(node: yaml.MappingNode, lines: Sequence[str], end: int) -> Block:
    keys = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    name = next((str(value.value) for key, value in node.value if key.value == "name"), "?")
    first = node.start_mark.line
    below = max(value.start_mark.line for _, value in node.value)
    last = min(end, len(lines)) - 1
    while last > below and (not lines[last].strip() or _outside(lines[last], node.start_mark.column)):
        last -= 1
    return Block(name, first + 1, last + 1, keys, lines[first].find("-"))


def _outside(line: str, column: int) -> bool:
    """A comment between entries, or what follows the list."""
    return line.lstrip().startswith("#") or len(line) - len(line.lstrip()) < column


def line_of(text: str, error: RulebookError) -> int | None:
    """The line that an error is about, as well as it can be told."""
    told = re.fullmatch(r"line (\d+)", error.position or "")
    if told:
        return int(told[1])
    name, part = (error.rule or "").removeprefix("settings."), (error.position or "").partition(":")[0]
    if part.startswith("settings."):
        name, part = part.removeprefix("settings."), ""
    try:
        found = [*blocks(text), *blocks(text, "settings")]
    except RulebookError:
        return None
    block = next((one for one in found if one.name == name), None)
    return None if block is None else block.keys.get(part.partition(".")[0], block.first)


def rule_lines(text: str) -> Mapping[str, int]:
    """Rule → its first line; empty while the text cannot be read."""
    try:
        return {one.name: one.first for one in blocks(text)}
    except RulebookError:
        return {}


def lost_comments(text: str, name: str) -> int:
    """Comments within a rule, which are lost when the rule is rewritten from rows."""
    block = _named(text, name)
    return sum(line.lstrip().startswith("#") for line in text.split("\n")[block.first - 1 : block.last])


def replaced(text: str, name: str, rule: Mapping[str, Any]) -> str:
    """With this rule written anew. Raises RulebookError when there is none."""
    block = _named(text, name)
    lines = text.split("\n")
    return "\n".join([*lines[: block.first - 1], *written(rule, block.indent), *lines[block.last :]])


def inserted(text: str, before: str | None, rule: Mapping[str, Any]) -> str:
    """With a new rule before the named one, or at the end."""
    lines = text.split("\n")
    if before is not None:
        block = _named(text, before)
        at = block.first - 1
    else:
        block = blocks(text)[-1]
        at = block.last
    return "\n".join([*lines[:at], *written(rule, block.indent), *lines[at:]])


def removed(text: str, name: str) -> str:
    block = _named(text, name)
    lines = text.split("\n")
    return "\n".join([*lines[: block.first - 1], *lines[block.last :]])


def moved(text: str, name: str, step: Literal[-1, 1]) -> str:
    """The rule changes places with the one before or after it; at the end of the list nothing changes."""
    found = blocks(text)
    place = next((n for n, one in enumerate(found) if one.name == name), None)
    if place is None or not 0 <= place + step < len(found):
        return text
    upper, lower = sorted((found[place], found[place + step]), key=lambda one: one.first)
    lines = text.split("\n")
    first, second = lines[upper.first - 1 : upper.last], lines[lower.first - 1 : lower.last]
    between = lines[upper.last : lower.first - 1]
    return "\n".join([*lines[: upper.first - 1], *second, *between, *first, *lines[lower.last :]])


def _named(text: str, name: str) -> Block:
    found = next((one for one in blocks(text) if one.name == name), None)
    if found is None:
        raise RulebookError("refund", name, None, "没有这条规则")
    return found


def written(rule: Mapping[str, Any], indent: int) -> list[str]:
    """The lines of a rule, keys in their usual order."""
    pad, lines = " " * (indent + 2), []
    for key in (key for key in KEYS if rule.get(key) not in (None, "", [])):
        value = rule[key]
        if key == "when" and isinstance(value, (list, tuple)):
            lines += _condition(pad, value)
        else:
            lines.append(f"{pad}{key}: {flow(value)}")
    return [f"{' ' * indent}- {lines[0].lstrip()}", *lines[1:]]


def _condition(pad: str, parts: Sequence[str]) -> list[str]:
    whole = " and ".join(parts)
    plain = f"{pad}when: {flow(whole)}"
    if len(plain) <= WIDE or len(parts) == 1:
        return [plain]
    return [f"{pad}when: >-", *(f"{pad}  {'and ' if n else ''}{part}" for n, part in enumerate(parts))]


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(value, allow_unicode=True, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")
