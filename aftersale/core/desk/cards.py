"""QR cards in parcels, product card replies and the parts of the robot (R-279 … R-282)."""

import re
from dataclasses import dataclass
from typing import Literal

from aftersale.core.talk.folding import fold

_SITE = re.compile(
    r"https?://\S+|www\.\S+|(?<![\w@.])[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|cn|net|top|vip|shop|cc|xyz|me|io)(?![a-z])"
)
_NUMBER = re.compile(
    r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)|(?<!\d)0\d{2,3}-\d{7,8}(?!\d)|\bqq\s*[:号是]*\s*\d{5,}|[\w.-]+@[\w-]+\.\w+"
)
OWN_PLATFORM = {
    "pdd": {"拼多多", "多多", "pdd"},
    "tmall": {"天猫", "淘宝", "tmall", "taobao"},
    "taobao": {"天猫", "淘宝", "tmall", "taobao"},
}


@dataclass(frozen=True, slots=True)
class CardCheck:
    """`reason`: the first of `reasons`; `matched`: the words of the text that are meant."""

    valid: bool
    reason: str | None
    reasons: tuple[str, ...]
    matched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardReply:
    """`auto_reply` is None where the product has no reply of its own: a uniform text is never sent."""

    auto_reply: Literal["product_text"] | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Editable:
    editable: tuple[str, ...]


def qr_card(
    *,
    card_text: str | None = None,
    qr_is_shop_own: bool | None = None,
    platform: str | None = None,
    qr_card_words: tuple[str, ...],
) -> CardCheck:
    """The shop's own code, and no account, site or shop of third parties on the card (R-279)."""
    text, own = fold(card_text or ""), OWN_PLATFORM.get(platform or "", set())
    words = tuple(word for word in qr_card_words if fold(word) in text and fold(word) not in own)
    sites = tuple(match[0] for one in (_SITE, _NUMBER) for match in one.finditer(text))
    reasons = (
        *(("qr_replaced",) if qr_is_shop_own is False else ()),
        *(("third_party_info",) if words or sites else ()),
    )
    return CardCheck(not reasons, next(iter(reasons), None), reasons, words + sites)


def product_card_reply(
    *, configured: bool | None = None, product_text: str | None = None, uniform_text: str | None = None
) -> CardReply:
    """The reply that was set for this very product, or none (R-282). `uniform_text` is there to be left out."""
    own = configured if configured is not None else bool((product_text or "").strip())
    return CardReply("product_text", product_text) if own else CardReply(None, None)


def robot_parts(
    *,
    device: Literal["pc", "mobile"] | None = None,
    robot_parts_pc: tuple[str, ...],
    robot_parts_mobile: tuple[str, ...],
) -> Editable:
    """The parts of the robot that can be switched and edited on a device, all of them where none is named
    (R-280, R-281)."""
    return Editable(robot_parts_mobile if device == "mobile" else robot_parts_pc)
