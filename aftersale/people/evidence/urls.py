"""Addresses of a case's evidence."""

from django.urls import path

from aftersale.people.evidence import page

urlpatterns = [
    path("", page.hand_in, name="evidence"),
    path("/pdf", page.bound, name="evidence-pdf"),
    path("/<int:evidence_id>", page.piece, name="evidence-piece"),
    path("/<int:evidence_id>/<str:how>", page.change, name="evidence-change"),
]
