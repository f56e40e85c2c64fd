"""Deciding in Python: unknowns, exact boundaries, dates, and when to look again."""

from datetime import UTC, datetime, timedelta

import pytest

from aftersale.core.expression import Value
from aftersale.core.look import decide, next_look
from aftersale.core.rulebook import resolve_settings
from tests.core.test_rulebook import book_of

NOW = datetime(2026, 11, 11, 10, tzinfo=UTC)
US = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


def outcome(when: str, **facts: Value | None) -> str:
    """TRUE, FALSE or unknown, as three rules would see it."""
    book = book_of(
        f"{when} | label: 'TRUE'", f"not ({when}) | label: 'FALSE'", f"({when}) is null | label: unknown"
    )
    return str(decide(book, facts, resolve_settings(book, {}), NOW).outcome["label"])


@pytest.mark.parametrize(
    "line",
    """
    shipped and insured | T T | TRUE
    shipped and insured | T - | unknown
    shipped and insured | F - | FALSE
    shipped or insured  | T - | TRUE
    shipped or insured  | F - | unknown
    shipped or insured  | F F | FALSE
    shipped = insured   | T - | unknown
    shipped is not true | - T | TRUE
    coalesce(shipped, insured) | - F | FALSE
    case when shipped then insured else true end | - F | TRUE
    """.strip().splitlines(),
)
def test_unknown_is_neither_true_nor_false(line: str) -> None:
    when, given, expected = (part.strip() for part in line.split("|"))
    shipped, insured = ({"T": True, "F": False, "-": None}[sign] for sign in given.split())
    assert outcome(when, shipped=shipped, insured=insured) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("least(amount, paid) = 5", "unknown"),
        ("greatest(amount, paid) = 5", "unknown"),
        ("amount + paid > 0", "unknown"),
        ("amount in (5, 6)", "TRUE"),
        ("paid in (5, 6)", "unknown"),
        ("reason in :no_reasons", "FALSE"),
        ("percent_of(amount, 50) = 2", "TRUE"),
        ("percent_of(-amount, 50) = -2", "TRUE"),
    ],
)
def test_amount_5_and_paid_unknown(when: str, expected: str) -> None:
    assert outcome(when, amount=5) == expected


@pytest.mark.parametrize(
    "line",
    """
    hours_since_seen >= 72 | 72h - | FALSE
    hours_since_seen >= 72 | 72h 0 | TRUE
    hours_since_seen > 72  | 72h 0 | FALSE
    hours_since_seen > 72  | 72h + | TRUE
    hours_since_seen <= 72 | 72h 0 | TRUE
    hours_since_seen <= 72 | 72h + | FALSE
    hours_since_seen < 72  | 72h - | TRUE
    days_since_due >= :late_days | 72h 0 | TRUE
    days_since_due >= :late_days | 72h - | FALSE
    minutes_since_seen > 30 | 1h 0 | TRUE
    """.strip().splitlines(),
)
def test_an_age_is_exact_to_the_microsecond(line: str) -> None:
    when, age, expected = (part.strip() for part in line.split("|"))
    hours, step = age.split()
    at = NOW - int(hours.removesuffix("h")) * HOUR - {"-": -US, "0": 0 * US, "+": US}[step]
    assert outcome(when, seen_at=at, due_at=at) == expected


def test_a_deadline_comes_nearer() -> None:
    assert outcome("hours_until_due <= 4", due_at=NOW + 4 * HOUR) == "TRUE"
    assert outcome("hours_until_due <= 4", due_at=NOW + 4 * HOUR + US) == "FALSE"
    assert outcome("hours_until_due < 0", due_at=NOW) == "FALSE"


def test_ages_and_derived_facts_may_be_given_as_values() -> None:
    assert outcome("hours_since_seen >= 72", hours_since_seen=72) == "TRUE"
    assert outcome("hours_since_seen >= 72", hours_since_seen=71.5) == "FALSE"
    assert outcome("goods = 'stuck'", goods="stuck", shipped=False) == "TRUE"
    assert outcome("goods = 'stuck'", shipped=True, hours_since_seen=73) == "TRUE"


def test_the_first_rule_wins_and_its_outcome_is_computed() -> None:
    book = book_of(
        "amount <= :cap | label: small, amount: amount, due_at: 'seen_at + hours(24)', tags: [a, b]",
        "shipped | label: sent",
        rest="otherwise: {label: person}",
    )
    chosen = resolve_settings(book, {})
    found = decide(book, {"amount": 900, "shipped": True, "seen_at": NOW}, chosen, NOW)
    assert (found.rule, found.rule_no) == ("r1", 1)
    assert found.outcome == {"label": "small", "amount": 900, "due_at": NOW + 24 * HOUR, "tags": ["a", "b"]}
    assert decide(book, {"shipped": True}, chosen, NOW).outcome == {"label": "sent"}
    assert decide(book, {}, chosen, NOW).outcome == {"label": "person"}
    assert decide(book, {}, chosen, NOW).rule is None


def test_collect_gives_every_rule_that_holds_in_order() -> None:
    book = book_of("shipped | label: a", "insured | label: b", "shipped | label: c", hit="collect")
    found = decide(book, {"shipped": True}, resolve_settings(book, {}), NOW)
    assert [(hit.rule_no, hit.outcome) for hit in found.hits] == [(1, {"label": "a"}), (3, {"label": "c"})]
    assert (found.rule, found.rule_no) == (None, 0)


def test_a_rule_acts_on_its_platforms_between_its_dates() -> None:
    book = book_of("shipped | label: a | , platforms: [tmall], from: 2017-04-21, until: 2026-11-12")
    chosen = resolve_settings(book, {})

    def acts(now: datetime, platform: str | None = "tmall") -> bool:
        return decide(book, {"shipped": True, "platform": platform}, chosen, now).rule == "r1"

    start, end = (
        datetime(2017, 4, 20, 16, tzinfo=UTC),
        datetime(2026, 11, 11, 16, tzinfo=UTC),
    )  # Shanghai midnight
    assert [acts(start - US), acts(start), acts(end - US), acts(end)] == [False, True, True, False]
    assert [acts(NOW, "pdd"), acts(NOW, None)] == [False, False]
    assert next_look(book, {"shipped": True, "platform": "tmall"}, chosen, NOW) == end


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("hours_since_seen >= 72", 62 * HOUR),
        ("hours_since_seen > 72", 62 * HOUR + US),
        ("hours_since_seen > 72 and shipped", None),
        ("hours_since_seen >= 8", None),
        ("hours_since_seen <= 72", 62 * HOUR + US),
        ("goods = 'kept' or hours_since_seen >= :quiet_hours", 62 * HOUR),
        ("hours_until_due <= 4", 16 * HOUR),
        ("hours_until_due < 4 or hours_since_seen >= 72", 16 * HOUR + US),
        ("days_since_due >= :late_days", (20 + 72) * HOUR),
        ("shipped is null", None),
    ],
)
def test_the_next_look_is_the_moment_the_decision_changes(when: str, expected: timedelta | None) -> None:
    book = book_of(f"{when} | label: a")
    facts = {"seen_at": NOW - 10 * HOUR, "due_at": NOW + 20 * HOUR}
    at = next_look(book, facts, resolve_settings(book, {}), NOW)
    assert at == (None if expected is None else NOW + expected)


def test_a_threshold_that_changes_nothing_is_passed_over() -> None:
    book = book_of(
        "hours_since_seen >= 24 | label: a", "shipped is null | label: a", rest="otherwise: {label: b}"
    )
    facts = {"shipped": True, "seen_at": NOW}
    assert next_look(book, facts, resolve_settings(book, {}), NOW) == NOW + 24 * HOUR
    same = book_of("insured or hours_since_seen >= 24 | label: a")
    assert next_look(same, {"insured": True, "seen_at": NOW}, resolve_settings(same, {}), NOW) is None
