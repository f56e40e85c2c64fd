"""The warehouse: holds, prints, packs and ships orders, and stops them when told."""

from aftersale.sandbox.world.chance import HOUR, MINUTE, stream
from aftersale.sandbox.world.courier import follow
from aftersale.sandbox.world.documents import order_told
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import ENDED, Trade

STAGES = (("printed", 5 * HOUR), ("packing", 50 * MINUTE), ("shipped", 0))  # how long before the hand-over
GONE = ("shipped", "shipped_no_number")


def receive_order(market: Market, trade: Trade, at_ms: int) -> None:
    """An order comes in: held or waiting to be printed, and on its way from there."""
    chance = stream(market.seed, "hold", trade.tid)
    trade.warehouse_state = "hold" if chance.random() < 0.12 else "unprinted"
    for state, before_ms in STAGES:
        due_ms = trade.ship_ms - before_ms
        if due_ms <= at_ms and state != "shipped":
            trade.warehouse_state = state
        else:
            market.agenda.add(max(due_ms, at_ms), trade.key, _Stage(market, trade, state))
    order_told(market, trade, at_ms)


class _Stage:
    """One step of an order through the warehouse."""

    __slots__ = ("_market", "_state", "_trade")

    def __init__(self, market: Market, trade: Trade, state: str) -> None:
        self._market, self._trade, self._state = market, trade, state

    def __call__(self, at_ms: int) -> None:
        trade = self._trade
        if trade.cancel_confirmed or trade.intercept_result or trade.warehouse_state in GONE:
            return
        if trade.status == "TRADE_CLOSED" or self._stopped_by_application(at_ms):
            return
        trade.warehouse_state = self._state
        if self._state == "shipped":
            hand_over(self._market, trade, at_ms)
        else:
            order_told(self._market, trade, at_ms)

    def _stopped_by_application(self, at_ms: int) -> bool:
        """At the door most orders with an open application are seen and kept back."""
        trade = self._trade
        if self._state != "shipped" or all(refund.status in ENDED for refund in trade.refunds):
            return False
        if stream(self._market.seed, "door", trade.tid).random() < 0.3:
            return False
        trade.warehouse_state, trade.intercept_result = "hold", True
        order_told(self._market, trade, at_ms)
        return True


def hand_over(market: Market, trade: Trade, at_ms: int) -> None:
    """The parcel leaves, or left before this world began; the courier's trace begins."""
    trade.warehouse_state, trade.status = "shipped", "WAIT_BUYER_CONFIRM_GOODS"
    trade.consigned_ms = min(at_ms, trade.ship_ms)
    market.change_trade(trade, at_ms, "taobao_trade_TradeSellerShip")
    order_told(market, trade, at_ms)
    if trade.parcel:
        market.shops[trade.shop].parcels[trade.parcel.number] = (trade.parcel, trade)
        follow(market, trade, trade.parcel, at_ms)


def cancel(market: Market, trade: Trade, at_ms: int) -> bool:
    """Stop an order that has not left; False when it has."""
    if trade.warehouse_state in GONE:
        return False
    if not trade.cancel_confirmed:
        trade.cancel_confirmed = True
        trade.warehouse_state = "hold"
        order_told(market, trade, at_ms)
    return True
