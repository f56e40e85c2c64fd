"""Quick replies: codes, suggestions while typing, long answers in parts (R-265, R-269, R-273, R-274)."""

import re
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from aftersale.core.talk.folding import fold

_CODE = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_BREAK = re.compile(r"(?<=[。！？!?；;\n])")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quick reply; `pinned`: it or its group was put on top."""

    text: str
    code: str | None = None
    group: str | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class CodeCheck:
    """`phrase`: what typing the code yields, where the code is in use."""

    valid: bool
    reason: str | None
    phrase: str | None


@dataclass(frozen=True, slots=True)
class Suggestions:
    suggestions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Segments:
    """`texts` are sent one after the other; what the buyer asks meanwhile is answered first."""

    parts: int
    order_kept: bool
    questions_first: bool
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overuse:
    warn: bool
    share: Fraction | None


def quick_code(
    *, code: str | int | None, existing_codes: tuple[str, ...] = (), phrases: tuple[Phrase, ...] = ()
) -> CodeCheck:
    """Letters of either case and digits, and no code twice (R-273)."""
    text = "" if code is None else str(code)
    phrase = next((one.text for one in phrases if one.code == text and text), None)
    if not text or _CODE.fullmatch(text) is None:
        return CodeCheck(False, "letters_and_digits_only" if text else "no_code", phrase)
    if text in existing_codes:
        return CodeCheck(False, "code_taken", phrase)
    return CodeCheck(True, None, phrase)


def quick_suggestions(
    *, typed: str | None, phrases: tuple[str | Phrase, ...], pinned_groups: tuple[str, ...] = ()
) -> Suggestions:
    """Every phrase that holds what was typed, pinned ones first, else in their order (R-274)."""
    wanted = fold(typed or "")
    own = [Phrase(one) if isinstance(one, str) else one for one in phrases]
    hits = [one for one in own if wanted and wanted in fold(one.text)]
    hits.sort(key=lambda one: not (one.pinned or (one.group is not None and one.group in pinned_groups)))
    return Suggestions(tuple(one.text for one in hits))


def segments(*, text: str | None = None, text_chars: int | None = None, segment_chars: int) -> Segments:
    """A long answer in parts of at most `segment_chars` characters, cut at sentence ends where there are any (R-265).

    `text_chars` alone: how many parts such a length needs at least."""
    if text is None:
        return Segments(ceil(max(0, text_chars or 0) / segment_chars), True, True, ())
    parts: list[str] = []
    for sentence in _BREAK.split(text):
        if parts and len(parts[-1]) + len(sentence) <= segment_chars:
            parts[-1] += sentence
            continue
        parts += [sentence[at : at + segment_chars] for at in range(0, len(sentence), segment_chars)]
    return Segments(len(parts), "".join(parts) == text, True, tuple(parts))


def quick_reply_overuse(
    *,
    share: Fraction | None = None,
    quick_replies: int | None = None,
    replies: int | None = None,
    quick_reply_share_max: Fraction | None,
) -> Overuse:
    """An agent whose share of quick replies is above the limit (R-269); without replies there is no share."""
    if share is None and quick_replies is not None and replies:
        share = Fraction(quick_replies, replies)
    over = share is not None and quick_reply_share_max is not None and share > quick_reply_share_max
    return Overuse(over, share)
