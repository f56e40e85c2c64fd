"""Chat text as patterns read it, and its sentences and clauses."""

import re
import unicodedata

_HIDDEN = re.compile("[\u200b-\u200f\u2060\ufeff\ufe0f]")
_BESIDE_CJK = re.compile(r"(?<=[\u4e00-\u9fff])[ \t]+|[ \t]+(?=[\u4e00-\u9fff])")
_SENTENCE = re.compile(r"[^。!?;\n]+[。!?;]*")
_CLAUSE = re.compile(r"[,、。!?;:\n~()]+|\.{2,}")


def fold(text: str) -> str:
    """Half-width, lower case, without hidden characters and without spaces beside Chinese."""
    return _BESIDE_CJK.sub("", _HIDDEN.sub("", unicodedata.normalize("NFKC", text)).lower()).strip()


def sentences(folded: str) -> tuple[str, ...]:
    """The sentences with their closing marks, so that a question can be told from a statement."""
    return tuple(one.strip() for one in _SENTENCE.findall(folded) if one.strip())


def clauses(folded: str) -> tuple[str, ...]:
    """What stands between commas and other marks."""
    return tuple(one.strip() for one in _CLAUSE.split(folded) if one.strip())
