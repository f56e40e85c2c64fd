"""A batch of records on its way into the record: encoded once for COPY into temp tables that empty at commit."""

from collections.abc import Callable, Iterable
from dataclasses import fields
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Any

from psycopg import Connection

from aftersale.core.records import (
    Application,
    Arrival,
    Inbound,
    Interception,
    Message,
    Notice,
    Order,
    Parcel,
    Record,
    WarehouseOrder,
)

NESTED = {"lines", "events"}
# record → stage table, the table whose column types it copies, what its `version` is called there
TABLES: dict[type[Any], tuple[str, str, str]] = {
    Application: ("stage_application", "cases", "application_version"),
    Order: ("stage_order", "orders", "order_version"),
    Parcel: ("stage_parcel", "parcel", "parcel_version"),
    Interception: ("stage_interception", "parcel", "intercept_version"),
    WarehouseOrder: ("stage_warehouse", "orders", "warehouse_version"),
    Inbound: ("stage_inbound", "parcel", "inbound_version"),
}


def columns(record: type[Any]) -> list[str]:
    """Names of the record's flat columns, as the record's table calls them."""
    version = TABLES[record][2]
    return [version if f.name == "version" else f.name for f in fields(record) if f.name not in NESTED]


def _text(value: str) -> str:
    if "\\" in value or "\t" in value or "\n" in value or "\r" in value or "\x00" in value:
        value = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
        return value.replace("\x00", "\ufffd")
    return value


_ENCODE: dict[type[Any], Callable[[Any], str]] = {
    str: _text,
    int: str,
    bool: lambda value: "t" if value else "f",
    type(None): lambda _: "\\N",
    datetime: datetime.isoformat,
}
_READ = {record: attrgetter(*[f.name for f in fields(record) if f.name not in NESTED]) for record in TABLES}
KIND: dict[type[Any], tuple[str, Callable[[Any], str]]] = {
    Application: ("application", lambda r: r.case_id),
    Order: ("order", lambda r: r.order_id),
    Parcel: ("parcel", lambda r: r.tracking_no),
    Interception: ("interception", lambda r: r.tracking_no),
    WarehouseOrder: ("warehouse", lambda r: r.order_id),
    Inbound: ("inbound", lambda r: r.tracking_no or r.case_id or ""),
    Message: ("message", lambda r: r.case_id),
    Notice: ("notice", lambda r: r.external_id),
}


def line(values: Iterable[object]) -> str:
    """One line of COPY text."""
    return "\t".join([_ENCODE[type(v)](v) for v in values]) + "\n"


def inbox_key(arrival: Arrival) -> str:
    """Time-ordered 16 bytes: microseconds of the event, then a hash of its identity (no key is ever reused)."""
    hashed = blake2b(arrival.key.encode(), digest_size=8).hexdigest()
    return f"{max(0, int(arrival.occurred_at.timestamp() * 1e6)):016x}{hashed}"


class Batch:
    """Records of one or several shops, encoded by table as they are added."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}
        self.size = 0

    def add(self, shop_id: int, arrival: Arrival) -> None:
        record = arrival.record
        kind, external_id = KIND[type(record)]
        version = getattr(record, "version", 0)
        self._put("stage_inbox", (shop_id, inbox_key(arrival), kind, external_id(record), version))
        if type(record) in TABLES:
            self._put(TABLES[type(record)][0], (shop_id, *_READ[type(record)](record)))
        self._add_nested(shop_id, record, arrival)
        self.size += 1

    def _add_nested(self, shop_id: int, record: Record, arrival: Arrival) -> None:
        if isinstance(record, Parcel):
            for event in record.events:
                self._put("stage_event", (shop_id, record.tracking_no, event.at, event.text, event.code))
        elif isinstance(record, Order):
            for one in record.lines:
                row = (one.line_id, one.product_id, one.title, one.sku, one.quantity, one.paid_fen)
                self._put("stage_line", (shop_id, record.order_id, *row))
                for funder, amount_fen in one.shares:
                    self._put("stage_share", (shop_id, record.order_id, one.line_id, funder, amount_fen))
        elif isinstance(record, Message):
            self._put(
                "stage_message",
                (shop_id, record.case_id, record.at, record.role, record.text, inbox_key(arrival)),
            )
        elif isinstance(record, Notice):
            self._put("stage_notice", (shop_id, record.kind, record.external_id))

    def _put(self, table: str, values: Iterable[object]) -> None:
        self.lines.setdefault(table, []).append(line(values))

    def copy(self, conn: Connection[Any]) -> frozenset[str]:
        """COPY each filled table into its stage; which tables have rows."""
        with conn.cursor() as cursor:
            for table, lines in self.lines.items():
                with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write("".join(lines))
        return frozenset(self.lines)


def prepare(conn: Connection[Any]) -> None:
    """Create the session's stage tables. Once a connection; typed like the record they go to."""
    for record, (table, target, _) in TABLES.items():
        names = ", ".join(
            ["shop_id", *columns(record)] if "shop_id" not in columns(record) else columns(record)
        )
        source = target if record is not Inbound else "(SELECT p.*, ''::text AS case_id FROM parcel p) p"
        conn.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {table} ON COMMIT DELETE ROWS AS SELECT {names} FROM {source} LIMIT 0"
        )
    conn.execute(_MORE)
    conn.commit()


_MORE = """
CREATE TEMP TABLE IF NOT EXISTS stage_inbox (shop_id int, key uuid, kind text, external_id text, version bigint)
  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_event (shop_id int, tracking_no text, at timestamptz, text text, code text)
  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_line (shop_id int, order_id text, line_id text, product_id text, title text,
  sku text, quantity int, paid_fen bigint) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_share (shop_id int, order_id text, line_id text, funder text, amount_fen bigint)
  ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_message (shop_id int, case_id text, at timestamptz, role text, text text,
  key uuid) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS stage_notice (shop_id int, kind text, external_id text) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS touched (shop_id int, case_id text) ON COMMIT DELETE ROWS;
CREATE TEMP TABLE IF NOT EXISTS verdict (shop_id int, case_id text, order_id text, application_version bigint,
  state text, due_at timestamptz, applied_at timestamptz, rule text, action text, queue text, amount_fen bigint,
  kinds text[], money bool, facts text, look_at timestamptz, target_at timestamptz, prior_decision bigint,
  prior_rule text, prior_version bigint, changed bool, decision_id bigint) ON COMMIT DELETE ROWS;
"""
