"""Every fault and every promise is asserted somewhere, or says why not; and what the documents say is so (P27)."""

import json
from pathlib import Path

from tests.faults import catalogue, figures

RESULT = {
    "seconds": 612.4, "commit": "abc1234", "first_seed": 0,
    "parts": [
        {"name": "simulation", "seconds": 300.0, "failed": False, "schedules": 5000, "figures": {}},
        {"name": "real processes", "seconds": 250.0, "failed": True, "schedules": 500,
         "figures": {"done": {"database killed": 301}, "wrong": [{"seed": 7, "wrong": ["P1: R1 was paid twice"]}]}},
    ],
}  # fmt: skip


def test_each_has_a_test_that_exists_or_a_reason() -> None:
    assert catalogue.wrong() == []


def test_none_is_left_out() -> None:
    assert [one.name for one in catalogue.entries("faults")] == catalogue.FAULTS
    assert [one.name for one in catalogue.entries("promises")] == catalogue.PROMISES


def test_a_test_that_is_not_there_is_seen() -> None:
    assert catalogue.functions("flow/test_nothing.py") == frozenset()
    assert "test_a_test_that_is_not_there_is_seen" in catalogue.functions("faults/test_catalogue.py")
    assert "Result" not in catalogue.functions("faults/test_catalogue.py")


def test_the_document_is_the_catalogue() -> None:
    assert catalogue.DOCUMENT.read_text("utf-8") == catalogue.document(), "python -m tests.faults.catalogue"


def test_figures_replace_their_block_and_nothing_else(tmp_path: Path) -> None:
    told = tmp_path / "safety.md"
    told.write_text(f"before\n\n{figures.BEGIN}\nold\n{figures.END}\n\nafter\n", "utf-8")
    result = tmp_path / "faults.json"
    result.write_text(json.dumps(RESULT), "utf-8")
    figures.write(result, told)
    text = told.read_text("utf-8")
    assert text.startswith(f"before\n\n{figures.BEGIN}\n")
    assert text.endswith(f"{figures.END}\n\nafter\n")
    assert "| simulation | 5,000 | 300 s | all kept |" in text
    assert "| real processes | 500 | 250 s | **FAILED** |" in text
    assert "database killed: 301" in text
    assert "P1: R1 was paid twice (seed 7)" in text
    assert "old" not in text
    figures.write(result, told)
    assert told.read_text("utf-8") == text


def test_the_document_for_shops_has_its_block() -> None:
    text = figures.SAFETY.read_text("utf-8")
    assert text.count(figures.BEGIN) == text.count(figures.END) == 1
    assert len(text.splitlines()) <= 250
