"""Addresses of the guide of a case."""

from django.urls import path

from aftersale.people.playbook import acts

urlpatterns = [path("<str:what>", acts.do, name="guide")]
