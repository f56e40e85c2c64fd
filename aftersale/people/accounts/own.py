"""One's own account: second step, where one is signed in, what one may do."""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import shops_of
from aftersale.people.accounts.guard import second_step_required
from aftersale.people.rights import needs


@needs("account")
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    user = cast(User, request.user)
    kinds = Authenticator.Type
    found = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((one for one in found if one.type == kinds.RECOVERY_CODES), None)
    sessions = UserSession.objects.purge_and_list(user)
    context: dict[str, Any] = {
        "here": "account",
        "shops": shops_of(user),
        "app": next((one for one in found if one.type == kinds.TOTP), None),
        "keys": [one for one in found if one.type == kinds.WEBAUTHN],
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "required": second_step_required(user.pk),
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
