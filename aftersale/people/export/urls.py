"""Addresses of the exports."""

from django.urls import path

from aftersale.people.export import page

urlpatterns = [path("/<slug:name>.<slug:form>", page.export, name="export")]
