"""The trace: each condition with its values, and the smallest change that leads elsewhere."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aftersale.core.explain import Change, Flip, Trace, explain
from aftersale.core.expression import Value
from aftersale.core.language.wording import Language
from aftersale.core.look import decide
from aftersale.core.rulebook import Book, parse_book, resolve_settings
from tests.core import books
from tests.core.test_rulebook import book_of

NOW = datetime(2026, 11, 11, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def trace(book: Book, language: Language = "zh", /, **facts: Value | None) -> Trace:
    return explain(book, facts, resolve_settings(book, {}), NOW, language)


@pytest.mark.parametrize(
    "line",
    """
    amount <= :cap             | 申请金额 ¥12.00 ≤ 小金额的上限 ¥10.00 | FALSE
    paid > 0                   | 实付 未知（未知） > ¥0.00 | unknown
    amount * 2 <= paid + 100   | 申请金额 ¥12.00 * 2 ≤ 实付 未知（未知） + ¥1.00 | unknown
    shipped                    | 已发货 是 = 是 | TRUE
    not insured                | 有运费险 未知（未知） = 否 | unknown
    reason = 'late'            | 原因 quality = late | FALSE
    reason in :easy_reasons    | 原因 quality 属于 容易的原因 dislike、late | FALSE
    reason not in ('late')     | 原因 quality 不属于 late | TRUE
    hours_since_seen >= 72     | 物流未更新的时间 30 小时 ≥ 72 小时 | FALSE
    days_since_due > :late_days | 逾期天数 未知（未知） > 逾期上限 3 天 | unknown
    due_at is null             | 截止时间 未知（未知） 没有信息 | TRUE
    hours_since_seen is not null | 物流未更新的时间 30 小时 有信息 | TRUE
    shipped or amount > :cap   | （已发货 是 = 是 或者 申请金额 ¥12.00 > 小金额的上限 ¥10.00） | TRUE
    not (shipped or insured)   | 并非（（已发货 是 = 是 或者 有运费险 未知（未知） = 是）） | FALSE
    (amount > :cap) is true    | 申请金额 ¥12.00 > 小金额的上限 ¥10.00 成立 | TRUE
    seen_at + hours(24) > '2026-11-11' | 物流最后更新 2026-11-10 12:00 + 24 小时 > 2026-11-11 00:00 | TRUE
    least(amount, paid) = 1    | 较小者（申请金额 ¥12.00、实付 未知（未知）） = ¥0.01 | unknown
    percent_of(amount, 50) = 600 | 申请金额 ¥12.00 的 50% = ¥6.00 | TRUE
    goods = 'moving'           | 货物状态 moving = moving | TRUE
    """.strip().splitlines(),
)
def test_a_condition_is_told_with_its_values(line: str) -> None:
    when, said, truth = (part.strip() for part in line.split("|"))
    found = trace(
        book_of(f"{when} | label: a"), amount=1200, shipped=True, reason="quality", seen_at=NOW - 30 * HOUR
    )
    (part,) = found.rules[0].conjuncts
    assert (part.text, part.truth) == (said, {"TRUE": True, "FALSE": False, "unknown": None}[truth])


def test_every_conjunct_tells_what_it_read() -> None:
    book = book_of("amount <= :cap and hours_since_seen >= 72 | label: a | , from: 2017-04-21")
    (rule,) = trace(book, amount=900).rules
    assert rule.truth is None
    assert [(part.text, part.truth, part.reads) for part in rule.conjuncts] == [
        ("2017-04-21 00:00 起生效", True, {}),
        ("申请金额 ¥9.00 ≤ 小金额的上限 ¥10.00", True, {"amount": 900}),
        ("物流未更新的时间 未知（没有物流信息） ≥ 72 小时", None, {"hours_since_seen": None}),
    ]


def test_in_english() -> None:
    found = trace(
        book_of("amount <= :cap and hours_since_seen < 72 | label: a"), "en", amount=1200, seen_at=NOW
    )
    said = [part.text for part in found.rules[0].conjuncts]
    assert said == ["Amount ¥12.00 ≤ Small amount ¥10.00", "Hours unseen 0 h < 72 h"]
    assert found.flips[0].text == "If Amount changes from ¥12.00 to ¥10.00, then “Rule 1” applies"


def flips(book: Book, **facts: Value | None) -> list[str]:
    return [flip.text for flip in trace(book, **facts).flips]


def test_the_nearest_amount_across_the_threshold() -> None:
    small = book_of("amount <= :cap | label: a")
    assert trace(small, amount=1200).flips == (
        Flip((Change("amount", 1200, 1000),), "r1", "如果 申请金额 由 ¥12.00 变为 ¥10.00，则命中「规则1」"),
    )
    assert flips(small, amount=900) == ["如果 申请金额 由 ¥9.00 变为 ¥10.01，则没有规则命中"]
    assert flips(small) == ["如果 申请金额 由 未知（平台没有给出金额） 变为 ¥10.00，则命中「规则1」"]
    double = book_of("amount * 2 <= paid | label: a")
    assert flips(double, amount=700, paid=1000) == [
        "如果 申请金额 由 ¥7.00 变为 ¥5.00，则命中「规则1」",
        "如果 实付 由 ¥10.00 变为 ¥14.00，则命中「规则1」",
    ]


def test_the_age_across_its_threshold() -> None:
    quiet = book_of("hours_since_seen >= 72 | label: a")
    assert flips(quiet, seen_at=NOW - 30 * HOUR) == [
        "如果 物流未更新的时间 由 30 小时 变为 72 小时，则命中「规则1」"
    ]
    assert flips(quiet, seen_at=NOW - 80 * HOUR) == [
        "如果 物流未更新的时间 由 80 小时 变为 不到 72 小时，则没有规则命中"
    ]
    over = book_of("hours_since_seen > 72 | label: a")
    assert flips(over, seen_at=NOW - 72 * HOUR) == [
        "如果 物流未更新的时间 由 72 小时 变为 超过 72 小时，则命中「规则1」"
    ]


def test_the_member_of_an_enum_and_a_derived_fact_through_what_it_is_derived_from() -> None:
    assert flips(book_of("reason = 'late' | label: a"), reason="quality") == [
        "如果 原因 由 quality 变为 late，则命中「规则1」"
    ]
    stuck = book_of("goods = 'stuck' | label: a")
    assert flips(stuck, shipped=False, seen_at=NOW - 80 * HOUR) == [
        "如果 已发货 由 否 变为 是，则命中「规则1」"
    ]
    assert flips(stuck, goods="moving") == ["如果 货物状态 由 moving 变为 stuck，则命中「规则1」"]


def test_two_facts_only_when_one_does_not_suffice() -> None:
    book = book_of("amount <= :cap and reason = 'late' | label: a")
    (flip,) = trace(book, amount=1200, reason="quality").flips
    assert flip.changes == (Change("amount", 1200, 1000), Change("reason", "quality", "late"))
    assert flip.text == "如果 申请金额 由 ¥12.00 变为 ¥10.00，并且 原因 由 quality 变为 late，则命中「规则1」"
    assert [len(f.changes) for f in trace(book, amount=900, reason="quality").flips] == [1]


def test_a_collected_rule_joins_or_leaves() -> None:
    book = book_of("shipped | label: a", "reason = 'late' | label: b", hit="collect")
    assert flips(book, shipped=True, reason="late") == [
        "如果 已发货 由 是 变为 否，则不再命中「规则1」",
        "如果 原因 由 late 变为 quality，则不再命中「规则2」",
    ]


@given(text=books.book_texts(), seed=st.integers(0, 9999))
@settings(
    phases=(Phase.explicit, Phase.generate), max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_flip_flips_and_the_trace_tells_the_verdict(text: str, seed: int) -> None:
    book = parse_book(text, books.catalogue())
    chosen = resolve_settings(book, {})
    for facts in books.rows(5, seed):
        found = explain(book, facts, chosen, books.NOW)
        assert found.verdict == decide(book, facts, chosen, books.NOW)
        for rule in found.rules:
            truths = [part.truth for part in rule.conjuncts]
            assert rule.truth == (False if False in truths else None if None in truths else True)
        for flip in found.flips:
            after = decide(book, {**facts, **{c.fact: c.after for c in flip.changes}}, chosen, books.NOW)
            assert [hit.rule for hit in after.hits] != [hit.rule for hit in found.verdict.hits]
            assert all(facts[change.fact] == change.before != change.after for change in flip.changes)
            assert book.hit == "collect" or after.rule == flip.rule
