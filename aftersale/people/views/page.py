"""Saving the queue as it stands in the address, for oneself or for a shop's people; and forgetting it."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aftersale.cases.access import shops_of
from aftersale.cases.rows import moment
from aftersale.people.acts import record_connection
from aftersale.people.rights import needs
from aftersale.people.views.found import SHARERS, SQL

TITLE_MAX, ADDRESS_MAX = 40, 500


@needs("queue")
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """`title`, `address` (what follows `/queue`), `share`: the code of a shop of which one is lead or owner."""
    form = request.POST
    title, share = form.get("title", "").replace("\x00", "").strip(), form.get("share", "")
    address = form.get("address", "").replace("\x00", "")
    if not address.startswith("?") or len(address) > ADDRESS_MAX:
        address = "?"
    if not 0 < len(title) <= TITLE_MAX:
        messages.error(request, _("视图要有 1 到 40 个字的名字。"), extra_tags="warning")
        return redirect(f"/queue{address}")
    told = {"by": request.user.get_username(), "title": title, "address": address, "now": moment()}
    if share:
        shop = next((one for one in shops_of(request.user) if one.code == share), None)
        if shop is None or shop.role not in SHARERS:
            raise Http404
        record_connection().execute(SQL["save_shared"], {**told, "shop_id": shop.id})
    else:
        record_connection().execute(SQL["save_own"], told)
    messages.success(request, _("视图「%(title)s」已保存。") % {"title": title}, extra_tags="success")
    return redirect(f"/queue{address}")


@needs("queue")
@require_POST
def drop(request: HttpRequest, view_id: int) -> HttpResponse:
    """One's own, or one shared in a shop of which one is lead or owner."""
    shops = [shop.id for shop in shops_of(request.user) if shop.role in SHARERS]
    asked = {"id": view_id, "by": request.user.get_username(), "shop_ids": shops}
    if not record_connection().execute(SQL["drop"], asked).rowcount:
        raise Http404
    messages.success(request, _("视图已删除。"), extra_tags="success")
    return redirect("queue")
