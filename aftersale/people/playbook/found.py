"""What is known of a case for its playbook: the record, what people did, the evidence at hand."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aftersale.cases.rows import first, read
from aftersale.core.expression import Value
from aftersale.core.look import Verdict, decide
from aftersale.core.rulebook import resolve_settings
from aftersale.people.playbook.guide import facts_of
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people.playbook")
Facts = Mapping[str, Value | None]


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was done or passed over."""

    step: str
    outcome: str
    why: str
    facts: str
    by_whom: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pickup:
    picked_up_at: datetime | None
    events_since_pickup: int


@dataclass(frozen=True, slots=True)
class Noted:
    noted: bool


@dataclass(frozen=True, slots=True)
class Known:
    """`issue`: the problem, `playbook`: the book that leads, `facts`: all that is known, `taken`: steps so far."""

    issue: str | None
    playbook: str
    facts: Facts
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class Own:
    settings: str


def own_settings(shop_id: int) -> str:
    """The shop's own values as JSON."""
    found = first(Own, SQL["settings"], {"shop_id": shop_id})
    return found.settings if found else "{}"


def settings_of(book: str, own: str, platform: str, now: datetime) -> Mapping[str, Value]:
    """The book's settings with the shop's own values (JSON)."""
    found = books.book(book)
    mine = {name: value for name, value in json.loads(own).items() if name in found.settings}
    return resolve_settings(found, mine, platform, now)


def ruling(book: str, facts: Facts, own: str, platform: str, now: datetime) -> Verdict:
    """What a shipped book says of these facts, with the shop's settings."""
    known = {name: value for name, value in facts.items() if name in facts_of(book)}
    return decide(books.book(book), known, settings_of(book, own, platform, now), now)


def taken_of(shop_id: int, case_id: str) -> tuple[Taken, ...]:
    return tuple(read(Taken, SQL["steps"], {"shop_id": shop_id, "case_id": case_id}))


def known(
    where: Mapping[str, Any],
    facts: Facts,
    tracking_no: str | None,
    kinds: Iterable[str],
    own: str,
    platform: str,
    now: datetime,
) -> Known:
    """`kinds`: of the evidence at hand; a kind that a book has as a fact holds by it."""
    steps = taken_of(where["shop_id"], where["case_id"])
    noted = first(Noted, SQL["noted"], where)
    more = dict(facts) | _of_parcel(where, tracking_no) | _told(steps)
    more |= {"noted": bool(noted and noted.noted), "number_uploaded_at": facts.get("shipped_at")}
    more |= dict.fromkeys(kinds, True)
    chosen = more.pop("issue", None)
    sorted_out = ruling("case_issue", more, own, platform, now).outcome
    issue = str(chosen or sorted_out["issue"] or "") or None
    leads = str(sorted_out["playbook"]) if chosen is None else _leads(str(chosen))
    return Known(issue, leads, {**more, "issue": issue}, steps)


def _leads(issue: str) -> str:
    """The book that leads through a problem which people named."""
    for rule in books.book("case_issue").rules:
        then = {key: getattr(output, "value", None) for key, output in rule.then.items()}
        if then["issue"] == issue:
            return str(then["playbook"])
    return "playbooks"


def issues() -> tuple[str, ...]:
    """All problems that a playbook is there for."""
    rules = books.book("case_issue").rules
    return tuple(dict.fromkeys(str(getattr(rule.then["issue"], "value", "")) for rule in rules))


def _of_parcel(where: Mapping[str, Any], tracking_no: str | None) -> dict[str, Value | None]:
    if tracking_no is None:
        return {}
    found = first(Pickup, SQL["parcel"], {**where, "tracking_no": tracking_no})
    if found is None or found.picked_up_at is None:
        return {}
    return {"picked_up_at": found.picked_up_at, "events_since_pickup": found.events_since_pickup}


def _told(steps: Iterable[Taken]) -> dict[str, Value | None]:
    """The facts of all steps; a moment comes back as a moment."""
    found: dict[str, Value | None] = {}
    for one in steps:
        for name, value in json.loads(one.facts).items():
            moment = isinstance(value, str) and name.endswith("_at")
            found[name] = datetime.fromisoformat(value) if moment else value
    return found
