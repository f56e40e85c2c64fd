"""One application is refused: checked, bound to its version, and left to a worker to be sent."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import Rollback

from aftersale.cases.access import Case
from aftersale.cases.approvals import UNDO_S
from aftersale.cases.casework.place import Place
from aftersale.cases.casework.refusing import proof, taken_off
from aftersale.cases.people import Refusing, person_intent
from aftersale.cases.rows import record_connection
from aftersale.connectors.taobao.refunds import REFUSE_PROOF_BYTES_MAX
from aftersale.core.refusal import Refusal
from aftersale.refusing.offer import MESSAGE_MAX, MESSAGE_MIN, Offer, offer
from aftersale.refusing.words import unfit

CHANGED = Refusal("changed", "买家或平台刚刚改动了这张售后单，请看过新内容再操作")
NO_REASON = Refusal("no_reason", "请从平台给出的理由里选一个")
LENGTH = Refusal("length", "写给买家的话要有 2 到 200 个字")
NO_PROOF = Refusal("no_proof", "平台要求附上一张图片凭证，请选一张或上传一张")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to say; bound to the version that they saw."""

    version: int
    reason_id: int
    message: str
    evidence_id: int | None = None


def refuse(
    case: Case, wish: Wish, by: str, now: datetime, undo_s: int = UNDO_S, channel: str = "web"
) -> Refusal | None:
    """Plans it, to be sent once the time to take it back is over; or says why not, and nothing is written."""
    found = offer(case, by, now, channel, any_age=True)
    refused = _unfit(case, found, wish, now)
    if refused:
        return refused
    reason = next(one for one in found.reasons if one.id == wish.reason_id)
    conn, place = record_connection(), Place(case.shop.id, case.case_id, by, now)
    with conn.transaction() as whole:
        sent = None
        if wish.evidence_id is not None:
            sent = proof(conn, place, wish.evidence_id, REFUSE_PROOF_BYTES_MAX)
        if isinstance(sent, Refusal):
            refused = sent
        else:
            carried = Refusing(reason.id, reason.text, wish.message.strip(), wish.evidence_id, sent)
            refused = person_intent(
                conn,
                place.shop_id,
                place.case_id,
                "refuse",
                0,
                wish.version,
                by,
                now,
                undo_s,
                channel,
                carried,
            )
        if not refused and wish.evidence_id is not None:
            refused = taken_off(conn, place, wish.evidence_id)
        if refused:
            raise Rollback(whole)
    return refused


def _unfit(case: Case, found: Offer, wish: Wish, now: datetime) -> Refusal | None:
    if found.seen.version != wish.version:
        return CHANGED
    if found.refusal:
        return found.refusal
    if wish.reason_id not in {one.id for one in found.reasons}:
        return NO_REASON
    if not MESSAGE_MIN <= len(wish.message.strip()) <= MESSAGE_MAX:
        return LENGTH
    if found.proof_needed and wish.evidence_id is None:
        return NO_PROOF
    return unfit(wish.message, case.shop.platform, found.seen.settings, now)
