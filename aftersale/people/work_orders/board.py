"""`/work-orders`: one department's board, and what changed on it since it was shown."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment
from aftersale.people import words
from aftersale.people.filters.chip import of_shops
from aftersale.people.rights import needs, shops_with
from aftersale.people.work_orders import found
from aftersale.people.work_orders.found import Card
from aftersale.rulebooks.workorders.templates import departments, templates

TIMES_OF, DONE_OF = timedelta(days=30), timedelta(hours=24)
SORTS = ("matrix", "due")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address names; `owner` '' is everybody. What it names wrongly counts as not named."""

    department: str
    shop: str
    owner: str
    late: bool
    sort: str

    def address(self, **other: object) -> str:
        """The same with these parts changed."""
        parts = {
            "dept": self.department,
            "shop": self.shop,
            "owner": self.owner,
            "late": "1" if self.late else "",
        }
        given = {**parts, "sort": "" if self.sort == SORTS[0] else self.sort, **other}
        return f"?{urlencode({name: part for name, part in given.items() if part})}"


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with what the page says of it. `mine`: this person works for the department in that shop."""

    shop: Shop
    card: Card
    title: str
    step: str
    mine: bool

    @property
    def about(self) -> str:
        return about(self.card.template, self.card.subject)

    @property
    def key(self) -> str:
        return f"{self.shop.code}:{self.card.id}:{self.card.code}:{self.card.version}"


@needs("work_order")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/work-orders?dept=&shop=&owner=&late=&sort=`."""
    shops = shops_with(request.user, "work_order")
    now, asked = moment(), _asked(request, shops)
    wanted = _wanted(shops, asked, now)
    counts = found.counts(wanted["shop_ids"], now)
    cards = [_shown(shops, card) for card in found.cards(wanted)]
    done = [] if asked.late else found.done(wanted, now - DONE_OF)
    context: dict[str, Any] = {
        "here": "work_orders",
        "asked": asked,
        "tabs": [
            (
                titled(departments()[code]),
                asked.address(dept=code),
                code == asked.department,
                counts.get(code),
            )
            for code in found.sees(shops)
        ],
        "columns": {
            "open": [one for one in cards if one.card.state == "open"],
            "taken": [one for one in cards if one.card.state == "taken"],
            "done": [_shown(shops, card) for card in done],
        },
        "full": len(cards) == found.CARDS_MAX,
        "rows_max": found.CARDS_MAX,
        "count": counts.get(asked.department),
        "times": [
            (one, *_names(one.template, one.code))
            for one in found.times(wanted["shop_ids"], asked.department, now - TIMES_OF)
        ],
        "shops": shops,
        "live": asked.address(since=now.isoformat()),
        **_choices(asked, shops, request.user.get_username()),
    }
    return render(request, "people/work_orders/board.html", context)


@needs("work_order")
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """Cards of the page that changed, and how many came; 204 when nothing did."""
    shops = shops_with(request.user, "work_order")
    now, asked = moment(), _asked(request, shops)
    since = parse_datetime(request.GET.get("since", "").replace(" ", "+")) or now
    wanted = _wanted(shops, asked, now)
    shown = _keys(request, shops)
    changed = [
        _shown(shops, card)
        for card in found.seen(wanted["shop_ids"], list(shown))
        if card.version != shown[(card.shop_id, card.id, card.code)]
    ]
    new = found.newer(wanted, since) if since.tzinfo else 0
    if not changed and not new:
        return HttpResponse(status=204)
    context = {"asked": asked, "changed": changed, "new": new, "address": asked.address()}
    return render(request, "people/work_orders/_live.html", context)


def _asked(request: HttpRequest, shops: tuple[Shop, ...]) -> Asked:
    given, boards = request.GET, found.sees(shops)
    mine = [code for shop in shops for code in found.works_for(shop.role)]
    usual = mine[0] if mine else boards[0] if boards else "cs"
    sort = given.get("sort", "")
    return Asked(
        department=given["dept"] if given.get("dept") in boards else usual,
        shop=given["shop"] if given.get("shop") in {shop.code for shop in shops} else "",
        owner=request.user.get_username() if given.get("owner") else "",
        late=given.get("late") == "1",
        sort=sort if sort in SORTS else SORTS[0],
    )


def _wanted(shops: tuple[Shop, ...], asked: Asked, now: datetime) -> dict[str, Any]:
    return {
        "shop_ids": [shop.id for shop in shops if asked.shop in ("", shop.code)],
        "department": asked.department,
        "owner": asked.owner,
        "late": asked.late,
        "sort": asked.sort,
        "now": now,
    }


def _keys(request: HttpRequest, shops: tuple[Shop, ...]) -> dict[tuple[int, int, str], int]:
    """The cards that a page says it shows, with their versions."""
    ids = {shop.code: shop.id for shop in shops}
    shown: dict[tuple[int, int, str], int] = {}
    for key in request.GET.getlist("card")[: found.CARDS_MAX + found.DONE_MAX]:
        parts = key.split(":")
        fits = len(parts) == 4 and parts[0] in ids and all(_small(part) for part in (parts[1], parts[3]))
        if fits:
            shown[(ids[parts[0]], int(parts[1]), parts[2][:64])] = int(parts[3])
    return shown


def _small(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 18


def _shown(shops: tuple[Shop, ...], card: Card) -> Shown:
    shop = next(shop for shop in shops if shop.id == card.shop_id)
    return Shown(shop, card, *_names(card.template, card.code), card.department in found.works_for(shop.role))


def _names(template: str, code: str) -> tuple[str, str]:
    """Titles of the kind of order and of its step; what is no longer shipped keeps its code."""
    known = templates().get(template)
    step = known.steps.get(code) if known else None
    return titled(known) if known else template, titled(step) if step else code


def about(template: str, subject: str) -> str:
    """What an order is about, without the title of its kind, which stands beside it in the reader's language."""
    known = templates().get(template)
    for title in (known.title, known.title_en) if known else ():
        subject = "" if subject == title else subject.removeprefix(f"{title} · ")
    return subject


def titled(one: Any) -> str:
    """Its title in the language of the page."""
    return str(one.title if words.language() == "zh" else one.title_en)


def _choices(asked: Asked, shops: tuple[Shop, ...], me: str) -> dict[str, Any]:
    return {
        "shop_chip": of_shops(shops, asked.shop, lambda code: asked.address(shop=code)),
        "mine_address": asked.address(owner="" if asked.owner else me),
        "late_address": asked.address(late="" if asked.late else "1"),
        "sort_address": asked.address(sort="" if asked.sort == "due" else "due"),
    }
