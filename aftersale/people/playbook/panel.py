"""The guide beside a case: next step, script, evidence, contacts, promises, hand-overs."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from aftersale.cases.access import Case
from aftersale.cases.casework.place import Place
from aftersale.cases.rows import record_connection
from aftersale.people import words
from aftersale.people.evidence.checklist import Checklist, checklist_of, kinds_at_hand
from aftersale.people.playbook import contacts, promises, scripts
from aftersale.people.playbook.found import Facts, Known, issues, known
from aftersale.people.playbook.guide import step_title
from aftersale.people.playbook.next_step import Next, next_step
from aftersale.rulebooks import books


def known_of(case: Case, head: Any, facts: Facts, now: datetime) -> tuple[Known, Checklist]:
    """What the playbook reads, and what has to be proven."""
    where = {"shop_id": case.shop.id, "case_id": case.case_id}
    kinds = kinds_at_hand(where)
    found = known(where, facts, head.tracking_no, kinds, head.settings, case.shop.platform, now)
    return found, checklist_of(where, found, head.order_id, head.settings, case.shop.platform, now)


def panel(
    case: Case,
    head: Any,
    lines: list[Any],
    facts: Facts,
    action: str | None,
    members: Collection[tuple[str, str]],
    by: str,
    asked: Mapping[str, str],
    now: datetime,
) -> dict[str, Any]:
    """Everything the guide shows. `action`: what was decided; `asked`: a script that somebody chose, its variant and
    the values they filled in."""
    platform, own = case.shop.platform, head.settings
    place = Place(case.shop.id, case.case_id, by, now)
    found, checklist = known_of(case, head, facts, now)
    step = next_step(found, own, platform, now) if head.open else None
    handovers = promises.handovers_of(place.values())
    return {
        "clock_facts": _clock_facts(found),
        "issue": found.issue,
        "issues": [(code, words.word("issue", code)) for code in issues()],
        "step": step,
        "taken": [(one, step_title(one.step)) for one in found.taken if one.step != "issue"],
        "draft": _draft(
            step,
            action,
            scripts.values_of(head, lines, found.facts, _promise_at(step), own, platform, now),
            asked,
        ),
        "filled": [
            (name, said) for name in asked if name.startswith("p_") and (said := asked[name].strip()[:80])
        ],
        "library": scripts.library(),
        "may_send": platform in scripts.MESSAGE_BYTES,
        "checklist": checklist,
        "contact": contacts.governor(record_connection(), place, head.buyer_ref, facts, own, platform),
        "promises": promises.promises_of(place.values()),
        "promise_kinds": [(kind, words.word("promise", kind)) for kind in promises.KINDS],
        "handed": next((one for one in handovers if one.is_for(by, case.shop.role)), None),
        "handovers": handovers,
        "departments": [(role, words.word("role", role)) for role in DEPARTMENTS],
        "colleagues": [(name, role) for name, role in members if name != by],
    }


def _clock_facts(found: Known) -> Facts:
    """What the guide knows for the book of deadlines: the pickup, and a problem that is followed up."""
    followed = max((one.at for one in found.taken), default=None)
    return {
        "picked_up_at": found.facts.get("picked_up_at"),
        "problem_open": found.playbook == "playbooks" and found.facts.get("solved") is not True,
        "followed_up_at": followed,
    }


DEPARTMENTS = ("agent", "lead", "finance", "warehouse")


def _promise_at(step: Next | None) -> datetime | None:
    return step.promise_at if step else None


def _draft(
    step: Next | None, action: str | None, values: Mapping[str, str | None], asked: Mapping[str, str]
) -> scripts.Draft | None:
    """The script somebody chose, else the step's, else the decision's."""
    decided = books.actions().get(action or "")
    code = asked.get("script") or (step.script if step else None) or (decided.script if decided else None)
    if code is None:
        return None
    variant = asked.get("variant", "")
    filled = {name: asked.get(f"p_{name}", "").strip()[:80] or value for name, value in _all(values).items()}
    return scripts.draft(code, filled, int(variant) if variant.isascii() and variant.isdigit() else 0)


def _all(values: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: values.get(name) for name in books.scripts().placeholders}
