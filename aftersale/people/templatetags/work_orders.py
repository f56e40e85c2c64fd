"""Work orders in templates of other pages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import template

from aftersale.cases.access import Case
from aftersale.people import timeline
from aftersale.people.templatetags.desk import span
from aftersale.people.why import decision_of
from aftersale.people.work_orders import found
from aftersale.people.work_orders.board import titled as title_of
from aftersale.people.work_orders.found import OfCase
from aftersale.rulebooks import books
from aftersale.rulebooks.workorders.templates import departments, templates

register = template.Library()


@dataclass(frozen=True, slots=True)
class OnCase:
    """A case's orders with their titles and whose turn it is; `wanted`: the kind that the decision's rule asks for,
    unless it was opened before."""

    orders: list[tuple[OfCase, str, str, str]]
    wanted: str
    wanted_title: str


@register.simple_tag
def work_orders_of(case: Case) -> OnCase:
    """What `people/work_orders/_on_case.html` shows of a case."""
    orders = found.of_case(case.shop.id, case.case_id)
    wanted = _asked_for(case)
    if wanted not in templates() or any(one.template == wanted for one in orders):
        wanted = ""
    return OnCase([_told(one) for one in orders], wanted, title_of(templates()[wanted]) if wanted else "")


def _asked_for(case: Case) -> str:
    decision = decision_of(case.shop.id, case.case_id)
    rules = {rule.name: rule.then for rule in books.book("refund").rules}
    then = rules.get(decision.rule, {}) if decision else {}
    return str(getattr(then.get("work_order"), "value", ""))


def _told(one: OfCase) -> tuple[OfCase, str, str, str]:
    known = templates().get(one.template)
    step = known.steps.get(one.code or "") if known else None
    room = departments().get(one.department or "")
    return (
        one,
        title_of(known) if known else one.template,
        title_of(step) if step else "",
        title_of(room) if room else "",
    )


@register.filter
def worked(seconds: int | None) -> str:
    """Working time for people."""
    return "—" if seconds is None else span(timedelta(seconds=seconds))


@register.filter
def titled(one: Any) -> str:
    """The title of what a template of work orders names."""
    return title_of(one)


@register.filter
def who(name: str) -> str:
    """A colleague by name, a rule by its title."""
    return timeline.who(name)
