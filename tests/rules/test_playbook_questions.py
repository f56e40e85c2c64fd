"""Playbooks, evidence and contact through the question door: just below, at and above each threshold."""

from typing import Any

import pytest

from aftersale.core.evidence.kit import content_hash
from tests.rules.asking import answered, check, rows, silent_rules, suspicious, untitled

TABLES = ("playbook_questions", "evidence_questions", "contact_questions")
BOOKS = (
    "dunning", "playbooks", "stall_causes", "handover", "inspect_first", "evidence", "video_proof", "red_seal",
    "evidence_files", "evidence_deadline", "purchase_vouchers", "refusal_video", "contact",
)  # fmt: skip
READ_BY_FORMULAS = {"playbooks", "contact"}
ALIAS = dict.fromkeys(("evidence_required", "evidence_any_of", "evidence_recommended"), "evidence_kind")


@pytest.mark.parametrize(("ask", "given", "expected"), rows(*TABLES))
def test_the_answer(ask: str, given: dict[str, Any], expected: Any) -> None:
    check(ask, given, expected)


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_a_table(name: str) -> None:
    assert silent_rules(name, *TABLES) == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_unreachable_or_unused(name: str) -> None:
    assert suspicious(name, read_by_formulas=READ_BY_FORMULAS) == set()


@pytest.mark.parametrize("name", BOOKS)
def test_every_code_that_people_see_has_its_titles(name: str) -> None:
    assert untitled(name, None, ALIAS) == set()


def test_a_shops_own_cap_and_promise_hold() -> None:
    third = {"channel": "phone", "calls_today": 2, "contacts_last_7d": 2}
    assert answered("contact_check:o_calls", third)["outcome"]["allowed"] is False
    assert (
        answered("contact_check:o_calls", third, {"calls_per_phone_per_day": 3})["outcome"]["allowed"] is True
    )
    urged = {"hours_since_order": 30, "shipped": False}
    assert answered("playbook:h_not_due", urged)["outcome"]["plan"] == "soothe"
    assert answered("playbook:h_not_due", urged, {"promised_ship_hours": 24})["outcome"]["plan"] == "overdue"


def test_no_reason_and_no_approver_ever_lift_the_ban_on_harvested_contact_data() -> None:
    for channel in ("wechat", "wechat_search_by_phone", "qq", "qq_mail", "alipay_account", "anything"):
        given = {
            "channel": channel,
            "override_reason": "客户失联",
            "approver": "主管阿兰",
            "inbound_pending": True,
        }
        found = answered("contact_check:o_external", given)["outcome"]
        assert (found["allowed"], found["reason"]) == (False, "outside_platform_no_consent")


def test_the_same_file_has_the_same_mark() -> None:
    assert content_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert content_hash("面单".encode()) == content_hash("面单".encode()) != content_hash(b"x")
