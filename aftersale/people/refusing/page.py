"""`/case/…/refuse`: why, in the platform's own reasons, what the buyer reads, and the picture that goes with it."""

from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from aftersale.cases.access import Case
from aftersale.cases.casework.evidence import add_evidence
from aftersale.cases.casework.place import Place
from aftersale.cases.casework.refusing import NO_PICTURE, newest
from aftersale.cases.rows import moment, record_connection
from aftersale.core.evidence.kit import content_hash
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.acts import UNDO_S, leaving, said, tell
from aftersale.people.case import ACTING, theirs
from aftersale.people.evidence.checklist import image_bytes
from aftersale.people.evidence.handed_in import TOO_LARGE, UPLOAD_BYTES_MAX, evidence_from
from aftersale.people.evidence.page import plain_name
from aftersale.people.inplace import dock
from aftersale.people.playbook import scripts
from aftersale.people.playbook.found import own_settings
from aftersale.people.rights import needs
from aftersale.refusing.act import CHANGED, Wish, refuse
from aftersale.refusing.offer import MESSAGE_MAX, MESSAGE_MIN, Offer, offer
from aftersale.rulebooks import books

SCRIPT, REASON_GAP = "refuse_explain", "refuse_reason"
NO_VIDEO = Refusal("no_video", "这里只能传视频")
KINDS = {"proof": ("photo", "image/jpeg", NO_PICTURE), "video": ("unpack_video", "video/mp4", NO_VIDEO)}


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person had filled in, of which version; `gap`: the words that another reason takes the place of."""

    version: int | None
    reason: int | None
    message: str
    gap: str
    evidence: int | None


@needs("act")
@require_http_methods(["GET", "POST"])
def page(request: HttpRequest, shop_code: str, case_id: str) -> HttpResponse:
    """The form, as a page of its own or in the bar below the queue; what it sends is refused or planned."""
    case = theirs(request, shop_code, case_id)
    if case.shop.role not in ACTING:
        raise PermissionDenied
    place = Place(case.shop.id, case.case_id, request.user.get_username(), moment())
    typed = _typed(request) if request.method == "POST" else None
    if typed and "look" not in request.POST:
        return _do(request, case, place, typed)
    return _form(request, case, offer(case, place.by, place.now), typed)


def _do(request: HttpRequest, case: Case, place: Place, typed: Typed) -> HttpResponse:
    video, proof = _uploaded(request, case, place, "video"), _uploaded(request, case, place, "proof")
    if isinstance(proof, Refusal):
        typed = replace(typed, evidence=None)
    elif proof is not None:
        typed = replace(typed, evidence=proof)
    if isinstance(video, Refusal):
        refusal: Refusal | None = video
    elif isinstance(proof, Refusal):
        refusal = proof
    else:
        wish = Wish(typed.version or -1, typed.reason or -1, typed.message, typed.evidence)
        refusal = refuse(case, wish, place.by, place.now, UNDO_S)
    if refusal:
        return _form(request, case, offer(case, place.by, place.now, any_age=True), typed, refusal)
    sentence = leaving(case, "refuse", words.intent("refuse"))
    if _docked(request):
        return dock.told(request, case, "refuse", None, sentence)
    tell(request, None, sentence)
    return redirect("case", case.shop.code, case.case_id)


def _typed(request: HttpRequest) -> Typed:
    form = request.POST
    return Typed(
        _number(form.get("version", "")),
        _number(form.get("reason", "")),
        form.get("message", "").replace("\r\n", "\n").strip(),
        form.get("gap", ""),
        _number(form.get("evidence", "")),
    )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _uploaded(request: HttpRequest, case: Case, place: Place, name: str) -> int | Refusal | None:
    """The file handed in with the form, now a piece of the case's evidence."""
    upload = request.FILES.get(name)
    if upload is None:
        return None
    kind, mime, other = KINDS[name]
    if (upload.size or 0) > UPLOAD_BYTES_MAX:
        return TOO_LARGE
    found = evidence_from(
        upload.read(), image_bytes(own_settings(case.shop.id), case.shop.platform, place.now)
    )
    if isinstance(found, Refusal):
        return found
    if found.mime != mime:
        return other
    refused = add_evidence(record_connection(), place, kind, plain_name(upload.name), found)
    if refused and refused.code != "already":
        return refused
    return newest(record_connection(), place, content_hash(found.content))


def _docked(request: HttpRequest) -> bool:
    return "dock" in request.GET or "dock" in request.POST


def _form(
    request: HttpRequest,
    case: Case,
    found: Offer,
    typed: Typed | None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    docked, again = _docked(request), request.headers.get("HX-Target") == "refuse"
    name = "_form" if again else "_dock" if docked else "page"
    draft = scripts.draft(SCRIPT, {})
    blank = next((f"【{one.title}】" for one in draft.gaps if one.name == REASON_GAP), "") if draft else ""
    if typed and typed.version != found.seen.version:
        refusal = CHANGED
    context: dict[str, Any] = {
        "case": case,
        "offer": found,
        "docked": docked,
        "said": _faults(refusal, case, found, typed.message)
        if typed and refusal and refusal != found.refusal
        else "",
        "barred": _sentence(found.refusal) if found.refusal else "",
        "typed": typed,
        "message": typed.message if typed else draft.text if draft else "",
        "gap": _gap(typed, found, blank) if typed else blank,
        "message_min": MESSAGE_MIN,
        "message_max": MESSAGE_MAX,
    }
    return render(request, f"people/refusing/{name}.html", context)


def _gap(typed: Typed, found: Offer, blank: str) -> str:
    """The place for the next reason that is chosen: the blank of the script, or the words of the reason before."""
    chosen = [one.text for one in found.reasons if one.id == typed.reason]
    return next((one for one in (blank, *chosen, typed.gap) if one and one in typed.message), blank)


def _faults(refusal: Refusal, case: Case, found: Offer, text: str) -> str:
    """A refusal as a sentence; what must not be said to a buyer is named in the language of the page."""
    faults = None
    if refusal.code == "unfit":
        faults = scripts.faults(text, case.shop.platform, found.seen.settings, moment())
    return faults.why if faults else _sentence(refusal)


def _sentence(refusal: Refusal) -> str:
    """What the book says is told in its words."""
    if refusal.code in books.titles()["refuse_why"]:
        return _("现在不能拒绝：%(why)s。") % {"why": words.word("refuse_why", refusal.code)}
    return said(refusal)
