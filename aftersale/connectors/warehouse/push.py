"""The warehouse's push: one JSON object or an array; `kind` is order, inbound or interception.

Common fields: kind, at (ISO 8601 with offset), version (int, grows per object). Absent fields are unknown.
"""

from datetime import datetime

import msgspec

from aftersale.connectors.batch import messages
from aftersale.connectors.plain import Version, is_id
from aftersale.core.records import Arrival, BadInput, Inbound, Interception, WarehouseOrder

ORDER_STATES = frozenset({"hold", "unprinted", "printed", "packing", "shipped_no_number", "shipped"})
CONDITIONS = frozenset({"intact", "damaged", "missing_item", "wrong_item", "swapped"})
INTERCEPTIONS = frozenset({"requested", "succeeded", "failed"})
WAREHOUSES = frozenset({"own", "third_party", "cainiao"})


class OrderDocument(msgspec.Struct, tag_field="kind", tag="order", gc=False):
    """Where an order stands in the warehouse."""

    order_id: str
    version: Version
    at: datetime
    state: str | None = None
    cancel_confirmed: bool | None = None
    intercept_result: bool | None = None
    handed_over_at: datetime | None = None


class InboundDocument(msgspec.Struct, tag_field="kind", tag="inbound", gc=False):
    """A parcel that came back and was looked at."""

    version: Version
    at: datetime
    tracking_no: str | None = None
    case_id: str | None = None
    success: bool | None = None
    condition: str | None = None
    warehouse: str | None = None


class InterceptionDocument(msgspec.Struct, tag_field="kind", tag="interception", gc=False):
    """What became of an attempt to stop a parcel."""

    tracking_no: str
    version: Version
    at: datetime
    result: str
    requested_at: datetime | None = None


Document = OrderDocument | InboundDocument | InterceptionDocument
_decoder = msgspec.json.Decoder(Document)


def push(body: bytes) -> list[Arrival | BadInput]:
    """One result per document, in order."""
    parts = messages(body, "warehouse push")
    return [parts] if isinstance(parts, BadInput) else [_arrival(raw) for raw in parts]


def _arrival(raw: bytes) -> Arrival | BadInput:
    try:
        document = _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return BadInput("warehouse push", str(error), raw)
    problem = _problem(document)
    if problem:
        return BadInput("warehouse push", problem, raw)
    if isinstance(document, OrderDocument):
        return _order(document, raw)
    if isinstance(document, InboundDocument):
        return _inbound(document, raw)
    return _interception(document, raw)


def _problem(document: Document) -> str | None:
    """Ids and moments that could not be kept."""
    for name in ("order_id", "case_id", "tracking_no"):
        value = getattr(document, name, None)
        if value is not None and not is_id(value):
            return f"{name} {value[:80]!r} is no id"
    for name in ("at", "handed_over_at", "requested_at"):
        moment = getattr(document, name, None)
        if moment is not None and (moment.tzinfo is None or not 2000 <= moment.year <= 2100):
            return f"{name} has no time offset or lies outside the years 2000 to 2100"
    return None


def _order(document: OrderDocument, raw: bytes) -> Arrival | BadInput:
    if document.state is not None and document.state not in ORDER_STATES:
        return BadInput(f"warehouse order {document.order_id}", f"state {document.state!r} is unknown", raw)
    record = WarehouseOrder(
        order_id=document.order_id,
        version=document.version,
        warehouse_state=document.state,
        erp_cancel_confirmed=document.cancel_confirmed,
        erp_intercept_result=document.intercept_result,
        handed_over_at=document.handed_over_at,
    )
    return Arrival(record, f"warehouse:{record.order_id}:{record.version}", document.at, raw)


def _inbound(document: InboundDocument, raw: bytes) -> Arrival | BadInput:
    where = f"warehouse inbound {document.tracking_no or document.case_id}"
    if not document.tracking_no and not document.case_id:
        return BadInput(where, "an inbound needs tracking_no or case_id", raw)
    if document.condition is not None and document.condition not in CONDITIONS:
        return BadInput(where, f"condition {document.condition!r} is unknown", raw)
    if document.warehouse is not None and document.warehouse not in WAREHOUSES:
        return BadInput(where, f"warehouse {document.warehouse!r} is unknown", raw)
    record = Inbound(
        version=document.version,
        case_id=document.case_id,
        tracking_no=document.tracking_no,
        inbound_success=document.success,
        inbound_at=document.at,
        inbound_condition=document.condition,
        warehouse_kind=document.warehouse,
    )
    subject = document.case_id or document.tracking_no
    return Arrival(record, f"inbound:{subject}:{record.version}", document.at, raw)


def _interception(document: InterceptionDocument, raw: bytes) -> Arrival | BadInput:
    where = f"warehouse interception {document.tracking_no}"
    if document.result not in INTERCEPTIONS:
        return BadInput(where, f"result {document.result!r} is unknown", raw)
    record = Interception(
        tracking_no=document.tracking_no,
        version=document.version,
        interception=document.result,
        intercept_requested_at=document.requested_at,
    )
    return Arrival(record, f"interception:{record.tracking_no}:{record.version}", document.at, raw)
