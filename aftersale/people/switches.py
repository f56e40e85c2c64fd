"""The kill switch: stops everything, a shop, or one action of a shop, at once and with a reason."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aftersale.cases import audit
from aftersale.cases import people as record
from aftersale.cases.access import Shop, shops_of
from aftersale.cases.rows import moment, read
from aftersale.people import words
from aftersale.people.acts import record_connection
from aftersale.people.frame import RIGHTS_SWITCH
from aftersale.people.rights import needs
from aftersale.people.stopped import said
from aftersale.pg.sql import queries

SQL = queries("aftersale.people")
EVERYWHERE = 0
ACTIONS = (
    "automatic_money",
    "agree_refund",
    "agree_return",
    "refuse",
    "intercept",
    "message",
    "memo",
    "cancel_shipment",
    "review",
)


@dataclass(frozen=True, slots=True)
class Switch:
    """Shop 0 is every shop, action '' every action."""

    shop_id: int
    action: str
    stopped: bool
    why: str
    by_whom: str
    at: datetime

    @property
    def by_itself(self) -> bool:
        return self.by_whom.startswith("breaker:")

    @property
    def said(self) -> str:
        """What somebody wrote; what the system wrote is Chinese, and in English `by_whom` says the same."""
        return "" if self.by_itself and words.language() == "en" else self.why


@dataclass(frozen=True, slots=True)
class Panel:
    """One scope: all shops or one; `whole` stops it altogether. With each action whether a wider stop holds it as well."""

    shop_id: int
    name: str
    whole: Switch | None
    actions: tuple[tuple[str, str, Switch | None, bool], ...]
    mine: bool
    under: bool

    @property
    def open(self) -> bool:
        """Whether one of the actions behind the first is stopped."""
        return any(switch.stopped for _, _, switch, _ in self.actions[1:] if switch)


@needs("queue", post="switch")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The state of every switch the person may see; a form sets one."""
    shops = shops_of(request.user)
    if request.method == "POST":
        return _set(request, shops)
    ids = {"shop_ids": [shop.id for shop in shops]}
    switches = {(switch.shop_id, switch.action): switch for switch in read(Switch, SQL["switches"], ids)}
    places = [(EVERYWHERE, _("全部店铺")), *((shop.id, shop.name) for shop in shops)]
    mine = _rights(shops)
    panels = [_panel(shop_id, name, switches, shop_id in mine) for shop_id, name in places]
    names = dict(places)
    log = [(line, names[line.shop_id]) for line in read(Switch, SQL["switch_log"], ids)]
    context: dict[str, Any] = {"here": "switches", "panels": panels, "log": log, "may": bool(mine)}
    context |= {"reasons": _reasons(), "released": _released()}
    return render(request, "people/switches.html", context)


def _panel(shop_id: int, name: str, switches: dict[tuple[int, str], Switch], mine: bool) -> Panel:
    stopped = {place for place, switch in switches.items() if switch.stopped}
    under = shop_id != EVERYWHERE and (EVERYWHERE, "") in stopped
    actions = tuple(
        (
            code,
            words.intent(code),
            switches.get((shop_id, code)),
            under or (shop_id != EVERYWHERE and (EVERYWHERE, code) in stopped),
        )
        for code in ACTIONS
    )
    return Panel(shop_id, name, switches.get((shop_id, "")), actions, mine, under)


def _rights(shops: Collection[Shop]) -> set[int]:
    """Shops the person may stop; all of them together only for who leads every shop of this installation."""
    led = {shop.id for shop in shops if shop.role in RIGHTS_SWITCH}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shop")
        everywhere = cursor.fetchone()[0] == len(led) > 0
    return led | {EVERYWHERE} if everywhere else led


def _set(request: HttpRequest, shops: Collection[Shop]) -> HttpResponse:
    form = request.POST
    shop_id = int(form["shop_id"]) if form.get("shop_id", "").isdigit() else -1
    action, stopped = form.get("action", ""), form.get("stopped") == "1"
    if shop_id not in _rights(shops) or action not in ("", *ACTIONS):
        raise PermissionDenied
    by, why = request.user.get_username(), form.get("why", "")[:500].strip()
    if not stopped:
        why = why or _released()
    refusal = record.set_switch(record_connection(), shop_id, action, stopped, why, by, moment())
    if refusal:
        messages.error(request, _("请写明原因，开关没有变动。"), extra_tags="warning")
    else:
        told = {"stopped": stopped, "action": action}
        shop = next((one for one in shops if one.id == shop_id), None)
        code, name = (shop.code, shop.name) if shop else ("everything", _("全部店铺"))
        audit.note(
            record_connection(), by, "switch", code, moment(), shop_id=shop_id or None, why=why, more=told
        )
        messages.success(request, _done(action, stopped, name), extra_tags="success")
    return redirect(f"{reverse('switches')}#place-{shop_id}")


def _done(action: str, stopped: bool, name: str) -> str:
    if stopped:
        return _("%(said)s。几秒内生效。") % {"said": said(action, name)}
    if action == "":
        return _("%(shop)s已恢复。") % {"shop": name}
    return _("%(shop)s的「%(action)s」已恢复。") % {"shop": name, "action": words.intent(action)}


def _reasons() -> list[str]:
    """Offered beside the box; people may write their own."""
    return [
        _("金额不对，先查清"),
        _("规则要改，改好再开"),
        _("平台接口异常"),
        _("快递接口异常"),
        _("大促前先停"),
    ]


def _released() -> str:
    return _("原因已经消除")
