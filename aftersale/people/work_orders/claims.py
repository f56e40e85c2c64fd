"""`/work-orders/claims`: money wanted back from couriers, what they said, and what came back by courier and month."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aftersale.cases.access import PAGE_ROWS, PAGES_MAX, Shop
from aftersale.cases.rows import first, moment, read
from aftersale.cases.work_orders import claims as record
from aftersale.cases.work_orders.claims import EDGES, Filed
from aftersale.core.look import Verdict, decide
from aftersale.core.money import fen_from_yuan, yuan
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.acts import record_connection, said
from aftersale.people.rights import needs, shops_with
from aftersale.people.work_orders import found
from aftersale.people.work_orders.parcels import COURIER, SQL, Said, facts_of
from aftersale.rulebooks import books

STATES = ("filed", "accepted", "paid", "refused", "withdrawn")
KINDS = ("lost", "damaged")
FINANCE = "finance"
RECOVERED_OF = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Claim:
    shop_id: int
    id: int
    tracking_no: str
    courier: str
    case_id: str | None
    kind: str
    state: str
    rule: str
    most_fen: int
    asked_fen: int
    accepted_fen: int | None
    paid_fen: int | None
    filed_by: str
    filed_at: datetime
    due_at: datetime | None
    paid_at: datetime | None
    note: str
    version: int
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    state: str
    claims: int
    fen: int
    late: int


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a courier paid in a month of the shops' zone."""

    courier: str
    month: date
    claims: int
    asked_fen: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel that a claim is about, with the newest case of its order."""

    tracking_no: str
    courier: str | None
    item_value_fen: int | None
    case_id: str | None
    refunded_at: datetime | None
    claimed: bool
    noticed_at: datetime | None
    declared_lost: bool
    facts: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to claim: `declared`: the courier has said that it is lost."""

    waybill: str
    kind: str
    declared: bool
    insured_fen: int | None


@needs("work_order")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/work-orders/claims?state=&courier=&month=&page=`."""
    return _listed(request, request.GET)


def _listed(
    request: HttpRequest, given: QueryDict, typed: Mapping[str, object] | None = None
) -> HttpResponse:
    """The list; `typed`: what was sent about a claim and refused, to be put right, in the list or before it."""
    shops = shops_with(request.user, "work_order")
    now, asked = moment(), asked_of(given)
    number = given.get("page", "1")
    page_no = (
        min(max(int(number), 1), PAGES_MAX)
        if number.isascii() and number.isdigit() and len(number) < 5
        else 1
    )
    ids = {"shop_ids": [shop.id for shop in shops]}
    skip = (page_no - 1) * PAGE_ROWS
    listed = claims_of(ids["shop_ids"], asked, skip, PAGE_ROWS + 1)
    tallies = {one.state: one for one in read(Tally, SQL["claim_states"], {**ids, "now": now})}
    by_id = {shop.id: shop for shop in shops}
    claims = [*_left_out(typed, listed[:PAGE_ROWS]), *listed[:PAGE_ROWS]]
    request.GET = given  # type: ignore[assignment]
    context: dict[str, Any] = {
        "here": "work_orders",
        "rows": [(by_id[one.shop_id], one, _edges(by_id[one.shop_id], one)) for one in claims],
        "tabs": _tabs(tallies, asked["state"]),
        "recovered": [
            (
                one,
                _address({"state": "paid", "courier": one.courier, "month": one.month}, 1),
            )
            for one in read(Recovered, SQL["recovered"], {**ids, "since": now - RECOVERED_OF})
        ],
        "shops": [shop for shop in shops if COURIER in found.works_for(shop.role)],
        "narrowed": (asked["courier"], asked["month"]) if asked["courier"] or asked["month"] else None,
        "earlier": _address(asked, page_no - 1) if page_no > 1 else "",
        "later": _address(asked, page_no + 1) if len(listed) > PAGE_ROWS and page_no < PAGES_MAX else "",
        "page": page_no,
        "page_address": _address(asked, page_no),
        "typed": typed,
    }
    return render(request, "people/work_orders/claims.html", context, status=422 if typed else 200)


def _left_out(typed: Mapping[str, object] | None, listed: list[Claim]) -> list[Claim]:
    """The claim that somebody wrote about, when the list no longer shows it: what was typed stands in its row."""
    if typed is None or typed["id"] in [one.id for one in listed if one.shop_id == typed["shop_id"]]:
        return []
    return read(Claim, SQL["claim"], {"shop_id": typed["shop_id"], "id": typed["id"]})


def asked_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the address names: state, courier and month of payment; what it names wrongly counts as not named."""
    state, courier = given.get("state", ""), given.get("courier", "").replace("\0", "")[:32]
    return {"state": state if state in STATES else "", "courier": courier, "month": _month(given)}


def claims_of(shop_ids: list[int], asked: Mapping[str, Any], skip: int, rows: int) -> list[Claim]:
    """Claims by the time left, those that have ended last."""
    return read(Claim, SQL["claims"], {"shop_ids": shop_ids, **asked, "skip": skip, "rows": rows})


def _month(given: Mapping[str, Any]) -> date | None:
    try:
        found_month = date.fromisoformat(f"{given.get('month', '')}-01")
    except ValueError:
        return None
    return found_month if 2000 <= found_month.year < 2100 else None


def _address(asked: Mapping[str, Any], number: int) -> str:
    """The list, for a page that may stand at another address."""
    month = asked["month"].isoformat()[:7] if asked["month"] else ""
    parts = {**asked, "month": month, "page": number if number > 1 else ""}
    named = {name: part for name, part in parts.items() if part}
    return f"{reverse('carrier-claims')}?{urlencode(named)}"


def _tabs(tallies: Mapping[str, Tally], state: str) -> list[tuple[str, str, bool, int, int]]:
    """Title, address, whether it is shown, how many, how many of them late."""
    whole = list(tallies.values())
    listed = [("", sum(one.claims for one in whole), sum(one.late for one in whole))]
    listed += [(one, tallies[one].claims, tallies[one].late) for one in STATES if one in tallies]
    return [
        (
            words.word("claim_state", one) if one else _("全部"),
            _address({"state": one, "month": None}, 1),
            one == state,
            n,
            late,
        )
        for one, n, late in listed
    ]


def _edges(shop: Shop, claim: Claim) -> list[str]:
    """What this person may say became of it: money is for finance, the courier's answer for who talks to it."""
    rooms = found.works_for(shop.role)
    return [one for one in EDGES.get(claim.state, ()) if (FINANCE if one == "paid" else COURIER) in rooms]


@needs("work_order")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest, shop_code: str) -> HttpResponse:
    """`/work-orders/claims/<shop>/new?waybill=&kind=`: what the book says of the parcel, and the form."""
    shop = _shop(request, shop_code)
    given = request.POST if request.method == "POST" else request.GET
    wish, now = _wish(given), moment()
    parcel = first(Parcel, SQL["lost_parcel"], {"shop_id": shop.id, "tracking_no": wish.waybill})
    verdict = judged(shop, parcel, wish, now) if parcel else None
    if request.method == "POST" and parcel and verdict and "asked" in given:
        filed = _file(request, shop, parcel, wish, verdict, now)
        if not isinstance(filed, Refusal):
            messages.success(request, _("索赔已登记，快递没有按时答复会在这里变红。"), extra_tags="success")
            return redirect("carrier-claims")
        messages.error(request, said(filed), extra_tags="warning")
    outcome = verdict.outcome if verdict else {}
    most = cast("int | None", outcome.get("claim_fen"))
    context = {
        "here": "work_orders",
        "shop": shop,
        "wish": wish,
        "kinds": KINDS,
        "parcel": parcel,
        "insured": given.get("insured", ""),
        "typed": {name: given.get(name, "") for name in ("asked", "note")},
        "page_address": _form_address(shop, given),
        "eligible": outcome.get("eligible"),
        "why": outcome.get("why"),
        "rule": _rule_title(verdict.rule) if verdict and verdict.rule else "",
        "most_fen": most,
        "most": yuan(most) if most else "",
        "proof": outcome.get("proof", ()),
    }
    return render(request, "people/work_orders/claim.html", context)


def _form_address(shop: Shop, given: Mapping[str, Any]) -> str:
    named = {name: given[name] for name in ("waybill", "kind", "declared", "insured") if given.get(name)}
    return f"{reverse('carrier-claim-new', args=[shop.code])}?{urlencode(named)}"


def _shop(request: HttpRequest, shop_code: str) -> Shop:
    shop = next((one for one in shops_with(request.user, "work_order") if one.code == shop_code), None)
    if shop is None:
        raise Http404
    if COURIER not in found.works_for(shop.role):
        raise PermissionDenied
    return shop


def _wish(given: Mapping[str, Any]) -> Wish:
    kind = given.get("kind", "")
    return Wish(
        waybill=str(given.get("waybill", "")).strip()[:64],
        kind=kind if kind in KINDS else KINDS[0],
        declared=given.get("declared") == "1",
        insured_fen=_amount(given.get("insured", "")),
    )


def _amount(text: str) -> int | None:
    """A plain positive amount; None for everything else."""
    found_fen = fen_from_yuan(text) if text.strip() and text.isascii() else None
    return found_fen if found_fen is not None and found_fen > 0 else None


def judged(shop: Shop, parcel: Parcel, wish: Wish, now: datetime) -> Verdict:
    """What the books say can be recovered: interception whether it is lost, carrier_claims how much of its value."""
    facts = facts_of(parcel) | {"declared_lost": parcel.declared_lost or wish.declared or None}
    own = found.own_of([shop.id])[shop.id]
    fate = Said(own, now).of("interception", {**facts, "claim_filed": False})
    told = {
        "lost_or_damaged": wish.kind,
        "parcel_state": fate["parcel_state"],
        "claim_open": parcel.claimed,
        "insured_value": wish.insured_fen,
        "noticed_at": parcel.noticed_at,
    }
    book = books.book("carrier_claims")
    return decide(book, {**facts, **told}, found.settings_with(own, book.name, now), now)


def _rule_title(name: str) -> str:
    rule = next(one for one in books.book("carrier_claims").rules if one.name == name)
    return rule.title if words.language() == "zh" else rule.title_en


def _file(
    request: HttpRequest, shop: Shop, parcel: Parcel, wish: Wish, verdict: Verdict, now: datetime
) -> int | Refusal:
    outcome = cast("Mapping[str, Any]", verdict.outcome)
    if outcome.get("eligible") is not True:
        return Refusal(str(outcome.get("why", "claim_unclear")), "现在还不能向快递索赔")
    if request.POST.get("insured", "").strip() and wish.insured_fen is None:
        return Refusal("amount", "保价金额要大于零，最多两位小数")
    asked_fen = _amount(request.POST.get("asked", ""))
    if asked_fen is None or outcome.get("claim_fen") is None:
        return Refusal("amount", "索赔金额要大于零，且不超过可以追回的金额")
    claim = Filed(
        shop.id, parcel.tracking_no, parcel.courier or "", parcel.case_id, cast("Literal['lost']", wish.kind),
        str(verdict.rule), outcome["claim_fen"], asked_fen, int(outcome["answer_days"]), int(outcome["pay_days"]),
        request.POST.get("note", "").strip(),
    )  # fmt: skip
    return record.file_claim(record_connection(), claim, request.user.get_username(), now)


@needs("work_order")
@require_POST
def answer(request: HttpRequest, shop_code: str, claim_id: int, state: str) -> HttpResponse:
    """What the courier answered or paid."""
    shop = next((one for one in shops_with(request.user, "work_order") if one.code == shop_code), None)
    if shop is None or state not in STATES or claim_id >= 2**63:
        raise Http404
    if (FINANCE if state == "paid" else COURIER) not in found.works_for(shop.role):
        raise PermissionDenied
    form, seen = request.POST, request.POST.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 18 else 0
    by, amount_fen = request.user.get_username(), _amount(form.get("amount", ""))
    refusal = record.answer_claim(
        record_connection(), shop.id, claim_id, version, state, amount_fen, form.get("note", ""), by, moment()
    )
    if refusal and refusal.code == "no_claim":
        raise Http404
    back = form.get("back", "")
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
        typed = {name: form.get(name, "") for name in ("amount", "note")}
        return _listed(
            request, QueryDict(back.partition("?")[2]), {"shop_id": shop.id, "id": claim_id, **typed}
        )
    messages.success(request, _("索赔的进展已经记下。"), extra_tags="success")
    return redirect(back if back.startswith(f"{reverse('carrier-claims')}?") else "carrier-claims")
