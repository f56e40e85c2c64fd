"""Lint: what is proved, what is only suspected, and what must not be reported."""

import pytest

from aftersale.core.facts import load_catalogue
from aftersale.core.lint import lint
from aftersale.core.rulebook import parse_book
from tests.core.books import CATALOGUE_TEXT
from tests.core.test_rulebook import book_of


def codes(*rules: str, hit: str = "first") -> list[tuple[str, str | None]]:
    return [
        (found.code, found.rule) for found in lint(book_of(*rules, hit=hit)) if found.code != "unused_setting"
    ]


@pytest.mark.parametrize(
    "line",
    """
    shipped                   ; shipped and insured       ; r2 unreachable
    amount <= :cap            ; amount <= :cap and shipped ; r2 unreachable
    amount <= :cap            ; amount < :cap             ; r2 unreachable
    reason in ('late', 'dislike') ; reason = 'late'       ; r2 unreachable
    shipped or insured        ; insured and amount > 0    ; r2 unreachable
    hours_since_seen > :quiet_hours ; hours_since_seen > :quiet_hours and shipped ; r2 unreachable
    shipped is not null       ; not shipped and insured   ; r2 possibly_unreachable
    shipped                   ; insured and not insured   ; r2 possibly_unreachable
    shipped                   ; insured                   ; -
    amount <= :cap            ; amount > :cap             ; -
    goods = 'stuck'           ; goods = 'moving'          ; -
    amount <= paid            ; amount > paid and visits > :times ; -
    :enabled and shipped      ; shipped                   ; -
    :chosen = 'quality' and shipped ; shipped and :chosen <> 'quality' ; -
    """.strip().splitlines(),
)
def test_rules_that_are_never_reached(line: str) -> None:
    first, second, expected = (part.strip() for part in line.split(";"))
    wanted = [] if expected == "-" else [(expected.split()[1], expected.split()[0])]
    assert codes(f"{first} | label: a", f"{second} | label: b") == wanted


def test_a_collected_rule_is_only_unreachable_by_itself() -> None:
    assert codes("shipped | label: a", "shipped and insured | label: b", hit="collect") == []
    assert codes("shipped and not shipped | label: a", hit="collect") == [("possibly_unreachable", "r1")]


def test_overlapping_money_is_shown_with_a_case() -> None:
    found = [
        f for f in lint(book_of("shipped | amount: amount", "insured | amount: paid")) if f.code == "overlap"
    ]
    assert [f.rule for f in found] == ["r2"]
    assert "r1 与 r2 会同时成立而金额不同" in found[0].text
    assert "shipped=True" in found[0].text
    assert "insured=True" in found[0].text
    assert codes("shipped | amount: amount", "insured | amount: amount") == []
    assert codes("shipped | amount: amount", "not shipped | amount: paid") == []


def test_a_threshold_belongs_into_a_setting() -> None:
    assert codes("hours_since_seen >= 72 | label: a", "amount > 0 | label: b", "visits >= 1 | label: c") == [
        ("no_setting", "r1")
    ]
    assert codes("amount between 100 and :cap | label: a") == [("no_setting", "r1")]


def test_a_fact_that_a_platform_never_tells() -> None:
    text = CATALOGUE_TEXT.replace("title_en: Insured", "title_en: Insured, known_for: [tmall]")
    catalogue = load_catalogue(text)
    book = """
book: b
hit: first
facts: test
rules:
  - {name: a, title: 甲, when: insured, platforms: [pdd], then: {x: y}}
  - {name: b, title: 乙, when: insured, platforms: [tmall], then: {x: y}}
  - {name: c, title: 丙, when: shipped and insured is not null, platforms: [pdd], then: {x: y}}
"""
    found = [f for f in lint(parse_book(book, catalogue)) if f.code == "never_known"]
    assert [(f.rule, f.text) for f in found] == [("a", "a 在 pdd 永远不成立：那里没有事实 insured")]


def test_a_setting_without_use() -> None:
    found = [
        f.text for f in lint(book_of("amount <= :cap and :enabled | label: a")) if f.code == "unused_setting"
    ]
    assert "设置 :times 没有规则使用" in found
    assert "设置 :cap 没有规则使用" not in found
