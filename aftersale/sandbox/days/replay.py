"""Times and amounts of a real order report; what it does not tell (reason, shipping, buyers) is drawn.

Columns read: 总金额, 收货地址, 订单付款时间, 退款金额 (买家实际支付金额 is net of the refund and not used).
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from aftersale.core.money import fen_from_yuan
from aftersale.sandbox.days.promotion import expect, plan
from aftersale.sandbox.world.chance import pick, stream
from aftersale.sandbox.world.goods import KINDS
from aftersale.sandbox.world.market import Market, Shop

SHANGHAI = timezone(timedelta(hours=8))
COLUMNS = ("总金额", "收货地址", "订单付款时间", "退款金额")


class BadFile(ValueError):
    """The file is no such report; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One order with money returned."""

    paid_ms: int
    total_fen: int
    refund_fen: int
    region: str


def rows(path: Path) -> list[Row]:
    """The refunded orders of the report, oldest payment first. Raises BadFile."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return sorted(_rows(path.name, csv.DictReader(file)), key=lambda row: row.paid_ms)
    except OSError as error:
        raise BadFile(f"{path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadFile(f"{path.name} is not UTF-8 text") from None


def replay(market: Market, shop: Shop, report: list[Row], start_ms: int) -> int:
    """Put the report's applications on the agenda, its first payment at `start_ms`; how many there are."""
    shift_ms = start_ms - report[0].paid_ms
    for number, row in enumerate(report):
        chance = stream(market.seed, "replay", shop.code, number)
        kinds = KINDS if row.refund_fen == row.total_fen else {"shipped": 4.0, "return": 4.0, "price": 2.0}
        kind = pick(chance, {name: share for name, share in kinds.items() if name != "freight"})
        drawn = plan(chance, number, kind, 0)
        late_ms = row.paid_ms + shift_ms - drawn.paid_ms
        shifted = replace(
            drawn,
            apply_ms=drawn.apply_ms + late_ms,
            paid_ms=drawn.paid_ms + late_ms,
            ship_ms=drawn.ship_ms + late_ms,
            total_fen=row.total_fen,
            amount_fen=row.refund_fen,
            region=row.region,
        )
        expect(market, shop, shifted, start_ms)
    return len(report)


def _rows(name: str, table: "csv.DictReader[str]") -> Iterator[Row]:
    missing = [column for column in COLUMNS if column not in (table.fieldnames or ())]
    if missing:
        raise BadFile(f"{name} lacks the columns {'、'.join(missing)}")
    for number, row in enumerate(table, start=2):
        if row["订单付款时间"] and _fen(row, "退款金额", name, number) > 0:
            yield Row(
                _ms(row["订单付款时间"], name, number),
                _fen(row, "总金额", name, number),
                _fen(row, "退款金额", name, number),
                row["收货地址"],
            )


def _fen(row: Mapping[str, str], column: str, name: str, number: int) -> int:
    amount = fen_from_yuan(row[column] or "0")
    if amount is None:
        raise BadFile(f"{name} line {number}: {column} {row[column]!r} is no amount in yuan")
    return amount


def _ms(text: str, name: str, number: int) -> int:
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).timestamp() * 1000)
    except ValueError:
        raise BadFile(f"{name} line {number}: {text!r} is no moment") from None
