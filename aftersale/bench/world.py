"""Made-up shops' events in the field's proportions. The same number always makes the same case."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from aftersale.core.records import Application, Arrival, Order, OrderLine, Parcel, Record, TrackingEvent

START = datetime(2026, 11, 11, 2, tzinfo=UTC)
KINDS = ("unshipped_refund_only", "shipped_refund_only", "return_refund", "exchange", "price_diff_refund")
SHARES = (53, 16, 24, 4, 3)
NOT_SHIPPED = ("unshipped_refund_only", "price_diff_refund")
REASONS = {
    "unshipped_refund_only": ("no_longer_want", "wrong_purchase", "missed_seckill", "address_change", "late_ship"),
    "shipped_refund_only": ("no_longer_want", "not_received", "no_tracking", "courier_damage", "missing_item"),
    "return_refund": ("seven_day_no_reason", "dislike", "quality", "defect", "description_mismatch"),
    "exchange": ("wrong_item", "variant_mismatch", "defect"),
    "price_diff_refund": ("price_drop",),
}  # fmt: skip
PRICES_FEN = (1990, 2980, 3990, 4590, 6900, 8900, 9900, 11800, 15900, 19900, 22900, 32900)
TRACES = (
    "快件已由【杭州西湖网点】揽收",
    "快件已到达【杭州转运中心】",
    "快件已到达【武汉转运中心】",
    "派送中，请保持电话畅通",
)
STATES = ("picked_up", "in_transit", "in_transit", "out_for_delivery")
MIX = ("update", "new", "tracking")
MIX_SHARES = (70, 20, 10)


def order(number: int) -> Order:
    """The order of case `number`, with one line."""
    drawn, kind, paid_fen = _drawn(number)
    applied_at = _applied_at(number)
    shipped = kind not in NOT_SHIPPED
    paid_at = applied_at - timedelta(hours=drawn.randrange(2, 30) + 90 * shipped)
    promo = "double11" if drawn.random() < 0.4 else "none"
    shares = (("shop", paid_fen // 9), ("platform", paid_fen // 25)) if drawn.random() < 0.5 else ()
    line = OrderLine(
        f"{number}1", f"60{number % 997:04d}", "女士针织开衫 米色", "KNIT-M", 1, paid_fen, shares
    )
    return Order(
        order_id=order_id(number), version=1, order_state="shipped" if shipped else "paid", order_kind="spot",
        paid_fen=paid_fen, freight_fen=0, ordered_at=paid_at - timedelta(minutes=3), paid_at=paid_at,
        shipped=shipped, shipped_at=paid_at + timedelta(hours=20) if shipped else None, promo=promo,
        promo_ended_at=START + timedelta(hours=14) if promo == "double11" else None, presale_deposit=False,
        item_value_fen=paid_fen, return_freight_fen=1000, perishable=False, return_prohibited=False,
        region="浙江省", tracking_no=tracking_no(number) if shipped else None,
        courier="zhongtong" if shipped else None, buyer_ref=f"AAF{number:024x}", lines=(line,),
    )  # fmt: skip


def application(number: int, version: int = 1) -> Application:
    """Case `number` as first applied for."""
    drawn, kind, paid_fen = _drawn(number)
    applied_at = _applied_at(number)
    partial = kind == "price_diff_refund" or drawn.random() < 0.08
    return Application(
        case_id=case_id(number), order_id=order_id(number), version=version, aftersale_type=kind, state="applied",
        phase="onsale", reason=drawn.choice(REASONS[kind]), reason_text=None,
        amount_fen=paid_fen // 3 if partial else paid_fen, applied_at=applied_at,
        applied_minute=(applied_at.hour * 60 + applied_at.minute + 480) % 1440,
        received=kind in ("return_refund", "exchange"), due_at=applied_at + timedelta(hours=48),
        intervened=drawn.random() < 0.01, zero_second_covered=drawn.random() < 0.1, platform_initiated=False,
        freight_insurance=drawn.random() < 0.55, operation_limit="none", modification_count=0, refusal_count=0,
        line_id=f"{number}1", title="女士针织开衫 米色", buyer_ref=f"AAF{number:024x}",
    )  # fmt: skip


def parcel(number: int, steps: int, at: datetime | None = None) -> Parcel:
    """The first `steps` lines of the trace of case `number`'s parcel; the last one at `at`."""
    shipped_at = _applied_at(number) - timedelta(hours=60)
    times = [shipped_at + timedelta(hours=9 * step) for step in range(steps)]
    times[-1] = at or times[-1]
    events = tuple(TrackingEvent(when, TRACES[step % 4], str(step)) for step, when in enumerate(times))
    return Parcel(
        tracking_no(number), int(times[-1].timestamp()) * 1_000_000, "zhongtong", STATES[(steps - 1) % 4], steps,
        times[-1], events=events,
    )  # fmt: skip


def order_id(number: int) -> str:
    return f"22{number:016d}"


def case_id(number: int) -> str:
    return f"30{number:016d}"


def tracking_no(number: int) -> str:
    return f"7310{number:010d}"


def has_parcel(number: int) -> bool:
    return _drawn(number)[1] not in NOT_SHIPPED


def history(cases: int, waiting: int) -> Iterator[Arrival]:
    """What the record holds at first: `cases` cases with orders and parcels, `waiting` orders without a case."""
    for number in range(cases + waiting):
        records: list[Record] = [order(number)]
        if has_parcel(number):
            records.append(parcel(number, 2))
        if number < cases:
            records.append(application(number))
        for record in records:
            yield Arrival(record, f"history:{type(record).__name__}:{number}", _applied_at(number))


class Stream:
    """Events of one source: new versions of known cases (70 %), new cases (20 %), tracking (10 %).

    Source `no` of `of` speaks only of its own part of the cases and waiting orders, so that versions only grow.
    """

    def __init__(self, cases: int, waiting: int, no: int = 0, of: int = 1) -> None:
        self._drawn = Random(no + 1)
        self._cases, self._no, self._of = cases, no, of
        self._unopened = iter(range(cases + no, cases + waiting, of))
        self._known: dict[int, Application] = {}
        self._told = 0

    def take(self, count: int) -> list[Arrival]:
        """The next `count` events."""
        return [self._next() for _ in range(count)]

    def _next(self) -> Arrival:
        self._told += 1
        at = START + timedelta(milliseconds=self._told)
        what = self._drawn.choices(MIX, MIX_SHARES)[0]
        number = self._drawn.randrange(self._no, self._cases, self._of)
        record: Record
        if what == "new" and (opened := next(self._unopened, None)) is not None:
            record = self._known[opened] = application(opened, self._version())
        elif what == "tracking":
            while not has_parcel(number):
                number = self._drawn.randrange(self._no, self._cases, self._of)
            record = parcel(number, self._drawn.randrange(3, 7), at + timedelta(seconds=self._told))
        else:
            record = self._known[number] = self._changed(self._known.get(number) or application(number))
        return Arrival(record, f"{self._no}:{self._told}", at)

    def _version(self) -> int:
        return 1_000_000 + self._told

    def _changed(self, old: Application) -> Application:
        """What the platform shows next; an ended case changes no more than its version."""
        version = self._version()
        chance = self._drawn.random()
        if old.state in ("refunded", "closed") or chance < 0.25:
            return replace(old, version=version)
        if chance < 0.5:
            less_fen = max(1, (old.amount_fen or 0) * 9 // 10)
            return replace(
                old,
                version=version,
                amount_fen=less_fen,
                modification_count=(old.modification_count or 0) + 1,
            )
        if old.aftersale_type == "return_refund" and old.state == "applied":
            return replace(old, version=version, state="return_agreed")
        if old.aftersale_type == "return_refund" and old.state == "return_agreed":
            waybill = f"88{old.case_id[-12:]}"
            return replace(
                old,
                version=version,
                state="return_shipped",
                return_tracking_no=waybill,
                return_courier="yunda",
            )
        return replace(old, version=version, state="refunded" if chance < 0.8 else "closed")


def _drawn(number: int) -> tuple[Random, str, int]:
    drawn = Random(number)
    return drawn, drawn.choices(KINDS, SHARES)[0], drawn.choice(PRICES_FEN)


def _applied_at(number: int) -> datetime:
    return START - timedelta(seconds=(number * 7919) % 200_000)
