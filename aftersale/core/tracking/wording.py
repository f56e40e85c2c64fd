"""What one text says, by the lexicon."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from aftersale.core.tracking.lexicon import Lexicon
from aftersale.core.tracking.places import Places, places_of

_WORDS = re.compile("[一-龥]{4}")
_SPACE = re.compile(r"(?<=[^a-z0-9.,;:])\s+|\s+(?=[^a-z0-9])")
_MARKS = str.maketrans(
    {"「": "【", "」": "】", "『": "【", "』": "】", "〔": "【", "〕": "】", "·": "-", "~": "-"}
)
_BRACKETS = re.compile(r"[【】\[\]\"']")
_SIGNS = re.compile("签收|妥投|签章|signed|delivered")
SIGNED = ("signed", "signer_fixed")
_FOR_ANOTHER = re.compile("代(?:为)?签?收|代签|代领|代取")
_WRITES = re.compile("签[收字名]|走了")
TEXTS_KEPT = 50_000  # a courier pushes the whole trace again with every new line
NOWHERE = Places()
MOVING = ("arrived", "moving", "departed", "packed", "collected")
NOT_BY_CODE = ("returning", "sender_signed", "refused", "lost", "on_the_way", "out_for_delivery")
OF_RETURN = ("returning", "sender_signed", "back_to_outlet")
TROUBLE = ("refused", "attempt_failed", "address_problem", "out_of_area")
SILENT = ("nothing", "unknown", "asked")


@dataclass(frozen=True, slots=True)
class Meaning:
    """`kind` is a name of the lexicon, or unknown. `takes_back`, `plans`: what else the text says, by its names.
    `by`: whom it names as signer; `storage`: locker or station, where it names one."""

    kind: str
    takes_back: tuple[str, ...] = ()
    plans: frozenset[str] = frozenset()
    asks: bool = False
    by_code: bool = False
    by: str | None = None
    by_sender: bool = False
    storage: str | None = None
    signs: bool = False
    suspected: bool = False
    mixed: bool = False  # speaks of a way back beside its fact
    agrees: bool = False
    of_code: bool = False
    hands_in: bool = False  # goods that go back are handed in, or may be
    onward: str = "moving"  # the kind, where words of a way back only name what is inside
    leaves: bool = False  # trouble comes first in the text, then the parcel leaves
    of_trade: bool = False  # who signs is named by trade (a shop, a warehouse), not as the sender
    places: Places = NOWHERE


def fold(text: str, lexicon: Lexicon) -> str:
    """Half-width, lower case, simplified, without spaces beside Chinese."""
    half = unicodedata.normalize("NFKC", text).lower().translate(lexicon.simplified).translate(_MARKS)
    return _SPACE.sub("", half.strip())


@lru_cache(maxsize=TEXTS_KEPT)
def meaning_of(text: str, lexicon: Lexicon) -> Meaning:
    """Footers go first, then what is taken back, then plans, promises and negations; what is left is a fact."""
    whole = lexicon.footers.sub(",", fold(text, lexicon))
    takes_back, rest = _corrections(whole, lexicon)
    by_code = lexicon.by_code.search(whole) is not None
    plans = set()
    for wording in lexicon.plans:
        if wording.found(rest):
            plans.add(wording.name)
            rest = wording.says.sub(",", rest)
    for pattern in lexicon.void:
        rest = pattern.sub(",", rest)
    kind = _kind(rest, lexicon)
    if takes_back and kind == "disputed":
        kind = next((one.name for one in lexicon.kinds if one.name != "disputed" and one.found(rest)), None)
    if by_code and kind not in NOT_BY_CODE:
        kind = "fetched"
    asks = not by_code and lexicon.asks.search(whole) is not None
    asks = asks and not (kind == "fetched" and _WRITES.search(rest))
    if asks and kind == "attempt_failed":
        kind = "stored"
    if asks and kind in MOVING and _last(whole, lexicon, ("locker", "station")):
        kind = "stored"
    said = bool(takes_back or plans or rest != fold(text, lexicon)) or (
        text.strip() != "" and lexicon.of_parcel.search(rest) is None and _WORDS.search(rest) is not None
    )
    return Meaning(
        kind=kind or ("asked" if asks else "nothing" if said else "unknown"),
        takes_back=tuple(takes_back),
        plans=frozenset(plans),
        asks=asks,
        by_code=by_code,
        by=_signer(rest, lexicon)
        or _anywhere(rest, kind, lexicon)
        or (None if asks else _stand_in(rest, kind)),
        by_sender=lexicon.sender.search(rest) is not None,
        storage=_last(whole, lexicon, ("locker", "station")) or _keeper(rest, asks),
        signs=_SIGNS.search(rest) is not None,
        suspected=lexicon.doubt_words.search(whole) is not None,
        mixed=lexicon.way_back.search(rest) is not None,
        agrees=lexicon.recipient_agrees.search(whole) is not None,
        places=places_of(whole, lexicon.places),
        leaves=kind in TROUBLE and _kind(rest.rpartition(",")[2], lexicon) == "departed",
        hands_in=lexicon.hands_in.search(rest) is not None,
        onward=_onward(rest, lexicon) if kind in OF_RETURN else kind or "moving",
        of_trade=lexicon.trade.search(rest) is not None,
    )


def _corrections(text: str, lexicon: Lexicon) -> tuple[list[str], str]:
    """What is taken back, and the text without those words."""
    found: list[str] = []
    for wording in lexicon.corrections:
        if wording.found(text) and not (wording.name == "unsigned" and found):
            found.append(wording.name)
            text = text if wording.name == "signer_fixed" else wording.says.sub(",", text)
    return found, text


def _kind(text: str, lexicon: Lexicon) -> str | None:
    return next((one.name for one in lexicon.kinds if one.found(text)), None)


def _onward(text: str, lexicon: Lexicon) -> str:
    """What the text says of a parcel that goes to the shop in the first place."""
    bare = lexicon.way_back.sub("", lexicon.goods_back.sub("件", text))
    kinds = (one.name for one in lexicon.kinds if one.name not in OF_RETURN and one.found(bare))
    return next(kinds, "moving")


def _signer(text: str, lexicon: Lexicon) -> str | None:
    bare = _BRACKETS.sub("", text)
    for pattern in lexicon.signer_places:
        for match in pattern.finditer(bare):
            named = next((group for group in match.groups() if group), "")
            if (found := _class_of(named, lexicon)) is not None:
                return found
    return None


def _anywhere(text: str, kind: str | None, lexicon: Lexicon) -> str | None:
    """A person named elsewhere than where signers are named."""
    found = _class_of(text, lexicon) if kind in SIGNED else None
    return found if found in ("family", "property", "colleague", "other") else None


def _stand_in(text: str, kind: str | None) -> str | None:
    """Who takes it for another, whatever the name, is not the buyer."""
    return "other" if kind in SIGNED and _FOR_ANOTHER.search(text) else None


def _keeper(text: str, asks: bool) -> str | None:
    """Who takes it for another and asks for it to be fetched keeps it, as a station does."""
    return "station" if asks and _FOR_ANOTHER.search(text) else None


def _class_of(named: str, lexicon: Lexicon) -> str | None:
    """The word that stands last; the buyer only where nobody else is named, a guard before a front desk."""
    others = ("family", "property", "colleague", "other", "locker", "station")
    found = _last(named, lexicon, others)
    if found == "colleague" and lexicon.signers["property"].search(named):
        return "property"
    return found or _last(named, lexicon, ("self",))


def _last(text: str, lexicon: Lexicon, classes: tuple[str, ...]) -> str | None:
    ends = {
        name: max((match.end() for match in lexicon.signers[name].finditer(text)), default=-1)
        for name in classes
    }
    best = max(classes, key=lambda name: ends[name])
    return best if ends[best] >= 0 else None
