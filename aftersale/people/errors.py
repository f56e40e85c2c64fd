"""Pages for what went wrong: one sentence and a way out. They read nothing from the database."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from aftersale.cases.again import MET
from aftersale.people import words
from aftersale.rights.door import NotTheirRole

ROLES = ("agent", "lead", "finance", "warehouse", "owner", "helper")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if not isinstance(exception, NotTheirRole):
        return _page(403, _("您的角色没有做这件事的权限。需要时请找店主或主管为您开通。"))
    names = _("、").join(words.word("role", role) for role in ROLES if role in exception.roles)
    said = _("这里由%(roles)s使用，您的角色没有这项权限。需要时请找店主或主管为您开通。")
    return _page(403, said % {"roles": names})


def unreadable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(400, _("提交的内容里有无法保存的字符，没有保存。请返回，去掉后再试一次。"))


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _page(403, _("这个页面开得太久，表单已经失效。请返回并刷新页面，再试一次。"))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(404, _("这里没有您要找的内容：它可能不存在，或者不属于您的店铺。"))


def broken(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    if isinstance(error, MET) or isinstance(error and error.__cause__, MET):
        return _page(503, _("这里正在被别的操作占用，您的操作没有保存。请返回，再试一次。"))
    return _page(500, _("页面出了问题，您的操作没有保存。请稍后再试；问题一直存在时请联系管理员查看日志。"))


def _page(status: int, sentence: str) -> HttpResponse:
    return HttpResponse(
        render_to_string("people/error.html", {"status": status, "sentence": sentence}), status=status
    )
