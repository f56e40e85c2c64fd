"""What has to be proven in this case and what of it is at hand, as the evidence books say."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aftersale.cases.rows import read
from aftersale.core.evidence.kit import Item, Kit, evidence_kit, pictures
from aftersale.people import words
from aftersale.people.playbook.found import Known, ruling, settings_of
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people.evidence")


@dataclass(frozen=True, slots=True)
class Kind:
    kind: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence as it lies on the case."""

    id: int
    kind: str
    name: str
    sha256: str
    mime: str
    bytes: int
    width: int | None
    height: int | None
    duration_ms: int | None
    pages: int | None
    taken_at: datetime | None
    by_whom: str
    at: datetime
    removed_by: str | None
    removed_at: datetime | None
    used_by: str | None
    used_at: datetime | None

    @property
    def picture(self) -> bool:
        return self.mime == "image/jpeg"

    @property
    def seconds(self) -> int | None:
        return None if self.duration_ms is None else round(self.duration_ms / 1000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One kind: `need` is required, any_of, recommended or other; `pieces` at hand."""

    kind: str
    title: str
    need: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """`rule`: what the book says; `files`: what the pictures need before the platform takes them, if anything."""

    rule: str | None
    wanted: tuple[Wanted, ...]
    removed: tuple[Piece, ...]
    complete: bool
    asked: bool
    files: str | None
    kinds: tuple[tuple[str, str], ...]
    pictures: tuple[int, ...]

    @property
    def lacking(self) -> tuple[Wanted, ...]:
        """What is wanted and not at hand, the required first."""
        return tuple(one for one in self.wanted if not one.pieces)


def kinds_at_hand(where: Mapping[str, Any]) -> list[str]:
    return [one.kind for one in read(Kind, SQL["kinds"], where)]


def pieces_of(where: Mapping[str, Any]) -> list[Piece]:
    return read(Piece, SQL["pieces"], where)


def image_bytes(own: str, platform: str, now: datetime) -> int:
    """What the platform takes of one picture."""
    return int(str(settings_of("evidence_files", own, platform, now)["image_bytes"]))


def kinds() -> Mapping[str, str]:
    """Every kind of evidence with its title."""
    return {code: pair[words.language() == "en"] for code, pair in books.titles()["evidence_kind"].items()}


def checklist_of(
    where: Mapping[str, Any], known: Known, order_id: str, own: str, platform: str, now: datetime
) -> Checklist:
    said = ruling("evidence", {**known.facts, "dispute": None}, own, platform, now)
    needs = {
        name: _texts(said.outcome.get(f"evidence_{name}")) for name in ("required", "any_of", "recommended")
    }
    everything = pieces_of(where)
    held = [one for one in everything if one.removed_at is None]
    kit = _kit(held, order_id, needs)
    named = {kind: need for need, list_ in needs.items() for kind in list_}
    others = dict.fromkeys(one.kind for one in held if one.kind not in named)
    titles = kinds()
    return Checklist(
        _rule_title(said.rule),
        tuple(
            Wanted(kind, titles.get(kind, kind), need, tuple(one for one in held if one.kind == kind))
            for kind, need in {**named, **dict.fromkeys(others, "other")}.items()
        ),
        tuple(one for one in everything if one.removed_at is not None),
        kit.complete,
        bool(needs["required"] or needs["any_of"]),
        _files(held, own, platform, now),
        tuple(titles.items()),
        tuple(one.id for one in held if one.picture),
    )


def _kit(held: list[Piece], order_id: str, needs: Mapping[str, tuple[str, ...]]) -> Kit:
    items = tuple(Item(one.kind, one.sha256, one.taken_at or one.at, one.by_whom, order_id) for one in held)
    return evidence_kit(
        evidence=items,
        order=order_id,
        evidence_required=needs["required"],
        evidence_any_of=needs["any_of"],
        evidence_recommended=needs["recommended"],
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()


def _rule_title(name: str | None) -> str | None:
    for rule in books.book("evidence").rules:
        if rule.name == name:
            return rule.title if words.language() == "zh" else rule.title_en
    return None


def _files(held: list[Piece], own: str, platform: str, now: datetime) -> str | None:
    """The title of the rule by which the platform does not take the pictures as they are."""
    counted = pictures(image_sizes=tuple(one.bytes for one in held if one.picture))
    facts = {
        "image_count": counted.image_count,
        "largest_bytes": counted.largest_bytes,
        "file_format": "image",
    }
    said = ruling("evidence_files", facts, own, platform, now)
    if not counted.image_count or said.outcome.get("accepted") is True:
        return None
    rule = next(one for one in books.book("evidence_files").rules if one.name == said.rule)
    return rule.title if words.language() == "zh" else rule.title_en
