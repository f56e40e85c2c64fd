"""The wording of couriers as data, compiled once: rulebooks/tracking.yaml."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aftersale.core.facts import RulebookError, check_keys, read_yaml

BOOK = "tracking"
NEVER = re.compile(r"(?!)")
Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Wording:
    """`name` is meant where `says` matches and `unless` does not."""

    name: str
    says: Pattern
    unless: Pattern

    def found(self, text: str) -> bool:
        return self.says.search(text) is not None and self.unless.search(text) is None


@dataclass(frozen=True, slots=True)
class Scheme:
    """A trace in which a code matches is of this scheme; `courier`: only a trace of this courier."""

    name: str
    shown_by: Pattern
    courier: str | None


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """How texts name places."""

    hubs: Pattern
    outlets: Pattern
    provinces: Pattern
    at: Pattern
    to: Pattern
    origin: Pattern
    cities: Pattern


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """The whole file, one object per reading of it. `cut` and `plans` are applied in order before `kinds`, of which the first found speaks."""

    footers: Pattern
    asks: Pattern
    by_code: Pattern
    corrections: tuple[Wording, ...]
    plans: tuple[Wording, ...]
    void: tuple[Pattern, ...]
    kinds: tuple[Wording, ...]
    signers: Mapping[str, Pattern]
    signer_places: tuple[Pattern, ...]
    of_parcel: Pattern
    way_back: Pattern
    goods_back: Pattern
    hands_in: Pattern
    trade: Pattern
    doubt_words: Pattern
    recipient_agrees: Pattern
    sender: Pattern
    places: Gazetteer
    codes: Mapping[str, Mapping[str, str]]
    schemes: tuple[Scheme, ...]
    code_signers: Mapping[str, Mapping[str, str]]
    couriers: Mapping[str, str]
    simplified: Mapping[int, str]
    why: Mapping[str, str]


_KEYS = {
    "words", "footers", "asks", "by_code", "corrections", "plans", "void", "kinds", "signers", "signer_places",
    "doubt_words", "way_back", "goods_back", "hands_in", "trade", "of_parcel", "recipient_agrees", "places", "codes", "schemes", "code_signers", "couriers",
    "traditional", "why",
}  # fmt: skip


def load_lexicon(text: str) -> Lexicon:
    """Reads and compiles the file. Raises RulebookError."""
    data = read_yaml(text, BOOK)
    check_keys(BOOK, None, data, _KEYS, sorted(_KEYS))
    words: dict[str, str] = {key: value.strip() for key, value in data["words"].items()}

    def one(pattern: str) -> Pattern:
        return _compile(pattern, words)

    def union(patterns: Sequence[str]) -> Pattern:
        return one("|".join(f"(?:{pattern})" for pattern in patterns))

    def wordings(part: str, name: str) -> tuple[Wording, ...]:
        return tuple(
            Wording(
                entry[name], union(entry["patterns"]), one(entry["unless"]) if "unless" in entry else NEVER
            )
            for entry in data[part]
        )

    return Lexicon(
        footers=union(data["footers"]),
        asks=union(data["asks"]),
        by_code=union(data["by_code"]),
        corrections=wordings("corrections", "kind"),
        plans=wordings("plans", "flag"),
        void=tuple(one(pattern) for pattern in data["void"]),
        kinds=wordings("kinds", "kind"),
        signers={name: one(pattern) for name, pattern in data["signers"].items()},
        signer_places=tuple(one(pattern) for pattern in data["signer_places"]),
        of_parcel=one(data["of_parcel"]),
        way_back=one(data["way_back"]),
        goods_back=one(data["goods_back"]),
        hands_in=one(data["hands_in"]),
        trade=one(data["trade"]),
        doubt_words=one(data["doubt_words"]),
        recipient_agrees=one(data["recipient_agrees"]),
        sender=one(words["sender"]),
        places=_gazetteer(data["places"], words),
        codes=data["codes"],
        schemes=tuple(Scheme(e["scheme"], one(e["pattern"]), e.get("courier")) for e in data["schemes"]),
        code_signers=data["code_signers"],
        couriers={alias: code for code, aliases in data["couriers"].items() for alias in aliases},
        simplified=_simplified(data["traditional"]),
        why=data["why"],
    )


def _compile(pattern: str, words: Mapping[str, str]) -> Pattern:
    full = pattern
    for _ in range(3):
        full = re.sub(r"%([a-z_]+)%", lambda match: words.get(match[1], match[0]), full)
        full = re.sub(r"%([cs])(?=[*{])", lambda match: words[match[1]], full)
    try:
        return re.compile(full)
    except re.error as error:
        raise RulebookError(BOOK, None, pattern[:60], f"正则表达式读不懂：{error}") from None


def _gazetteer(data: Mapping[str, Any], words: Mapping[str, str]) -> Gazetteer:
    cities = sorted(data["cities"].split(), key=len, reverse=True)
    return Gazetteer(
        hubs=_compile(data["hubs"], words),
        outlets=_compile(f"(?:{data['outlets']})$", words),
        provinces=_compile(f"^(?:{data['provinces']})", words),
        at=_compile(data["at"], words),
        to=_compile(data["to"], words),
        origin=_compile(data["from"], words),
        cities=_compile("|".join(cities), words),
    )


def _simplified(pairs: str) -> dict[int, str]:
    return {ord(old): new for old, new in zip(pairs[::2], pairs[1::2], strict=True)}
