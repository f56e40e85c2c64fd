"""What the platform says when it is asked what became of something."""

from collections.abc import Callable, Mapping
from math import ceil
from typing import NamedTuple

from aftersale.act.work_item import Item
from aftersale.connectors.outcome import Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.client import TopClient

NO_ANSWER = "no_answer"
PAGES_MAX = 5
UNREAD = Rejected(NO_ANSWER, "", "这张售后单的留言没有读全，请到平台上看这一步办成了没有")
Message = Mapping[str, object]


class _Page(NamedTuple):
    """`total`: how many messages there are at least."""

    messages: list[Message]
    total: int


def unsaid(answer: Unknown | TryLater | Rejected) -> Unknown | Rejected:
    """A question that was not answered: Rejected(NO_ANSWER) = the platform will not say, Unknown = perhaps later."""
    match answer:
        case Unknown():
            return answer
        case TryLater(_, code):
            return Unknown(code)
        case Rejected(code, sub_code, message):
            return Rejected(NO_ANSWER, sub_code or code, message)


def said(client: TopClient, item: Item, ours: Callable[[Message], bool]) -> bool | Unknown | Rejected:
    """Is one of the application's messages `ours`? They come oldest first; no is said only when all were read."""
    page = _page(client, item, 1)
    if not isinstance(page, _Page):
        return page
    read, total = len(page.messages), page.total
    last = ceil(total / max(read, 1))
    for number in range(last, max(last - PAGES_MAX, 1), -1):
        if any(map(ours, page.messages)):
            return True
        page = _page(client, item, number)
        if not isinstance(page, _Page):
            return page
        read, total = read + len(page.messages), max(total, page.total)
    return any(map(ours, page.messages)) or (False if read >= total else UNREAD)


def _page(client: TopClient, item: Item, number: int) -> _Page | Unknown | Rejected:
    answer = refunds.messages(client, item.case_id, item.phase or "aftersale", number)
    if not isinstance(answer, Ok):
        return unsaid(answer)
    rows = refunds.rows_of(answer.body, "refund_messages", "refund_message")
    told = str(answer.body.get("total_results"))
    if told.isascii() and told.isdecimal():
        return _Page(list(rows), int(told))
    full = len(rows) == refunds.PAGE_SIZE
    return _Page(list(rows), (number - 1) * refunds.PAGE_SIZE + len(rows) + full)
