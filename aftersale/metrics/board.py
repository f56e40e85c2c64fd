"""Today's board: figures that move, each opening the rows behind it."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.core.cache import caches
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from aftersale.cases.access import Person, Shop, counts_for, shops_of
from aftersale.cases.rows import moment
from aftersale.core.money import yuan_text
from aftersale.metrics.today import ORIGINS, Today, behind, midnight, today
from aftersale.rights import needs
from aftersale.rulebooks import books

FRESH_S = 4  # people who look at the same shops at the same time share one reading


@needs("board")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    """`/board`; the figures come from `/board/data`, also for people without scripts."""
    return render(request, "metrics/board.html", {"here": "board", "board": _figures(request.user)})


@needs("board")
@require_GET
def data(request: HttpRequest) -> JsonResponse:
    """All figures of the person's shops, with the address behind each."""
    return JsonResponse(_figures(request.user))


@needs("board")
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """`/board/rows?of=hour&hour=9`, `?of=automatic`, `?of=money&origin=person`, `?of=unknown`."""
    asked, origin, hour = (
        request.GET.get("of", ""),
        request.GET.get("origin", ""),
        request.GET.get("hour", ""),
    )
    known = {"hour": hour.isdigit() and int(hour) < 24, "money": origin in ORIGINS}
    if asked not in titles() or not known.get(asked, True):
        raise Http404
    shops = {shop.id: shop for shop in shops_of(request.user)}
    since = midnight(moment()) + timedelta(hours=int(hour) if asked == "hour" else 0)
    found = behind(asked, list(shops), since, since + timedelta(hours=1), origin)
    title = titles()[asked]
    if asked == "hour":
        title = _("%(hour)s 点来的售后单") % {"hour": hour}
    if asked == "money":
        title = f"{title} · {origins()[origin]}"
    listed = [(shops[row.shop_id], row) for row in found]
    return render(request, "metrics/rows.html", {"here": "board", "title": title, "rows": listed})


def titles() -> dict[str, str]:
    return {
        "hour": _("今天来的售后单"),
        "automatic": _("今天没有经过人的售后单"),
        "money": _("今天退出的钱"),
        "unknown": _("结果未知的动作"),
    }


def origins() -> dict[str, str]:
    return {"automatic": _("自动"), "person": _("人工"), "platform": _("平台")}


def buckets() -> dict[str, str]:
    return {
        "late": _("已超时"),
        "h2": _("2 小时内"),
        "h12": _("12 小时内"),
        "h24": _("24 小时内"),
        "h72": _("3 天内"),
        "later": _("更久"),
        "none": _("无期限"),
    }


def _figures(user: Person) -> dict[str, Any]:
    shops = shops_of(user)
    key = f"board:{get_language()}:{','.join(str(shop.id) for shop in shops)}"
    found: dict[str, Any] = caches["process"].get_or_set(key, lambda: _read(user, shops), FRESH_S) or {}
    return found


def _read(user: Person, shops: Collection[Shop]) -> dict[str, Any]:
    now = moment()
    figures = today([shop.id for shop in shops], now)
    queue, behind_it = reverse("queue"), reverse("board-rows")
    backlog: Counter[str] = Counter()
    for count in counts_for(user):
        backlog[count.queue] += count.cases
    lefts = {"late": "?left=0", "h2": "?left=2", "h12": "?left=12", "h24": "?left=24"}
    return {
        "at": now.isoformat(),
        "hour": (now - midnight(now)) // timedelta(hours=1),
        "tiles": _tiles(figures, shops, sum(backlog.values())),
        "inflow": _inflow(figures, behind_it),
        "backlog": [
            {"title": _queue_title(code), "cases": cases, "address": f"{queue}?tab={_tab(code)}"}
            for code, cases in backlog.most_common()
        ],
        "left": [
            {
                "code": b.bucket,
                "title": buckets()[b.bucket],
                "cases": b.cases,
                "address": queue + lefts.get(b.bucket, ""),
            }
            for b in figures.left
        ],
        "money": [
            {
                "title": origins()[money.origin],
                "amount_fen": money.amount_fen,
                "text": yuan_text(money.amount_fen),
                "cases": money.cases,
                "address": f"{behind_it}?of=money&origin={money.origin}",
            }
            for money in figures.money
        ],
    }


def _inflow(figures: Today, address: str) -> list[dict[str, Any]]:
    hours = {hour.hour: hour for hour in figures.inflow}
    return [
        {
            "hour": hour,
            "automatic": hours[hour].automatic if hour in hours else 0,
            "people": hours[hour].cases - hours[hour].automatic if hour in hours else 0,
            "address": f"{address}?of=hour&hour={hour}",
        }
        for hour in range(24)
    ]


def _tiles(figures: Today, shops: Collection[Shop], waiting: int) -> list[dict[str, str]]:
    queue, address = reverse("queue"), reverse("board-rows")
    late = figures.left[0].cases
    rate = figures.rate_percent
    oldest = {shop.id: shop.code for shop in shops}
    first_due = figures.oldest
    return [
        {"key": "waiting", "title": _("等人处理"), "text": f"{waiting:,}", "address": queue, "tone": ""},
        {
            "key": "late",
            "title": _("已超时"),
            "text": f"{late:,}",
            "address": f"{queue}?left=0",
            "tone": "bad" if late else "good",
        },
        {
            "key": "rate",
            "title": _("今天自动办理"),
            "text": "—" if rate is None else f"{rate}%",
            "address": f"{address}?of=automatic",
            "tone": "",
        },
        {
            "key": "unknown",
            "title": _("结果未知的动作"),
            "text": f"{figures.unknown.cases:,}",
            "address": f"{address}?of=unknown",
            "tone": "bad" if figures.unknown.cases else "good",
        },
        {
            "key": "oldest",
            "title": _("最早到期"),
            "text": first_due.due_at.astimezone(midnight(first_due.due_at).tzinfo).strftime("%m-%d %H:%M")
            if first_due
            else "—",
            "address": reverse("case", args=[oldest[first_due.shop_id], first_due.case_id])
            if first_due
            else queue,
            "tone": "bad" if late else "",
        },
    ]


def _queue_title(code: str) -> str:
    return books.title("queue", code, "en" if (get_language() or "").startswith("en") else "zh")


def _tab(code: str) -> str:
    known = books.queues().get(code)
    return known.tab if known else "work_order"
