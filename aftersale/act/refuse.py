"""Refusing an application at Taobao and Tmall: looked at first, said once, asked about when the answer is lost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from aftersale.act.question import said
from aftersale.act.work_item import Item
from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.client import SHANGHAI, TopClient

REFUSED = "SELLER_REFUSE_BUYER"
NO_WORDS = Rejected("no_words", "", "没有记下拒绝的理由和给买家的话，请重新拒绝")


@dataclass(frozen=True, slots=True)
class Words:
    """What a refusal carries."""

    reason_id: int
    message: str
    proof: bytes


def refuse(client: TopClient, item: Item, words: Words | None, ours: Callable[[], bool]) -> Answer:
    """Taobao does not check the version of what it refuses, so what the person saw is compared before."""
    if words is None:
        return NO_WORDS
    seen = refunds.detail(client, item.case_id)
    if not isinstance(seen, Ok):
        return seen
    if _version(seen.body) != item.platform_version:
        return _changed(seen.body)
    if not ours():
        return TryLater(0.0, "lease")
    return refunds.refuse(
        client,
        item.case_id,
        version=item.platform_version,
        phase=item.phase or "aftersale",
        message=words.message,
        reason_id=words.reason_id,
        proof=words.proof,
    )


def became(client: TopClient, item: Item, words: Words | None, refund: Mapping[str, object]) -> Answer:
    """What became of it, by the application as it is now and by what was said on it since."""
    version = _version(refund)
    if version is None or not refund.get("status"):
        return Unknown("the answer tells no state or version")
    if version == item.platform_version:
        return TryLater(0.0, "not done")
    if refund["status"] == REFUSED:
        return Ok(refund)
    found = said(client, item, lambda row: words is not None and _ours(row, words, item))
    if not isinstance(found, bool):
        return found
    return Ok(refund) if found else _changed(refund)


def _ours(row: Mapping[str, object], words: Words, item: Item) -> bool:
    """The words of this refusal and not of the one that made the version: that is a moment, in milliseconds."""
    try:
        at = datetime.strptime(str(row.get("created")), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        return False
    return row.get("content") == words.message and at.timestamp() > item.platform_version / 1000


def _version(refund: Mapping[str, object]) -> int | None:
    told = str(refund.get("refund_version") or "")
    return int(told) if told.isascii() and told.isdecimal() else None


def _changed(refund: Mapping[str, object]) -> Rejected:
    return Rejected("changed", "", f"售后单已经变成 {refund.get('status')}，没有执行")
