"""The TOP objects that we read, as they come over the wire. Ids are numbers or text and are never floats."""

from typing import Annotated

import msgspec

from aftersale.connectors.plain import Version

Id = int | str


class RemindTimeout(msgspec.Struct, gc=False):
    """The platform's deadline for the seller's next step."""

    exist_timeout: bool = False
    timeout: str | None = None


class Refund(msgspec.Struct, gc=False):
    """refund.get; the list answer leaves out the deadline."""

    refund_id: Id
    tid: Id
    status: str
    created: str
    modified: str
    oid: Id | None = None
    order_status: str | None = None
    good_status: str | None = None
    has_good_return: bool | None = None
    refund_fee: str | None = None
    reason: str | None = None
    title: str | None = None
    company_name: str | None = None
    sid: str | None = None
    refund_phase: str | None = None
    refund_version: Version | None = None
    attribute: str | None = None
    operation_contraint: str | None = None
    dispute_type: str | None = None
    cs_status: int | None = None
    refund_remind_timeout: RemindTimeout | None = None
    buyer_open_uid: str | None = None


class OrderRow(msgspec.Struct, gc=False):
    """trade.orders.order: one line."""

    oid: Id
    title: str = ""
    num: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 1
    num_iid: Id | None = None
    outer_sku_id: str | None = None
    payment: str | None = None
    divide_order_fee: str | None = None
    logistics_company: str | None = None
    invoice_no: str | None = None


class OrderRows(msgspec.Struct, gc=False):
    """The inner list name of an answer that is not simplified."""

    order: list[OrderRow] = []


class Promotion(msgspec.Struct, gc=False):
    """One discount on a line; `promotion_id` begins with its funder (shop-…, platform-…)."""

    id: Id
    promotion_id: str = ""
    discount_fee: str = "0"


class Promotions(msgspec.Struct, gc=False):
    """The inner list name of the discounts."""

    promotion_detail: list[Promotion] = []


class Trade(msgspec.Struct, gc=False):
    """trade.fullinfo.get"""

    tid: Id
    status: str
    created: str
    modified: str
    payment: str | None = None
    post_fee: str | None = None
    total_fee: str | None = None
    pay_time: str | None = None
    consign_time: str | None = None
    step_trade_status: str | None = None
    receiver_state: str | None = None
    receiver_mobile: Id | None = None
    buyer_open_uid: str | None = None
    trade_attr: str | None = None
    promotion_details: Promotions | list[Promotion] | None = None
    orders: OrderRows | list[OrderRow] | None = None


class TmcMessage(msgspec.Struct, gc=False):
    """One message of the platform; `content` is JSON in a string."""

    id: Id
    topic: str
    content: str
    pub_time: str | None = None


class Content(msgspec.Struct, gc=False):
    """Content of refund and trade topics; a relay adds the whole object, a thin message has only its id."""

    refund: Refund | None = None
    trade: Trade | None = None
    refund_id: Id | None = None
    tid: Id | None = None
    modified: str | None = None
