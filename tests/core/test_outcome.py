"""A condition that does not hold is told as what is so instead, never as if it were true."""

from datetime import UTC, datetime, timedelta

import pytest

from aftersale.core.explain import explain
from aftersale.core.expression import Value
from aftersale.core.language.wording import Language
from aftersale.core.rulebook import resolve_settings
from tests.core.test_rulebook import book_of

NOW = datetime(2026, 11, 11, 10, tzinfo=UTC)
SEEN = NOW - timedelta(hours=30)


def told(when: str, language: Language = "zh") -> tuple[bool | None, str]:
    """Truth and what is said of ¥12.00, shipped, for quality, last seen 30 hours ago; nothing else is known."""
    book = book_of(f"{when} | label: a")
    facts: dict[str, Value | None] = {"amount": 1200, "shipped": True, "reason": "quality", "seen_at": SEEN}
    (part,) = explain(book, facts, resolve_settings(book, {}), NOW, language).rules[0].conjuncts
    return part.truth, part.said


FALSE = """
amount <= :cap                     | 申请金额 ¥12.00 超过 小金额的上限 ¥10.00 | Amount ¥12.00 is more than Small amount ¥10.00
amount < 1000                      | 申请金额 ¥12.00 不少于 ¥10.00 | Amount ¥12.00 is no less than ¥10.00
amount > 2000                      | 申请金额 ¥12.00 没有超过 ¥20.00 | Amount ¥12.00 is no more than ¥20.00
amount >= 2000                     | 申请金额 ¥12.00 不到 ¥20.00 | Amount ¥12.00 is less than ¥20.00
amount = 1                         | 申请金额 ¥12.00 不等于 ¥0.01 | Amount ¥12.00 is not ¥0.01
amount <> 1200                     | 申请金额 ¥12.00 等于 ¥12.00 | Amount ¥12.00 is ¥12.00
not (amount > :cap)                | 申请金额 ¥12.00 超过 小金额的上限 ¥10.00 | Amount ¥12.00 is more than Small amount ¥10.00
hours_since_seen >= 72             | 物流未更新的时间 30 小时 不到 72 小时 | Hours unseen 30 h is less than 72 h
hours_since_seen < 24              | 物流未更新的时间 30 小时 不少于 24 小时 | Hours unseen 30 h is no less than 24 h
seen_at > '2026-11-11'             | 物流最后更新 2026-11-10 12:00 不晚于 2026-11-11 00:00 | Last seen 2026-11-10 12:00 is not after 2026-11-11 00:00
seen_at < '2026-11-01'             | 物流最后更新 2026-11-10 12:00 不早于 2026-11-01 00:00 | Last seen 2026-11-10 12:00 is not before 2026-11-01 00:00
seen_at + hours(48) <= '2026-11-11' | 物流最后更新 2026-11-10 12:00 + 48 小时 晚于 2026-11-11 00:00 | Last seen 2026-11-10 12:00 + 48 h is after 2026-11-11 00:00
seen_at >= '2026-11-11'            | 物流最后更新 2026-11-10 12:00 早于 2026-11-11 00:00 | Last seen 2026-11-10 12:00 is before 2026-11-11 00:00
not shipped                        | 已发货：是 | Shipped: yes
not :enabled                       | 自动退款：是 | Automatic: yes
shipped is false                   | 已发货：是 | Shipped: yes
not (shipped is true)              | 已发货：是 | Shipped: yes
insured is true                    | 不知道是否有运费险 | Insured is not known
(amount > 2000) is true            | 申请金额 ¥12.00 没有超过 ¥20.00 | Amount ¥12.00 is no more than ¥20.00
reason = 'late'                    | 原因是「quality」，不是「late」 | Reason is “quality”, not “late”
reason <> 'quality'                | 原因是「quality」 | Reason is “quality”
reason in ('late', 'dislike')      | 原因是「quality」，不属于：late、dislike | Reason is “quality”, none of: late, dislike
reason in :easy_reasons            | 原因是「quality」，不属于：容易的原因 dislike、late | Reason is “quality”, none of: Easy reasons dislike, late
reason not in ('quality', 'late')  | 原因是「quality」 | Reason is “quality”
due_at is not null                 | 没有截止时间 | Due is missing
seen_at is null                    | 已有物流最后更新 2026-11-10 12:00 | There is already Last seen 2026-11-10 12:00
amount > 2000 or reason = 'late'   | 申请金额 ¥12.00 没有超过 ¥20.00，原因是「quality」，不是「late」 | Amount ¥12.00 is no more than ¥20.00, Reason is “quality”, not “late”
not (shipped or insured)           | 已发货：是 | Shipped: yes
not (amount > :cap and shipped)    | 申请金额 ¥12.00 超过 小金额的上限 ¥10.00，已发货：是 | Amount ¥12.00 is more than Small amount ¥10.00, Shipped: yes
"""
UNKNOWN = """
paid > 0                           | 不知道实付 | Paid is not known
amount * 2 <= paid + 100           | 不知道实付 | Paid is not known
least(amount, paid) = 1            | 不知道实付 | Paid is not known
insured                            | 不知道是否有运费险 | Insured is not known
not insured                        | 不知道是否有运费险 | Insured is not known
shipped = insured                  | 不知道是否有运费险 | Insured is not known
platform = 'pdd'                   | 不知道平台（没有平台） | Platform is not known
platform not in ('pdd')            | 不知道平台（没有平台） | Platform is not known
days_since_due > :late_days        | 不知道逾期天数 | Days overdue is not known
amount > 2000 or insured           | 申请金额 ¥12.00 没有超过 ¥20.00，不知道是否有运费险 | Amount ¥12.00 is no more than ¥20.00, Insured is not known
not (amount > :cap and insured)    | 不知道是否有运费险 | Insured is not known
"""


@pytest.mark.parametrize(("truth", "line"), [
    *((False, line) for line in FALSE.strip().splitlines()),
    *((None, line) for line in UNKNOWN.strip().splitlines()),
])  # fmt: skip
def test_what_does_not_hold_is_told_as_it_is(truth: bool | None, line: str) -> None:
    when, zh, en = (part.strip() for part in line.split(" | "))
    assert told(when) == (truth, zh)
    assert told(when, "en") == (truth, en)


def test_what_holds_is_told_as_the_condition() -> None:
    assert told("amount > :cap") == (True, "申请金额 ¥12.00 > 小金额的上限 ¥10.00")


def test_a_rule_of_another_day_says_when_it_counts() -> None:
    book = book_of("shipped | label: a | , from: 2026-12-01", "shipped | label: a | , until: 2026-11-01")
    rules = explain(book, {"shipped": True}, resolve_settings(book, {}), NOW).rules
    said = [part.said for rule in rules for part in rule.conjuncts if part.truth is False]
    assert said == ["2026-12-01 00:00 才生效", "2026-11-01 00:00 起已经失效"]
