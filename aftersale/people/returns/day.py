"""What a day's scanning brought, and the parcels that still wait for a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from aftersale.cases.returns import find
from aftersale.cases.rows import moment
from aftersale.core.returns.receipt import CONDITIONS
from aftersale.people.returns.scan import RIGHT
from aftersale.people.rights import needs, shops_with

PAGES_MAX = 100
FOUND = ("case", "order", "linked", "anonymous")


@dataclass(frozen=True, slots=True)
class Day:
    """A day in the pages' zone: where it begins and ends."""

    since: datetime
    until: datetime

    @property
    def before(self) -> str:
        return f"{self.since - timedelta(hours=12):%Y-%m-%d}"

    @property
    def after(self) -> str:
        return f"{self.until + timedelta(hours=12):%Y-%m-%d}"

    @property
    def name(self) -> str:
        return f"{self.since:%Y-%m-%d}"


def day_of(text: str, now: datetime) -> Day:
    """The day of this date; today when it is none."""
    try:
        wanted = parse_date(text)
    except ValueError:
        wanted = None
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    if wanted is None or not 2000 <= wanted.year <= 2100:
        return Day(today, today + timedelta(days=1))
    since = today.replace(year=wanted.year, month=wanted.month, day=wanted.day)
    return Day(since, since + timedelta(days=1))


@needs(RIGHT)
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """Counts of the day and its parcels, narrowed by what they are or how the pieces came."""
    shops, now = shops_with(request.user, RIGHT), moment()
    by_id = {one.id: one for one in shops if request.GET.get("shop", "") in ("", one.code)}
    day, no = day_of(request.GET.get("day", ""), now), _page_no(request)
    found, condition = _one_of(request, "found", FOUND), _one_of(request, "condition", CONDITIONS)
    narrow = {"since": day.since, "until": day.until, "found": found, "condition": condition}
    rows = find.parcels(list(by_id), page=no, rows=find.PAGE_ROWS + 1, **narrow)
    counts = {(one.what, one.code): one.many for one in find.tally(list(by_id), day.since, day.until)}
    context = {
        "here": "returns",
        "shops": shops,
        "shop": request.GET.get("shop", ""),
        "day": day,
        "today": day_of("", now).name,
        "found": _counted(counts, "found", FOUND),
        "conditions": _counted(counts, "condition", CONDITIONS),
        "narrow_found": found,
        "narrow_condition": condition,
        "parcels": [(by_id[one.shop_id], one) for one in rows[: find.PAGE_ROWS]],
        "page": no,
        "more": len(rows) > find.PAGE_ROWS,
        "nameless": find.nameless(list(by_id)),
    }
    return render(request, "people/returns/day.html", context)


def _counted(
    counts: Mapping[tuple[str, str], int], what: str, codes: tuple[str, ...]
) -> list[tuple[str, int]]:
    return [(code, counts.get((what, code), 0)) for code in codes]


def _one_of(request: HttpRequest, name: str, codes: tuple[str, ...]) -> str | None:
    told = request.GET.get(name, "")
    return told if told in codes else None


def _page_no(request: HttpRequest) -> int:
    text = request.GET.get("page", "1")
    return min(max(int(text), 1), PAGES_MAX) if text.isascii() and text.isdigit() and len(text) < 9 else 1


@needs(RIGHT)
@require_GET
def nameless(request: HttpRequest) -> HttpResponse:
    """Parcels without a case, the oldest first."""
    shops, no = shops_with(request.user, RIGHT), _page_no(request)
    by_id = {one.id: one for one in shops}
    rows = find.parcels(list(by_id), page=no, rows=find.PAGE_ROWS + 1, nameless=True)
    context = {
        "here": "returns",
        "parcels": [(by_id[one.shop_id], one) for one in rows[: find.PAGE_ROWS]],
        "nameless": find.nameless(list(by_id)),
        "page": no,
        "more": len(rows) > find.PAGE_ROWS,
    }
    return render(request, "people/returns/nameless.html", context)
