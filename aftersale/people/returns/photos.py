"""Photographs of a parcel: handed in with the scan or later, never shown as a page of ours."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aftersale.cases.access import Shop
from aftersale.cases.returns import find
from aftersale.cases.returns.photos import PHOTOS_MAX, add_photo
from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.people.acts import record_connection, said
from aftersale.people.evidence.checklist import image_bytes
from aftersale.people.evidence.handed_in import PICTURE_BYTES_MAX, TOO_LARGE, evidence_from
from aftersale.people.playbook.found import own_settings
from aftersale.people.rights import needs, shops_with

RIGHT = "return_scan"
POLICY = "default-src 'none'; sandbox"
NO_PICTURE = Refusal("no_picture", "包裹的照片只收图片")


def keep(request: HttpRequest, shop: Shop, scan_id: int) -> None:
    """Keeps what came with the form; what is no picture is told, the rest stays."""
    uploads = request.FILES.getlist("photos")
    if not uploads:
        return
    now, by = moment(), request.user.get_username()
    most = image_bytes(own_settings(shop.id), shop.platform, now)
    refused: Sequence[Refusal | None] = [_kept(shop, scan_id, one, most, by) for one in uploads[:PHOTOS_MAX]]
    for refusal in filter(None, refused):
        told = _("有一张照片没有保存：%(why)s。") % {"why": said(refusal).rstrip("。")}
        messages.error(request, told, extra_tags="warning")
    if len(uploads) > PHOTOS_MAX:
        told = _("一次最多 %(n)d 张照片，多出来的没有保存。") % {"n": PHOTOS_MAX}
        messages.error(request, told, extra_tags="warning")


def _kept(shop: Shop, scan_id: int, upload: "UploadedFile[bytes]", most: int, by: str) -> Refusal | None:
    if (upload.size or 0) > PICTURE_BYTES_MAX:
        return TOO_LARGE
    file = evidence_from(upload.read(), most)
    if isinstance(file, Refusal):
        return file
    if file.mime != "image/jpeg":
        return NO_PICTURE
    return add_photo(record_connection(), shop.id, scan_id, file, by, moment())


@needs(RIGHT)
@require_POST
def add(request: HttpRequest, shop_code: str, scan_id: int) -> HttpResponse:
    """More photographs of a parcel that was scanned."""
    shop = _shop(request, shop_code)
    if scan_id >= 2**63 or find.parcel_of(shop.id, scan_id) is None:
        raise Http404
    keep(request, shop, scan_id)
    return redirect("returns-parcel", shop_code, scan_id)


@needs(RIGHT)
@require_GET
def page(request: HttpRequest, shop_code: str, scan_id: int, sha256: str) -> HttpResponse:
    """One picture."""
    shop = _shop(request, shop_code)
    found = find.photo(shop.id, scan_id, sha256) if scan_id < 2**63 else None
    if found is None:
        raise Http404
    response = HttpResponse(bytes(found.content), content_type=found.mime)
    response.headers["Content-Disposition"] = f'attachment; filename="{sha256[:12]}.jpg"'
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _shop(request: HttpRequest, shop_code: str) -> Shop:
    shop = next((one for one in shops_with(request.user, RIGHT) if one.code == shop_code), None)
    if shop is None:
        raise Http404
    return shop
