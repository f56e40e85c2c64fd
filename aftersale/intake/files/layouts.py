"""The known layouts (layouts.yaml) and how a file's header finds its own."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from aftersale.intake.files.trouble import UnusableFile

KINDS = ("refund", "order", "suborder", "compensation")
SHARE_MIN = 0.5  # of a file's headers that a layout must explain

FIELDS: dict[str, str] = {
    "case_id": "id",
    "order_id": "id",
    "line_id": "id",
    "product_id": "text",
    "tracking_no": "id",
    "return_tracking_no": "id",
    "state": "word",
    "order_state": "word",
    "type": "word",
    "goods": "word",
    "phase": "word",
    "intervened": "word",
    "shipping_info": "text",
    "zero_second": "flag",
    "amount": "fen",
    "freight_back": "fen",
    "paid": "fen",
    "net_paid": "fen",
    "total": "fen",
    "freight": "fen",
    "refunded": "fen",
    "ordered_at": "past",
    "paid_at": "past",
    "shipped_at": "past",
    "signed_at": "past",
    "applied_at": "past",
    "returned_at": "past",
    "finished_at": "past",
    "due_at": "time",
    "reason_text": "text",
    "return_courier": "text",
    "courier": "text",
    "region": "text",
    "phone": "tail",
    "title": "text",
    "sku": "text",
    "quantity": "count",
}
"""Field → cell type (`cells.PARSERS`); a `past` time may not lie in the future."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "refund": ("case_id", "order_id", "amount", "state"),
    "order": ("order_id",),
    "suborder": ("line_id", "order_id", "paid"),
    "compensation": ("order_id", "amount", "state"),
}

Words = Mapping[str, Mapping[str, str]]  # field → word as written → our code


@dataclass(frozen=True, slots=True)
class Layout:
    """One export layout. `columns`: field → the headers it may have, in normal form."""

    name: str
    title: str
    title_en: str
    kind: str
    platform: str | None
    required: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    words: Words
    also: frozenset[str] = field(default=frozenset(), repr=False)

    def headers(self) -> frozenset[str]:
        """All headers that the layout is known by."""
        return self.also.union(*self.columns.values())

    def missing(self, headers: Sequence[str]) -> list[str]:
        """The first header of each required column that the file lacks."""
        have = set(headers)
        return [self.columns[name][0] for name in self.required if not have.intersection(self.columns[name])]

    def places(self, headers: Sequence[str]) -> dict[str, tuple[int, ...]]:
        """Field → indexes of its columns in the file, in the layout's order of preference."""
        found = {
            name: [headers.index(h) for h in known if h in headers] for name, known in self.columns.items()
        }
        return {name: tuple(places) for name, places in found.items() if places}


def normal(header: object) -> str:
    """A header as it is compared: NFKC, without spaces, wrapping and case."""
    text = unicodedata.normalize("NFKC", str(header)).replace("\ufeff", "")
    return re.sub(r"\s+", "", text).strip("='\"").lower()


@cache
def known_layouts() -> tuple[Layout, ...]:
    """All layouts of layouts.yaml."""
    return tuple(_layout(block) for block in _data()["layouts"])


@cache
def reason_words() -> tuple[tuple[str, str], ...]:
    """(word, reason code), in the order in which they are looked for."""
    return tuple((word, line["code"]) for line in _data()["reasons"] for word in line["words"])


@cache
def _data() -> Mapping[str, Any]:
    text = files(__package__).joinpath("layouts.yaml").read_text("utf-8")
    data: Mapping[str, Any] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


def _layout(block: Mapping[str, Any]) -> Layout:
    return Layout(
        name=block["name"],
        title=block["title"],
        title_en=block["title_en"],
        kind=block["kind"],
        platform=block.get("platform"),
        required=tuple(block["required"]),
        columns={name: tuple(normal(h) for h in headers) for name, headers in block["columns"].items()},
        words={name: flat_words(codes) for name, codes in block.get("words", {}).items()},
        also=frozenset(normal(header) for header in block.get("also", ())),
    )


def flat_words(codes: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """{code: [word, …]} → {word in normal form: code}."""
    return {normal(word): code for code, words in codes.items() for word in words}


def named(name: str) -> Layout:
    """The layout of that name; `UnusableFile` names the known ones."""
    for layout in known_layouts():
        if layout.name == name:
            return layout
    names = [layout.name for layout in known_layouts()]
    raise UnusableFile("", "没有名为「%(wanted)s」的版式；可用的版式：%(known)s", wanted=name, known=names)


@dataclass(frozen=True, slots=True)
class Match:
    """How well a layout explains a header row."""

    layout: Layout
    share: float  # of the file's headers
    likeness: float  # Jaccard
    missing: tuple[str, ...]


def matches(headers: Sequence[str]) -> list[Match]:
    """All layouts, the most fitting first: nothing missing, then the share explained, then likeness."""
    have = {header for header in headers if header}
    found = []
    for layout in known_layouts():
        known = layout.headers()
        common = len(have & known)
        share = common / len(have) if have else 0.0
        found.append(Match(layout, share, common / len(have | known), tuple(layout.missing(headers))))
    return sorted(found, key=lambda m: (bool(m.missing) or m.share < SHARE_MIN, -m.share, -m.likeness))
