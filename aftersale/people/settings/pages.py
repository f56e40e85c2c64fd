"""The settings' smaller pages: where to go, shops and their authorisation, hours, scripts, connections."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases import audit
from aftersale.cases.rows import moment, read, record_connection
from aftersale.cases.shops import set_authorised_until
from aftersale.core.clocks.calendar import Calendar
from aftersale.core.facts import RulebookError
from aftersale.core.language.wording import clock
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import resolve_settings
from aftersale.health import findings as health_findings
from aftersale.health import state
from aftersale.people import words
from aftersale.people.jobs.saying import worded
from aftersale.people.rights import needs, shops_with
from aftersale.people.settings.form import when
from aftersale.people.settings.frame import may, shop_of, shown
from aftersale.people.settings.known import SQL, line_of, own_of
from aftersale.pg.connect import connect, home_folder
from aftersale.rulebooks import books
from aftersale.rulebooks.calendar import calendar_of, days_off, make_up_days

SOON = timedelta(days=7)
DAYS_AHEAD = 60
OF_THE_PLACE = frozenset({
    "database_away", "no_worker", "worker_stuck", "worker_gone", "copy_unaccepted", "reconcile_only", "disk_low",
    "long_transaction", "backup_lost", "backup_behind", "no_backup", "backup_old",
})  # fmt: skip
"""Findings without a number in them: those with one would tell of other people's shops."""
OF_PEOPLE = frozenset({"breaker_open", "reconcile_only"})
"""Findings for whose end nobody has to go to the server."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A shop's authorisation as the record knows it. `refused_at`: since when the platform turns us away."""

    id: int
    code: str
    name: str
    platform: str
    connected: bool
    courier: bool
    pushes: list[str]
    authorised_until: datetime | None
    refused_at: datetime | None
    pulled_until: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """A finding in words; what to `do` `on_server` is for whoever manages it."""

    level: str
    what: str
    do: str
    on_server: bool


@needs("settings_read")
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    return redirect("settings-shops")


@needs("settings_read")
@require_GET
def shops(request: HttpRequest) -> HttpResponse:
    """Which shops are connected, until when, and whether the platform still lets us in."""
    mine = {shop.id: shop for shop in shops_with(request.user, "settings_read")}
    found = read(Connected, SQL["shops"], {"shop_ids": list(mine)})
    now = moment()
    lines = [(one, _state(one, now), may(mine[one.id], "settings_edit")) for one in found]
    return shown(request, "shops", "shops", None, lines=lines)


def _state(one: Connected, now: datetime) -> str:
    until = one.authorised_until
    if not one.connected:
        return "files"
    if one.refused_at or (until is not None and until <= now):
        return "ended"
    return "soon" if until is not None and until <= now + SOON else "connected"


@needs("settings_edit")
@require_POST
def until(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Keeps until when the platform's authorisation lasts, as its page says."""
    shop, now = shop_of(request, shop_code), moment()
    at = when(request.POST.get("until", ""))
    if isinstance(at, Refusal):
        messages.error(request, _(at.why), extra_tags="warning")
        return redirect("settings-shops")
    conn = record_connection()
    with conn.transaction():
        set_authorised_until(conn, shop.id, at)
        who = request.user.get_username()
        audit.note(
            conn, who, "setting", "authorised_until", now, shop_id=shop.id, more={"value": str(at or "")}
        )
    messages.success(request, _("已记下授权的到期时间。"), extra_tags="success")
    return redirect("settings-shops")


@needs("settings_read")
@require_GET
def hours(request: HttpRequest, shop_code: str) -> HttpResponse:
    """The week and the days that differ from it, as the clocks count them."""
    shop = shop_of(request, shop_code)
    book = books.book("calendar")
    own = {name: value for name, value in own_of(shop).items() if name in book.settings}
    lines = [line for name in book.settings if (line := line_of(shop, name)) is not None]
    context: dict[str, Any] = {
        "names": [(one.setting.name, one.title, one.own or one.usual) for one in lines]
    }
    try:
        calendar = calendar_of(resolve_settings(book, own, shop.platform))
        today = calendar.day_of(moment())
        context |= {
            "week": _week(calendar),
            "days": _days(calendar, today),
            "sure_until": calendar.sure_until,
        }
    except RulebookError as error:
        context["wrong"] = worded(error.why)
    return shown(request, "hours", "hours", shop, **context)


def _week(calendar: Calendar) -> list[tuple[str, str]]:
    names = [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]
    return [(name, _shifts(calendar.week[day])) for day, name in enumerate(names)]


def _shifts(shifts: Any) -> str:
    def told(minute: int) -> str:
        return clock(minute if minute == 1440 else minute % 1440)

    return "  ".join(f"{told(one.start_minute)}–{told(one.end_minute)}" for one in shifts)


def _days(calendar: Calendar, today: date) -> list[tuple[date, str, str]]:
    """The next days that are not like their day of the week."""
    ahead = [today + timedelta(days=n) for n in range(DAYS_AHEAD)]
    off, made_up = set(days_off()), set(make_up_days())
    kind = {True: _("法定节假日"), False: _("另外安排")}
    return [
        (day, _("调休上班") if day in made_up else kind[day in off], _shifts(calendar.days[day]))
        for day in ahead
        if day in calendar.days
    ]


@needs("rule_read")
@require_GET
def scripts(request: HttpRequest) -> HttpResponse:
    """What is said, by group, and samples of what is never sent; read from the books."""
    library, zh = books.scripts(), words.language() == "zh"
    groups = [(one.title if zh else one.title_en, library.in_group(one.code)) for one in library.groups]
    blocked = [(words.word("reply_fault", kind), samples) for kind, samples in library.blocked.items()]
    return shown(request, "scripts", "scripts", None, groups=groups, blocked=blocked, zh=zh)


@needs("settings_read")
@require_GET
def health(request: HttpRequest) -> HttpResponse:
    """What the installation finds wrong with itself, as far as it concerns the person's shops."""
    names = {shop.code: shop.name for shop in shops_with(request.user, "settings_read")}
    lines = [
        _line(one, names)
        for one in _findings()
        if one.code in OF_THE_PLACE
        or one.code.startswith(("idle_", "unserved_"))
        or (one.code == "breaker_open" and one.given.get("shop") in names)
    ]
    return shown(request, "health", "health", None, lines=lines)


def _line(one: health_findings.Finding, shop_names: Mapping[str, str]) -> Line:
    """Its codes in the words of the pages; what to do keeps them, it is typed."""
    end = "" if words.language() == "zh" else "_en"
    said = {"stage": _stages(), "shop": shop_names, "reason": words.breaker_reasons()}
    given = {name: said.get(name, {}).get(str(value), value) for name, value in one.given.items()}
    what, do = replace(one, given=given).told()[f"what{end}"], one.told()[f"do{end}"]
    return Line(one.level, what, do.replace("`", ""), one.code not in OF_PEOPLE)


def _stages() -> dict[str, str]:
    """What a worker does, in words."""
    return {
        "decide": _("「判断」"),
        "act": _("「发出动作」"),
        "pull": _("「向平台取单」"),
        "reconcile": _("「对账」"),
        "jobs": _("「导入、导出等任务」"),
        "tidy": _("「清理」"),
    }


def _findings() -> list[health_findings.Finding]:
    """Of the whole installation, which no shop's people may read for themselves."""
    with connect(application="aftersale settings") as conn:
        return health_findings.findings(state.read(conn, Path(home_folder())))
