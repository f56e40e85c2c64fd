"""Addresses of the return scan."""

from django.urls import path

from aftersale.people.returns import day, parcel, photos, scan

urlpatterns = [
    path("", scan.page, name="returns"),
    path("/day", day.page, name="returns-day"),
    path("/nameless", day.nameless, name="returns-nameless"),
    path("/<slug:shop_code>/receive", scan.receive, name="returns-receive"),
    path("/<slug:shop_code>/register", scan.register, name="returns-register"),
    path("/<slug:shop_code>/<int:scan_id>", parcel.page, name="returns-parcel"),
    path("/<slug:shop_code>/<int:scan_id>/link", parcel.link, name="returns-link"),
    path("/<slug:shop_code>/<int:scan_id>/photos", photos.add, name="returns-photos"),
    path("/<slug:shop_code>/<int:scan_id>/photo/<slug:sha256>", photos.page, name="returns-photo"),
    path("/<slug:shop_code>/<int:scan_id>/undo", parcel.undo, name="returns-undo"),
]
