"""Our records as the platforms push them: the bodies that a webhook carries, signed."""

import base64
import hmac
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

import msgspec

from aftersale.connectors.taobao import words
from aftersale.core.money import yuan
from aftersale.core.records import Application, Arrival, Parcel

SHANGHAI = timezone(timedelta(hours=8))
SECRET = "bench-secret"
PLATFORM, COURIER = "taobao", "kuaidi100"
Body = tuple[str, bytes]
"""Source and raw body."""

_STATUS = {ours: theirs for theirs, ours in reversed(words.REFUND_STATES.items())}
_REASON = {ours: theirs for theirs, ours in reversed(words.REASONS.items())}
_DISPUTE = {"return_refund": "REFUND_AND_RETURN", "exchange": "TMALL_EXCHANGE"}
_COURIER_STATES = {"picked_up": "1", "in_transit": "0", "out_for_delivery": "5"}


def bodies(arrivals: Sequence[Arrival], size: int) -> list[Body]:
    """The events in bodies of `size`; refunds and traces come through doors of their own."""
    refunds = [_message(a.record, a.occurred_at) for a in arrivals if isinstance(a.record, Application)]
    traces = [_trace(a.record) for a in arrivals if isinstance(a.record, Parcel)]
    taobao = [(PLATFORM, _joined(part)) for part in _parts(refunds, size)]
    return taobao + [(COURIER, _form(_joined(part))) for part in _parts(traces, size)]


def signed(body: bytes, message_id: str) -> dict[str, str]:
    """Headers of a Standard Webhook with this body, as of now."""
    stamp = str(int(time.time()))
    mac = hmac.digest(SECRET.encode(), f"{message_id}.{stamp}.".encode() + body, "sha256")
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(mac).decode()}",
    }


def _parts(messages: Sequence[bytes], size: int) -> list[Sequence[bytes]]:
    return [messages[at : at + size] for at in range(0, len(messages), size)]


def _joined(messages: Sequence[bytes]) -> bytes:
    return messages[0] if len(messages) == 1 else b"[" + b",".join(messages) + b"]"


def _message(one: Application, at: datetime) -> bytes:
    content = msgspec.json.encode({"refund": _refund(one, at)}).decode()
    return msgspec.json.encode(
        {
            "id": one.version,
            "topic": "taobao_refund_RefundModified",
            "content": content,
            "pub_time": _text(at),
        }
    )


def _refund(one: Application, at: datetime) -> dict[str, object]:
    due = {"exist_timeout": True, "timeout": _text(one.due_at)} if one.due_at else None
    flags = {
        "zero_second": one.zero_second_covered,
        "freight_ins": one.freight_insurance,
        "platform_opened": one.platform_initiated,
    }
    counts = {"modify_count": one.modification_count, "refuse_count": one.refusal_count}
    attribute = "".join(f";{name}:{int(value or 0)}" for name, value in (flags | counts).items()) + ";"
    return {
        "refund_id": one.case_id, "tid": one.order_id, "oid": one.line_id, "status": _STATUS[one.state or "applied"],
        "created": _text(one.applied_at), "modified": _text(at), "reason": _REASON.get(one.reason or "", "其他"),
        "order_status": "WAIT_SELLER_SEND_GOODS" if one.aftersale_type == "unshipped_refund_only"
        else "WAIT_BUYER_CONFIRM_GOODS",
        "good_status": "BUYER_RECEIVED" if one.received else "BUYER_NOT_RECEIVED",
        "refund_fee": yuan(one.amount_fen or 0), "title": one.title, "refund_phase": one.phase,
        "refund_version": one.version, "attribute": attribute, "sid": one.return_tracking_no,
        "company_name": one.return_courier, "cs_status": 2 if one.intervened else 1, "refund_remind_timeout": due,
        "dispute_type": _DISPUTE.get(one.aftersale_type or "", "REFUND"), "buyer_open_uid": one.buyer_ref,
    }  # fmt: skip


def _trace(one: Parcel) -> bytes:
    steps = [{"ftime": _text(event.at), "context": event.text} for event in reversed(one.events)]
    result = {
        "nu": one.tracking_no,
        "com": one.courier,
        "state": _COURIER_STATES[one.tracking_state or "in_transit"],
        "data": steps,
    }
    return msgspec.json.encode({"status": "polling", "lastResult": result})


def _form(param: bytes) -> bytes:
    """Unsigned: this form is stored as already checked."""
    return urlencode({"param": param.decode()}).encode()


def _text(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).isoformat(" ")[:19] if at else None
