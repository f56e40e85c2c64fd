"""The marketplace's record: shops, orders, applications, and the few ways in which they change."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aftersale.sandbox.clock import Agenda
from aftersale.sandbox.ledger import Ledger
from aftersale.sandbox.world.announce import Announcer
from aftersale.sandbox.world.chance import SECOND
from aftersale.sandbox.world.model import ENDED, WITHOUT_MONEY, Parcel, Refund, Trade

Course = Callable[[Refund, int], None]


@dataclass(slots=True)
class Shop:
    """One seller. `changes` is every change of a refund in time order; the newest per refund counts."""

    code: str
    number: int
    tmall: bool
    refunds: dict[int, Refund] = field(default_factory=dict)
    trades: dict[int, Trade] = field(default_factory=dict)
    changes: list[tuple[int, int]] = field(default_factory=list)
    trade_changes: list[tuple[int, int]] = field(default_factory=list)
    parcels: dict[str, tuple[Parcel, Trade]] = field(default_factory=dict)


class Market:
    """All shops. Every change goes through `change` or `change_trade`: versions and pushes never lag."""

    def __init__(self, seed: int, agenda: Agenda, ledger: Ledger, announcer: Announcer) -> None:
        self.seed, self.agenda, self.ledger, self.tell = seed, agenda, ledger, announcer
        self.shops: dict[str, Shop] = {}
        self.applications: list[Refund] = []
        self.awaited = 0  # first applications still to come
        self.course: list[Course] = []  # what buyers and platform do next, asked after every change

    def add_shop(self, code: str, tmall: bool) -> Shop:
        shop = Shop(code, len(self.shops), tmall)
        self.shops[code] = shop
        return shop

    def open_trade(self, trade: Trade, at_ms: int) -> None:
        """An order shows up."""
        self.shops[trade.shop].trades[trade.tid] = trade
        self.change_trade(trade, at_ms, "taobao_trade_TradeBuyerPay")

    def change_trade(self, trade: Trade, at_ms: int, topic: str) -> None:
        """The order changed: `modified` grows by a second at least, as its text has no smaller unit."""
        trade.modified_ms = max(at_ms, trade.modified_ms + SECOND)
        insort(self.shops[trade.shop].trade_changes, (trade.modified_ms, trade.tid))
        self.tell.trade(topic, trade, at_ms)

    def apply(self, refund: Refund, at_ms: int) -> None:
        """A buyer applies."""
        self.shops[refund.trade.shop].refunds[refund.refund_id] = refund
        refund.trade.refunds.append(refund)
        self.applications.append(refund)
        self.change(refund, at_ms, "RefundCreated")

    def change(self, refund: Refund, at_ms: int, topic: str, status: str | None = None) -> None:
        """The application changed: new version, older plans void, buyers and platform think again."""
        if status is not None:
            refund.status = status
            if status in ENDED:
                refund.due_ms = None
        refund.modified_ms = max(at_ms, refund.modified_ms + 1)
        refund.epoch += 1
        insort(self.shops[refund.trade.shop].changes, (refund.modified_ms, refund.refund_id))
        if refund.status not in ENDED:
            refund.due_ms = None
            for course in self.course:
                course(refund, at_ms)
        self.tell.refund(f"taobao_refund_{topic}", refund, at_ms)

    def later(self, refund: Refund, due_ms: int, happen: Callable[[Refund, int], None]) -> None:
        """Let `happen` come at `due_ms`, unless the application changes before."""
        epoch = refund.epoch

        def unless_changed(at_ms: int) -> None:
            if refund.epoch == epoch:
                happen(refund, at_ms)

        self.agenda.add(due_ms, refund.trade.key, unless_changed)

    def complete(self, refund: Refund, at_ms: int, by: str, request_id: str = "") -> None:
        """End an application in the buyer's favour; money goes back unless it is an exchange or repair."""
        if refund.dispute_type not in WITHOUT_MONEY:
            self.ledger.pay(
                refund.trade.shop,
                str(refund.refund_id),
                order_id=str(refund.trade.tid),
                amount_fen=refund.amount_fen,
                at_ms=at_ms,
                by=by,
                request_id=request_id,
            )
            refund.line.refunded_fen += refund.amount_fen
        self.change(refund, at_ms, "RefundSuccess", "SUCCESS")
        self._close_when_all_back(refund.trade, at_ms)

    def _close_when_all_back(self, trade: Trade, at_ms: int) -> None:
        if trade.status != "TRADE_CLOSED" and all(line.refunded_fen >= line.paid_fen for line in trade.lines):
            trade.status = "TRADE_CLOSED"
            self.change_trade(trade, at_ms, "taobao_trade_TradeClose")

    def changed_refunds(self, shop: Shop, since_ms: int, until_ms: int) -> Iterable[Refund]:
        """Applications whose newest change lies in [since, until], oldest change first."""
        for modified_ms, refund_id in _between(shop.changes, since_ms, until_ms):
            refund = shop.refunds[refund_id]
            if refund.modified_ms == modified_ms:
                yield refund

    def changed_trades(self, shop: Shop, since_ms: int, until_ms: int) -> Iterable[Trade]:
        """Orders whose newest change lies in [since, until], oldest change first."""
        for modified_ms, tid in _between(shop.trade_changes, since_ms, until_ms):
            trade = shop.trades[tid]
            if trade.modified_ms == modified_ms:
                yield trade


def _between(changes: list[tuple[int, int]], since_ms: int, until_ms: int) -> list[tuple[int, int]]:
    return changes[bisect_left(changes, (since_ms, 0)) : bisect_right(changes, (until_ms, 1 << 63))]
