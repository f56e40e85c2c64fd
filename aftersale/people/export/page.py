"""`/export/<list>.<xlsx|csv>?<the list's own filter>`: short lists at once, long ones as a job."""

from datetime import datetime

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from aftersale.cases.rows import moment, record_connection
from aftersale.jobs import queue
from aftersale.people.export.lists import TABLES
from aftersale.people.export.taking import file_name, may, noted, rows_max, written
from aftersale.people.export.writing import MIMES
from aftersale.people.rights import needs

AT_ONCE = 2000
QUERY_MAX = 2000


@needs("export")
@require_POST
def export(request: HttpRequest, name: str, form: str) -> HttpResponse:
    """The list as a file, or a job that makes one. Either is written into the audit log."""
    table = TABLES.get(name)
    if table is None or form not in MIMES:
        raise Http404
    if not may(request.user, table):
        raise PermissionDenied
    now, most = moment(), rows_max(request.user)
    query = QueryDict(request.GET.urlencode()[:QUERY_MAX])
    rows = list(table.rows(request.user, query, now, min(AT_ONCE, most) + 1))
    if len(rows) > AT_ONCE:
        return _as_job(request, name, form, now)
    cut = len(rows) > most
    body = written(table, form, rows[:most])
    with transaction.atomic():
        noted(record_connection(), request.user, name, query.urlencode(), len(rows[:most]), now)
    file = str(content_disposition_header(True, file_name(table, form, now, most if cut else None)))
    return HttpResponse(body, content_type=MIMES[form], headers={"Content-Disposition": file})


def _as_job(request: HttpRequest, name: str, form: str, now: datetime) -> HttpResponse:
    asked = {
        "list": name,
        "form": form,
        "query": request.GET.urlencode()[:QUERY_MAX],
        "language": get_language(),
        "title": TABLES[name].title(),
    }
    with transaction.atomic():
        job = queue.start(record_connection(), "export", request.user.get_username(), None, asked, now)
    messages.info(request, _("行数较多，正在后台导出；做完后在这里下载。"), extra_tags="info")
    return redirect("job", job)
