"""The page behind an invitation: join with a new account or one's own, or choose a new password."""

from dataclasses import dataclass
from typing import cast

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from django.contrib import messages
from django.contrib.auth.forms import BaseUserCreationForm, SetPasswordForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.people.accounts import invite, members
from aftersale.people.accounts.invite import GONE, Invitation
from aftersale.people.rights import needs
from aftersale.rights.wall import open_to


class Joining(BaseUserCreationForm):  # type: ignore[type-arg]  # not generic when it runs
    """A name that nobody has, whatever the case of its letters."""

    class Meta:
        model = User
        fields = ("username",)

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError(_("这个账号名已经有人用了，请换一个。"))
        return name


@dataclass(frozen=True, slots=True)
class Stop(Exception):
    """Rolls everything back."""

    refusal: Refusal


@needs("public")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    found = invite.opened(token)
    if found is None:
        return render(request, "people/accounts/gone.html", {"why": _(GONE.why)}, status=404)
    open_to((found.shop,))
    form = _form(request, found)
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            with transaction.atomic():
                user = _joined(request, found, form)
        except Stop as stop:
            return render(request, "people/accounts/gone.html", {"why": _(stop.refusal.why)}, status=409)
        if found.kind == "join" and request.user.is_authenticated:
            messages.success(request, _("您已加入 %(shop)s。") % {"shop": found.name}, extra_tags="success")
            return redirect("queue")
        user.backend = "django.contrib.auth.backends.ModelBackend"
        return cast(HttpResponse, perform_login(request, Login(user=user)))
    return render(
        request, "people/accounts/join.html", {"invitation": found, "form": form, "person": _person(found)}
    )


def _form(request: HttpRequest, found: Invitation) -> BaseForm | None:
    """None for somebody who has an account and only says yes."""
    given = request.POST if request.method == "POST" else None
    if found.kind == "password":
        return SetPasswordForm(User.objects.get(pk=found.user_id or 0), given)
    return None if request.user.is_authenticated else Joining(given)


def _person(found: Invitation) -> User | None:
    return User.objects.filter(pk=found.user_id or 0).first()


def _joined(request: HttpRequest, found: Invitation, form: BaseForm | None) -> User:
    """Raises Stop."""
    now = moment()
    if found.kind == "password":
        assert isinstance(form, SetPasswordForm)
        user = cast(User, form.save())
        if not invite.use(found, user.username):
            raise Stop(GONE)
        members.end_sessions(user.pk)
        members.told(found.shop_id, "password", user.username, user, now, {})
        return user
    user = cast(User, form.save() if isinstance(form, Joining) else request.user)
    refused = invite.accept(found, user, now)
    if refused:
        raise Stop(refused)
    return user
