"""Addresses of the jobs' pages."""

from django.urls import path

from aftersale.people.jobs import page

urlpatterns = [
    path("", page.listed, name="jobs"),
    path("/<int:job_id>", page.page, name="job"),
    path("/<int:job_id>/live", page.live, name="job-live"),
    path("/<int:job_id>/stop", page.stop, name="job-stop"),
    path("/<int:job_id>/file/<int:file>", page.file, name="job-file"),
]
