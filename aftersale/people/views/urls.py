"""Addresses of `/views`."""

from django.urls import path

from aftersale.people.views import page

urlpatterns = [
    path("", page.save, name="view-save"),
    path("/<int:view_id>/drop", page.drop, name="view-drop"),
]
