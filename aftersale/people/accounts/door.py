"""Signing in: name and password, counted per name and place; then the second step, where there is one."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import MinimumLengthValidator
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from aftersale.people.accounts.guard import begin


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up by themselves, pages say for themselves what happened, and a session knows when it ends."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, request: HttpRequest, *args: Any, message: str | None = None, **more: Any) -> None:
        if message:
            super().add_message(request, *args, message=message, **more)

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        super().login(request, user)
        begin(request)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Guesses from elsewhere never lock the person out."""
        return f"{credentials.get('username', '').lower()}@{self.get_client_ip(request)}"


class Form(LoginForm):  # type: ignore[misc]
    """The field is called what people and browsers call it."""

    def add_prefix(self, field_name: str) -> str:
        return {"login": "username"}.get(field_name, field_name)

    @property
    def throttled(self) -> bool:
        return any(one.code == "too_many_login_attempts" for one in self.non_field_errors().as_data())


class Login(LoginView):  # type: ignore[misc]
    form_class = Form
    template_name = "people/login.html"


class LongEnough(MinimumLengthValidator):
    """In our words: the Chinese catalog of Django lags behind its sentences."""

    def get_error_message(self) -> str:
        return _("密码太短，至少要 %(n)s 个字符。") % {"n": self.min_length}


def locked(request: HttpRequest, credentials: Any) -> HttpResponse:
    """What axes answers while a name is locked for a place."""
    return HttpResponse(render_to_string("people/accounts/locked.html", {}, request), status=429)
