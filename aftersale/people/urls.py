"""Addresses of the desk."""

from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from aftersale.people import acts, case, queue, switches
from aftersale.people.approvals import page as approvals
from aftersale.people.audit import page as audit
from aftersale.people.playbook import todo
from aftersale.people.refusing import page as refusing
from aftersale.people.rights import needs
from aftersale.people.rights.unmask import page as unmask

urlpatterns = [
    path("", needs("account")(RedirectView.as_view(pattern_name="queue"))),
    path("", include("aftersale.people.accounts.urls")),
    path("settings", include("aftersale.people.settings.urls")),
    path("language", needs("public")(set_language), name="set_language"),
    path("queue", queue.page, name="queue"),
    path("queue/live", queue.live, name="queue-live"),
    path("queue/", include("aftersale.people.inplace.urls")),
    path("bulk", include("aftersale.people.bulk.urls")),
    path("views", include("aftersale.people.views.urls")),
    path("search", queue.search, name="search"),
    path("case/<slug:shop_code>/<str:case_id>", case.page, name="case"),
    path("case/<slug:shop_code>/<str:case_id>/live", case.live, name="case-live"),
    path("case/<slug:shop_code>/<str:case_id>/do/<str:kind>", acts.do, name="act"),
    path("case/<slug:shop_code>/<str:case_id>/refuse", refusing.page, name="refuse"),
    path("case/<slug:shop_code>/<str:case_id>/unmask/<slug:what>", unmask, name="unmask"),
    path("case/<slug:shop_code>/<str:case_id>/guide/", include("aftersale.people.playbook.urls")),
    path("case/<slug:shop_code>/<str:case_id>/evidence", include("aftersale.people.evidence.urls")),
    path("todo", todo.page, name="todo"),
    path("audit", audit.page, name="audit"),
    path("approvals", approvals.page, name="approvals"),
    path("approvals/<slug:shop_code>/<int:approval_id>/<str:yes>", approvals.answer, name="approval"),
    path("approvals/<slug:shop_code>/<str:case_id>/<str:kind>/<str:how>", approvals.by_hand, name="by-hand"),
    path("switches", switches.page, name="switches"),
    path("money", include("aftersale.people.money.urls")),
    path("rules", include("aftersale.people.rules.urls")),
    path("returns", include("aftersale.people.returns.urls")),
    path("work-orders", include("aftersale.people.work_orders.urls")),
    path("jobs", include("aftersale.people.jobs.urls")),
    path("files", include("aftersale.people.files.urls")),
    path("export", include("aftersale.people.export.urls")),
]
