"""For any facts: money moves by itself only where amount, payment and state are known and allow it."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from aftersale.core.expression import Value
from aftersale.core.facts import Fact
from aftersale.rulebooks import books
from tests.rules.tables import NOW, Facts, pays, verdict

AMOUNTS = (-1, 0, 1, 999, 1000, 1001, 1999, 2000, 5000, 10000, 10001, 20000, 20001, 50000, 50001)
HOURS = (-500, -1, 0, 1, 24, 48, 72, 73, 168, 169, 1440, 2000)


def _values(fact: Fact) -> st.SearchStrategy[Value | None]:
    match fact.type.kind:
        case "bool":
            return st.sampled_from((None, True, False))
        case "fen":
            return st.sampled_from((None, *AMOUNTS))
        case "int":
            return st.sampled_from((None, 0, 1, 2, 539, 540, 1080))
        case "timestamptz":
            return st.sampled_from((None, *(NOW - timedelta(hours=hours) for hours in HOURS)))
        case "text":
            return st.sampled_from((None, "7700"))
    return st.sampled_from((None, *fact.values))


STORED = {name: _values(fact) for name, fact in books.catalogue().facts.items() if fact.stored}
SWITCHES = {
    name: st.booleans() for name, setting in books.book().settings.items() if setting.type.kind == "bool"
}


@settings(max_examples=1200, deadline=None)
@given(st.fixed_dictionaries(STORED), st.fixed_dictionaries(SWITCHES), st.booleans())
def test_money_moves_only_where_it_is_allowed(
    facts: Facts, switches: dict[str, object], likely: bool
) -> None:
    if likely:
        facts = {**facts, "intervened": False, "state": "applied", "amount": 1000, "paid": 1000}
    found = verdict(facts, switches)
    if not pays(found):
        return
    amount, paid, locked_until = facts["amount"], facts["paid"], facts["locked_until"]
    assert isinstance(amount, int)
    assert isinstance(paid, int)
    assert 0 < amount <= paid
    assert found.outcome["amount"] == amount
    assert facts["state"] in ("applied", "return_agreed", "return_shipped")
    assert facts["intervened"] is False
    assert facts["operation_limit"] != "web_only"
    assert facts["presale_deposit"] is not True
    assert not (isinstance(locked_until, datetime) and locked_until > NOW)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries(STORED), st.fixed_dictionaries(SWITCHES))
def test_people_get_what_only_people_can_do(facts: Facts, switches: dict[str, object]) -> None:
    found = verdict(facts, switches).outcome
    queue = found.get("queue")
    assert queue is None or queue in books.queues()
    assert queue is not None or not books.actions()[str(found["action"])].person
