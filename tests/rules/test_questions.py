"""The questions' data: every name leads somewhere, and a question says what it does not know."""

import re
from collections.abc import Iterator

import pytest

from aftersale.ask.formulas import formulas
from aftersale.ask.questions import Question, Unclear, families, question
from aftersale.core.expression import SECONDS
from aftersale.rulebooks import books

QUESTIONS = [one for family in families().values() for one in family.values()]


def _readable(one: Question) -> set[str]:
    """What the stages of a question can read."""
    names: set[str] = set()
    for stage in one.stages:
        formula = formulas().get(stage.name)
        if formula is None:
            names |= {*books.book(stage.name).catalogue.facts, *books.book(stage.name).settings}
        else:
            names |= set(formula.parameters)
    ages = [re.fullmatch(r"(minutes|hours|days)_since_(\w+)", name) for name in names]
    return names | {f"{unit}_since_{age[2]}" for age in ages if age for unit in SECONDS}


def _targets(one: Question) -> Iterator[str]:
    for entry in one.fields.values():
        yield from (entry["to"],) if "to" in entry else entry.get("clock", ())
        yield from entry.get("each", {}).values()
        yield from entry.get("parts", {}).values()
        yield from (key for said in entry.get("is", {}).values() for key in said)


def test_every_stage_is_a_book_or_a_formula_and_never_both() -> None:
    shared = set(formulas()) & set(books.shipped())
    assert shared == set()
    for one in QUESTIONS:
        for stage in one.stages:
            assert stage.name in formulas() or stage.name in books.shipped(), (one.slug, stage.name)


def test_every_formula_answers_a_question() -> None:
    asked = {stage.name for one in QUESTIONS for stage in one.stages}
    assert set(formulas()) - asked == set()


@pytest.mark.parametrize("family", sorted(families()))
def test_fields_lead_to_what_some_question_of_the_family_reads(family: str) -> None:
    readable = set().union(*(_readable(one) for one in families()[family].values()))
    alike = {"auto_strategy", "triage"} if family in ("auto_strategy", "triage") else {family}
    for other in alike:
        readable |= set().union(*(_readable(one) for one in families()[other].values()))
    for one in families()[family].values():
        known = readable | set(one.fields)
        assert [name for name in _targets(one) if name not in known] == [], one.slug
        assert [name for name in one.assumed if name not in readable] == [], one.slug


def test_an_unknown_question_names_the_nearest() -> None:
    with pytest.raises(Unclear, match="最近的是 triage"):
        question("triaje:c_24h")
    with pytest.raises(Unclear, match="最近的是 c_24h"):
        question("triage:c_25h")
    with pytest.raises(Unclear, match="没有名为 {} 的问题类别".format("")):
        question(None)
