"""Questions about strategies, unshipped and shipped cases, returns, permissions and the rest, around every threshold."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.ask.answer import answer
from aftersale.core.lint import lint
from aftersale.core.money import Fen
from aftersale.core.records import BadInput
from aftersale.core.refund_runs.scan import Parcel, scan_returns
from aftersale.rulebooks import books, tracking
from aftersale.rulebooks.permission import Act, BatchItem, may, plan_batch

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
FILE = Path(__file__).parent / "refund_questions.txt"


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _fields(text: str) -> dict[str, Any]:
    return {name: _value(value) for name, _, value in (word.partition("=") for word in text.split())}


WORDS = ("return_markers", "courier_return_markers", "no_return_words", "return_doubt_words")
ROWS = [
    tuple(cell.strip() for cell in line.split(" | "))
    for line in FILE.read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
]


@pytest.mark.parametrize(("question", "fields", "expected"), ROWS)
def test_a_question_is_answered(question: str, fields: str, expected: str) -> None:
    asked = {"id": 1, "given": {"ask": question, **_fields(fields)}}
    found = answer(asked, NOW, trace=False)
    assert "error" not in found, found
    for name, wanted in _fields(expected).items():
        assert found["outcome"].get(name) == wanted, (name, found["outcome"])


BOOKS = (
    "permissions", "interception", "not_received", "arrivals", "prepaid_freight", "prevention", "care", "shop_profile",
    "refusals", "refusing", "promo_timeouts",
)  # fmt: skip


@pytest.mark.parametrize("name", BOOKS)
def test_every_rule_speaks_in_the_table(name: str) -> None:
    spoken: set[str] = set()
    for question, fields, _ in ROWS:
        found = answer({"id": 1, "given": {"ask": question, **_fields(fields)}}, NOW, trace=False)
        spoken |= set(str(found.get("rule")).replace(" + ", ", ").split(", "))
    assert {rule.name for rule in books.book(name).rules} - spoken == set()


@pytest.mark.parametrize("name", BOOKS)
def test_lint_finds_nothing_that_cannot_speak(name: str) -> None:
    codes = {one.code for one in lint(books.book(name))}
    assert codes & {"unreachable", "never_known", "no_setting", "unused_setting"} == set()


AGENT = Act("agent", "refund", 5000, presale_deposit=False, refund_right=True)
PROMO = replace(AGENT, refund_right=False, during_promo=True)
HELPER = Act("helper", "refund", 5000, helper_job="refunds", access_ends_at=NOW)


@pytest.mark.parametrize(
    ("act", "settings", "allowed", "rule"),
    [
        (AGENT, {}, True, "by_sub_account"),
        (replace(AGENT, amount=20000), {}, True, "by_sub_account"),
        (replace(AGENT, amount=20001), {}, False, "above_refund_limit"),
        (replace(AGENT, amount=20001), {"agent_refund_max": 20001}, True, "by_main_account"),
        (replace(AGENT, amount=20001, max_amount=20001), {}, True, "by_main_account"),
        (replace(AGENT, amount=20001, account="sub"), {"agent_refund_max": 20001}, False, "above_sub_limit"),
        (replace(AGENT, amount=20001, account="sub"), {"sub_limit": 20001, "agent_refund_max": 20001}, True, "by_sub_account"),
        (replace(AGENT, presale_deposit=True, executor="batch_tool", reviewed=True), {}, False, "deposit_by_sub"),
        (replace(AGENT, action="batch_refund"), {}, False, "not_reviewed"),
        (replace(AGENT, action="batch_refund", reviewed=True), {}, True, "by_sub_account"),
        (replace(AGENT, refund_right=None), {}, False, "no_refund_right"),
        (PROMO, {}, True, "by_sub_account"),
        (PROMO, {"promo_refund_for_all": False}, False, "no_refund_right"),
        (replace(PROMO, during_promo=None), {}, False, "no_refund_right"),
        (AGENT, {"agent_actions": ["contact"]}, False, "not_in_role"),
        (replace(AGENT, role=None), {}, False, "nobody"),
        (replace(AGENT, action=None), {}, False, "nobody"),
        (replace(AGENT, amount=None), {}, False, "amount_missing"),
        (Act("agent", "promise", 2000), {}, True, "in_role"),
        (Act("agent", "promise", 2001), {}, False, "above_promise_limit"),
        (Act("lead", "promise", 2001), {}, True, "in_role"),
        (Act("lead", "promise", 20001), {}, False, "above_promise_limit"),
        (Act("owner", "promise", 20001), {}, True, "in_role"),
        (Act("lead", "refund", 200001), {}, False, "above_refund_limit"),
        (Act("finance", "refund", 1000000), {}, True, "by_main_account"),
        (Act("finance", "promise", 1), {}, False, "not_in_role"),
        (Act("warehouse", "receive_goods"), {}, True, "in_role"),
        (Act("owner", "delete_evidence"), {}, False, "evidence_is_kept"),
        (Act("lead", "edit_script"), {}, False, "script_by_admin"),
        (Act("owner", "edit_script"), {}, True, "in_role"),
        (HELPER, {}, True, "by_sub_account"),
        (replace(HELPER, amount=10001), {}, False, "above_refund_limit"),
        (replace(HELPER, access_ends_at=NOW - timedelta(microseconds=1)), {}, False, "helper_expired"),
        (replace(HELPER, access_ends_at=None), {}, False, "helper_expired"),
        (replace(HELPER, helper_job="reception"), {}, False, "helper_job"),
        (replace(HELPER, helper_job=None), {}, False, "helper_job"),
    ],
)  # fmt: skip
def test_who_may_do_what(act: Act, settings: dict[str, Any], allowed: bool, rule: str) -> None:
    found = may(act, settings, NOW)
    assert (found.allowed, found.rule) == (allowed, rule)
    assert (found.why is None) == allowed


@given(
    batch=st.lists(st.builds(BatchItem, st.integers(1, 9), st.none() | st.integers(1, 300), st.none() | st.booleans(), st.none() | st.booleans(), st.none() | st.sampled_from(("applied", "refunded")), st.booleans())),
    limit=st.integers(0, 300),
)  # fmt: skip
def test_a_batch_executes_only_what_is_reviewed_and_within_the_limit(
    batch: list[BatchItem], limit: int
) -> None:
    plan = plan_batch(batch=tuple(batch), sub_limit=Fen(limit), now=NOW)
    first = {item.id: item for item in reversed(batch)}
    parts = (plan.executed, plan.held, plan.to_main_account, plan.skipped)
    assert sorted(one for part in parts for one in part) == sorted(first)
    for one in plan.executed:
        item = first[one]
        assert (item.reviewed, item.valid, bool(item.presale_deposit)) == (True, True, False)
        assert 0 <= (limit + 1 if item.amount is None else item.amount) <= limit
    assert all(first[one].presale_deposit or (first[one].amount or 0) > limit for one in plan.to_main_account)


def test_what_the_words_miss_and_the_reader_sees_is_a_blind_spot() -> None:
    book = books.book("refund_runs")
    words: Any = {name: book.settings[name].default for name in WORDS}
    texts = ("快件已由【杭州】发回寄件人", "客户拒收,快件退回")
    readings = [tracking.read(None, [{"time": "2017-06-01T10:00:00", "text": text}]) for text in texts]
    parcels = tuple(
        Parcel(number, text, None, None if isinstance(found, BadInput) or found.doubtful else found.state)
        for number, (text, found) in enumerate(zip(texts, readings, strict=True))
    )
    found = scan_returns(parcels=parcels, **words)
    assert (found.ready_to_refund, found.blind_spots) == ((1,), (0,))


def test_a_threshold_is_the_shops_own_where_it_set_one() -> None:
    asked = {"id": 1, "given": {"ask": "other:v_multi_platform", "query": "param", "name": "no_update_hours"}}
    assert answer(asked, NOW, settings={"no_update_hours": 48})["outcome"]["value"] == 48
    asked["given"]["name"] = "no_update_hour"  # type: ignore[index]
    assert "最近的是 no_update_hours" in answer(asked, NOW)["error"]
