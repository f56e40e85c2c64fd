"""Finding a case by what a person has at hand: a number, the end of a phone number, words of the goods or of a note."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from aftersale.cases.rows import read
from aftersale.cases.waiting.filters import Place
from aftersale.pg.sql import queries

SQL = queries("aftersale.cases.waiting", "search.sql")
ROWS = 50
WORDS_MAX = 8
NOTES_READ = 1000  # at most, however many hold the words; with many shops fewer of each


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that was found, as the list shows it."""

    shop_id: int
    case_id: str
    order_id: str
    aftersale_type: str | None
    reason: str | None
    state: str | None
    title: str | None
    amount_fen: int | None
    applied_at: datetime | None
    queue: str | None
    due_at: datetime | None


def found_by(shop_ids: Collection[int], text: str) -> list[Place]:
    """Cases of these shops by whole number first, then by phone tail, then by words of notes and goods; at most ROWS."""
    text = text.replace("\x00", "").strip()[:64]
    if not text:
        return []
    asked = {"shop_ids": list(shop_ids), "text": text, "rows": ROWS}
    places = read(Place, SQL["numbers"], asked)
    if not places and re.fullmatch(r"[0-9]{4}", text):
        places = read(Place, SQL["phone"], asked)
    if not places:
        words = text.split()[:WORDS_MAX]
        asked |= {"words": words, "patterns": [f"%{_plain(word)}%" for word in words]}
        deep = min(NOTES_READ, max(100, 8 * NOTES_READ // max(len(shop_ids), 1)))
        told = read(Place, SQL["notes"], {**asked, "deep": deep})
        places = list(dict.fromkeys([*told, *read(Place, SQL["words"], asked)]))[:ROWS]
    return places


def hits(places: Collection[Place]) -> list[Hit]:
    """These cases with what the list shows, in the same order."""
    asked = {"shop_ids": [one.shop_id for one in places], "case_ids": [one.case_id for one in places]}
    return read(Hit, SQL["shown"], asked) if places else []


def _plain(word: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", word)
