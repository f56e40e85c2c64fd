"""Every rule of the refund book at, below and above its thresholds, and with unknown facts."""

import pytest

from aftersale.rulebooks import books
from tests.rules.tables import case, pays, table, verdict

TABLE = table("refund_rules", "table")
WITH_SETTINGS = table("refund_rules", "with_settings")


def _named(found: object) -> str:
    return str(found or "otherwise")


@pytest.mark.parametrize(("base", "words", "rule"), TABLE)
def test_the_rule_that_speaks(base: str, words: str, rule: str) -> None:
    assert _named(verdict(case(base, words)).rule) == rule


@pytest.mark.parametrize(("base", "words", "setting", "rule"), WITH_SETTINGS)
def test_the_rule_that_speaks_with_a_shops_own_setting(
    base: str, words: str, setting: str, rule: str
) -> None:
    name, _, value = setting.partition("=")
    assert _named(verdict(case(base, words), {name: {"true": True}.get(value, value)}).rule) == rule


def test_every_rule_is_in_a_table() -> None:
    spoken = {row[-1] for row in TABLE + WITH_SETTINGS}
    assert spoken == {rule.name for rule in books.book().rules} | {"otherwise"}


HAZARDS = (
    "amount=null", "amount=0", "amount=-1", "paid=null", "paid=0",
    "state=null", "state=refunded", "state=closed", "state=seller_refused",
    "intervened=true", "intervened=null", "operation_limit=web_only",
    "presale_deposit=true", "hours_since_lock_end=-1h",
)  # fmt: skip
PAYING = [row[:2] for row in TABLE if pays(verdict(case(*row[:2])))]


@pytest.mark.parametrize("hazard", HAZARDS)
def test_no_money_moves_by_itself_where_something_is_unknown_or_wrong(hazard: str) -> None:
    assert len(PAYING) > 30
    assert [row for row in PAYING if pays(verdict(case(row[0], f"{row[1]} {hazard}")))] == []


def test_no_money_moves_by_itself_above_what_was_paid() -> None:
    paid_less = [(row, {**case(*row), "paid": int(str(case(*row)["amount"])) - 1}) for row in PAYING]
    assert [row for row, facts in paid_less if pays(verdict(facts))] == []
