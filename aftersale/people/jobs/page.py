"""`/jobs`: what I have started, how far it is, and what came of it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.jobs import queue
from aftersale.people.acts import record_connection
from aftersale.people.jobs.found import PAGE_ROWS, Job, file_of, files_of, job_for, mine
from aftersale.people.jobs.table import written
from aftersale.rights import needs


@needs("job")
@require_GET
def listed(request: HttpRequest) -> HttpResponse:
    """`/jobs?before=`, newest first."""
    text = request.GET.get("before", "")
    before = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
    found = mine(request.user.get_username(), before)
    context = {
        "here": "jobs",
        "jobs": found[:PAGE_ROWS],
        "later_address": f"?before={found[PAGE_ROWS - 1].id}" if len(found) > PAGE_ROWS else "",
        "earlier_address": "?" if before else "",
    }
    return render(request, "people/jobs/list.html", context)


@needs("job")
@require_GET
def page(request: HttpRequest, job_id: int) -> HttpResponse:
    """`/jobs/<id>`."""
    return render(
        request, "people/jobs/page.html", {"here": "jobs", **shown(request, _mine(request, job_id))}
    )


@needs("job")
@require_GET
def live(request: HttpRequest, job_id: int) -> HttpResponse:
    """The fragment alone; with `refresh=1` the page around it is loaded anew once the job has ended."""
    job = _mine(request, job_id)
    refresh = request.GET.get("refresh") == "1"
    answer = render(request, "people/jobs/_job.html", {**shown(request, job), "refresh": refresh})
    if refresh and not job.open:
        answer["HX-Refresh"] = "true"
    return answer


@needs("job")
@require_POST
def stop(request: HttpRequest, job_id: int) -> HttpResponse:
    """The job ends at its next safe point."""
    job = _mine(request, job_id)
    refusal = queue.stop(record_connection(), job.id, request.user.get_username())
    if refusal:
        messages.error(request, _("这项任务已经结束，不能再停止。"), extra_tags="warning")
    return redirect("job", job.id)


@needs("job")
@require_GET
def file(request: HttpRequest, job_id: int, file: int) -> HttpResponse:
    """A file that the job left, to be saved."""
    body = file_of(request.user.get_username(), job_id, file)
    if body is None:
        raise Http404
    found = written(body)
    disposition = content_disposition_header(True, found.name)
    return HttpResponse(
        bytes(found.body), content_type=found.mime, headers={"Content-Disposition": str(disposition)}
    )


def shown(request: HttpRequest, job: Job) -> dict[str, Any]:
    """What `people/jobs/_job.html` needs."""
    return {"job": job, "files": files_of(request.user.get_username(), job.id)}


def _mine(request: HttpRequest, job_id: int) -> Job:
    job = job_for(request.user.get_username(), job_id)
    if job is None:
        raise Http404
    return job
