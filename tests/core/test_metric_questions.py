"""Indexes and promotion figures through the question door: below, at and above each threshold, and what is missing."""

import json
from datetime import UTC, datetime
from math import isclose
from pathlib import Path
from typing import Any

import pytest

from aftersale.ask.answer import answer

NOW = datetime(2026, 11, 30, 4, tzinfo=UTC)
TABLE = Path(__file__).with_name("metric_questions.txt").read_text("utf-8")


def _lines() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    found, family = [], ""
    for line in TABLE.splitlines():
        if line.startswith("## "):
            family = line.removeprefix("## ")
        elif line and not line.startswith("#"):
            slug, given, expected = line.split(" | ")
            found.append((f"{family}:{slug}", json.loads(given), json.loads(expected)))
    return found


def _same(expected: Any, found: Any) -> bool:
    if expected is None:
        return found in (None, [])
    if isinstance(expected, (int, float)) and not isinstance(expected, bool):
        return isinstance(found, (int, float)) and isclose(expected, found, rel_tol=1e-9, abs_tol=1e-9)
    return type(expected) is type(found) and bool(expected == found)


@pytest.mark.parametrize(("ask", "given", "expected"), _lines())
def test_what_is_answered(ask: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    told = answer({"id": "q", "given": {"ask": ask, **given}}, NOW, trace=False)
    assert "error" not in told, told
    outcome = told["outcome"]
    assert {key: outcome.get(key) for key, one in expected.items() if not _same(one, outcome.get(key))} == {}


@pytest.mark.parametrize(
    ("ask", "given", "setting", "before", "after"),
    [
        ("m_event_gate", {"index": 80}, {"event_gate_index": "79"}, {"event_signup_allowed": True}, {"event_signup_allowed": False}),
        ("m_3min", {"users": [{"id": "a", "reply_delays_s": [150]}]}, {"three_min_limit_s": 120}, {"over": 0}, {"over": 1}),
        ("m_quality_reasons", {"reason": "wrong_item"}, {"quality_reasons": ["wrong_item"]}, {"counts_quality": False}, {"counts_quality": True}),
        ("m_window", {"event_ages_days": [28, 29]}, {"metric_window_days": 29}, {"counted": 2}, {"counted": 1}),
    ],
)  # fmt: skip
def test_a_shops_own_setting_decides(
    ask: str, given: dict[str, Any], setting: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    asked = {"id": "q", "given": {"ask": f"metric:{ask}", **given}}
    assert answer(asked, NOW, trace=False)["outcome"].items() >= before.items()
    assert answer(asked, NOW, trace=False, settings=setting)["outcome"].items() >= after.items()


def test_a_strange_field_is_named() -> None:
    told = answer({"id": "q", "given": {"ask": "metric:m_conv", "inquirer": 3}}, NOW)
    assert "inquirers" in told["error"]
