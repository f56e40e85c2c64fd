"""Every list that can be taken away, by its name in the address."""

from collections.abc import Mapping

from aftersale.people.export.lists import audit, floor, jobs, money, queue, search
from aftersale.people.export.table import Table
from aftersale.people.work_orders import tables as back

TABLES: Mapping[str, Table] = {
    "queue": queue.TABLE,
    "search": search.TABLE,
    "approvals": money.APPROVALS,
    "ledger": money.LEDGER,
    "differences": money.DIFFERENCES,
    "audit": audit.TABLE,
    "jobs": jobs.TABLE,
    "work_orders": floor.WORK_ORDERS,
    "parcels_back": back.PARCELS,
    "carrier_claims": back.CLAIMS,
    "scans": floor.SCANS,
}
