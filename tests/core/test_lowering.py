"""The SQL itself: lean, indexable, folded."""

from datetime import UTC, datetime

import duckdb
import pytest

from aftersale.core.lowering import Dialect, Lowered, lower, lower_fact, sql_literal
from aftersale.core.rulebook import Book, resolve_settings
from tests.core.test_rulebook import CATALOGUE, book_of

NOW = datetime(2026, 11, 11, 10, tzinfo=UTC)


def lowered(
    book: Book, dialect: Dialect = "postgres", *, given: tuple[str, ...] = (), **chosen: object
) -> Lowered:
    return lower(book, dialect, fact=str, setting=resolve_settings(book, chosen), now=NOW, given=given)


def as_columns(book: Book, dialect: Dialect = "postgres") -> Lowered:
    return lower(book, dialect, fact=lambda n: f"c.{n}", setting=lambda n: f"s.{n}", now="now()")


def test_an_age_is_a_comparison_of_the_stored_moment() -> None:
    book = book_of("hours_since_seen >= :quiet_hours | label: a", "hours_until_due < 4 | label: b")
    assert lowered(book).conditions == (
        "seen_at <= timestamptz '2026-11-08 10:00:00.000000+00'",
        "due_at < timestamptz '2026-11-11 14:00:00.000000+00'",
    )
    assert as_columns(book).conditions == (
        "c.seen_at <= now() - s.quiet_hours * interval '1 hours'",
        "c.due_at < now() + interval '4 hours'",
    )
    assert as_columns(book, "duckdb").conditions[0] == "c.seen_at <= now() - to_hours(s.quiet_hours)"


def test_a_day_is_24_hours() -> None:
    assert as_columns(book_of("days_since_due > 7 | label: a")).conditions == (
        "c.due_at < now() - interval '168 hours'",
    )


def test_the_moments_are_where_the_comparisons_change() -> None:
    book = book_of("hours_since_seen > 72 and hours_until_due <= 4 | label: a | , from: 2017-04-21")
    assert as_columns(book).moments == (
        "timestamptz '2017-04-20 16:00:00.000000+00'",
        "c.seen_at + interval '72 hours' + interval '1 microsecond'",
        "c.due_at - interval '4 hours'",
    )


@pytest.mark.parametrize(
    ("when", "sql"),
    [
        (
            ":enabled and shipped and amount <= :cap",
            "case when shipped and (amount <= 1000) then 1 else 0 end",
        ),
        ("not :enabled and shipped", "0"),
        (":enabled or shipped", "1"),
        ("reason in :easy_reasons", "case when reason in ('dislike', 'late') then 1 else 0 end"),
        ("reason in :no_reasons", "0"),
        ("amount <= :cap * 2 + 1", "case when amount <= 2001 then 1 else 0 end"),
        ("case when :enabled then shipped else insured end", "case when shipped then 1 else 0 end"),
        ("null and shipped", "0"),
        ("note = 'o''clock'", "case when note = 'o''clock' then 1 else 0 end"),
    ],
)
def test_what_is_known_is_folded_in(when: str, sql: str) -> None:
    assert lowered(book_of(f"{when} | label: a")).rule_no == sql


def test_a_rule_that_is_switched_off_disappears_and_numbers_stay() -> None:
    book = book_of(":enabled and hours_since_seen > 1 | label: a", "shipped | label: b", "true | label: c")
    off = lowered(book, enabled=False)
    assert off.rule_no == "case when shipped then 2 else 3 end"
    assert off.hits == "array_remove(array[case when shipped then 2 end, 3]::int[], null)"
    assert off.moments == ()
    texts = lower(
        book, "duckdb", fact=str, setting=lambda name: "FALSE" if name == "enabled" else name, now="now()"
    )
    assert texts.rule_no == "case when shipped then 2 else 3 end"


def test_outcomes_are_chosen_by_rule_number_and_equal_ones_share_an_arm() -> None:
    book = book_of(
        "shipped | label: a, amount: amount",
        "insured | label: b",
        "visits = 1 | label: a",
        rest="otherwise: {label: p}",
    )
    found = lowered(book)
    assert found.output("label", "n") == "case when n in (1, 3) then 'a' when n in (2) then 'b' else 'p' end"
    assert found.output("amount", "n") == "case when n in (1) then amount else null end"
    assert found.types == {"label": "text", "amount": "bigint"}


def test_a_derived_fact_is_expanded_or_the_callers_column() -> None:
    book = book_of("goods = 'stuck' | label: a")
    derived = lower_fact(CATALOGUE, "goods", "postgres", fact=str, now=NOW)
    assert lowered(book).conditions == (f"{derived} = 'stuck'",)
    assert lowered(book, given=("goods",)).conditions == ("goods = 'stuck'",)
    assert "seen_at <= timestamptz '2026-11-08 10:00:00.000000+00'" in derived


def test_lists_and_structures_come_out_of_duckdb() -> None:
    book = book_of('shipped | tags: [a, "o\'b"], more: {k: [1, 2]}')
    found = lowered(book, "duckdb")
    sql = f"select {found.output('tags', '1')}, {found.output('more', '1')}, {found.output('tags', '0')}"
    with duckdb.connect() as duck:
        assert duck.execute(sql).fetchall() == [(["a", "o'b"], '{"k": [1, 2]}', None)]


def test_an_array_setting_may_be_a_column() -> None:
    book = book_of("reason in :easy_reasons | label: a")
    assert as_columns(book).conditions == ("c.reason = any(s.easy_reasons)",)
    assert sql_literal(("a", "b"), "postgres") == "array['a', 'b']::text[]"
    assert sql_literal((), "duckdb") == "[]::varchar[]"
