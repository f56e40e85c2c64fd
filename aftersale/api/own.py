"""`/account/tokens`: one's own tokens: made, seen, ended."""

from typing import cast

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from aftersale.api import tokens
from aftersale.cases.access import shops_of
from aftersale.core.refusal import Refusal
from aftersale.rights import needs


@needs("account")
@require_http_methods(["GET", "POST"])
@reauthentication_required(allow_get=True)  # type: ignore[untyped-decorator]
def page(request: HttpRequest) -> HttpResponse:
    """A token lets a program in without the second step, so whoever makes one says once more who they are."""
    user, made = cast(User, request.user), ""
    if request.method == "POST":
        done = _made(request, user)
        if isinstance(done, Refusal):
            messages.error(request, _(done.why), extra_tags="warning")
            return redirect("tokens")
        made = done
    context = {
        "here": "account",
        "made": made,
        "tokens": tokens.tokens_of(user.pk),
        "lengths": [days for days in tokens.LENGTHS if days],
        "usual": tokens.DAYS,
        "endless": any(shop.role == "owner" for shop in shops_of(user)),
        "name_max": tokens.NAME_MAX,
    }
    return render(request, "people/accounts/tokens.html", context)


def _made(request: HttpRequest, user: User) -> str | Refusal:
    days, name = request.POST.get("days", ""), request.POST.get("name", "").strip()
    lengths = {str(one or "never"): one for one in tokens.LENGTHS}
    if days not in lengths:
        return Refusal("days", "令牌的期限是 30、90 或 365 天，店主的也可以没有期限")
    return tokens.make_token(user.username, name, lengths[days], acts=request.POST.get("acts") == "1")


@needs("account")
@require_POST
def end(request: HttpRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    if tokens.revoke_token(cast(User, request.user).username, name):
        messages.success(request, _("令牌「%(name)s」已停用。") % {"name": name}, extra_tags="success")
    else:
        messages.error(request, _("没有这个令牌，可能已经停用了。"), extra_tags="warning")
    return redirect("tokens")


urlpatterns = [
    path("account/tokens", page, name="tokens"),
    path("account/tokens/end", end, name="token-end"),
]
