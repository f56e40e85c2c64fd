"""Addresses of the uploads' pages."""

from django.urls import path

from aftersale.people.files import page

urlpatterns = [
    path("", page.page, name="files"),
    path("/<slug:shop_code>/<int:upload>", page.one, name="file"),
    path("/<slug:shop_code>/<int:upload>/<str:what>", page.do, name="file-do"),
]
