"""What is to be sent, and to whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One claimed intent with what its call needs; the first six fields are its key and fence."""

    shop_id: int
    case_id: str
    kind: str
    platform_version: int
    amount_fen: int
    epoch: int
    order_id: str
    phase: str | None
    line_id: str | None
    return_tracking_no: str | None
    title: str | None
    sends: int


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop's door to its platform."""

    id: int
    code: str
    platform: str
    base_url: str
    app_key: str
    app_secret: str
    session_key: str
    courier_url: str | None = None
    courier_key: str | None = None
    courier_secret: str | None = None
