"""Playbooks, evidence and contact through the question door: just below, at and above each threshold."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from aftersale.ask.answer import answer
from aftersale.core.evidence.kit import content_hash
from aftersale.core.expression import Lit
from aftersale.core.lint import lint
from aftersale.core.rulebook import Const
from aftersale.rulebooks import books

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
FILES = ("playbook_questions", "evidence_questions", "contact_questions")
BOOKS = (
    "dunning", "playbooks", "stall_causes", "handover", "inspect_first", "evidence", "video_proof", "red_seal",
    "evidence_files", "evidence_deadline", "purchase_vouchers", "refusal_video", "contact",
)  # fmt: skip
READ_BY_FORMULAS = {"playbooks", "contact"}
KINDS = {"evidence_required", "evidence_any_of", "evidence_recommended"}
SPOKEN_BY_SCRIPTS = {"script"}
Row = tuple[str, dict[str, Any], Any]


@cache
def _rows() -> tuple[Row, ...]:
    return tuple(row for name in FILES for row in _table(name))


def _table(name: str) -> Iterator[Row]:
    """`## slug family {common fields}`, then `{fields} => {outcome}`, or `=> the error says`."""
    ask, common = "", {}
    for line in (Path(__file__).parent / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            slug, family, text = line[3:].split(" ", 2)
            ask, common = f"{family}:{slug}", yaml.safe_load(text)
        elif line.strip():
            given, _, expected = line.partition(" => ")
            said = yaml.safe_load(expected) if expected.startswith("{") else expected
            yield ask, {**common, **yaml.safe_load(given)}, said


def _answered(ask: str, given: dict[str, Any], **settings: object) -> dict[str, Any]:
    shop = settings or None
    return answer({"id": "q", "given": {"ask": ask, **given}}, NOW, trace=False, settings=shop)


@pytest.mark.parametrize(("ask", "given", "expected"), _rows())
def test_the_answer(ask: str, given: dict[str, Any], expected: Any) -> None:
    found = _answered(ask, given)
    if isinstance(expected, str):
        assert expected in found["error"]
        return
    assert "error" not in found, found
    assert {key: _plain(found, key) for key in expected} == expected


def _plain(found: dict[str, Any], key: str) -> Any:
    """In lists of what is wrong nothing is written null."""
    value = found["outcome"].get(key)
    return None if value == [] and key in ("missing", "warnings", "doubtful", "faults") else value


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_a_table(name: str) -> None:
    spoken = set()
    for ask, given, _ in _rows():
        spoken |= set(str(_answered(ask, given).get("rule")).replace(" + ", ", ").split(", "))
    assert {rule.name for rule in books.book(name).rules} - spoken == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_unreachable_or_unused(name: str) -> None:
    wrong = {"unreachable", "never_known", "no_setting", "unused_setting"}
    allowed = {("unused_setting", None)} if name in READ_BY_FORMULAS else set()
    assert {(one.code, one.rule) for one in lint(books.book(name)) if one.code in wrong} <= allowed


@pytest.mark.parametrize("name", BOOKS)
def test_every_code_that_people_see_has_its_titles(name: str) -> None:
    book = books.book(name)
    for then in (*(rule.then for rule in book.rules), book.otherwise):
        for key in set(then) - SPOKEN_BY_SCRIPTS:
            found = then[key]
            said = found.value if isinstance(found, (Lit, Const)) else None
            for code in said if isinstance(said, list) else [said]:
                title = books.title("evidence_kind" if key in KINDS else key, str(code))
                assert not isinstance(code, str) or title != code, (key, code)


def test_a_shops_own_cap_and_promise_hold() -> None:
    third = {"channel": "phone", "calls_today": 2, "contacts_last_7d": 2}
    assert _answered("contact_check:o_calls", third)["outcome"]["allowed"] is False
    assert _answered("contact_check:o_calls", third, calls_per_phone_per_day=3)["outcome"]["allowed"] is True
    urged = {"hours_since_order": 30, "shipped": False}
    assert _answered("playbook:h_not_due", urged)["outcome"]["plan"] == "soothe"
    assert _answered("playbook:h_not_due", urged, promised_ship_hours=24)["outcome"]["plan"] == "overdue"


def test_no_reason_and_no_approver_ever_lift_the_ban_on_harvested_contact_data() -> None:
    for channel in ("wechat", "wechat_search_by_phone", "qq", "qq_mail", "alipay_account", "anything"):
        given = {
            "channel": channel,
            "override_reason": "客户失联",
            "approver": "主管阿兰",
            "inbound_pending": True,
        }
        found = _answered("contact_check:o_external", given)["outcome"]
        assert (found["allowed"], found["reason"]) == (False, "outside_platform_no_consent")


def test_the_same_file_has_the_same_mark() -> None:
    assert content_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert content_hash("面单".encode()) == content_hash("面单".encode()) != content_hash(b"x")
