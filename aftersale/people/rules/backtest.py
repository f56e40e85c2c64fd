"""回测: the draft over what the shop decided lately, or over a file of facts, as a job."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment, record_connection
from aftersale.jobs.queue import start as start_job
from aftersale.people.jobs.found import job_for, mine
from aftersale.people.jobs.page import shown as job_shown
from aftersale.people.rules.page import rights_in, shop_of
from aftersale.people.rules.shown import DAYS, SQL, parsed
from aftersale.people.rules.thresholds import title_of, written
from aftersale.publishing import edits, live
from aftersale.publishing.edits import Edit
from aftersale.rights import needs
from aftersale.rulebooks.editing.fit import reading

KIND = "backtest"
UPLOAD_BYTES_MAX = 64 * 2**20


@needs("rule_edit")
@require_http_methods(["GET", "POST"])
def start(request: HttpRequest, shop_code: str) -> HttpResponse:
    """Begins the job and shows its page; the address alone leads to one's newest."""
    shop = shop_of(request, shop_code)
    if request.method == "GET":
        return _newest(request, shop)
    conn, by, now = record_connection(), request.user.get_username(), moment()
    edit = edits.edit_of(conn, shop.id)
    if edit is None or reading(edit.text, edits.known_values(edit)).book is None:
        messages.error(request, _("草稿还有错误，改好后才能回测。"), extra_tags="warning")
        return redirect("rule-edit", shop.code)
    file = request.FILES.get("file")
    if file is not None and (
        Path(str(file.name)).suffix.lower() not in (".csv", ".parquet") or (file.size or 0) > UPLOAD_BYTES_MAX
    ):
        said = _("请上传 .csv 或 .parquet 的历史，不超过 64 MB；商家导出的表请先导入，再回测最近 30 天。")
        messages.error(request, said, extra_tags="warning")
        return redirect("rule-edit", shop.code)
    with conn.transaction():
        asked = _asked(shop, edit, request.POST.get("sweep", "").strip()[:200])
        asked["since"] = (now - timedelta(days=DAYS)).isoformat()
        if file is not None:
            told = {"shop": shop.id, "by": by, "name": str(file.name)[-200:], "body": file.read()}
            row = conn.execute(SQL["upload"], told).fetchone()
            assert row is not None
            asked |= {"upload": row[0], "name": str(file.name)}
        job = start_job(conn, KIND, by, shop.id, asked, now)
    return redirect("rule-backtest-result", shop.code, job)


def _newest(request: HttpRequest, shop: Shop) -> HttpResponse:
    jobs = mine(request.user.get_username())
    found = next((job for job in jobs if job.kind == KIND and job.shop_code == shop.code), None)
    return (
        redirect("rule-backtest-result", shop.code, found.id) if found else redirect("rule-edit", shop.code)
    )


def _asked(shop: Shop, edit: Edit, sweep: str) -> dict[str, Any]:
    conn = record_connection()
    book = parsed(edit.text)
    usual = {name: one.default for name, one in book.settings.items()} if book else {}
    values = {name: usual.get(name) if value is None else value for name, value in edit.values.items()}
    return {
        "shop": shop.code, "text": edit.text, "against": live.live_text(conn, shop.id), "values": values,
        "sweep": sweep, "sha256": edit.sha256, "title": shop.name,
        "page": reverse("rule-backtest", args=(shop.code,)),
    }  # fmt: skip


@needs("rule_edit")
@require_GET
def page(request: HttpRequest, shop_code: str, job_id: int) -> HttpResponse:
    """How far it is, then what the draft would have changed."""
    shop = shop_of(request, shop_code)
    job = job_for(request.user.get_username(), job_id)
    if job is None or job.kind != KIND or job.shop_code != shop.code:
        raise Http404
    edit = edits.edit_of(record_connection(), shop.id)
    found: dict[str, Any] = dict(job.found)
    kind, name = found.get("swept_kind") or "int", str(found.get("swept_setting") or "")
    points = [{**one, "value": written(kind, one["value"])} for one in found.get("swept") or ()]
    book = parsed(str(job.given.get("text", "")))
    context = {
        "here": "rules", "shop": shop, "found": found, "points": points, "refresh": True, "may": rights_in(shop),
        "swept": title_of(book.settings[name]) if book and name in book.settings else name, "swept_fen": kind == "fen",
        "days": DAYS, "same": edit is not None and edit.sha256 == job.given.get("sha256"), **job_shown(request, job),
    }  # fmt: skip
    return render(request, "people/rules/backtest.html", context)
