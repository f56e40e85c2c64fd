"""Handing evidence in, seeing it, taking it off and binding it for the platform."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Case
from aftersale.cases.casework.evidence import add_evidence, remove_evidence, restore_evidence, use_evidence
from aftersale.cases.casework.place import Place
from aftersale.cases.rows import first, moment, read, record_connection
from aftersale.core.refusal import Refusal
from aftersale.people.acts import said
from aftersale.people.case import theirs
from aftersale.people.evidence.checklist import SQL, image_bytes, kinds
from aftersale.people.evidence.handed_in import FILES_MAX, TOO_LARGE, UPLOAD_BYTES_MAX, evidence_from
from aftersale.people.evidence.images import one_pdf
from aftersale.people.playbook.found import own_settings
from aftersale.people.rights import needs

ENDINGS = {"image/jpeg": "jpg", "application/pdf": "pdf", "video/mp4": "mp4"}
POLICY = "default-src 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class Stored:
    id: int
    name: str
    mime: str
    content: bytes


@needs("case")
@require_POST
def hand_in(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    """Each file is stored or refused by itself; one sentence says how many, and one each what was refused."""
    case = theirs(request, shop_code, case_id)
    kind = request.POST.get("kind", "")
    uploads = request.FILES.getlist("file")
    if kind not in kinds():
        raise Http404
    if not uploads or len(uploads) > FILES_MAX:
        messages.error(request, _("请选择 1 到 %(n)d 个文件。") % {"n": FILES_MAX}, extra_tags="warning")
        return _back(case)
    place = _place(request, case)
    most = image_bytes(own_settings(case.shop.id), case.shop.platform, place.now)
    refused = [(one, _stored(place, kind, one, most)) for one in uploads]
    told = [(plain_name(one.name), refusal) for one, refusal in refused if refusal]
    if len(told) < len(uploads):
        stored = {"n": len(uploads) - len(told), "kind": kinds()[kind]}
        messages.success(request, _("已保存 %(n)d 份「%(kind)s」。") % stored, extra_tags="success")
    for name, refusal in told:
        sentence = _("%(name)s 没有保存：%(why)s。") % {"name": name, "why": said(refusal).rstrip("。")}
        messages.error(request, sentence, extra_tags="warning")
    return _back(case)


def _stored(place: Place, kind: str, upload: "UploadedFile[bytes]", most: int) -> Refusal | None:
    if (upload.size or 0) > UPLOAD_BYTES_MAX:
        return TOO_LARGE
    found = evidence_from(upload.read(), most)
    if isinstance(found, Refusal):
        return found
    return add_evidence(record_connection(), place, kind, plain_name(upload.name), found)


def plain_name(given: str | None) -> str:
    """What people call the file, without anything that is no plain text."""
    last = re.split(r"[\\/]", given or "")[-1]
    plain = "".join(
        one for one in unicodedata.normalize("NFC", last) if unicodedata.category(one)[0] not in "CZ"
    )
    return plain[-80:] or "evidence"


@needs("case")
@require_GET
def piece(request: HttpRequest, shop_code: str, case_id: str, evidence_id: int) -> HttpResponse:
    """The file itself: never as a page of ours."""
    case = theirs(request, shop_code, case_id)
    where = {"shop_id": case.shop.id, "case_id": case.case_id, "id": evidence_id}
    found = first(Stored, SQL["content"], where)
    if found is None:
        raise Http404
    stem = found.name.rpartition(".")[0] or found.name
    return _file(bytes(found.content), found.mime, f"{stem}.{ENDINGS[found.mime]}")


def _file(content: bytes, mime: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=mime)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@needs("case")
@require_POST
def change(request: HttpRequest, shop_code: str, case_id: str, evidence_id: int, how: str) -> HttpResponse:
    """Takes a piece off the case, or puts it back."""
    case = theirs(request, shop_code, case_id)
    acts = {"remove": remove_evidence, "restore": restore_evidence}
    if how not in acts:
        raise Http404
    refusal = acts[how](record_connection(), _place(request, case), evidence_id)
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
    else:
        told = _("已撤下，需要时可以恢复。") if how == "remove" else _("已恢复。")
        messages.success(request, told, extra_tags="success")
    return _back(case)


@needs("case")
@require_POST
def bound(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    """The pictures chosen, or all, in one PDF for the platform; they are used from now on."""
    case = theirs(request, shop_code, case_id)
    where = {"shop_id": case.shop.id, "case_id": case.case_id}
    ids = [
        int(one) for one in request.POST.getlist("piece") if one.isascii() and one.isdigit() and len(one) < 10
    ]
    found = read(Stored, SQL["pictures"], {**where, "ids": ids})
    if not found:
        messages.error(request, _("请至少选择一张图片，再合成 PDF。"), extra_tags="warning")
        return _back(case)
    refusal = use_evidence(record_connection(), _place(request, case), _ids(found))
    if refusal:
        messages.error(request, said(refusal), extra_tags="warning")
        return _back(case)
    return _file(one_pdf([bytes(one.content) for one in found]), "application/pdf", f"{case.case_id}.pdf")


def _ids(found: Iterable[Stored]) -> list[int]:
    return [one.id for one in found]


def _place(request: HttpRequest, case: Case) -> Place:
    return Place(case.shop.id, case.case_id, request.user.get_username(), moment())


def _back(case: Case) -> HttpResponse:
    return redirect("case", case.shop.code, case.case_id)
