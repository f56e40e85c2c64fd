"""Every requirement is held somewhere or said to come later; the document says what the code says."""

from pathlib import Path

import yaml

from tests.traceability import DOCUMENT, LAST, SAID, held, numbers, render, said

ROOT = Path(__file__).parents[2]


def test_the_document_is_made_from_the_code() -> None:
    assert DOCUMENT.read_text("utf-8") == render(), "run: python -m tests.traceability"


def test_none_is_silently_missing() -> None:
    wanted = [f"R-{number:03}" for number in range(1, LAST + 1)]
    told, places = said(), held()
    assert list(told) == wanted
    assert list(yaml.safe_load(SAID.read_text("utf-8"))) == wanted
    assert [number for number in wanted if not places[number] and not told[number].get("later")] == []
    assert sum(bool(places[number]) for number in wanted) >= 365


def test_places_said_by_hand_exist() -> None:
    for number, entry in said().items():
        for place in entry.get("places", ()):
            paths = [part for part in place.replace(",", " ").split("`") if part.startswith("aftersale/")]
            assert [path for path in paths if not (ROOT / path).exists()] == [], number


def test_ranges_are_written_out() -> None:
    assert list(numbers("R-014 and R-016…R-018")) == ["R-014", "R-016", "R-017", "R-018"]
