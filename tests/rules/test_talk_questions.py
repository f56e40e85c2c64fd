"""Complaints, the desk, work orders, self-service and reviews through the question door, and every rule speaks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftersale.ask.answer import answer
from aftersale.core.expression import Lit
from aftersale.core.lint import lint
from aftersale.core.rulebook import Const
from aftersale.rulebooks import books

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
BOOKS = ("selling", "payment_reminders", "outsourcing", "complaints", "workorders", "self_service")
Row = tuple[str, dict[str, Any], Any]


@cache
def _rows() -> tuple[Row, ...]:
    return tuple(_table())


def _table() -> Iterator[Row]:
    """`## slug family {common fields}`, then `{fields} => {outcome}`, or `=> the error says`."""
    ask, common = "", {}
    for line in Path(__file__).with_name("talk_questions.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            slug, family, text = line[3:].split(" ", 2)
            ask, common = f"{family}:{slug}", yaml.safe_load(text)
        elif line.strip():
            given, _, expected = line.rpartition(" => ")
            said = yaml.safe_load(expected) if expected.startswith("{") else expected
            yield ask, {**common, **yaml.safe_load(given)}, said


def _answered(ask: str, given: dict[str, Any], settings: dict[str, Any] | None = None) -> dict[str, Any]:
    return answer({"id": "q", "given": {"ask": ask, **given}}, NOW, trace=False, settings=settings)


@pytest.mark.parametrize(("ask", "given", "expected"), _rows())
def test_the_answer(ask: str, given: dict[str, Any], expected: Any) -> None:
    found = _answered(ask, given)
    if isinstance(expected, str):
        assert expected in found["error"]
        return
    assert "error" not in found, found
    assert {key: found["outcome"].get(key) for key in expected} == {
        str(key): {str(k): v for k, v in one.items()} if isinstance(one, dict) else one
        for key, one in expected.items()
    }


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_a_table(name: str) -> None:
    spoken = set()
    for ask, given, _ in _rows():
        spoken |= set(str(_answered(ask, given).get("rule")).split(" + "))
    assert {rule.name for rule in books.book(name).rules} - spoken == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_unreachable(name: str) -> None:
    assert {one.code for one in lint(books.book(name))} & {
        "unreachable",
        "never_known",
        "no_setting",
    } == set()


@pytest.mark.parametrize("name", BOOKS)
def test_every_code_that_people_see_has_its_titles(name: str) -> None:
    book, keys = (
        books.book(name),
        ("action", "task", "suggest", "why", "helper_job", "wait_in", "tag", "note"),
    )
    for then in (*(rule.then for rule in book.rules), book.otherwise):
        for key in keys:
            found = then.get(key)
            code = found.value if isinstance(found, (Lit, Const)) else None
            assert code is None or books.title(key, str(code)) != code, (key, code)


def test_every_script_that_a_rule_names_is_in_the_library() -> None:
    for name in books.shipped():
        book = books.book(name)
        for then in (*(rule.then for rule in book.rules), book.otherwise):
            found = then.get("script")
            if isinstance(found, (Lit, Const)) and found.value is not None:
                assert found.value in books.scripts().scripts, (name, found.value)


@pytest.mark.parametrize(
    ("ask", "given", "setting", "before", "after"),
    [
        ("desk:n_pay_remind", {"unpaid_seconds": 90, "product_has_rule": True}, {"pay_remind_after_s": 90}, {"prompt": True}, {"prompt": False}),
        ("desk:n_quick_overuse", {"share": 0.7}, {"quick_reply_share_max": "0.6"}, {"warn": False}, {"warn": True}),
        ("desk:n_segment", {"text_chars": 200}, {"segment_chars": 100}, {"parts": 1}, {"parts": 2}),
        ("desk:n_pay_roles", {"role": "cs"}, {"reminder_price_roles": ["cs"]}, {"allowed": False}, {"allowed": True}),
        ("desk:n_banned", {"message": "亲"}, {"banned_words": ["亲"]}, {"can_send": True}, {"can_send": False}),
        ("complaint:l_contact", {"contacted": False}, {"complaint_contact_hours": 1}, {"due_hours": 2}, {"due_hours": 1}),
        ("complaint:l_attitude", {"severity_level": 2}, {"attitude_measures": ["2=警告"]}, {"measure": None}, {"measure": "警告"}),
        ("complaint:l_patrol_3h", {"hours_since_intervention_refresh": 4}, {"intervention_patrol_hours": 4}, {"alert": True}, {"alert": False}),
        ("workorder:p_emotion", {"during_promo": True, "open_conversations": 30}, {"promo_agent_load_max": 30}, {"hand_over_to": None}, {"hand_over_to": "other_agent"}),
        ("self_service:q_deposit", {"kind": "invoice"}, {"self_service_kinds": ["invoice"]}, {"accepted": False}, {"accepted": True}),
    ],
)  # fmt: skip
def test_a_shops_own_setting_decides(
    ask: str, given: dict[str, Any], setting: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    assert _answered(ask, given)["outcome"].items() >= before.items()
    assert _answered(ask, given, setting)["outcome"].items() >= after.items()
