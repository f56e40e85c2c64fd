"""Addresses below `/queue/`."""

from django.urls import path

from aftersale.people.inplace import dock

urlpatterns = [
    path("dock/<slug:shop_code>/<str:case_id>", dock.dock, name="queue-dock"),
    path("do/<slug:shop_code>/<str:case_id>/<str:kind>", dock.do, name="queue-do"),
]
