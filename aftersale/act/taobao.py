"""How each kind of intent is done, and asked about, at Taobao and Tmall."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import httpx2

from aftersale.act.question import said, unsaid
from aftersale.act.refuse import Words, became, refuse
from aftersale.act.work_item import Item, Shop
from aftersale.connectors.kuaidi100.intercept import intercept
from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao import refunds
from aftersale.connectors.taobao.client import TopClient
from aftersale.core.money import fen_from_yuan

KINDS = ("agree_refund", "agree_return", "cancel_shipment", "intercept", "message", "refuse")
"""What is sent and asked about here, as far as the colon; a worker leaves other kinds to those that know them."""
OPERATOR = "aftersale"
LEASE_OVER = TryLater(0.0, "lease")
ADDRESS_ID = 1
Parcel = Callable[[Item], tuple[str | None, str | None, str | None]]  # tracking_no, courier, interception
Said = Callable[[Item], str]  # what a person wrote, for a message that is no rule's
Refusing = Callable[[Item], Words | None]


class Taobao:
    """One shop's calls. Every method answers with outcomes, never raises for what the platform says."""

    def __init__(
        self,
        shop: Shop,
        http: httpx2.Client,
        now: Callable[[], datetime],
        texts: Mapping[str, str],
        parcel: Parcel,
        said: Said,
        refusing: Refusing,
    ) -> None:
        self.shop = shop
        self.client = TopClient(
            shop.base_url, shop.app_key, shop.app_secret, shop.session_key, now=now, http=http
        )
        self._http, self._now, self._texts, self._parcel, self._said = http, now, texts, parcel, said
        self._refusing = refusing

    def batches(self, items: Sequence[Item]) -> Iterator[list[Item]]:
        """Refunds in groups that one call may carry; everything else by itself."""
        limit = refunds.AGREE_LIMITS[self.shop.platform]
        group: list[Item] = []
        total_fen = 0
        for item in items:
            if item.kind != "agree_refund":
                yield [item]
                continue
            if group and (
                len(group) >= limit.refunds_max or total_fen + item.amount_fen > limit.amount_fen_max
            ):
                yield group
                group, total_fen = [], 0
            group.append(item)
            total_fen += item.amount_fen
        if group:
            yield group

    def send(self, items: Sequence[Item], ours: Callable[[], bool]) -> dict[str, Answer]:
        """Do one batch; the outcome by case id. Once `ours` says no, others may send it and we must not."""
        if not ours():
            return dict.fromkeys((item.case_id for item in items), LEASE_OVER)
        if items[0].kind == "agree_refund":
            return self._agree(items, ours)
        return {items[0].case_id: self._send_one(items[0], ours)}

    def calls(self, items: Sequence[Item]) -> int:
        """How many calls the batch makes, for the call budget."""
        reviewed = items[0].kind == "agree_refund" and self.shop.platform == "tmall"
        return 1 + (len(items) if reviewed else 1 if items[0].kind == "refuse" else 0)

    def _agree(self, items: Sequence[Item], ours: Callable[[], bool]) -> dict[str, Answer]:
        told = self._review(items, ours) if self.shop.platform == "tmall" else {}
        left = [item for item in items if item.case_id not in told]
        if not ours():
            return told | dict.fromkeys((item.case_id for item in left), LEASE_OVER)
        agreements = [
            refunds.Agreement(
                item.case_id,
                item.amount_fen,
                item.platform_version,
                (item.phase or "") if self.shop.platform == "tmall" else "",
            )
            for item in left
        ]
        return told | (refunds.agree(self.client, agreements) if agreements else {})

    def _review(self, items: Sequence[Item], ours: Callable[[], bool]) -> dict[str, Answer]:
        """Tmall wants a review before the money; a failed review pays nothing, so nothing is unknown."""
        failed: dict[str, Answer] = {}
        for item in items:
            if not ours():
                return dict.fromkeys((one.case_id for one in items), LEASE_OVER) | failed
            answer = refunds.review(
                self.client,
                item.case_id,
                version=item.platform_version,
                phase=item.phase or "aftersale",
                operator=OPERATOR,
                message="自动审核",
            )
            if isinstance(answer, Unknown):
                failed[item.case_id] = TryLater(5.0, answer.why)
            elif not isinstance(answer, Ok):
                failed[item.case_id] = answer
        return failed

    def _send_one(self, item: Item, ours: Callable[[], bool]) -> Answer:
        kind, _, action = item.kind.partition(":")
        match kind:
            case "refuse":
                return refuse(self.client, item, self._refusing(item), ours)
            case "agree_return":
                return refunds.agree_return(
                    self.client,
                    item.case_id,
                    version=item.platform_version,
                    phase=item.phase or "aftersale",
                    address_id=ADDRESS_ID,
                    remark="同意退货",
                )
            case "message":
                return refunds.message(self.client, item.case_id, self._text(item, action), b"")
            case "cancel_shipment":
                return refunds.cancel_shipment(
                    self.client,
                    item.case_id,
                    order_id=item.order_id,
                    line_id=item.line_id or item.order_id,
                    amount_fen=item.amount_fen,
                    at=self._now(),
                )
            case "intercept":
                return self._intercept(item)
        return Rejected("no_way", "", f"{self.shop.platform} 没有接上这个操作：{item.kind}")

    def _text(self, item: Item, action: str) -> str:
        known = {"order_id": item.order_id, "case_id": item.case_id, "title": item.title or ""}
        text = self._said(item) if action.startswith("said_") else self._texts[action].format(**known)
        return text.encode()[: refunds.MESSAGE_BYTES_MAX].decode("utf-8", "ignore")

    def _intercept(self, item: Item) -> Answer:
        tracking_no, courier, interception = self._parcel(item)
        if interception is not None:
            return Ok({"already": interception})
        if tracking_no is None:
            return Rejected("no_parcel", "", "这个订单没有运单号，不能拦截")
        shop = self.shop
        if not (shop.courier_url and shop.courier_key and shop.courier_secret):
            return Rejected("no_courier", "", "这个店铺没有接上快递拦截接口")
        return intercept(
            self._http,
            shop.courier_url,
            shop.courier_key,
            shop.courier_secret,
            courier=courier or "",
            tracking_no=tracking_no,
            case_id=item.case_id,
            now=self._now(),
        )

    def ask(self, item: Item) -> Answer:
        """What became of an intent whose answer was lost: Ok = done, TryLater = not done, Rejected = cannot be done.

        Unknown stays unknown, also when the question was not answered; Rejected(NO_ANSWER) = the platform will not
        say. Nothing is sent here.
        """
        kind, _, action = item.kind.partition(":")
        if kind == "message":
            return self._ask_message(item, action)
        if kind == "intercept":
            return Ok({}) if self._parcel(item)[2] is not None else TryLater(0.0, "not requested yet")
        if kind == "cancel_shipment":
            return TryLater(0.0, "a cancelled shipment may be cancelled again")
        answer = refunds.detail(self.client, item.case_id)
        if not isinstance(answer, Ok):
            return unsaid(answer)
        if kind == "refuse":
            return became(self.client, item, self._refusing(item), answer.body)
        return _judge(kind, item, answer.body)

    def _ask_message(self, item: Item, action: str) -> Answer:
        text = self._text(item, action)
        found = said(self.client, item, lambda row: row.get("content") == text)
        if not isinstance(found, bool):
            return found
        return Ok({}) if found else TryLater(0.0, "not written")


def _judge(kind: str, item: Item, refund: Mapping[str, object]) -> Answer:
    status, version = str(refund.get("status") or ""), str(refund.get("refund_version") or "")
    if not status or not version.isdecimal():
        return Unknown("the answer tells no state or version")
    if kind == "agree_refund" and status == "SUCCESS":
        paid_fen = fen_from_yuan(str(refund.get("refund_fee") or ""))
        if paid_fen == item.amount_fen:
            return Ok(refund)
        return Rejected("changed", "", f"平台退的不是这个数额：{refund.get('refund_fee')} 元")
    if kind == "agree_return" and status in (
        "WAIT_BUYER_RETURN_GOODS",
        "WAIT_SELLER_CONFIRM_GOODS",
        "SUCCESS",
    ):
        return Ok(refund)
    if int(version) != item.platform_version:
        return Rejected("changed", "", f"售后单已经变成 {status}，没有执行")
    return TryLater(0.0, "not done")
