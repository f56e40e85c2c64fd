"""Banned words (R-277, R-278): a message that holds one is not sent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from aftersale.core.talk.folding import fold

_BETWEEN = r"[\s*_.\-~|/+·•=#]*"
"""What people put between the characters of a word to hide it; sentence marks separate words and do not count."""


@dataclass(frozen=True, slots=True)
class BannedCheck:
    can_send: bool
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BannedScan:
    """`hits`: positions of the texts that hold a banned word; `matched`: the words of each hit."""

    hits: tuple[int, ...]
    matched: tuple[tuple[str, ...], ...]


def banned_in(message: str, banned: Sequence[str]) -> tuple[str, ...]:
    """The words found, in the order of the list, whatever their case, width or spacing."""
    folded = fold(message)
    return tuple(dict.fromkeys(word for word in banned if (p := _pattern(word)) and p.search(folded)))


def banned_words_check(*, message: str | None, banned: tuple[str, ...]) -> BannedCheck:
    """Whether a message may be sent, with the words that stop it (R-277)."""
    matched = banned_in(message or "", banned)
    return BannedCheck(not matched, matched)


def banned_words_scan(*, phrases: tuple[str, ...], banned: tuple[str, ...]) -> BannedScan:
    """The banned words over quick replies, team scripts and past messages (R-278)."""
    found = [(position, banned_in(text, banned)) for position, text in enumerate(phrases)]
    hit = [(position, words) for position, words in found if words]
    return BannedScan(tuple(position for position, _ in hit), tuple(words for _, words in hit))


def _pattern(word: str) -> re.Pattern[str] | None:
    characters = [one for one in fold(word) if not one.isspace()]
    return re.compile(_BETWEEN.join(map(re.escape, characters))) if characters else None
