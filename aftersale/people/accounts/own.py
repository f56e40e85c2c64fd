"""One's own account: second step, where one is signed in, what one may do."""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import shops_of
from aftersale.cases.rows import moment
from aftersale.people.accounts import lost
from aftersale.people.accounts.guard import second_step_required
from aftersale.people.accounts.second_step import STEPS
from aftersale.people.rights import needs

BROWSERS = {
    "MicroMessenger": "WeChat", "DingTalk": "DingTalk", "Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox",
    "Chrome": "Chrome", "Safari": "Safari",
}  # fmt: skip
SYSTEMS = {
    "HarmonyOS": "HarmonyOS", "Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows",
    "Mac OS X": "macOS", "Linux": "Linux",
}  # fmt: skip
"""What stands for what in a browser's own words, the more telling first."""


def device(user_agent: str) -> str:
    """The browser and the system, as people call them; what is neither stays as it is, shortened."""
    found = [
        next((name for mark, name in names.items() if mark in user_agent), "")
        for names in (BROWSERS, SYSTEMS)
    ]
    return " · ".join(filter(None, found)) or user_agent[:40] or "—"


@needs("account")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    kinds = Authenticator.Type
    found = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((one for one in found if one.type == kinds.RECOVERY_CODES), None)
    sessions = UserSession.objects.purge_and_list(user)
    for one in sessions:
        one.device = device(one.user_agent)
    context: dict[str, Any] = {
        "here": "account",
        "shops": shops_of(user),
        "app": next((one for one in found if one.type == kinds.TOTP), None),
        "keys": [one for one in found if one.type == kinds.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "required": second_step_required(user.pk),
        "resets": lost.unseen(user.pk),
        "sessions": sorted(sessions, key=lambda one: one.created_at, reverse=True),
        "current": request.session.session_key,
    }
    context["missing"] = not (context["app"] or context["keys"])
    return render(request, "people/accounts/own.html", context)


@needs("account")
@require_POST
def end(request: HttpRequest, session_id: int) -> HttpResponse:
    """Ends one of one's own sessions."""
    found = UserSession.objects.filter(user_id=request.user.pk, pk=session_id).first()
    if found is None:
        raise Http404
    found.end()
    return redirect("account")


@needs("account")
@require_POST
def seen(request: HttpRequest) -> HttpResponse:
    """The person knows that their second step was taken away, and has a new one."""
    user = cast(User, request.user)
    if Authenticator.objects.filter(user=user, type__in=STEPS).exists():
        lost.see(user.pk, moment())
    return redirect("account")
