"""What happened, in our own words: one frozen snapshot per thing that a platform, courier or warehouse tells.

Each snapshot replaces the older one of the same thing when its `version` is newer (design.md 3.4), so that
repeats and reordering change nothing. Field names are the columns of `cases` and `orders`; None = not told.
"""

from dataclasses import dataclass, field
from datetime import datetime

ID_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True)
class Application:
    """One after-sales application as the platform shows it. `version` grows with each change there."""

    case_id: str
    order_id: str
    version: int
    aftersale_type: str | None = None
    state: str | None = None
    phase: str | None = None
    reason: str | None = None
    reason_text: str | None = None
    amount_fen: int | None = None
    applied_at: datetime | None = None
    applied_minute: int | None = None  # minute of the day in the shop's zone
    received: bool | None = None
    due_at: datetime | None = None  # the platform's own deadline for the seller's next step
    intervened: bool | None = None
    zero_second_covered: bool | None = None
    platform_initiated: bool | None = None
    freight_insurance: bool | None = None
    return_tracking_no: str | None = None
    return_courier: str | None = None
    operation_limit: str | None = None  # none | cannot_refuse | web_only
    modification_count: int | None = None
    refusal_count: int | None = None
    line_id: str | None = None
    title: str | None = None
    buyer_ref: str | None = None  # the platform's opaque id of the buyer, never a plain name


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of an order; `shares` are who paid the discounts, frozen at purchase: (funder, amount_fen)."""

    line_id: str
    product_id: str | None
    title: str
    sku: str | None
    quantity: int
    paid_fen: int
    shares: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """One order as the platform shows it."""

    order_id: str
    version: int
    order_state: str | None = None
    order_kind: str | None = None  # spot | presale
    paid_fen: int | None = None
    freight_fen: int | None = None
    refunded_fen: int | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    shipped: bool | None = None
    shipped_at: datetime | None = None
    promo: str | None = None  # none | double11 | 618 | other
    promo_ended_at: datetime | None = None
    locked_until: datetime | None = None
    presale_deposit: bool | None = None
    item_value_fen: int | None = None
    return_freight_fen: int | None = None  # estimated
    perishable: bool | None = None
    return_prohibited: bool | None = None
    region: str | None = None
    tracking_no: str | None = None
    courier: str | None = None
    buyer_ref: str | None = None
    phone_tail: str | None = None  # the last four digits; the number itself is never kept
    lines: tuple[OrderLine, ...] = ()


@dataclass(frozen=True, slots=True)
class TrackingEvent:
    """One line of a courier's trace."""

    at: datetime
    text: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A courier's whole trace of one waybill. Whether it goes out or comes back is known from the waybill's owner.

    `state` is of our tracking vocabulary: no_tracking, picked_up, in_transit, out_for_delivery, waiting_pickup,
    signed, delivery_failed, refused, returning, returned, address_problem, out_of_area, damaged, lost, held,
    forwarded, customs.
    """

    tracking_no: str
    version: int  # microseconds of the last event
    courier: str | None = None
    tracking_state: str | None = None
    tracking_events: int | None = None
    last_tracking_at: datetime | None = None
    signed_at: datetime | None = None  # by the recipient, or by the sender's side of a parcel that came back
    signed_by: str | None = None  # self | family | station | locker | property | colleague | other
    events: tuple[TrackingEvent, ...] = ()
    tracking_doubt: str | None = None  # why a careful reader could not be sure; None: clear


@dataclass(frozen=True, slots=True)
class Interception:
    """Where the attempt to stop an outgoing parcel stands."""

    tracking_no: str
    version: int
    interception: str  # requested | succeeded | failed
    intercept_requested_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WarehouseOrder:
    """The warehouse's whole view of one order before it leaves."""

    order_id: str
    version: int
    warehouse_state: str | None = None  # hold | unprinted | printed | packing | shipped_no_number | shipped
    erp_cancel_confirmed: bool | None = None
    erp_intercept_result: bool | None = None
    handed_over_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """What the warehouse received back for one return waybill (or one case)."""

    version: int
    case_id: str | None = None
    tracking_no: str | None = None
    inbound_success: bool | None = None
    inbound_at: datetime | None = None
    inbound_condition: str | None = None  # intact | damaged | missing_item | wrong_item | swapped
    warehouse_kind: str | None = None  # own | third_party | cainiao


@dataclass(frozen=True, slots=True)
class Message:
    """A buyer's or seller's message on a case."""

    case_id: str
    at: datetime
    role: str  # buyer | seller | platform
    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A thin hint that an object changed; the object itself must be fetched."""

    kind: str  # application | order
    external_id: str


Record = Application | Order | Parcel | Interception | WarehouseOrder | Inbound | Message | Notice


@dataclass(frozen=True, slots=True)
class Arrival:
    """One record with where it came from. `key` identifies the event for ever (inbox), `raw` is what was received.

    `asked`: the platform's own answer to our question, which counts for more than what was pushed.
    """

    record: Record
    key: str
    occurred_at: datetime
    raw: bytes = field(default=b"", repr=False)
    asked: bool = False


@dataclass(frozen=True, slots=True)
class BadInput:
    """What could not be understood, where, and what to do; it is parked, never dropped."""

    where: str
    why: str
    raw: bytes = field(default=b"", repr=False)
