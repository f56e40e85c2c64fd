"""`/bulk`: what will happen to the chosen cases, one confirmation, and what came of it."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases import people as record
from aftersale.cases.access import Place, all_for, counts_for, shops_of
from aftersale.cases.rows import first, moment, read
from aftersale.jobs import queue as jobs
from aftersale.people import words
from aftersale.people.acts import record_connection
from aftersale.people.bulk import acts
from aftersale.people.jobs import found as job_found
from aftersale.people.jobs.page import shown
from aftersale.people.queue import asked
from aftersale.people.rights import needs
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.bulk")


@dataclass(frozen=True, slots=True)
class Bulk:
    """One act on many cases; `value`: to whom, which queue, which text. Without `job_id` it is a preview."""

    id: int
    act: str
    value: str
    address: str
    made_at: datetime
    job_id: int | None


@dataclass(frozen=True, slots=True)
class Sum:
    """Cases of one fate for one cause and one reason of the buyer."""

    fate: str
    code: str
    reason: str
    cases: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Example:
    shop_code: str
    case_id: str
    code: str
    said: str
    amount_fen: int


@needs("bulk")
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """The chosen rows (`pick`) or `all` that match `address`, and `act` with its value: makes the preview."""
    form = request.POST
    address = form.get("address", "?")[:500]
    back = redirect(f"/queue{address if address.startswith('?') else '?'}")
    act, value = form.get("act", ""), _value(form)
    if act not in acts.ACTS:
        messages.error(request, _("没有预览：还没有选要做什么，请先选一项。"), extra_tags="warning")
        return back
    if not value and act in acts.PLAIN:
        messages.error(
            request, _("没有预览：请写明交给谁、移到哪个队列，或者备注的内容。"), extra_tags="warning"
        )
        return back
    now = moment()
    places = _all(request, address, now) if form.get("all") else _picked(request, form.getlist("pick"))
    if not places:
        messages.error(
            request,
            _("没有预览：还没有选中售后单，请先勾选，或用页尾的“对符合条件的全部”。"),
            extra_tags="warning",
        )
        return back
    return redirect("bulk-page", _preview(request, places, act, value, address, now))


def _value(form: QueryDict) -> str:
    names = {"give": "owner", "move": "to", "note": "text"}
    text = form.get(names.get(form.get("act", ""), ""), "").replace("\x00", "").strip()
    return text[:2000]


def _all(request: HttpRequest, address: str, now: datetime) -> list[Place]:
    counts = counts_for(request.user)
    _tab, wanted = asked(QueryDict(address.removeprefix("?")), counts)
    return all_for(request.user, wanted.first_page(), counts, now, acts.MOST)


def _picked(request: HttpRequest, keys: Collection[str]) -> list[Place]:
    ids = {shop.code: shop.id for shop in shops_of(request.user)}
    split = [key.partition(":") for key in dict.fromkeys(keys)]
    return [Place(ids[code], case_id) for code, _colon, case_id in split if code in ids][: acts.MOST]


def _preview(
    request: HttpRequest, places: Collection[Place], act: str, value: str, address: str, now: datetime
) -> int:
    told: dict[str, Any] = {
        "by": request.user.get_username(),
        "user_id": request.user.pk,
        "act": act,
        "value": value,
    }
    told |= {"address": address if address.startswith("?") else "?", "now": now}
    told |= {"shop_ids": [p.shop_id for p in places], "case_ids": [p.case_id for p in places]}
    told |= {"effect": act in record.KINDS, "money": record.KINDS.get(act, False)}
    told["roles"] = acts.ROLES
    with transaction.atomic():
        conn = record_connection()
        row = conn.execute(SQL["new"], told).fetchone()
        assert row is not None
        conn.execute(SQL["preview"], {**told, "id": row[0]})
    return int(row[0])


def _mine(request: HttpRequest, bulk_id: int) -> Bulk:
    found = first(Bulk, SQL["bulk"], {"id": bulk_id, "by": request.user.get_username()})
    if found is None:
        raise Http404
    return found


@needs("bulk")
@require_GET
def page(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """Before the confirmation the preview, afterwards the job and its result."""
    bulk = _mine(request, bulk_id)
    sums = read(Sum, SQL["sums"], {"id": bulk.id})
    job = job_found.job_for(request.user.get_username(), bulk.job_id) if bulk.job_id else None
    totals = {fate: sum(one.cases for one in sums if one.fate == fate) for fate in
              ("will", "ask", "skip", "done", "skipped", "failed")}  # fmt: skip
    doing = [one for one in sums if one.fate in ("will", "ask")]
    context = {
        "here": "queue",
        "bulk": bulk,
        "title": acts.title(bulk.act),
        "value": words.word("queue", bulk.value) if bulk.act == "move" else bulk.value,
        "cases": sum(one.cases for one in sums),
        "go": sum(one.cases for one in doing),
        "fen": sum(one.amount_fen for one in doing),
        "money": record.KINDS.get(bulk.act, False),
        "totals": totals,
        "left_out": totals["skip"] + totals["skipped"],
        "reasons": _by_reason(doing or [one for one in sums if one.fate == "done"]),
        "causes": _by_cause(sums, read(Example, SQL["examples"], {"id": bulk.id})),
        "undoable": len(_undoable(request, bulk)) if job else 0,
        "refresh": True,
        "most": acts.MOST,
    }
    return render(request, "people/bulk/page.html", {**context, **(shown(request, job) if job else {})})


def _by_reason(sums: Collection[Sum]) -> list[tuple[str, int, int]]:
    """What the buyers said: cases and money, most first."""
    cases: dict[str, int] = defaultdict(int)
    fen: dict[str, int] = defaultdict(int)
    for one in sums:
        cases[one.reason] += one.cases
        fen[one.reason] += one.amount_fen
    return sorted(
        ((words.word("reason", code), n, fen[code]) for code, n in cases.items()), key=lambda x: -x[1]
    )


def _by_cause(sums: Collection[Sum], examples: Collection[Example]) -> list[tuple[str, int, list[Example]]]:
    """Why cases are left out or go to a second person: cause, how many, some of them."""
    cases: dict[str, int] = defaultdict(int)
    for one in sums:
        if one.code and one.fate != "done":
            cases[one.code] += one.cases
    return [
        (acts.why(code), n, [example for example in examples if example.code == code])
        for code, n in sorted(cases.items(), key=lambda found: -found[1])
    ]


@needs("bulk")
@require_POST
def go(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """The confirmation; it names number and money, which must still be what the preview says."""
    bulk = _mine(request, bulk_id)
    doing = [one for one in read(Sum, SQL["sums"], {"id": bulk.id}) if one.fate in ("will", "ask")]
    seen = (str(sum(one.cases for one in doing)), str(sum(one.amount_fen for one in doing)))
    if bulk.job_id is None and doing and seen == (request.POST.get("cases"), request.POST.get("fen")):
        by = request.user.get_username()
        with transaction.atomic():
            conn = record_connection()
            conn.execute(SQL["open_bulk"], {"id": bulk.id, "by": by})
            fresh = first(Bulk, SQL["bulk"], {"id": bulk.id, "by": by})
            if fresh is not None and fresh.job_id is None:
                job_id = jobs.start(conn, "bulk", by, None, _job(bulk), moment())
                conn.execute(SQL["begin"], {"id": bulk.id, "job_id": job_id})
    elif bulk.job_id is None:
        messages.error(request, _("数目和预览不一致，没有执行；请重新预览。"), extra_tags="warning")
    return redirect("bulk-page", bulk.id)


def _job(bulk: Bulk) -> dict[str, Any]:
    return {"bulk": bulk.id, "title": acts.title(bulk.act), "page": f"/bulk/{bulk.id}"}


def _undoable(request: HttpRequest, bulk: Bulk) -> list[Place]:
    if bulk.act not in record.KINDS:
        return []
    asked_for = {"id": bulk.id, "act": bulk.act, "by": request.user.get_username(), "now": moment()}
    return read(Place, SQL["undoable"], asked_for)


@needs("bulk")
@require_POST
def undo(request: HttpRequest, bulk_id: int) -> HttpResponse:
    """Takes back what of it has not been sent yet."""
    bulk, by, taken = _mine(request, bulk_id), request.user.get_username(), 0
    for place in _undoable(request, bulk):
        refused = record.undo(record_connection(), place.shop_id, place.case_id, bulk.act, by, moment())
        taken += refused is None
    messages.success(request, _("撤回了 %(n)d 单，它们会重新判断。") % {"n": taken}, extra_tags="success")
    return redirect("bulk-page", bulk.id)
