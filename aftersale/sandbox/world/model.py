"""The sandbox's things. Moments are virtual milliseconds, money is fen, ids are numbers as on TOP."""

from dataclasses import dataclass, field

FUNDERS = ("shop", "platform")
TID_BASE, REFUND_BASE, PER_SHOP, PER_CASE = 3_100_000_000_000_000_000, 1_700_000_000_000_000_000, 10**15, 1000
ENDED = ("SUCCESS", "CLOSED")
WITHOUT_MONEY = ("TMALL_EXCHANGE", "TAOBAO_EXCHANGE", "REPAIR", "RESHIPPING")


@dataclass(slots=True)
class Line:
    """One line of an order; `shares` are discounts (funder, fen), `paid_fen` what the buyer paid for it."""

    oid: int
    num_iid: int
    title: str
    sku: str
    price_fen: int
    quantity: int
    shares: tuple[tuple[str, int], ...]
    paid_fen: int
    refunded_fen: int = 0


@dataclass(slots=True, frozen=True)
class Step:
    """One line of a courier's trace; `state` and `code` are Kuaidi100's."""

    at_ms: int
    state: str
    code: str
    text: str


@dataclass(slots=True)
class Parcel:
    """A waybill with its planned trace, of which the first `told` steps have happened."""

    number: str
    company: str
    steps: list[Step]
    told: int = 0
    plan: int = 0  # grows when the plan changes, so that older happenings fall away
    interception: str | None = None
    intercept_requested_ms: int = 0


@dataclass(slots=True)
class Trade:
    """One order. `ship_ms` is when the warehouse means to hand it over."""

    tid: int
    shop: str
    key: int
    buyer: str
    region: str
    created_ms: int
    paid_ms: int
    modified_ms: int
    ship_ms: int
    post_fee_fen: int
    lines: list[Line]
    promo: str = "none"
    promo_ended_ms: int | None = None
    locked_until_ms: int | None = None
    presale: bool = False
    perishable: bool = False
    status: str = "WAIT_SELLER_SEND_GOODS"
    consigned_ms: int | None = None
    parcel: Parcel | None = None
    warehouse_state: str = "unprinted"
    warehouse_version: int = 0
    cancel_confirmed: bool | None = None
    intercept_result: bool | None = None
    memo: str = ""
    flag: int = 0
    refunds: list["Refund"] = field(default_factory=list)

    @property
    def paid_fen(self) -> int:
        return sum(line.paid_fen for line in self.lines) + self.post_fee_fen

    @property
    def shipped(self) -> bool:
        return self.consigned_ms is not None


@dataclass(slots=True)
class Refund:
    """One after-sales application. `version` is its last change in ms; `epoch` counts its changes."""

    refund_id: int
    trade: Trade
    line: Line
    dispute_type: str
    reason: str
    desc: str
    amount_fen: int
    phase: str
    created_ms: int
    modified_ms: int
    good_status: str
    status: str = "WAIT_SELLER_AGREE"
    epoch: int = 0
    cs_status: int = 1
    due_ms: int | None = None
    zero_second: bool = False
    freight_insurance: bool = False
    platform_opened: bool = False
    modifications: int = 0
    refusals: int = 0
    refuse_reason: str = ""
    refuse_proof: str = ""  # hash of the picture that came with the last refusal
    reviewed: bool = False
    back: Parcel | None = None
    good_return_ms: int | None = None
    inbound_ms: int | None = None
    messages: list[tuple[int, int, str]] = field(default_factory=list)  # (at_ms, role 1 buyer 2 seller, text)

    @property
    def version(self) -> int:
        return self.modified_ms

    @property
    def has_good_return(self) -> bool:
        return self.dispute_type in ("REFUND_AND_RETURN", "TMALL_EXCHANGE", "TAOBAO_EXCHANGE", "REPAIR")
