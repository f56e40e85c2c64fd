"""Addresses of `/bulk`."""

from django.urls import path

from aftersale.people.bulk import page

urlpatterns = [
    path("", page.choose, name="bulk"),
    path("/<int:bulk_id>", page.page, name="bulk-page"),
    path("/<int:bulk_id>/go", page.go, name="bulk-go"),
    path("/<int:bulk_id>/undo", page.undo, name="bulk-undo"),
]
