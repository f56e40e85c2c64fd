"""What buyers say before they turn elsewhere (R-217, R-229)."""

from collections.abc import Iterator
from dataclasses import dataclass

from aftersale.core.talk.folding import fold, sentences
from aftersale.core.talk.lexicon import Lexicon, Signs


@dataclass(frozen=True, slots=True)
class Mood:
    """`escalation_flag`: the message threatens with or mentions the public, the platform or an authority."""

    escalation_flag: bool
    escalation_words: tuple[str, ...]
    anger_words: tuple[str, ...]


def mood(message: str | None, lexicon: Lexicon) -> Mood:
    """The words of threat and anger in a buyer's message, in order, each once."""
    text = sentences(fold(message or ""))
    threats = tuple(dict.fromkeys(_words(text, lexicon.escalation["external"])))
    return Mood(bool(threats), threats, tuple(dict.fromkeys(_words(text, lexicon.escalation["anger"]))))


def _words(text: tuple[str, ...], signs: Signs) -> Iterator[str]:
    for sentence in text:
        if not any(one.search(sentence) for one in signs.unless):
            found = [match for one in signs.patterns for match in one.finditer(sentence)]
            yield from (match[0] for match in sorted(found, key=lambda match: match.start()))
