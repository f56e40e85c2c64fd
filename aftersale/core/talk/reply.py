"""What is wrong with a reply before it is sent (R-091, R-134, R-230, R-277, R-292)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aftersale.core.talk.banned import banned_in
from aftersale.core.talk.folding import clauses, fold, sentences
from aftersale.core.talk.lexicon import Check, Lexicon

BANNED = "banned_word"


@dataclass(frozen=True, slots=True)
class Finding:
    """`passage`: the part of the message that is meant, as patterns read it."""

    kind: str
    passage: str
    blocks: bool


@dataclass(frozen=True, slots=True)
class ReplyCheck:
    """`kinds`: what is wrong, in the order of the lexicon; an empty message is not wrong, but nothing to send."""

    flagged: bool
    send_allowed: bool
    kinds: tuple[str, ...]
    passages: tuple[str, ...]


def findings(message: str, lexicon: Lexicon, banned: tuple[str, ...] = ()) -> tuple[Finding, ...]:
    """Every passage that a check or a banned word finds; a kind is told once per passage."""
    folded = fold(message)
    found = [one for check in lexicon.checks for one in _passages(check, folded, lexicon.fillers)]
    found += [Finding(BANNED, word, True) for word in banned_in(message, banned)]
    return tuple(dict.fromkeys(found))


def checked(message: str | None, lexicon: Lexicon, banned: tuple[str, ...] = ()) -> ReplyCheck:
    found = findings(message or "", lexicon, banned)
    blocked = any(one.blocks for one in found)
    return ReplyCheck(
        bool(found),
        not blocked and bool((message or "").strip()),
        tuple(dict.fromkeys(one.kind for one in found)),
        tuple(one.passage for one in found),
    )


def _passages(check: Check, folded: str, fillers: re.Pattern[str]) -> Iterator[Finding]:
    if check.scope == "alone":
        if says_nothing_else(folded, check.patterns, fillers):
            yield Finding(check.kind, folded, check.blocks)
        return
    for text in (folded,) if check.scope == "text" else sentences(folded):
        if any(one.search(text) for one in check.unless):
            continue
        for pattern in check.patterns:
            if match := pattern.search(text):
                yield Finding(check.kind, match[0], check.blocks)


def says_nothing_else(folded: str, patterns: tuple[re.Pattern[str], ...], fillers: re.Pattern[str]) -> bool:
    """Whether every clause, greetings and particles apart, is one of the empty phrases, and one at least is."""
    said = [(one, _bare(one, fillers)) for one in clauses(folded)]
    empty = [any(p.fullmatch(one) or p.fullmatch(bare) for p in patterns) for one, bare in said]
    return any(empty) and all(flat or not bare for flat, (_, bare) in zip(empty, said, strict=True))


def _bare(clause: str, fillers: re.Pattern[str]) -> str:
    """The clause without what says nothing; taking one away can uncover another."""
    while (shorter := fillers.sub("", clause)) != clause:
        clause = shorter
    return clause
