"""The data files agree with one another, with the requirements and with the page in docs."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from aftersale.core.expression import Compare, In, Knob, Lit, Ref, walk
from aftersale.core.lint import lint
from aftersale.core.rulebook import Book, Const
from aftersale.rulebooks import books
from aftersale.rulebooks.documentation import pages

ROOT = Path(__file__).parent.parent.parent
INTENTS = {
    "agree_refund",
    "agree_return",
    "refuse",
    "intercept",
    "message",
    "memo",
    "cancel_shipment",
    "review",
}


def _thens() -> list[tuple[str, dict[str, object]]]:
    """Each rule's constant outcomes."""
    book = books.book()
    named = [*((rule.name, rule.then) for rule in book.rules), ("otherwise", book.otherwise)]
    return [
        (name, {k: v.value for k, v in then.items() if isinstance(v, (Lit, Const))}) for name, then in named
    ]


def _codes(then: dict[str, object]) -> set[str]:
    lists = [then.get(key) or [] for key in ("first", "next", "tasks")]
    single = [then[key] for key in ("action", "suggest") if key in then]
    return {str(code) for codes in lists for code in codes} | set(map(str, single))  # type: ignore[attr-defined]


def test_every_action_named_exists_and_every_action_is_named() -> None:
    assert set().union(*(_codes(then) for _, then in _thens())) == set(books.actions())


def test_every_queue_named_exists_and_every_queue_is_named() -> None:
    # Filled by what became of an intent or of a promise.
    after = {"platform_refused", "over_budget", "reversed", "deadline_passed", "promise_due"}
    assert {then["queue"] for _, then in _thens()} - {None} == set(books.queues()) - after
    assert {queue.tab for queue in books.queues().values()} == {tab.code for tab in books.tabs()}


def test_what_only_people_can_do_has_a_queue() -> None:
    actions = books.actions()
    assert [
        name for name, then in _thens() if actions[str(then["action"])].person and then["queue"] is None
    ] == []
    assert [action.code for action in actions.values() if action.person and action.intents] == []


def test_intents_are_known_and_a_message_has_a_text() -> None:
    for action in books.actions().values():
        assert {*action.intents, *action.offers} <= INTENTS, action.code
        assert action.message is not None or "message" not in action.intents, action.code
        assert set(re.findall(r"{(\w+)}", action.message or "")) <= {"order_id", "amount", "tracking_no"}, (
            action.code
        )
        assert ("agree_refund" in action.intents) <= action.money, action.code


def test_every_rule_that_pays_by_itself_asks_for_payable_and_a_state() -> None:
    actions = books.actions()
    paying = {name for name, then in _thens() if actions[str(then["action"])].money and then["queue"] is None}
    assert len(paying) > 15
    for rule in books.book().rules:
        if rule.name in paying:
            assert re.search(r"\bpayable\b", rule.text), rule.name
            assert re.search(
                r"\bstate (= 'applied'|in \('return_agreed', 'return_shipped'\)|= 'return_shipped')",
                rule.text,
            ), rule.name
            assert "amount" in rule.then, rule.name


def test_every_value_has_its_titles() -> None:
    titles = books.titles()
    for fact in books.catalogue().facts.values():
        assert set(fact.values) == set(titles.get(fact.name, {})), fact.name
    for key in ("why", "work_order"):
        assert {str(then[key]) for _, then in _thens() if key in then} <= set(titles[key])


def test_titles_in_both_languages() -> None:
    assert books.title("queue", "in_transit") == "在途处理"
    assert books.title("action", "auto_refund", "en") == "Refund automatically"
    assert books.title("reason", "fake") == "怀疑假货"
    assert books.title("reason", "not_known") == "not_known"
    assert (books.catalogue().facts["fault"].labels or {})["buyer"] == "买家"


def _keys() -> set[tuple[str, str]]:
    """(book, key) of every outcome that a shipped book has."""
    named = ((name, books.book(name)) for name in books.shipped())
    return {
        (name, key)
        for name, book in named
        for then in (*(rule.then for rule in book.rules), book.otherwise)
        for key in then
    }


def _said(key: str, value: object) -> Iterator[tuple[str, str]]:
    """(key, code) of all texts in a constant outcome."""
    if isinstance(value, str):
        yield key, value
    for one in value if isinstance(value, (list, tuple)) else ():
        yield from _said(key, one)


@pytest.mark.parametrize("name", books.shipped())
def test_every_key_of_an_outcome_has_its_titles(name: str) -> None:
    for key in sorted(key for book, key in _keys() if book == name):
        chinese, english = books.output(name, key), books.output(name, key, "en")
        assert re.fullmatch(r"[\u4e00-\u9fff]{2,8}", chinese), f"{key} of {name}: {chinese}"
        assert re.fullmatch(r"[A-Z][A-Za-z',. -]+", english), f"{key} of {name}: {english}"


def test_no_title_is_for_a_key_that_no_book_has() -> None:
    found, every = books.outputs(), _keys()
    keys = {key for _, key in every}
    assert set(found.titles) <= keys
    assert {(book, key) for book, own in found.books.items() for key in own} <= every
    assert {key for own in found.books.values() for key in own} <= set(found.titles)
    assert set(found.values) <= keys


def _looked_for(book: Book) -> Iterator[tuple[str, str]]:
    """(fact, code) of all texts that conditions compare a fact with."""
    for node in (part for rule in book.rules for part in walk(rule.when)):
        match node:
            case In(Ref(fact), Knob(name)) if isinstance(codes := book.settings[name].default, tuple):
                yield from ((fact, str(one)) for one in codes)
            case In(Ref(fact), tuple() as options):
                yield from ((fact, str(one.value)) for one in options)
            case Compare(_, Ref(fact), Lit(str() as code)):
                yield fact, code


@pytest.mark.parametrize("name", books.shipped())
def test_every_code_that_is_looked_for_has_its_titles(name: str) -> None:
    book = books.book(name)
    for fact, code in sorted(set(_looked_for(book))):
        known = book.catalogue.facts[fact]
        if known.type.kind not in ("text", "enum"):
            continue
        assert code in (known.labels or {}), f"{fact}: {code}"
        assert code in (known.labels_en or {}), f"{fact}: {code}"


@pytest.mark.parametrize("name", books.shipped())
def test_every_code_that_follows_or_is_set_has_its_titles(name: str) -> None:
    book = books.book(name)
    thens = (*(rule.then for rule in book.rules), book.otherwise)
    constant = [(k, v.value) for then in thens for k, v in then.items() if isinstance(v, (Lit, Const))]
    constant += [
        (k, code) for k, v in book.settings.items() if v.type.kind == "enum" for code in v.type.values
    ]
    for key, code in sorted({one for k, v in constant for one in _said(k, v)}):
        chinese, english = books.title(key, code), books.title(key, code, "en")
        assert re.search(r"[\u4e00-\u9fff]", chinese), f"{key}: {code}"
        assert english != code, key
        assert not re.search(r"[\u4e00-\u9fff]", english), f"{key}: {code}"


def test_a_key_means_what_its_book_means() -> None:
    assert books.output("promotion", "measures") == "措施"
    assert books.output("promotion", "measures", "en") == "Measures"
    assert (books.output("permissions", "allowed"), books.output("contact", "allowed")) == ("允许", "可联系")
    assert books.output("refund", "not_a_key") == "not_a_key"
    assert books.title("first", "negotiate_with_buyer") == "与买家协商"
    assert books.title("wait_in", "return_refund", "en") == "Returns"
    assert books.title("reason", "mismatch") == "对账有差异"


def test_strategies_name_settings_and_are_named_by_rules() -> None:
    settings, strategies = books.book().settings, books.strategies()
    for one in strategies:
        assert {one.enabled, one.max_amount or one.enabled, one.types or one.enabled} <= set(settings), (
            one.template
        )
    named = {str(then["strategy"]) for _, then in _thens() if "strategy" in then}
    assert named == {one.template for one in strategies}
    assert len([one for one in strategies if "pdd" in one.platforms]) == 8


def test_the_pages_in_docs_are_the_books() -> None:
    folder = ROOT / "docs" / "rulebook"
    written = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*.md")}
    assert written == pages(), "run: python -m aftersale.rulebooks.documentation docs/rulebook"


def test_a_setting_is_defined_in_one_book() -> None:
    homes: dict[str, list[str]] = {}
    for name in books.shipped():
        used = {one for names in books.borrowed(name).values() for one in names}
        for setting in set(books.book(name).settings) - used:
            homes.setdefault(setting, []).append(name)
    assert {setting: names for setting, names in homes.items() if len(names) > 1} == {}


@pytest.mark.parametrize("name", books.shipped())
def test_every_rule_has_its_titles_and_its_source(name: str) -> None:
    for rule in books.book(name).rules:
        assert re.fullmatch(r"R-\d{3}( R-\d{3})*|P\d{1,2}", rule.requirement), rule.name
        assert rule.title_en != rule.name, f"{rule.name} has no English title"
        assert re.search(r"[\u4e00-\u9fff]", rule.title), rule.name
    for setting in books.book(name).settings.values():
        assert setting.title_en != setting.name, f"{setting.name} has no English title"


def test_lint_finds_no_overlap_that_cannot_be_reached() -> None:
    codes = {finding.code for finding in lint(books.book())}
    assert not codes & {"unreachable", "never_known", "no_setting", "unused_setting"}
