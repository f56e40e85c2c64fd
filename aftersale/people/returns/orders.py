"""Work for others when a piece was missing, wrong or swapped: look at the packing video and the weights."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.returns import find
from aftersale.cases.returns.record import Found
from aftersale.cases.work_orders import orders
from aftersale.cases.work_orders.orders import Change, Wanted
from aftersale.people import words
from aftersale.people.acts import record_connection
from aftersale.people.work_orders.found import calendar
from aftersale.rulebooks.workorders.templates import templates

TEMPLATE = "missing_goods"
ODD = frozenset({"missing_item", "wrong_item", "swapped"})


def look_into(shop: Shop, scan_id: int, waybill: str, units: Sequence[Found], by: str, now: datetime) -> None:
    """One order a parcel for what was not as expected in its cases; the same parcel again opens none."""
    odd = [unit for unit in units if unit.condition in ODD]
    cases = tuple(dict.fromkeys(unit.case_id for unit in odd if unit.case_id))
    if not cases:
        return
    told = "，".join(f"{unit.title} {words.word('inbound_condition', unit.condition)}" for unit in odd)
    subject = _("退货 %(waybill)s：%(goods)s") % {"waybill": waybill, "goods": told}
    wanted = Wanted(
        find.order_key(scan_id),
        templates()[TEMPLATE],
        subject[: orders.SUBJECT_MAX],
        {"goods": told[:500]},
        cases,
        "warehouse",
    )
    orders.open_order(record_connection(), shop.id, wanted, by, now, calendar(shop.id, now))


def drop(shop_id: int, scan_id: int, by: str, now: datetime) -> None:
    """The order of a scan that was taken back, if nobody has ended it."""
    for order in find.work_orders(shop_id, scan_id):
        if order.state == "open":
            change = Change(shop_id, order.id, order.version, by, now, calendar(shop_id, now))
            orders.cancel(record_connection(), change, _("退货扫描已经撤回"))
