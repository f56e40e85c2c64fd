"""Addresses of the desk."""

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from aftersale.people import acts, case, queue, switches
from aftersale.people.approvals import page as approvals

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="queue")),
    path(
        "login",
        LoginView.as_view(template_name="people/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout", LogoutView.as_view(), name="logout"),
    path("language", login_not_required(set_language), name="set_language"),
    path("queue", queue.page, name="queue"),
    path("queue/live", queue.live, name="queue-live"),
    path("search", queue.search, name="search"),
    path("case/<slug:shop_code>/<str:case_id>", case.page, name="case"),
    path("case/<slug:shop_code>/<str:case_id>/live", case.live, name="case-live"),
    path("case/<slug:shop_code>/<str:case_id>/do/<str:kind>", acts.do, name="act"),
    path("approvals", approvals.page, name="approvals"),
    path("approvals/<slug:shop_code>/<int:approval_id>/<str:yes>", approvals.answer, name="approval"),
    path("approvals/<slug:shop_code>/<str:case_id>/<str:kind>/<str:how>", approvals.by_hand, name="by-hand"),
    path("switches", switches.page, name="switches"),
    path("money", include("aftersale.people.money.urls")),
]
