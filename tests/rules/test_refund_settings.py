"""Each setting of the refund book changes a decision, and time alone changes it exactly at the threshold."""

from datetime import timedelta

import pytest

from aftersale.core.look import next_look
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.rules.tables import NOW, case, table, verdict

SETTINGS = table("refund_settings", "settings")
OUTCOMES = table("refund_settings", "outcomes")
TOGETHER = table("refund_settings", "together")


def _setting(text: str) -> dict[str, object]:
    name, _, value = text.partition("=")
    kind = books.book().settings[name].type.kind
    if kind == "bool":
        return {name: value == "true"}
    if kind == "list":
        return {name: [value]}
    return {name: value if kind == "enum" else int(value)}


@pytest.mark.parametrize(("base", "words", "setting", "before", "after"), SETTINGS)
def test_a_setting_changes_the_decision(base: str, words: str, setting: str, before: str, after: str) -> None:
    facts = case(base, words)
    assert verdict(facts).rule == before
    assert (verdict(facts, _setting(setting)).rule or "otherwise") == after


@pytest.mark.parametrize("row", OUTCOMES)
def test_a_setting_changes_what_a_rule_says(row: tuple[str, ...]) -> None:
    base, words, setting, key, before, after = row
    facts = case(base, words)
    assert verdict(facts).outcome[key] == int(before)
    assert verdict(facts, _setting(setting)).outcome[key] == int(after)


@pytest.mark.parametrize(("base", "words", "one", "two", "after"), TOGETHER)
def test_settings_that_work_together(base: str, words: str, one: str, two: str, after: str) -> None:
    assert verdict(case(base, words), _setting(one) | _setting(two)).rule == after


def test_every_setting_is_in_a_table() -> None:
    tried = {cell.partition("=")[0] for row in SETTINGS + OUTCOMES + TOGETHER for cell in row[2:4]}
    assert set(books.book().settings) <= tried


LOOKS = table("refund_settings", "looks")


@pytest.mark.parametrize(("base", "words", "wait"), LOOKS)
def test_a_case_is_looked_at_again_exactly_when_its_decision_changes(
    base: str, words: str, wait: str
) -> None:
    book, facts = books.book(), case(base, words)
    found = next_look(book, facts, resolve_settings(book, {}), NOW)
    if wait == "never":
        assert found is None
        return
    hours, extra = wait.rstrip("+").removesuffix("h"), timedelta(microseconds=wait.endswith("+"))
    assert found == NOW + timedelta(hours=int(hours)) + extra
    assert verdict(facts, now=found) != verdict(facts)
    assert verdict(facts, now=found - timedelta(microseconds=1)) == verdict(facts)
