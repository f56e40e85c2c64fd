"""`/money`: today's limits, the ledger, what the platform says of it, and the ledger's chain."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases import ledger
from aftersale.cases.access import PAGE_ROWS, PAGES_MAX, Shop, shops_of
from aftersale.cases.rows import moment
from aftersale.people import words
from aftersale.people.acts import record_connection
from aftersale.people.filters.chip import of_shops
from aftersale.people.money import found
from aftersale.people.money.found import ORIGINS, Sum
from aftersale.people.rights import needs

NEWEST = 500
SHOPS_MAX = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address names; `origin` '' is every origin, `page` from 1."""

    shop: str
    day: date
    origin: str
    page: int

    def address(self, **other: object) -> str:
        """The same with these parts changed."""
        parts = {
            "shop": self.shop,
            "day": self.day.isoformat(),
            "origin": self.origin,
            "page": self.page,
            **other,
        }
        return f"?{urlencode({name: part for name, part in parts.items() if part and (name, part) != ('page', 1)})}"


@dataclass(frozen=True, slots=True)
class Chain:
    """A shop's chain as far as it was looked at: its head and where it does not hold."""

    shop: Shop
    head: ledger.Head | None
    breaks: tuple[ledger.Break, ...]


@needs("money")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/money?shop=&day=&origin=&page=`."""
    mine = _answered_for(request)
    now = moment()
    asked = _asked(request, mine, found.today(now))
    shops = {shop.id: shop for shop in mine if asked.shop in ("", shop.code)}
    since, until = found.midnight(asked.day), found.midnight(asked.day + timedelta(days=1))
    sums = found.sums(list(shops), since, until)
    skip = (asked.page - 1) * PAGE_ROWS
    rows = found.rows(list(shops), since, until, asked.origin, skip=skip, rows=PAGE_ROWS + 1)
    compared = found.reconciliations(list(shops))
    context: dict[str, Any] = {
        "here": "money",
        "asked": asked,
        "mine": mine,
        "one": next(iter(shops.values())) if asked.shop else None,
        "today": found.today(now),
        "tiles": _tiles(asked, sums),
        "used": [(shops[one.shop_id], one) for one in found.used(list(shops)[:SHOPS_MAX])],
        "differences": [
            (shops[one.shop_id], one, advice()[one.kind]) for one in found.differences(list(shops))
        ],
        "resolved": [(shops[one.shop_id], one) for one in found.resolved(list(shops))],
        "reconciliations": [(shops[one.shop_id], one) for one in compared],
        "differed": any(one.differences for one in {one.shop_id: one for one in reversed(compared)}.values()),
        "rows": [(shops[row.shop_id], row) for row in rows[:PAGE_ROWS]],
        "chains": _chains(list(shops.values())[:SHOPS_MAX]),
        "newest": NEWEST,
        "shops_max": SHOPS_MAX,
        "cut": len(shops) > SHOPS_MAX,
        **_addresses(asked, mine, more=len(rows) > PAGE_ROWS, today=found.today(now)),
    }
    return render(request, "people/money/page.html", context)


def _answered_for(request: HttpRequest) -> list[Shop]:
    return [shop for shop in shops_of(request.user) if shop.role in ledger.RESOLVERS]


def _asked(request: HttpRequest, shops: Collection[Shop], today: date) -> Asked:
    """What the address names wrongly counts as not named."""
    given = request.GET
    code, origin, number = given.get("shop", ""), given.get("origin", ""), given.get("page", "1")
    try:
        day = date.fromisoformat(given.get("day", ""))
    except ValueError:
        day = today
    return Asked(
        shop=code if code in {shop.code for shop in shops} else "",
        day=day if 2000 <= day.year < 2100 else today,
        origin=origin if origin in ORIGINS else "",
        page=min(max(int(number), 1), PAGES_MAX)
        if number.isascii() and number.isdigit() and len(number) < 5
        else 1,
    )


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure and the rows behind it."""

    title: str
    sum: Sum
    address: str
    on: bool


def _tiles(asked: Asked, sums: Mapping[str, Sum]) -> list[Tile]:
    whole = Sum("", sum(one.refunds for one in sums.values()), sum(one.fen for one in sums.values()))
    return [
        Tile(words.word("origin", one.origin) if one.origin else _("全部"), one,
             asked.address(origin=one.origin, page=1) + "#ledger", one.origin == asked.origin)
        for one in (whole, *sums.values())
    ]  # fmt: skip


def _addresses(asked: Asked, shops: Collection[Shop], *, more: bool, today: date) -> dict[str, Any]:
    day = timedelta(days=1)
    return {
        "shop_chip": of_shops(shops, asked.shop, lambda code: asked.address(shop=code, page=1)),
        "day_before": asked.address(day=(asked.day - day).isoformat(), page=1),
        "day_after": asked.address(day=(asked.day + day).isoformat(), page=1) if asked.day < today else "",
        "earlier_address": asked.address(page=asked.page - 1) + "#ledger" if asked.page > 1 else "",
        "later_address": asked.address(page=asked.page + 1) + "#ledger"
        if more and asked.page < PAGES_MAX
        else "",
    }


def _chains(shops: Collection[Shop]) -> list[Chain]:
    conn = record_connection()
    return [
        Chain(shop, ledger.head(conn, shop.id), tuple(ledger.verify(conn, shop.id, last=NEWEST)))
        for shop in shops
    ]


def advice() -> dict[str, str]:
    """What to do about each kind of difference."""
    return {
        "only_theirs": _(
            "平台已经退了钱，我们没有记。系统已经重新去取这张单；一小时后还在这里，就查清是谁在平台上退的。"
        ),
        "only_ours": _("我们记了退款，平台说没有退。先不要再退一次，到平台后台核对这张单。"),
        "amount": _("两边金额不同，以平台为准。查清差额的原因再写明结果。"),
    }


@needs("money")
@require_POST
def resolve(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    """A difference is explained with a note."""
    shop = next((one for one in shops_of(request.user) if one.code == shop_code), None)
    if shop is None:
        raise Http404
    if shop.role not in ledger.RESOLVERS:
        raise PermissionDenied
    by, note = request.user.get_username(), request.POST.get("note", "")
    refusal = ledger.resolve(record_connection(), shop.id, case_id, note, by, moment())
    if refusal:
        messages.error(request, _(refusal.why), extra_tags="warning")
    else:
        messages.success(request, _("差异已经处理，金额不再变化就不会再提出来。"), extra_tags="success")
    return redirect("money")
