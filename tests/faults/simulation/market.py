"""The marketplace of one schedule: the sandbox itself, in this process, with a clock that stands until it is moved.

Its buyers and its platform do not move by themselves: the schedule draws what they do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from aftersale.sandbox.days.promotion import Plan, expect
from aftersale.sandbox.push import Channel
from aftersale.sandbox.run import Sandbox, Settings
from aftersale.sandbox.top.protocol import Gate, Quota
from aftersale.sandbox.world.chance import DAY, HOUR, MINUTE
from aftersale.sandbox.world.market import Market
from aftersale.sandbox.world.model import ENDED, WITHOUT_MONEY, Refund
from tests.faults.judge import Applied, Paid, Theirs

START = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai, an ordinary day
START_MS = int(START.timestamp() * 1000)
AMOUNTS = (1, 900, 4_999, 8_000, 15_000, 19_900, 20_001, 45_000)
KINDS = ("unshipped",) * 6 + ("return", "shipped")
DAYS = (1, 2, 5)
SHOPS = ("demo1", "demo2")  # Tmall, Taobao
QUOTA = Quota(1e12)


@dataclass
class World:
    """Two shops and a few orders with an application each, drawn from `chance`."""

    chance: Random
    count: int
    kinds: tuple[str, ...] = KINDS
    amounts: tuple[int, ...] = AMOUNTS
    shops: tuple[str, ...] = SHOPS
    sandbox: Sandbox = field(init=False)

    def __post_init__(self) -> None:
        seed = self.chance.randrange(1 << 30)
        self.sandbox = Sandbox(Settings(shops=0, speed=0.0, start=START, push_url="http://push", seed=seed))
        self.market.course[:] = [self._due]
        assert self.sandbox.outbox is not None
        for place, code in enumerate(SHOPS):
            self.market.add_shop(code, tmall=place == 0)
            self.sandbox.outbox.add_shop(code)
        self.sandbox.gate = Gate(self.sandbox.clock, self.market.shops, QUOTA)
        for number in range(self.count):
            self._expect(number)

    @property
    def market(self) -> Market:
        return self.sandbox.market

    def _due(self, one: Refund, at_ms: int) -> None:
        """The platform gives the seller days, and pays by itself when they are over."""
        days = DAYS[one.trade.key % len(DAYS)]
        one.due_ms = at_ms // 1000 * 1000 + days * DAY
        self.market.later(one, one.due_ms, lambda case, now: self.market.complete(case, now, by="platform"))

    def _expect(self, number: int) -> None:
        chance = self.chance
        kind = chance.choice(self.kinds)
        apply_ms = START_MS + chance.choice((0, 0, 0, MINUTE, 30 * MINUTE)) * (number > 0)
        ship_ms = apply_ms + chance.choice((5 * MINUTE, HOUR, 9 * DAY, 9 * DAY, 9 * DAY))
        if kind == "shipped":
            ship_ms = apply_ms - 3 * HOUR
        elif kind == "return":
            ship_ms = apply_ms - 8 * DAY
        total_fen = chance.choice(self.amounts)
        amount_fen = total_fen if chance.random() < 0.7 else max(1, total_fen // 2)
        plan = Plan(
            number,
            kind,
            apply_ms,
            min(apply_ms, ship_ms) - HOUR,
            ship_ms,
            3 * DAY,
            total_fen,
            amount_fen,
            "浙江",
        )
        expect(self.market, self.market.shops[chance.choice(self.shops)], plan, START_MS)

    @property
    def now_ms(self) -> int:
        return self.sandbox.clock.now_ms()

    @property
    def now(self) -> datetime:
        return START + timedelta(milliseconds=self.now_ms - START_MS)

    def wait(self, ms: int) -> None:
        """Time passes, and what was planned happens."""
        self.sandbox.clock.jump(self.now_ms + ms)
        self.sandbox.agenda.run(self.now_ms, 1_000_000)

    def open(self) -> list[Refund]:
        return [one for one in self.market.applications if one.status not in ENDED]

    def channels(self) -> Mapping[tuple[str, str], Channel]:
        """What waits to be pushed, by shop and source."""
        assert self.sandbox.outbox is not None
        return self.sandbox.outbox._channels

    def theirs(self) -> Theirs:
        """The marketplace's word in the end."""
        payments = [Paid(one.refund_id, one.amount_fen) for one in self.sandbox.ledger.entries]
        applications = [
            Applied(str(one.refund_id), one.version, one.status in ENDED, one.due_ms, one.refusals)
            for one in self.market.applications
        ]
        return Theirs(payments, applications)


def withdraw(world: World, one: Refund) -> None:
    world.market.change(one, world.now_ms, "RefundClosed", "CLOSED")


def modify(world: World, one: Refund) -> None:
    """The buyer asks for less."""
    one.modifications += 1
    one.reviewed = False
    one.amount_fen = max(1, one.amount_fen - world.chance.randrange(1, 500))
    world.market.change(one, world.now_ms, "RefundBuyerModifyAgreement", "WAIT_SELLER_AGREE")


def escalate(world: World, one: Refund) -> None:
    """The buyer asks the platform to step in."""
    one.cs_status = 2
    world.market.change(one, world.now_ms, "RefundTaobaoInterApplied")


def platform_pays(world: World, one: Refund) -> None:
    """The time is up, or the platform decides: it pays by itself."""
    world.market.complete(one, world.now_ms, by="platform")


def back_office(world: World, one: Refund) -> None:
    """The seller pays in the platform's own pages (F51)."""
    world.market.complete(one, world.now_ms, by="seller", request_id="back-office")


def closes(world: World, one: Refund) -> None:
    """The platform closes it in the seller's favour."""
    one.cs_status = 9
    world.market.change(one, world.now_ms, "RefundClosed", "CLOSED")


def again(world: World, one: Refund) -> None:
    """The buyer withdraws and applies once more for the same line."""
    withdraw(world, one)
    left_fen = one.line.paid_fen - one.line.refunded_fen
    if one.dispute_type in WITHOUT_MONEY or left_fen <= 0 or len(one.trade.refunds) > 2:
        return
    fresh = Refund(
        refund_id=one.refund_id + len(one.trade.refunds), trade=one.trade, line=one.line, dispute_type=one.dispute_type,
        reason=one.reason, desc="", amount_fen=min(one.amount_fen, left_fen), phase=one.phase, created_ms=world.now_ms,
        modified_ms=world.now_ms - 1, good_status=one.good_status,
    )  # fmt: skip
    world.market.apply(fresh, world.now_ms)


MOVES: Mapping[str, Callable[[World, Refund], None]] = {
    "withdraw": withdraw, "modify": modify, "escalate": escalate, "platform_pays": platform_pays,
    "back_office": back_office, "closes": closes, "again": again,
}  # fmt: skip
