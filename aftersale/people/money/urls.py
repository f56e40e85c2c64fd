"""Addresses of the money pages."""

from django.urls import path

from aftersale.people.money import page

urlpatterns = [
    path("", page.page, name="money"),
    path("/difference/<slug:shop_code>/<str:case_id>", page.resolve, name="money-resolve"),
]
