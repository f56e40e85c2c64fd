"""`/work-orders/parcels`: parcels on their way back, what to do next about each, and until when."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Self, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import PAGE_ROWS, PAGES_MAX, Shop
from aftersale.cases.rows import moment, read
from aftersale.cases.work_orders import claims as record
from aftersale.core.clocks.calendar import Calendar, midnight
from aftersale.core.look import decide
from aftersale.people import words
from aftersale.people.acts import record_connection, said
from aftersale.people.filters.chip import of_shops
from aftersale.people.rights import needs, shops_with
from aftersale.people.work_orders import found
from aftersale.people.work_orders.found import Own
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people.work_orders", "parcels.sql")
WAYS = ("intercepted", "returning")
COURIER = "courier"


@dataclass(frozen=True, slots=True)
class Parcel:
    """A parcel on its way back with the newest case of its order. `silent`: no news for longer than agreed."""

    shop_id: int
    tracking_no: str
    way: str
    since: datetime
    due_at: datetime | None
    silent: bool
    followed_at: datetime | None
    followed_by: str | None
    note: str | None
    version: int
    courier: str | None
    tracking_state: str | None
    last_tracking_at: datetime | None
    interception: str | None
    told: str | None
    order_id: str | None
    item_value_fen: int | None
    case_id: str | None
    title: str | None
    refunded_at: datetime | None
    claimed: bool
    facts: str | None


@dataclass(frozen=True, slots=True)
class Tally:
    way: str
    parcels: int
    silent: int
    unfollowed: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address names; `show` '' is all, `page` from 1."""

    shop: str
    way: str
    show: str
    page: int

    def address(self, **other: object) -> str:
        """The list with these parts changed, for a page that may stand at another address."""
        parts = {"shop": self.shop, "way": self.way, "show": self.show, "page": self.page, **other}
        named = {name: part for name, part in parts.items() if part and (name, part) != ("page", 1)}
        return f"{reverse('parcels-back')}?{urlencode(named)}"


@dataclass(frozen=True, slots=True)
class Row:
    """`step`: what the book says to do next; `today`: somebody has asked after it today; `claim_fen`: it counts as
    lost, so much can be claimed."""

    shop: Shop
    parcel: Parcel
    step: str
    claim_fen: int | None
    lost: bool
    today: bool
    may: bool


@needs("work_order")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/work-orders/parcels?shop=&way=&show=&page=`."""
    return _listed(request, request.GET)


def _listed(request: HttpRequest, given: QueryDict, typed: Mapping[str, str] | None = None) -> HttpResponse:
    """The list; `typed`: what was sent about a parcel and refused, to be put right, in the list or before it."""
    shops = shops_with(request.user, "work_order")
    now, asked = moment(), asked_of(given, shops)
    agreed = Agreed.of(shops, asked.shop, now)
    listed = _rows(agreed, asked, PAGE_ROWS + 1)
    tallies = read(Tally, SQL["tallies"], agreed.terms())
    request.GET = given  # type: ignore[assignment]
    context: dict[str, Any] = {
        "here": "work_orders",
        "asked": asked,
        "rows": [*_left_out(agreed, typed, listed[:PAGE_ROWS]), *listed[:PAGE_ROWS]],
        "tabs": [
            (title, asked.address(way=way, page=1), asked.way == way, parcels)
            for way, title, parcels in (
                ("", _("全部"), sum(one.parcels for one in tallies)),
                *((one.way, words.word("way_back", one.way), one.parcels) for one in tallies),
            )
        ],
        "silent": sum(one.silent for one in tallies if asked.way in ("", one.way)),
        "unfollowed": sum(one.unfollowed for one in tallies if asked.way in ("", one.way)),
        "silent_address": asked.address(show="" if asked.show == "silent" else "silent", page=1),
        "unfollowed_address": asked.address(show="" if asked.show == "unfollowed" else "unfollowed", page=1),
        "shop_chip": of_shops(shops, asked.shop, lambda code: asked.address(shop=code, page=1)),
        "earlier": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "later": asked.address(page=asked.page + 1)
        if len(listed) > PAGE_ROWS and asked.page < PAGES_MAX
        else "",
        "page_address": asked.address(),
        "typed": typed,
    }
    return render(request, "people/work_orders/parcels.html", context, status=422 if typed else 200)


def asked_of(given: Mapping[str, Any], shops: Collection[Shop]) -> Asked:
    """What an address names; what it names wrongly counts as not named."""
    code, way, show, number = (given.get(name, "") for name in ("shop", "way", "show", "page"))
    return Asked(
        shop=code if code in {shop.code for shop in shops} else "",
        way=way if way in WAYS else "",
        show=show if show in ("silent", "unfollowed") else "",
        page=min(max(int(number), 1), PAGES_MAX)
        if number.isascii() and number.isdigit() and len(number) < 5
        else 1,
    )


def rows(shops: Collection[Shop], asked: Asked, now: datetime, most: int) -> list[Row]:
    """At most so many parcels by their due time, from the page on."""
    return _rows(Agreed.of(shops, asked.shop, now), asked, most)


def _rows(agreed: "Agreed", asked: Asked, most: int, tracking_no: str | None = None) -> list[Row]:
    """`tracking_no`: only this one."""
    narrowed = {"silent": asked.show == "silent", "unfollowed": asked.show == "unfollowed"}
    place = {"tracking_no": tracking_no, "skip": (asked.page - 1) * PAGE_ROWS, "rows": most}
    found_parcels = read(Parcel, SQL["parcels"], {**agreed.terms(asked.way), **narrowed, **place})
    return [_row(agreed.shops[one.shop_id], one, agreed) for one in found_parcels]


def _left_out(agreed: "Agreed", typed: Mapping[str, str] | None, listed: list[Row]) -> list[Row]:
    """The parcel that somebody wrote about, when the list no longer shows it: what was typed stands in its row."""
    if typed is None or any(
        (row.shop.code, row.parcel.tracking_no) == (typed["shop"], typed["parcel"]) for row in listed
    ):
        return []
    found_rows = _rows(agreed, Asked(typed["shop"], "", "", 1), PAGE_ROWS, typed["parcel"])
    return [row for row in found_rows if row.shop.code == typed["shop"]]


_ZONED = Calendar(week=((), (), (), (), (), (), ()))


@dataclass(frozen=True, slots=True)
class Agreed:
    """What shops have agreed with couriers and what the books say there, read once for everything a page shows. `ways`: per
    shop and way within how many hours a parcel should be back and how many it may be silent."""

    shops: Mapping[int, Shop]
    said: Mapping[int, "Said"]
    ways: tuple[tuple[int, str, object, object], ...]
    now: datetime

    @classmethod
    def of(cls, shops: Collection[Shop], code: str, now: datetime) -> Self:
        """`code`: of the only one that is asked for, or ''."""
        by_id = {shop.id: shop for shop in shops if code in ("", shop.code)}
        own = found.own_of(by_id)
        ways = tuple(way for one in own.values() for way in _ways(one, now))
        return cls(by_id, {shop_id: Said(one, now) for shop_id, one in own.items()}, ways, now)

    @property
    def today(self) -> datetime:
        return midnight(_ZONED.day_of(self.now), _ZONED)

    def terms(self, only: str = "") -> dict[str, Any]:
        """For the queries; `only`: this way."""
        listed = [one for one in self.ways if only in ("", one[1])]
        columns = [list(column) for column in zip(*listed, strict=True)] or [[], [], [], []]
        named = dict(zip(("shop_ids", "ways", "hours", "silent_hours"), columns, strict=True))
        return {**named, "now": self.now, "today": self.today}


def _ways(own: Own, now: datetime) -> Iterator[tuple[int, str, object, object]]:
    agreed, refund = (found.settings_with(own, name, now) for name in ("deadlines", "refund"))
    yield own.id, "intercepted", agreed["intercept_return_hours"], refund["no_update_hours"]
    yield own.id, "returning", _days(agreed["courier_return_days"]), refund["no_update_hours"]


def _days(days: object) -> int | None:
    """In hours; 0 days = nothing is agreed."""
    return int(cast("int", days)) * 24 or None


class Said:
    """The books over one shop's parcels: what to do next, and what became of them."""

    def __init__(self, own: Own, now: datetime) -> None:
        self.now = now
        self.settings = {
            name: found.settings_with(own, name, now) for name in ("parcel_follow", "interception")
        }

    def of(self, name: str, facts: Mapping[str, Any]) -> Mapping[str, Any]:
        return decide(books.book(name), facts, self.settings[name], self.now).outcome


def _row(shop: Shop, parcel: Parcel, agreed: Agreed) -> Row:
    facts, said_of = facts_of(parcel), agreed.said[shop.id]
    fate = said_of.of("interception", facts)
    return Row(
        shop,
        parcel,
        step=str(said_of.of("parcel_follow", facts)["next_step"]),
        claim_fen=cast("int | None", fate.get("claim_fen")),
        lost=fate["open_courier_claim"] is True,
        today=parcel.followed_at is not None and parcel.followed_at >= agreed.today,
        may=COURIER in found.works_for(shop.role),
    )


def facts_of(parcel: Any) -> dict[str, Any]:
    """What is known about the parcel's case and what was done about it since."""
    facts: dict[str, Any] = words.facts_of(parcel.facts) if parcel.facts else {}
    if facts.get("item_value") is None:
        facts["item_value"] = parcel.item_value_fen
    return {
        **facts,
        "claim_filed": parcel.claimed,
        "refunded_first": parcel.refunded_at is not None,
        "refund_success_at": parcel.refunded_at,
    }


@needs("work_order")
@require_POST
def do(request: HttpRequest, shop_code: str, tracking_no: str, act: str) -> HttpResponse:
    """Somebody asked after the parcel, declared it lost or settled it."""
    shop = next((one for one in shops_with(request.user, "work_order") if one.code == shop_code), None)
    if shop is None or act not in ("followed", "lost", "settled"):
        raise Http404
    if COURIER not in found.works_for(shop.role):
        raise PermissionDenied
    form, by, now = request.POST, request.user.get_username(), moment()
    seen = form.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 18 else 0
    where = (record_connection(), shop.id, tracking_no, version)
    note = form.get("note", "")
    if act == "followed":
        refusal = record.followed(*where, by, note, now)
    else:
        refusal = record.settled(*where, cast("Literal['lost', 'settled']", act), by, note, now)
    if refusal and refusal.code == "no_parcel":
        raise Http404
    back = form.get("back", "")
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
        typed = {"shop": shop.code, "parcel": tracking_no, "note": note}
        return _listed(request, QueryDict(back.partition("?")[2]), typed)
    messages.success(request, _done(act), extra_tags="success")
    if act == "lost":
        return redirect(f"{_claim_address(shop.code)}?{urlencode({'waybill': tracking_no, 'kind': 'lost'})}")
    return redirect(back if back.startswith("/work-orders/parcels?") else "parcels-back")


def _claim_address(code: str) -> str:
    return f"/work-orders/claims/{code}/new"


def _done(act: str) -> str:
    return {
        "followed": _("已记下今天的跟进。"),
        "lost": _("已认定丢件，现在可以向快递索赔。"),
        "settled": _("这个包裹不再跟踪。"),
    }[act]
