"""What we ask of TOP about refunds, one function per wish (metadata of 2026-04; money in fen unless said)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao.client import SHANGHAI, TopClient, Upload

PAGE_SIZE = 100
REFUND_FIELDS = (
    "refund_id,tid,oid,status,order_status,good_status,has_good_return,refund_fee,total_fee,payment,reason,desc,"
    "title,num,company_name,sid,refund_phase,refund_version,attribute,operation_contraint,dispute_type,cs_status,"
    "refund_remind_timeout,buyer_open_uid,created,modified"
)
TRADE_FIELDS = (
    "tid,status,payment,post_fee,total_fee,created,pay_time,consign_time,modified,step_trade_status,receiver_state,"
    "receiver_mobile,buyer_open_uid,trade_attr,promotion_details,orders"
)


class BatchLimit(NamedTuple):
    """How much one call of rp.refunds.agree may carry without an SMS code."""

    refunds_max: int
    amount_fen_max: int


AGREE_LIMITS = {"taobao": BatchLimit(20, 600_000), "tmall": BatchLimit(30, 1_000_000)}
REFUSE_MESSAGE_CHARS = (2, 200)
REFUSE_PROOF_BYTES_MAX = 130_000
REFUSE_PROOF_NEEDED = frozenset({"tmall"})
MESSAGE_BYTES_MAX = 400
MEMO_BYTES_MAX = 1000


class Agreement(NamedTuple):
    """One refund to agree to; `phase` (onsale | aftersale) is required on Tmall and empty on Taobao."""

    refund_id: str
    amount_fen: int
    version: int
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of changed refunds as TOP's dicts (without deadlines: ask `detail`)."""

    refunds: tuple[Mapping[str, Any], ...]
    has_next: bool


def changed(
    client: TopClient, since: datetime, until: datetime, page: int, status: str | None = None
) -> Page | Answer:
    """Refunds modified in [since, until], page counted from 1; with `status` only those that have it."""
    answer = client.call(
        "taobao.refunds.receive.get",
        fields=REFUND_FIELDS.replace("refund_remind_timeout,", ""),
        start_modified=_moment(since),
        end_modified=_moment(until),
        status=status,
        page_no=page,
        page_size=PAGE_SIZE,
        use_has_next=True,
    )
    if not isinstance(answer, Ok):
        return answer
    rows = (answer.body.get("refunds") or {}).get("refund") or ()
    return Page(tuple(rows), bool(answer.body.get("has_next")))


def detail(client: TopClient, refund_id: str) -> Answer:
    """Ok.body is the Refund object, with its deadline."""
    return _inner(client.call("taobao.refund.get", fields=REFUND_FIELDS, refund_id=refund_id), "refund")


def trade(client: TopClient, order_id: str) -> Answer:
    """Ok.body is the Trade object with its orders."""
    return _inner(client.call("taobao.trade.fullinfo.get", fields=TRADE_FIELDS, tid=order_id), "trade")


def review(
    client: TopClient, refund_id: str, *, version: int, phase: str, operator: str, message: str
) -> Answer:
    """Tmall asks for this before `agree`."""
    return _judged(
        client.call(
            "taobao.rp.refund.review",
            refund_id=refund_id,
            refund_version=version,
            refund_phase=phase,
            operator=operator,
            message=message,
            result=True,
        )
    )


def agree(
    client: TopClient, agreements: Sequence[Agreement], sms_code: str | None = None
) -> dict[str, Answer]:
    """Pay refunds within AGREE_LIMITS: the outcome by refund id. What the answer leaves out is Unknown."""
    infos = ",".join("|".join(map(str, entry)).rstrip("|") for entry in agreements)
    answer = client.call("taobao.rp.refunds.agree", refund_infos=infos, code=sms_code)
    if not isinstance(answer, Ok):
        return {entry.refund_id: answer for entry in agreements}
    told: dict[str, Answer] = {}
    for row in rows_of(answer.body, "results", "refund_mapping_result"):
        refund_id, said = str(row.get("refund_id")), _agreed(row)
        doubled = refund_id in told and type(told[refund_id]) is not type(said)
        told[refund_id] = Unknown("the answer names this refund twice, differently") if doubled else said
    missing = Unknown("taobao.rp.refunds.agree: the answer does not name this refund")
    return {entry.refund_id: told.get(entry.refund_id, missing) for entry in agreements}


def rows_of(body: Mapping[str, Any], outer: str, inner: str) -> list[Mapping[str, Any]]:
    """TOP's lists, {outer: {inner: [{…}, …]}}; what has another shape tells nothing."""
    held = body.get(outer)
    rows = held.get(inner) if isinstance(held, Mapping) else None
    rows = [rows] if isinstance(rows, Mapping) else rows if isinstance(rows, list) else []
    return [row for row in rows if isinstance(row, Mapping)]


def agree_return(
    client: TopClient, refund_id: str, *, version: int, phase: str, address_id: int, remark: str
) -> Answer:
    """Agree that the buyer sends the goods back to the seller's address `address_id`."""
    return _judged(
        client.call(
            "taobao.rp.returngoods.agree",
            refund_id=refund_id,
            refund_version=version,
            refund_phase=phase,
            seller_address_id=address_id,
            remark=remark,
        )
    )


def refuse_return(
    client: TopClient, refund_id: str, *, version: int, phase: str, reason_id: int, proof: bytes
) -> Answer:
    """Refuse goods that came back; `proof` is a picture."""
    return _judged(
        client.call(
            "taobao.rp.returngoods.refuse",
            Upload("refuse_proof", "proof.jpg", proof),
            refund_id=refund_id,
            refund_version=version,
            refund_phase=phase,
            refuse_reason_id=reason_id,
        )
    )


def refuse(
    client: TopClient, refund_id: str, *, version: int, phase: str, message: str, reason_id: int, proof: bytes
) -> Answer:
    """Refuse an application; `message` of 2 to 200 characters, `proof` a picture of at most 130,000 bytes."""
    return _judged(
        client.call(
            "taobao.refund.refuse",
            Upload("refuse_proof", "proof.jpg", proof) if proof else None,
            refund_id=refund_id,
            refund_version=version,
            refund_phase=phase,
            refuse_message=message,
            refuse_reason_id=reason_id,
        )
    )


def refuse_reasons(client: TopClient, refund_id: str, phase: str) -> Answer:
    """Ok.body['reasons']['reason'] lists {reason_id, reason_text}."""
    return client.call(
        "taobao.refund.refusereason.get",
        refund_id=refund_id,
        refund_phase=phase,
        fields="reason_id,reason_text,reason_tips",
    )


def message(client: TopClient, refund_id: str, content: str, image: bytes) -> Answer:
    """Write to the buyer on the application; `content` of at most 400 bytes, `image` may be empty."""
    upload = Upload("image", "image.jpg", image) if image else None
    return client.call("taobao.refund.message.add", upload, refund_id=refund_id, content=content)


def messages(client: TopClient, refund_id: str, phase: str, page: int = 1) -> Answer:
    """Ok.body['refund_messages']['refund_message'] lists what was said, oldest first."""
    return client.call(
        "taobao.refund.messages.get",
        refund_id=refund_id,
        refund_phase=phase,
        page_no=page,
        page_size=PAGE_SIZE,
        fields="id,content,created,owner_role,message_type",
    )


def memo(client: TopClient, order_id: str, text: str, flag: int) -> Answer:
    """Overwrite the seller's memo of an order; flag 0 grey … 5 pink."""
    return client.call("taobao.trade.memo.update", tid=order_id, memo=text, flag=flag)


def trace(client: TopClient, order_id: str) -> Answer:
    """Ok.body['trace_list']['transit_step_info'] lists the outgoing parcel's steps, oldest first."""
    return client.call("taobao.logistics.trace.search", tid=order_id)


def cancel_shipment(
    client: TopClient, refund_id: str, *, order_id: str, line_id: str, amount_fen: int, at: datetime
) -> Answer:
    """Tell the platform and the warehouse that the order shall not leave; Rejected when it has left."""
    param = {
        "refund_id": int(refund_id),
        "tid": int(order_id),
        "oid": int(line_id),
        "refund_fee": amount_fen,
        "status": "SUCCESS",
        "operate_time": _moment(at),
    }
    answer = client.call("taobao.rdc.aligenius.sendgoods.cancel", param=msgspec.json.encode(param).decode())
    if not isinstance(answer, Ok):
        return answer
    result = answer.body.get("result") or {}
    if result.get("success") is True:
        return Ok(result)
    return Rejected("refused", str(result.get("error_code") or ""), str(result.get("error_info") or ""))


def received_back(client: TopClient, refund_id: str) -> Answer:
    """Tell the platform that the returned goods are in the warehouse."""
    answer = client.call("taobao.nextone.logistics.warehouse.update", refund_id=refund_id, warehouse_status=1)
    if isinstance(answer, Ok) and answer.body.get("succeed") is not True:
        return Rejected("refused", str(answer.body.get("err_code")), str(answer.body.get("err_info")))
    return answer


def _agreed(row: Mapping[str, Any]) -> Answer:
    if row.get("succ") is True:
        return Ok(row)
    if row.get("succ") is not False:
        return Unknown("taobao.rp.refunds.agree: no verdict told")
    text = str(row.get("message") or "")
    sub_code, _, why = text.partition(":")
    if not sub_code.startswith(("isv.", "isp.")):
        return Rejected("refused", "", text)
    if sub_code.startswith("isp."):
        return TryLater(5.0, sub_code) if "limited" in sub_code else Unknown(text)
    return Rejected("refused", sub_code, why.strip())


def _judged(answer: Answer) -> Answer:
    """Answers that say is_success (or result): true is Ok, false is Rejected, neither is Unknown."""
    if not isinstance(answer, Ok):
        return answer
    said = answer.body.get("is_success", answer.body.get("result"))
    if said is True:
        return answer
    return (
        Rejected("refused", "", "the platform answered false")
        if said is False
        else Unknown("no verdict told")
    )


def _inner(answer: Answer, name: str) -> Answer:
    if not isinstance(answer, Ok):
        return answer
    body = answer.body.get(name)
    return Ok(body) if isinstance(body, dict) else Rejected("missing", "", f"the answer holds no {name}")


def _moment(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
