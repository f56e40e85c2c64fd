"""One case: who and what, everything that happened, and what to do now."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any
from zlib import crc32

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from aftersale.cases.access import Case, case_for
from aftersale.cases.people import PERSON_FACTS
from aftersale.cases.rows import first, left_s, moment, read
from aftersale.core.clocks.burning import burns_next
from aftersale.core.clocks.clock import Clock
from aftersale.core.clocks.reading import clocks
from aftersale.core.expression import Value
from aftersale.core.facts import RulebookError
from aftersale.core.rulebook import resolve_settings
from aftersale.people import timeline, words
from aftersale.people.playbook.panel import panel
from aftersale.people.rights import needs
from aftersale.people.timeline import Intent
from aftersale.people.why import Decision, decision_of, why
from aftersale.pg.sql import queries
from aftersale.rulebooks import books
from aftersale.rulebooks.calendar import calendar_of

SQL = queries("aftersale.people")
FINISHED = frozenset({"refunded", "closed"})
UNDER_WAY = frozenset({"planned", "approved", "sending", "unknown"})
NOT_YES = frozenset({"intercept", "refuse"})
ACTING = frozenset({"agent", "lead", "finance", "owner", "helper"})


@dataclass(frozen=True, slots=True)
class Head:
    """The case with its order and place in the queue. `refundable_fen`: paid minus what is promised; `wired`: the shop
    has a door to a platform that can be told a refusal."""

    shop_id: int
    case_id: str
    order_id: str
    application_version: int
    aftersale_type: str | None
    state: str | None
    phase: str | None
    reason: str | None
    reason_text: str | None
    amount_fen: int | None
    applied_at: datetime | None
    title: str | None
    buyer_ref: str | None
    return_tracking_no: str | None
    return_courier: str | None
    contact_count: int | None
    person_version: int
    paid_fen: int | None
    freight_fen: int | None
    refunded_fen: int | None
    paid_at: datetime | None
    shipped_at: datetime | None
    tracking_no: str | None
    courier: str | None
    region: str | None
    promo: str | None
    refundable_fen: int | None
    queue: str | None
    due_at: datetime | None
    platform_due_at: datetime | None
    owner: str | None
    facts: str
    target_at: datetime | None
    settings: str
    wired: bool

    @property
    def target(self) -> datetime | None:
        """Our own target counts while the case waits for people."""
        return self.target_at if self.queue else None

    @property
    def open(self) -> bool:
        return self.state not in FINISHED

    @property
    def waybills(self) -> list[str]:
        return [number for number in (self.tracking_no, self.return_tracking_no) if number]


@dataclass(frozen=True, slots=True)
class OrderLine:
    line_id: str
    title: str
    sku: str | None
    quantity: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one funder gave on one line, frozen at purchase."""

    line_id: str
    funder: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Other:
    """Another application on the same order."""

    case_id: str
    aftersale_type: str | None
    state: str | None
    amount_fen: int | None
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Leave:
    """What the limits say about one button."""

    kind: str
    allowed: bool
    needs_approval: bool


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    role: str


def theirs(request: HttpRequest, shop_code: str, case_id: str) -> Case:
    """The case, when it is the person's. Raises Http404 alike for what is not theirs and what is not."""
    case = case_for(request.user, shop_code, case_id)
    if case is None:
        raise Http404
    return case


@needs("case")
@require_GET
def page(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    case = theirs(request, shop_code, case_id)
    where = {"shop_id": case.shop.id, "case_id": case.case_id}
    head = first(Head, SQL["head"], where, kept=True)
    assert head is not None, "a case that was just seen"
    order = {"shop_id": case.shop.id, "order_id": head.order_id}
    facts = words.facts_of(head.facts)
    now, by = moment(), request.user.get_username()
    decision = decision_of(case.shop.id, case.case_id)
    intents = timeline.intents_of(case.shop.id, case.case_id)
    lines, members = _lines(order), _members(case)
    buttons = _permitted(case, by, _buttons(case, head, decision, intents))
    action = decision.action if decision else None
    guide = panel(case, head, lines, facts, action, members, by, request.GET, now)
    return render(
        request,
        "people/case.html",
        {
            "case": case,
            "head": head,
            "goods": words.goods_state(facts, now),
            "lines": lines,
            "payers": _payers(lines),
            "others": read(Other, SQL["others"], {**where, **order}),
            "clocks": _clocks(
                {**facts, **guide["clock_facts"]}, head.settings, head.target, case.shop.platform, now
            ),
            "decision": decision,
            "why": why(decision) if decision else None,
            "buttons": buttons,
            "first_yes": next((kind for kind, _fen, _asks in buttons if kind not in NOT_YES), None),
            "questions": _questions(facts),
            "members": members,
            "may_act": case.shop.role in ACTING,
            **guide,
            **_moving(request, case, head.waybills, now),
        },
    )


@needs("case")
@require_GET
def live(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    """The moving part when it differs from `mark`, else 204."""
    case = theirs(request, shop_code, case_id)
    head = first(Head, SQL["head"], {"shop_id": case.shop.id, "case_id": case.case_id}, kept=True)
    assert head is not None, "a case that was just seen"
    moving = _moving(request, case, head.waybills, moment())
    if moving["mark"] == request.GET.get("mark"):
        return HttpResponse(status=204)
    decision = decision_of(case.shop.id, case.case_id)
    seen = (request.GET.get("version"), request.GET.get("decision"))
    stale = seen != (str(head.application_version), str(decision.id if decision else ""))
    return render(
        request,
        "people/_moving.html",
        {"case": case, "head": head, "decision": decision, "stale": stale, **moving},
    )


def _moving(request: HttpRequest, case: Case, waybills: list[str], now: datetime) -> dict[str, Any]:
    """Timeline and what can still be taken back. `mark` changes when any of it does."""
    intents = timeline.intents_of(case.shop.id, case.case_id)
    told = timeline.events(case.shop.id, case.case_id, waybills, intents)
    show = request.GET.get("show", "")
    undoable = [
        (intent, ceil(left_s(intent.due_at, now)))
        for intent in intents
        if intent.by_person
        and intent.state == "approved"
        and (intent.held or intent.due_at > now)
        and not intent.perhaps_said
    ]
    return {
        "events": [event for event in told if show in ("", event.group)],
        "show": show,
        "groups": timeline.groups(),
        "undoable": undoable,
        "reviewed": [intent for intent in intents if intent.state == "planned"],
        "held": any(intent.held for intent in intents),
        "by_hand": [intent for intent in intents if intent.state == "with_person"],
        "mark": f"{crc32(repr((show, told, [(intent.kind, intent.held) for intent, _ in undoable])).encode()):08x}",
        "now": now,
    }


def _lines(order: dict[str, Any]) -> list[tuple[OrderLine, list[Share]]]:
    shares = read(Share, SQL["shares"], order)
    return [
        (line, [share for share in shares if share.line_id == line.line_id])
        for line in read(OrderLine, SQL["lines"], order)
    ]


def _payers(lines: Collection[tuple[OrderLine, list[Share]]]) -> list[tuple[str, int]]:
    """Who gave how much of the price, over all lines."""
    found: Counter[str] = Counter()
    for _line, shares in lines:
        for share in shares:
            found[share.funder] += share.amount_fen
    return sorted(found.items())


def _buttons(
    case: Case, head: Head, decision: Decision | None, intents: Collection[Intent]
) -> list[tuple[str, int]]:
    """What may be done, each with its amount; the decision's offer first, what is under way left out."""
    chosen = any(intent.by_person and intent.state in UNDER_WAY for intent in intents)
    if not head.open or case.shop.role not in ACTING or (chosen and not head.queue):
        return []
    action = books.actions().get(decision.action) if decision else None
    offered = [
        kind
        for kind in (action.offers if action else ())
        if kind in ("agree_refund", "agree_return", "intercept")
    ]
    everything = dict.fromkeys([*offered, "agree_refund", "agree_return", "refuse"])
    kinds = [kind for kind in everything if kind != "refuse" or head.wired]
    live = {
        intent.kind
        for intent in intents
        if intent.state not in ("cancelled", "refused")
        and not (head.queue and not intent.by_person and intent.state == "approved" and not intent.sends)
        and (intent.amount_fen or intent.platform_version == head.application_version)
    }
    return [
        (kind, head.amount_fen or 0)
        for kind in kinds
        if kind not in live and (kind != "agree_refund" or head.amount_fen)
    ]


def _permitted(case: Case, by: str, buttons: Collection[tuple[str, int]]) -> list[tuple[str, int, bool]]:
    """Those that can be and this person may press; True: above their limit, so that it waits for a second person."""
    asked = {
        "kinds": [kind for kind, _fen in buttons],
        "by": by,
        "shop_id": case.shop.id,
        "case_id": case.case_id,
    }
    asked["amounts"] = [fen if kind == "agree_refund" else 0 for kind, fen in buttons]
    found = {one.kind: one for one in read(Leave, SQL["may"], asked, kept=True)} if buttons else {}
    return [
        (kind, fen, not found[kind].allowed)
        for kind, fen in buttons
        if kind in found and (found[kind].allowed or found[kind].needs_approval)
    ]


def head_of(case: Case) -> Head:
    """The case as its page begins."""
    head = first(Head, SQL["head"], {"shop_id": case.shop.id, "case_id": case.case_id}, kept=True)
    assert head is not None, "a case that was just seen"
    return head


def choices(case: Case, head: Head, by: str) -> list[tuple[str, int, bool]]:
    """What this person may do now: kind, amount, whether a second person is asked; the decision's offer first."""
    decision = decision_of(case.shop.id, case.case_id)
    return _permitted(
        case, by, _buttons(case, head, decision, timeline.intents_of(case.shop.id, case.case_id))
    )


def _questions(facts: dict[str, Value | None]) -> list[dict[str, Any]]:
    """What only a person can find out: title, answer now, possible answers."""
    known = books.catalogue(words.CATALOGUE).facts
    return [
        {
            "name": name,
            "title": words.fact(name),
            "value": "" if facts.get(name) is None else str(facts[name]),
            "options": [
                (value, words.answer(name, value)) for value in known[name].values or ("True", "False")
            ],
        }
        for name in known
        if name in PERSON_FACTS
    ]


def _members(case: Case) -> list[tuple[str, str]]:
    """Colleagues of the shop who can take a case: name, role; leads first."""
    found = read(Member, SQL["members"], {"shop_id": case.shop.id})
    return [(member.name, words.word("role", member.role)) for member in found if member.role in ACTING]


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the card. `after`: nothing has to be done before that moment. `cost`: what missing it does."""

    title: str
    due_at: datetime
    state: str
    waits: bool
    cost: str | None
    sure: bool


def _clocks(
    facts: Mapping[str, Value | None], own: str, target_at: datetime | None, platform: str, now: datetime
) -> list[Due]:
    """The clocks that run or were missed, deadlines first; `own`: the shop's settings as JSON."""
    values: dict[str, Any] = json.loads(own)
    try:
        book = books.book("deadlines")
        read = resolve_settings(book, _named(values, book.settings), platform, now)
        calendar = books.book("calendar")
        worked = calendar_of(resolve_settings(calendar, _named(values, calendar.settings), platform, now))
    except RulebookError:
        return []
    found = [
        one
        for one in clocks(book, {**facts, "target_at": target_at, "platform": platform}, read, worked, now)
        if one.state in ("running", "paused", "breached") and one.open
    ]
    urgent = burns_next(found)
    rest = sorted((one for one in found if one not in urgent), key=lambda one: one.due_at)
    return [_due(one) for one in (*urgent, *rest)]


def _named(values: Mapping[str, Any], known: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in known}


def _due(one: Clock) -> Due:
    cost = one.terms.cost
    return Due(
        _clock_title(one), one.due_at, one.state, one.terms.waits,
        books.title("cost", cost, words.language()) if cost else None, one.sure,
    )  # fmt: skip


def _clock_title(one: Clock) -> str:
    return one.terms.title if words.language() == "zh" else one.terms.title_en
