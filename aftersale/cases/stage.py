"""A batch of records on its way into the record: encoded once for COPY into temp tables that empty at commit."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from hashlib import blake2b
from operator import attrgetter
from typing import Any, cast

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
    WarehouseOrder,
)
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases", "stage.sql")
NESTED = {"lines", "events"}
# record → stage table, the table whose column types it copies, what its `version` is called there. A stage table's
# column `asked` is the inbox key of a platform's answer, null for what was pushed.
TABLES: dict[type[Any], tuple[str, str, str]] = {
    Application: ("stage_application", "cases", "application_version"),
    Order: ("stage_order", "orders", "order_version"),
    Parcel: ("stage_parcel", "parcel", "parcel_version"),
    Interception: ("stage_interception", "parcel", "intercept_version"),
    WarehouseOrder: ("stage_warehouse", "orders", "warehouse_version"),
    Inbound: ("stage_inbound", "parcel", "inbound_version"),
}

# Of these one version may come with two contents (merge.sql, contradictions).
CONTRADICTABLE = frozenset({Application, Order})


def columns(record: type[Any]) -> list[str]:
    """Names of the record's flat columns, as the record's table calls them."""
    version = TABLES[record][2]
    return [version if f.name == "version" else f.name for f in fields(record) if f.name not in NESTED]


NULL = "\x02"
_ENCODE: dict[type[Any], Callable[[Any], str]] = {
    str: str,
    int: str,
    bool: lambda value: "t" if value else "f",
    datetime: datetime.isoformat,
}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"})
_READ = {record: attrgetter(*[f.name for f in fields(record) if f.name not in NESTED]) for record in TABLES}
UNVERSIONED = {Message, Notice}
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


def line(values: Sequence[object]) -> str:
    """One line of COPY text, with NULL as "\\x02"; hardly any holds what must be escaped, so that is looked for once."""
    texts = [NULL if v is None else v if v.__class__ is str else _ENCODE[v.__class__](v) for v in values]
    text = "\t".join(texts)
    if not _bare(text, len(texts)):
        text = "\t".join([one.translate(_ESCAPES) for one in texts])
    return text + "\n"


def _bare(text: str, columns: int) -> bool:
    """Nothing in the line needs an escape."""
    odd = "\\" in text or "\n" in text or "\r" in text or "\x00" in text or text.count("\t") >= columns
    return not odd


def _writer(record: type[Any]) -> Callable[[int, Any, str | None], str]:
    """shop_id, record, asked → its line, unescaped. Written out field by field, as dataclasses writes __init__: half
    of a worker's own time went into lines that were put together value by value."""
    names = [f.name for f in fields(record) if f.name not in NESTED]
    told = "\\t".join(f"{{NULL if (v := r.{name}) is None else v}}" for name in names)
    source = f"lambda s, r, asked: f'{{s}}\\t{told}\\t{{NULL if asked is None else asked}}'"
    return cast("Callable[[int, Any, str | None], str]", eval(source, {"NULL": NULL}))


_WRITE = {record: (_writer(record), len(columns(record)) + 2) for record in TABLES}


def _told(shop_id: int, record: Any, asked: str | None) -> str:
    """The line of a record that has a stage table."""
    write, width = _WRITE[record.__class__]
    text = write(shop_id, record, asked)
    return text + "\n" if _bare(text, width) else line((shop_id, *_READ[record.__class__](record), asked))


def inbox_key(arrival: Arrival) -> str:
    """Time-ordered 16 bytes: microseconds of the event, then a hash of its identity (no key is ever reused)."""
    hashed = blake2b(arrival.key.encode(), digest_size=8).hexdigest()
    return f"{max(0, int(arrival.occurred_at.timestamp() * 1e6)):016x}{hashed}"


class Batch:
    """Records of one or several shops, encoded by table as they are added.

    `asked`: answers of a platform are among them. `named`: which orders and applications a stage table tells of;
    `repeated`: one of them is told twice in one version.
    """

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = defaultdict(list)
        self.named: dict[str, set[tuple[int, str]]] = defaultdict(set)
        self._versions: dict[str, set[tuple[int, str, int]]] = defaultdict(set)
        self.size = 0
        self.asked = self.repeated = False

    def add(self, shop_id: int, arrival: Arrival) -> None:
        record = arrival.record
        made = record.__class__
        kind, external_id = KIND[made]
        version = 0 if made in UNVERSIONED else record.version  # type: ignore[union-attr]
        key = inbox_key(arrival)
        name = external_id(record)
        text = f"{shop_id}\t{key}\t{kind}\t{name}\t{version}"
        self.lines["stage_inbox"].append(
            text + "\n" if _bare(text, 5) else line((shop_id, key, kind, name, version))
        )
        if made in TABLES:
            asked = key if arrival.asked else None
            self.lines[TABLES[made][0]].append(_told(shop_id, record, asked))
            self.asked |= arrival.asked
            if made in CONTRADICTABLE:
                self._note(TABLES[made][0], (shop_id, name, version))
        if made is not Application:
            for table, values in nested(shop_id, arrival):
                self.lines[table].append(line(values))
        self.size += 1

    def _note(self, table: str, told: tuple[int, str, int]) -> None:
        versions = self._versions[table]
        self.repeated = self.repeated or told in versions
        versions.add(told)
        self.named[table].add(told[:2])

    def copy(self, conn: Connection[Any]) -> frozenset[str]:
        """COPY each filled table into its stage; which tables have rows."""
        with conn.cursor() as cursor:
            for table, lines in self.lines.items():
                with cursor.copy(f"COPY {table} FROM STDIN (NULL E'\\x02')") as copy:
                    copy.write("".join(lines))
        return frozenset(self.lines)


def nested(shop_id: int, arrival: Arrival) -> Iterator[tuple[str, tuple[object, ...]]]:
    """Rows of a record's inner lists, and of records that have no snapshot: (stage table, values)."""
    match arrival.record:
        case Parcel(tracking_no=tracking_no, events=events):
            for event in events:
                yield "stage_event", (shop_id, tracking_no, event.at, event.text, event.code)
        case Order(order_id=order_id, lines=lines):
            for one in lines:
                row = (one.line_id, one.product_id, one.title, one.sku, one.quantity, one.paid_fen)
                yield "stage_line", (shop_id, order_id, *row)
                for funder, amount_fen in one.shares:
                    yield "stage_share", (shop_id, order_id, one.line_id, funder, amount_fen)
        case Message(case_id=case_id, at=at, role=role, text=text):
            yield "stage_message", (shop_id, case_id, at, role, text, inbox_key(arrival))
        case Notice(kind=kind, external_id=external_id):
            yield "stage_notice", (shop_id, kind, external_id)


def prepare(conn: Connection[Any]) -> None:
    """Make a connection ready for batches: its stage tables, typed like the record, and how it plans. Commits."""
    plain = "STORAGE PLAIN" if conn.info.server_version >= 160000 else ""
    for record, (table, target, _) in TABLES.items():
        types = {"case_id": "text", **dict(conn.execute(_SQL["types"], (target,)).fetchall())}
        told = ["shop_id", *(name for name in columns(record) if name != "shop_id")]
        made = ", ".join(f"{name} {types[name]} {plain if types[name] == 'text' else ''}" for name in told)
        conn.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} ({made}, asked uuid) ON COMMIT DELETE ROWS")
    conn.execute(_SQL["tables"].format(plain=plain))
    conn.execute(_SQL["plans"])
    conn.commit()
