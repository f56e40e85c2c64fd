"""The queue: what waits for a person, in the order in which it will hurt."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode
from zlib import crc32

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from aftersale.cases.access import (
    PAGE_ROWS,
    PAGES_MAX,
    SORTS,
    UNCLAIMED,
    Count,
    Filter,
    Matches,
    Person,
    Place,
    Shop,
    counts_for,
    hits_for,
    matches_for,
    queue_for,
    shops_of,
)
from aftersale.cases.rows import moment, read
from aftersale.cases.waiting.search import ROWS as HITS_MAX
from aftersale.core.lowering import lower_fact
from aftersale.people import words
from aftersale.people.bulk.offer import choosable
from aftersale.people.filters.chip import Chip
from aftersale.people.inplace.fate import changed as changed_notices
from aftersale.people.rights import needs
from aftersale.people.templatetags.desk import left_of_both
from aftersale.people.views.found import SHARERS, views_for
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people")
PLAIN = ("shop", "platform", "reason", "action", "state", "owner")
LEFTS = {"0": 0, "2": 2, "12": 12, "24": 24}
AMOUNTS = {"-20": (None, 2_000), "20-50": (2_000, 5_000), "50-200": (5_000, 20_000), "200-1000": (20_000, 100_000), "1000-": (100_000, None)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One waiting case as the record holds it."""

    shop_id: int
    case_id: str
    queue: str
    due_at: datetime | None
    platform_due_at: datetime | None
    queue_fen: int | None
    since: datetime
    owner: str | None
    order_id: str
    aftersale_type: str | None
    reason: str | None
    state: str | None
    title: str | None
    amount_fen: int | None
    action: str | None
    rule: str | None
    goods: str | None
    tracking_text: str | None
    tracking_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the page. `left` is its time-left pill, `mark` tells a change of content, `pill` one of `left`."""

    row: Row
    shop: Shop
    left: SafeString
    mark: str
    pill: str
    changed: bool = False

    @property
    def key(self) -> str:
        return f"{self.shop.code}:{self.row.case_id}"

    @property
    def address(self) -> str:
        return _below("case", self.shop.code) + quote(self.row.case_id, safe="")

    @property
    def dock_address(self) -> str:
        return _below("queue-dock", self.shop.code) + quote(self.row.case_id, safe="")

    @property
    def pick_words(self) -> str:
        return _("选择 %(id)s") % {"id": self.row.case_id}


@cache
def _below(name: str, shop_code: str) -> str:
    """What the addresses of a shop's cases begin with: a page has fifty, and each would be searched for."""
    return reverse(name, args=(shop_code, "-"))[:-1]


def lines(places: Collection[Place], shops: Collection[Shop], now: datetime) -> list[Line]:
    """The rows at these places, in their order; a case that no longer waits is left out."""
    by_id = {shop.id: shop for shop in shops}
    wanted = {"shop_ids": [p.shop_id for p in places], "case_ids": [p.case_id for p in places]}
    found = read(Row, _rows(), wanted, kept=True) if places else []
    return [_line(row, by_id[row.shop_id], now) for row in found]


@cache
def _rows() -> str:
    """What the goods are doing is derived as the rules derive it."""
    goods = lower_fact(
        books.catalogue(words.CATALOGUE),
        "goods_state",
        "postgres",
        fact=lambda name: f"f.{name}",
        now="moment()",
    )
    return SQL["rows"].replace("/*goods_state*/", goods.replace("%", "%%"))


def _line(row: Row, shop: Shop, now: datetime) -> Line:
    left = left_of_both(row.due_at, row.platform_due_at, now)
    return Line(row, shop, left, f"{crc32(repr(row).encode()):08x}", f"{crc32(left.encode()):08x}")


def asked(given: QueryDict, counts: Collection[Count]) -> tuple[str, Filter]:
    """The tab and the filter that the address names; what it names wrongly counts as not named."""
    tab = given.get("tab", "") if given.get("tab", "") in words.tabs() else "all"
    page = given.get("page", "1")
    low_fen, high_fen = AMOUNTS.get(given.get("amount", ""), (None, None))
    wanted = Filter(
        queues=words.queues_in(tab, {count.queue for count in counts}),
        **{name: _plain(given.get(name, "")) for name in PLAIN},
        left_h=LEFTS.get(given.get("left", "")),
        low_fen=low_fen,
        high_fen=high_fen,
        sort=given.get("sort", "") if given.get("sort", "") in SORTS else "due",
        page=min(max(int(page), 1), PAGES_MAX) if page.isascii() and page.isdigit() and len(page) < 5 else 1,
    )
    return tab, wanted


def _plain(text: str) -> str:
    """Without what the database cannot hold."""
    return text.replace("\x00", "")[:64]


@needs("queue")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/queue?tab=&shop=&platform=&reason=&action=&owner=&left=&sort=&page=`."""
    return render(request, "people/queue.html", _page(request))


def _page(request: HttpRequest) -> dict[str, Any]:
    now, shops, counts = moment(), shops_of(request.user), counts_for(request.user)
    tab, wanted = asked(request.GET, counts)
    places = queue_for(request.user, wanted, counts, now)
    found = _matches(request.user, wanted, counts, now)
    return {
        "tab": tab,
        "tabs": _tabs(request, tab, shops, wanted, counts, found),
        "shops": shops,
        "here": "queue",
        "wanted": wanted,
        "chips": _chips(request, shops),
        "rows": lines(places[:PAGE_ROWS], shops, now),
        "found": found,
        "first": (wanted.page - 1) * PAGE_ROWS + 1,
        "more": len(places) > PAGE_ROWS and wanted.page < PAGES_MAX,
        "cut": len(places) > PAGE_ROWS and wanted.page == PAGES_MAX,
        "earlier_address": address(request, page=str(wanted.page - 1)),
        "later_address": address(request, page=str(wanted.page + 1)),
        "since": now.isoformat(),
        "now": now,
        "query": address(request),
        "views": views_for(request.user),
        "sharing": [shop for shop in shops if shop.role in SHARERS],
        **choosable(request.user),
    }


def _matches(user: Person, wanted: Filter, counts: Collection[Count], now: datetime) -> Matches:
    if wanted.narrows:
        return matches_for(user, wanted, counts, now)
    shown = {
        s.id for s in shops_of(user) if wanted.shop in ("", s.code) and wanted.platform in ("", s.platform)
    }
    queues = wanted.queues
    return Matches(
        sum(c.cases for c in counts if c.shop_id in shown and (queues is None or c.queue in queues))
    )


def address(request: HttpRequest, **changes: str) -> str:
    """This page's address with other values; a value that is empty or the default is left out."""
    kept = {key: value for key, value in request.GET.items() if key not in ("since", "row", "new", "fate")}
    if "page" not in changes:
        kept.pop("page", None)
    merged = {**kept, **changes}
    query = urlencode(
        {key: value for key, value in merged.items() if value and (key, value) != ("page", "1")}
    )
    return f"?{query}"


def _tabs(
    request: HttpRequest,
    tab: str,
    shops: Collection[Shop],
    wanted: Filter,
    counts: Collection[Count],
    found: Matches | None = None,
) -> list[dict[str, Any]]:
    """The kinds of work with how many wait; where a filter narrows, the tab shown alone, with what it `found`."""
    shown = {s.id for s in shops if wanted.shop in ("", s.code) and wanted.platform in ("", s.platform)}
    total: Counter[str] = Counter()
    for count in counts:
        if count.shop_id in shown:
            total["all"] += count.cases
            total[words.tab_of(count.queue)] += count.cases
    return [
        {
            "code": code,
            "title": title,
            "cases": (found if code == tab else None) if wanted.narrows else Matches(total[code]),
            "here": code == tab,
            "address": address(request, tab=code),
        }
        for code, title in words.tabs().items()
    ]


def _chips(request: HttpRequest, shops: Collection[Shop]) -> list[Chip]:
    platforms = sorted({shop.platform for shop in shops})
    owners = {request.user.get_username(): words.mine(), UNCLAIMED: words.unclaimed()}
    taken = request.GET.get("owner", "")
    if taken and taken not in owners:
        owners[taken] = taken
    found = choices({shop.code: shop.name for shop in shops}, platforms, owners)
    return [
        Chip.of(
            words.chips()[key],
            request.GET.get(key, ""),
            options,
            lambda code, key=key: address(request, **{key: code}),  # type: ignore[misc]
            narrows=key != "sort",
        )
        for key, options in found.items()
        if len(options) > 1 or key == "owner"
    ]


def choices(
    shop_names: Mapping[str, str], platforms: Collection[str], owners: Mapping[str, str]
) -> dict[str, Mapping[str, str]]:
    """What each filter of the queue may be, in words."""
    return {
        "shop": shop_names,
        "platform": {code: words.word("platform", code) for code in platforms},
        "reason": words.values("reason"),
        "action": words.actions(),
        "amount": words.amounts(),
        "left": words.lefts(),
        "state": words.values("state"),
        "owner": owners,
        "sort": words.orders(),
    }


@needs("queue")
@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """What changed since the page was made: `row` = key|mark|pill of each row shown, `since` its moment."""
    now, shops, counts = moment(), shops_of(request.user), counts_for(request.user)
    tab, wanted = asked(request.GET, counts)
    shown = {key: (mark, pill) for key, mark, pill in (_shown(text) for text in request.GET.getlist("row"))}
    here = {line.key: line for line in lines(_places(shown, shops), shops, now)}
    since = parse_datetime(request.GET.get("since", "")) or now
    changed = [
        replace(line, changed=line.mark != shown[key][0])
        for key, line in here.items()
        if (line.mark, line.pill) != shown[key]
    ]
    return render(
        request,
        "people/queue_live.html",
        {
            "rows": changed,
            "gone": [key for key in shown if key not in here],
            "notices": changed_notices(request.GET.getlist("fate"), shops, now),
            "fresh": matches_for(request.user, wanted, counts, now, since).cases,
            "tabs": [] if wanted.narrows else _tabs(request, tab, shops, wanted, counts),
            "since": since.isoformat(),
            "query": address(request, page=str(wanted.page)),
            "now": now,
        },
    )


def _shown(text: str) -> tuple[str, str, str]:
    key, _, marks = text.partition("|")
    mark, _, pill = marks.partition("|")
    return key, mark, pill


def _places(keys: Collection[str], shops: Collection[Shop]) -> list[Place]:
    ids = {shop.code: shop.id for shop in shops}
    split = [key.partition(":") for key in list(keys)[: 2 * PAGE_ROWS]]
    return [Place(ids[code], case_id) for code, _, case_id in split if code in ids]


@needs("search")
@require_GET
def search(request: HttpRequest) -> HttpResponse:
    """By number, phone tail or words of the goods: straight to the case when there is only one."""
    text = request.GET.get("q", "").strip()
    found = hits_for(request.user, text)
    if len(found) == 1:
        return redirect("case", found[0][0].code, found[0][1].case_id)
    shown = {"text": text, "found": found, "full": len(found) == HITS_MAX, "now": moment()}
    return render(request, "people/search.html", shown)
