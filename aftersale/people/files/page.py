"""`/files`: upload, look, explain the columns, try the rules on it, import."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.jobs import queue
from aftersale.people.acts import record_connection
from aftersale.people.files import found
from aftersale.people.files.fields import fields, kinds
from aftersale.people.files.shown import judged, mapped
from aftersale.people.jobs.found import Job
from aftersale.people.jobs.page import shown
from aftersale.rights import needs, shops_with

BYTES_MAX = 64 * 2**20
ENDINGS = (".csv", ".xlsx", ".xls", ".txt")
COLUMNS_MAX = 512
TEXT_MAX = 200


@needs("import")
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """Earlier uploads and a place for the next."""
    shops = shops_with(request.user, "import")
    if request.method == "POST":
        return _taken(request, shops)
    by_id = {shop.id: shop for shop in shops}
    mine = [(one, by_id[one.shop_id]) for one in found.uploads(request.user.get_username(), shops)]
    context = {"here": "files", "shops": shops, "uploads": mine, "mb_max": BYTES_MAX // 2**20}
    return render(request, "people/files/list.html", context)


def _taken(request: HttpRequest, shops: tuple[Shop, ...]) -> HttpResponse:
    shop = next((one for one in shops if one.code == request.POST.get("shop")), None)
    if shop is None:
        raise Http404
    file = request.FILES.get("file")
    refusal = unfit(file)
    if refusal or file is None:
        messages.error(request, refusal.why if refusal else "", extra_tags="warning")
        return redirect("files")
    by, now = request.user.get_username(), moment()
    with transaction.atomic():
        conn = record_connection()
        number = found.keep(conn, shop, by, _name(file), file.read())
        _start(shop, found.Upload(number, shop.id, _name(file), 0, now), "file_look", by, {"mapping": None})
    return redirect("file", shop.code, number)


def unfit(file: "UploadedFile[Any] | None") -> Refusal | None:
    """What can be said of a file before it is read; the rest is said by the job that reads it."""
    if file is None or not file.size:
        return Refusal("empty", _("没有选文件，或文件是空的；请选一个导出的表格。"))
    if file.size > BYTES_MAX:
        most = {"mb": BYTES_MAX // 2**20}
        return Refusal("large", _("文件超过 %(mb)s MB；请按日期分成几个文件导出。") % most)
    name = _name(file).lower()
    if name.endswith((".xlsm", ".xlsb", ".xltm")):
        return Refusal("macros", _("带宏的表格不予打开；请另存为不带宏的 .xlsx 或 .csv。"))
    if not name.endswith(ENDINGS):
        return Refusal("ending", _("只能导入 .csv、.xlsx 和 .xls 表格；请从平台后台重新导出。"))
    return None


def _name(file: "UploadedFile[Any]") -> str:
    """The last part of the name, printable, never empty; the end is kept since it tells the kind."""
    name = "".join(c for c in PurePosixPath((file.name or "").replace("\\", "/")).name if c.isprintable())
    return name[-TEXT_MAX:].lstrip(". ") or "file.csv"


@needs("import")
@require_GET
def one(request: HttpRequest, shop_code: str, upload: int) -> HttpResponse:
    """An upload: what it holds, what was made of it."""
    shop, mine = _mine(request, shop_code, upload)
    jobs = found.jobs_about(request.user.get_username(), mine)
    look, judge, taken = (jobs.get(kind) for kind in ("file_look", "file_judge", "file_import"))
    asked = look if look and look.state in ("failed", "stopped") else None
    table = found.looked(request.user.get_username(), mine) if asked else look
    context: dict[str, Any] = {
        "here": "files",
        "upload": mine,
        "shop": shop,
        "jobs": [
            {**shown(request, job), "refresh": True} for job in (taken, judge, look) if job and _shown(job)
        ],
        "look": table if table and table.state == "done" else None,
        "judged": judged(judge.found) if judge and judge.state == "done" else None,
        "fields": fields(),
        "kinds": kinds(),
    }
    if table and context["look"]:
        context.update(mapped(table.found, asked.given["mapping"] if asked else None))
        context["stopped"] = asked is not None and asked.state == "stopped"
        context["bad_file"] = next(iter(shown(request, table)["files"]), None)
    return render(request, "people/files/one.html", context)


def _shown(job: Job) -> bool:
    """A look that went well is shown by what it found."""
    return not (job.kind == "file_look" and job.state == "done")


@needs("import")
@require_POST
def do(request: HttpRequest, shop_code: str, upload: int, what: str) -> HttpResponse:
    """`look` again with other columns, `judge`, or `import`."""
    shop, mine = _mine(request, shop_code, upload)
    if what not in (*KINDS, "look"):
        raise Http404
    by = request.user.get_username()
    jobs = found.jobs_about(by, mine)
    look = jobs.get("file_look")
    if any(job.open for job in jobs.values()):
        messages.error(request, _("这个文件还有任务在进行，请等它做完。"), extra_tags="warning")
    elif what == "look" and (table := found.looked(by, mine)) is not None:
        mapping = _asked(request)
        with transaction.atomic():
            found.remember(record_connection(), shop, by, table.found["header"], mapping, moment())
            _start(shop, mine, "file_look", by, {"mapping": mapping})
    elif what == "look" or look is None or not look.found.get("known"):
        messages.error(request, _("先核对各列，再导入。"), extra_tags="warning")
    else:
        with transaction.atomic():
            given = {"mapping": look.found.get("mapping"), "rows": look.found.get("rows", 0)}
            _start(shop, mine, KINDS[what], by, given)
    return redirect("file", shop_code, upload)


KINDS = {"judge": "file_judge", "import": "file_import"}


def _asked(request: HttpRequest) -> dict[str, Any]:
    """The mapping that the form describes; what it names wrongly is refused by whoever reads the file."""
    form = request.POST
    headers = form.getlist("header")[:COLUMNS_MAX]
    chosen = form.getlist("field")[:COLUMNS_MAX]
    pairs = [(str(h)[:TEXT_MAX], str(f)[:40]) for h, f in zip(headers, chosen, strict=False)]
    return {
        "kind": form.get("kind", "")[:40],
        "like": form.get("like", "")[:80] or None,
        "platform": form.get("platform", "")[:40] or None,
        "columns": {header: field for header, field in pairs if header},
        "words": {},
    }


def _start(shop: Shop, upload: found.Upload, kind: str, by: str, asked: Mapping[str, Any]) -> None:
    page = reverse("file", args=[shop.code, upload.id])
    given = {"upload": upload.id, "title": upload.name, "page": page, **asked}
    queue.start(record_connection(), kind, by, shop.id, given, moment())


def _mine(request: HttpRequest, shop_code: str, upload: int) -> tuple[Shop, found.Upload]:
    shop = next((one for one in shops_with(request.user, "import") if one.code == shop_code), None)
    mine = found.upload_for(request.user.get_username(), shop, upload) if shop else None
    if shop is None or mine is None:
        raise Http404
    return shop, mine
