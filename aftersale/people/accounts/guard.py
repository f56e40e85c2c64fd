"""Ends sessions that are idle or old, and leads those who need a second step to it. The book `access` says when."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from aftersale.cases.rows import first
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.accounts", "guard.sql")
Next = Callable[[HttpRequest], HttpResponse]
SEEN_EVERY_S = 60
FREE = ("/account", "/logout", "/language", "/invitation/")


@dataclass(frozen=True, slots=True)
class Limits:
    """The strictest of the person's shops."""

    idle_s: int | None
    whole_s: int | None


@dataclass(frozen=True, slots=True)
class Steps:
    """Whether this person must have a second step, and whether they have one."""

    required: bool
    present: bool


def begin(request: HttpRequest) -> None:
    """Right after signing in; sessions live in real time."""
    found = first(Limits, SQL["limits"], {"user_id": request.user.pk})
    now, limits = int(time.time()), found or Limits(None, None)
    idle_s, whole_s = limits.idle_s or 7200, limits.whole_s or 12 * 3600
    request.session.update({"seen": now, "idle_s": idle_s, "ends": now + whole_s})


def guard(following: Next) -> Next:
    def answer(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            if _over(request):
                logout(request)
                return redirect_to_login(request.get_full_path())
            if not request.path.startswith(FREE) and _step_missing(request.user.pk):
                return redirect("account")
        return following(request)

    return answer


def second_step_required(user_id: int) -> bool:
    found = first(Steps, SQL["steps"], {"user_id": user_id})
    return found is not None and found.required


def _step_missing(user_id: int) -> bool:
    found = first(Steps, SQL["steps"], {"user_id": user_id})
    return found is not None and found.required and not found.present


def _over(request: HttpRequest) -> bool:
    """Whether the session's time is up; what a page asks by itself does not keep it."""
    session, now = request.session, int(time.time())
    if "ends" not in session:
        begin(request)
    if now >= session["ends"] or now >= session["seen"] + session["idle_s"]:
        return True
    if now >= session["seen"] + SEEN_EVERY_S and not request.path.endswith("/live"):
        session["seen"] = now
    return False
