"""The map of the pages."""

from django.urls import include, path

from aftersale.api.urls import urls

urlpatterns = [
    path("api/", urls),
    path("", include("aftersale.api.own")),
    path("", include("aftersale.people.urls")),
    path("", include("aftersale.metrics.urls")),
]

handler400 = "aftersale.people.errors.unreadable"
handler403 = "aftersale.people.errors.forbidden"
handler404 = "aftersale.people.errors.not_found"
handler500 = "aftersale.people.errors.broken"
