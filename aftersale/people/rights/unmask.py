"""查看: a person gives the reason, it is written down, and they see what is otherwise masked."""

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aftersale.cases import audit
from aftersale.cases.rows import moment, read
from aftersale.people import words
from aftersale.people.acts import record_connection
from aftersale.people.case import theirs
from aftersale.people.rights import needs
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.rights", "unmask.sql")


@dataclass(frozen=True, slots=True)
class Shown:
    """`name`: of the field, or who said it."""

    name: str
    text: str
    at: datetime | None

    @property
    def title(self) -> str:
        own = {"buyer_ref": _("买家在平台的编号"), "reason_text": _("申请说明")}
        return own.get(self.name) or words.word("speaker", self.name)


def titles() -> dict[str, str]:
    """What can be looked at."""
    return {"buyer": _("买家编号"), "words": _("买家说的原话")}


@needs("unmask")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, shop_code: str, case_id: str, what: str) -> HttpResponse:
    """Asks for the reason; with one, shows the whole text once."""
    case = theirs(request, shop_code, case_id)
    if what not in titles():
        raise Http404
    context = {"case": case, "title": titles()[what], "what": what, "here": "queue"}
    if request.method == "POST":
        why, by = request.POST.get("why", ""), request.user.get_username()
        target = f"{shop_code}/{case.case_id}/{what}"
        refusal = audit.unmask(record_connection(), by, case.shop.id, target, why, moment())
        if refusal is None:
            where = {"shop_id": case.shop.id, "case_id": case.case_id}
            return render(
                request, "people/unmask/shown.html", {**context, "rows": read(Shown, SQL[what], where)}
            )
        context["refusal"] = _(refusal.why)
    return render(request, "people/unmask/ask.html", context, status=422 if "refusal" in context else 200)
