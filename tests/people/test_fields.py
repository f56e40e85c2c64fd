"""Every field of money that a template has takes no bad value, and the list of them is whole."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import psycopg
import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from aftersale.core.money import FEN_MAX, fen_from_yuan
from aftersale.people.accounts import ensure_user
from aftersale.people.playbook.guide import answer, facts_of
from tests.conftest import ROOT, Database
from tests.people.conftest import PASSWORD
from tests.people.crawl import money_like
from tests.people.hostile import MONEY
from tests.people.shops import case_id

OWNER, WAYBILL = "店主青山", "SF1300000001"
TEMPLATES = sorted((ROOT / "aftersale").glob("*/templates/**/*.html"))
TAG = re.compile(r"<(form|input|textarea)\b((?:\{%.*?%\}|\{\{.*?\}\}|[^>])*)>|</form>", re.S)


def attribute(tag: str, name: str) -> str:
    found = re.search(rf'(?<![\w-]){name}="((?:\{{%.*?%\}}|[^"])*)"', tag)
    return found[1] if found else ""


def written(template: Path) -> Iterator[tuple[str, str, str]]:
    """Of each field: where its form leads (empty: the page that includes it says), its name, its tag."""
    form = ""
    for tag in TAG.finditer(template.read_text("utf-8")):
        if tag[1] == "form":
            named = re.search(r"url '([\w:-]+)'", attribute(tag[2], "action"))
            form = named[1] if named else ""
        elif tag[1] is None:
            form = ""
        elif (name := attribute(tag[2], "name")) and name != "csrfmiddlewaretoken":
            yield form, re.sub(r"\{\{.*?\}\}", "*", name), tag[2]


@dataclass(frozen=True, slots=True)
class Tried:
    """Where an amount is posted, with all else as it should be; `who` may do it. `fen`: whole fen, else yuan."""

    address: str
    form: str
    who: str = OWNER
    fen: bool = False


MINE, ASKED = case_id(1, 28), case_id(1, 12)
# Every money field of the templates: where its form leads, its name, and an otherwise good request. U: a member.
MONEY_FIELDS = {
    ("act", "amount_fen"): Tried(f"case/tea/{MINE}/do/agree_refund", "version=1", fen=True),
    ("approval", "amount_fen"): Tried("approvals/tea/A/yes", "version=1", fen=True),
    ("bulk-go", "fen"): Tried("bulk/B/go", "cases=1", fen=True),
    ("carrier-claim", "amount"): Tried("work-orders/claims/tea/7/accepted", "version=1"),
    ("carrier-claim-new", "asked"): Tried("work-orders/claims/tea/new", f"waybill={WAYBILL}&kind=lost"),
    ("carrier-claim-new", "insured"): Tried("work-orders/claims/tea/new", f"waybill={WAYBILL}&kind=lost&asked=1"),
    ("guide", "amount"): Tried(f"case/tea/{MINE}/guide/promise", "kind=resend&text=x"),
    ("rule-do", "budget"): Tried("rules/tea/do/try", "share=10&sha256=x"),
    ("settings-person-act", "max_amount"): Tried("settings/people/tea/U/more", "until=2026-11-12T12:00&why=x"),
    ("", "max_amount"): Tried("settings/people/tea/invite", "role=agent&refund_right=1"),
}  # fmt: skip
ANSWERS = {("guide", "f_*"), ("", "f_*")}
"""What a step of a playbook asks: a field for each fact, read by its type."""
FORMULAS = {("", "amount")}
"""Texts of the rule editor that compute an amount: the book's linter reads them."""
# Who makes an amount of what was typed, and which of the fields above it reads.
READERS = {
    "playbook/acts.py": {"amount"},
    "playbook/guide.py": {"f_*"},
    "rules/publish.py": {"budget"},
    "settings/form.py": {"max_amount"},
    "work_orders/claims.py": {"amount", "asked", "insured"},
}
KEPT = (
    "intent", "approval", "ledger", "money_window", "setting_log", "membership", "temporary_right", "invitation",
    "carrier_claim", "promise", "draft", "playbook_step", "bulk", "bulk_case", "job", "order_money",
)  # fmt: skip
CLAIM = """
INSERT INTO carrier_claim (shop_id, id, tracking_no, courier, kind, rule, most_fen, asked_fen, filed_by, filed_at, due_at, pay_days,
  changed_by, changed_at) OVERRIDING SYSTEM VALUE
VALUES (1, 7, 'SF7', 'sf', 'lost', 'x', 2000, 1000, 'x', moment(), moment(), 1, 'x', moment())"""


def money_fields() -> set[tuple[str, str]]:
    return {
        (form, name)
        for template in TEMPLATES
        for form, name, tag in written(template)
        if money_like(name) or attribute(tag, "inputmode") == "decimal"
    }


def test_the_list_of_money_fields_is_whole() -> None:
    """A new field of an amount, or a new reader of one, has to be tried below first."""
    assert money_fields() == set(MONEY_FIELDS) | ANSWERS | FORMULAS
    people = ROOT / "aftersale/people"
    reading = {
        str(path.relative_to(people)) for path in people.rglob("*.py") if "fen_from_yuan(" in path.read_text()
    }
    assert reading == set(READERS)
    assert set().union(*READERS.values()) <= {name for _, name in (*MONEY_FIELDS, *ANSWERS)}


def bad(tried: Tried) -> Iterator[str]:
    """Of §3.4's values those that are no amount in the field's unit; nothing at all is often allowed."""
    for value in MONEY:
        found = None if tried.fen else fen_from_yuan(value)
        if value.strip() and (found is None or not 0 < found <= FEN_MAX):
            yield value


def state(database: Database) -> list[object]:
    seen = "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {} t"
    with psycopg.connect(database.owner) as conn:
        return [conn.execute(seen.format(table).encode()).fetchone() for table in KEPT]


@pytest.fixture(scope="module")
def asked(shops: Database) -> Callable[[Tried, str, str], int]:
    """Posts a value to a field; a claim, a request for approval and a bulk wait."""
    ensure_user(OWNER, PASSWORD, {"tea": "owner", "snack": "owner"})
    owner, agent = (Client(raise_request_exception=False, headers={"host": "127.0.0.1"}) for _ in range(2))
    for client, name in ((owner, OWNER), (agent, "客服小明")):
        assert client.post("/login", {"username": name, "password": PASSWORD}).status_code == 302
    agent.post(f"/case/tea/{ASKED}/do/agree_refund", {"amount_fen": 39_900, "version": 1})
    bulk = owner.post("/bulk", {"act": "agree_refund", "pick": f"tea:{case_id(1, 5)}"})
    with psycopg.connect(shops.owner) as conn:
        conn.execute(CLAIM)
        (approval,) = conn.execute("SELECT id FROM approval WHERE state = 'requested'").fetchall()
    numbers = {"A": str(approval[0]), "B": bulk["Location"].rsplit("/", 1)[1]}
    numbers["U"] = str(get_user_model().objects.get(username="客服小明").pk)

    def post(tried: Tried, name: str, value: str) -> int:
        address = re.sub(r"\b[ABU]\b", lambda found: numbers[found[0]], tried.address)
        form = {**dict(parse_qsl(tried.form)), name: value}
        return owner.post(f"/{address}", form).status_code

    return post


@pytest.mark.parametrize("field", sorted(MONEY_FIELDS))
def test_no_money_field_takes_what_is_no_amount(
    field: tuple[str, str], asked: Callable[[Tried, str, str], int], shops: Database
) -> None:
    """Nothing is planned, promised, claimed, allowed or set, and no answer is an error of ours or says: no such place."""
    tried = MONEY_FIELDS[field]
    before, values = state(shops), list(bad(tried))
    answers = {value: asked(tried, field[1], value) for value in values}
    assert {value: said for value, said in answers.items() if said not in (200, 302, 400, 422)} == {}
    assert (state(shops), len(values) > 25) == (before, True)


def test_no_answer_to_a_step_takes_what_is_no_amount() -> None:
    facts = [fact for fact in facts_of("refund").values() if fact.type.kind == "fen"]
    assert facts != []
    for fact in facts:
        assert answer(fact, "12.30") == 1230, fact.name
        for value in MONEY:
            found = answer(fact, value)
            assert found is None or (found == fen_from_yuan(value) and 0 <= int(str(found)) <= FEN_MAX), (
                fact.name,
                value,
            )
