"""Facts that TOP has no field for and relays carry in `attribute` (';key:value;') and `trade_attr` (JSON).

Attribute keys: zero_second, freight_ins, platform_opened ('1' | '0'), modify_count, refuse_count (numbers).
Every key may be absent; the fact is then unknown.
"""

from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec


class RefundFacts(NamedTuple):
    """What `attribute` of a refund tells."""

    zero_second_covered: bool | None = None
    freight_insurance: bool | None = None
    platform_initiated: bool | None = None
    modification_count: int | None = None
    refusal_count: int | None = None


class TradeFacts(msgspec.Struct, frozen=True):
    """What `trade_attr` of a trade tells; moments are ISO 8601 with an offset, money in fen."""

    promo: str | None = None
    promo_ended_at: datetime | None = None
    locked_until: datetime | None = None
    perishable: bool | None = None
    return_prohibited: bool | None = None
    return_freight_fen: int | None = None


_NOTHING = RefundFacts()
_NO_TRADE_FACTS = TradeFacts()
_FLAGS = {"1": True, "0": False}
_trade_facts = msgspec.json.Decoder(TradeFacts)


@lru_cache(maxsize=4096)
def refund_facts(attribute: str | None) -> RefundFacts:
    """Read ';zero_second:1;modify_count:2;'. Keys and values that we do not know are left unknown."""
    if not attribute:
        return _NOTHING
    pairs = dict(part.split(":", 1) for part in attribute.split(";") if ":" in part)
    return RefundFacts(
        _FLAGS.get(pairs.get("zero_second", "")),
        _FLAGS.get(pairs.get("freight_ins", "")),
        _FLAGS.get(pairs.get("platform_opened", "")),
        _count(pairs.get("modify_count")),
        _count(pairs.get("refuse_count")),
    )


def trade_facts(trade_attr: str | None) -> TradeFacts:
    """Read `trade_attr`; text that is no such JSON tells nothing."""
    if not trade_attr:
        return _NO_TRADE_FACTS
    try:
        return _trade_facts.decode(trade_attr)
    except msgspec.MsgspecError:
        return _NO_TRADE_FACTS


def _count(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else None
