"""`/api/cases/{shop}/{case_id}/refuse`: what a refusal may say, and refusing, as the form of the pages does it."""

from typing import Any

from django.contrib.auth import get_user_model
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from ninja import Router, Schema

from aftersale.cases.access import Case, case_for
from aftersale.cases.approvals import UNDO_S
from aftersale.cases.rows import moment
from aftersale.core.refusal import Refusal
from aftersale.refusing.act import Wish, refuse
from aftersale.refusing.offer import MESSAGE_MAX, MESSAGE_MIN, offer

router = Router(tags=["cases"])
MISSING = {"error": "没有这张售后单"}


class Wanted(Schema):
    """`version`, `reason_id` and `evidence_id` as GET named them; `message` is what the buyer reads."""

    version: int
    reason_id: int
    message: str
    evidence_id: int | None = None


@router.get("/cases/{shop}/{case_id}/refuse", summary="What a refusal of this application may say")
def offered(request: HttpRequest, shop: str, case_id: str) -> JsonResponse:
    """The version to bind to, the platform's reasons, the pictures of the case; `refused`: why it may not be refused.
    `waits`: the platform is being asked, come again in a second."""
    case, person = _case(request, shop, case_id)
    if case is None:
        return _said(MISSING, 404)
    found = offer(case, person, moment(), "api")
    return _said(
        {
            "version": found.seen.version,
            "amount_fen": found.seen.amount_fen,
            "reasons": [{"id": one.id, "text": one.text, "tips": one.tips} for one in found.reasons],
            "message_chars": [MESSAGE_MIN, MESSAGE_MAX],
            "proof_needed": found.proof_needed,
            "pictures": [{"id": one.id, "kind": one.kind, "name": one.name} for one in found.pictures],
            "waits": found.waits,
            "refused": _refusal(found.refusal) if found.refusal else None,
        }
    )


@router.post("/cases/{shop}/{case_id}/refuse", summary="Refuse this application")
def act(request: HttpRequest, shop: str, case_id: str, wanted: Wanted) -> JsonResponse:
    """It is sent 30 seconds later and can be taken back at the desk until then. 409: not done, with `code` and why."""
    case, person = _case(request, shop, case_id)
    if case is None:
        return _said(MISSING, 404)
    wish = Wish(wanted.version, wanted.reason_id, wanted.message, wanted.evidence_id)
    refused = refuse(case, wish, person, moment(), UNDO_S, "api")
    if refused:
        return _said(_refusal(refused), 409)
    return _said({"intent": "refuse", "version": wish.version, "sent_in_s": UNDO_S})


def _case(request: HttpRequest, shop: str, case_id: str) -> tuple[Case | None, str]:
    """The case, when it is the token's person's, and who that is."""
    person = get_user_model().objects.get(pk=request.auth)  # type: ignore[attr-defined]
    return case_for(person, shop, case_id), person.get_username()


def _refusal(refusal: Refusal) -> dict[str, Any]:
    told = {"error": refusal.why, "code": refusal.code}
    first = {"who": refusal.who, "at": timezone.localtime(refusal.at).isoformat()} if refusal.at else {}
    return {**told, **first}


def _said(told: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(told, status=status, json_dumps_params={"ensure_ascii": False})
