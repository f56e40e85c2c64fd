"""The door: a merchant's export → rows understood, rows left out, and what the layout cannot tell."""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path

import msgspec

from aftersale.core.records import Application, Arrival, Order, OrderLine
from aftersale.intake.files.cells import SHANGHAI, Cell, plain
from aftersale.intake.files.delimited import Rows, delimited_rows
from aftersale.intake.files.layouts import SHARE_MIN, Layout, matches, named, normal
from aftersale.intake.files.mapping import load_mapping, propose
from aftersale.intake.files.rows import BadField, RowReader, Told
from aftersale.intake.files.sheets import sheet_rows
from aftersale.intake.files.sniff import sniff
from aftersale.intake.files.trouble import BadRow, UnknownLayout, UnusableFile, shorten

HEADER_ROWS_MAX = 10
HOPELESS_ROWS = 1_000
BAD_ROWS_MAX = 100_000
SUBORDER_ROWS_MAX = 300_000
RAW_CHARS_MAX = 4_000
SHOWN_ROWS = 20
PERSONAL = ("region", "phone")  # columns of which a part is read and nothing kept as it stands

_SHIPPED = ("goods", "shipping_info", "order_state", "tracking_no", "shipped_at")
_TELLS: dict[str, tuple[str, ...]] = {
    "aftersale_type": ("type",),
    "state": ("state", "refunded"),
    "phase": ("phase",),
    "reason": ("reason_text",),
    "amount": ("amount", "refunded"),
    "applied_at": ("applied_at",),
    "applied_minute": ("applied_at",),
    "received": ("goods",),
    "due_at": ("due_at",),
    "intervened": ("intervened",),
    "zero_second_covered": ("zero_second",),
    "return_tracking_no": ("return_tracking_no",),
    "paid": ("paid", "net_paid"),
    "shipped": _SHIPPED,
    "shipped_at": ("shipped_at",),
}
"""Fact → the fields any of which tells it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What `rows` rows of the file tell together: one order, and its applications."""

    rows: int
    line: int
    order: Order
    applications: tuple[Application, ...]
    raw: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class Reading:
    """A file being read. `rows`, `repeated` and `bad` are complete once `entries()` is exhausted.

    rows = rows of all entries + `repeated` (word-for-word repeats of an earlier row) + len(bad).
    """

    path: Path
    layout: Layout
    now: datetime
    facts: frozenset[str]
    rows: int = 0
    repeated: int = 0
    bad: list[BadRow] = field(default_factory=list)
    headers: list[str] = field(default_factory=list, repr=False)  # in normal form
    shown: list[tuple[int, Sequence[Cell]]] = field(
        default_factory=list, repr=False
    )  # the first SHOWN_ROWS as they stand
    _kept: list[tuple[str, int]] = field(default_factory=list, repr=False)
    _table: Rows = field(default_factory=lambda: iter(()), repr=False)

    @property
    def missing_facts(self) -> tuple[str, ...]:
        """Facts of an application or its order that this layout has no column for."""
        names = [f.name.removesuffix("_fen") for record in (Application, Order) for f in fields(record)]
        skip = {"case_id", "order_id", "version", "lines", "phone_tail"}
        return tuple(name for name in dict.fromkeys(names) if name not in self.facts | skip)

    def entries(self) -> Iterator[Entry]:
        """Reads on; raises `UnusableFile` when the file turns out to be hopeless."""
        told = self._told()
        return _gathered(told, self) if self.layout.kind == "suborder" else _single(told)

    def arrivals(self) -> Iterator[Arrival]:
        """All records as they go into the record of cases."""
        for entry in self.entries():
            yield from arrivals_of(entry, self.layout)

    def _told(self) -> Iterator[tuple[int, Told, bytes]]:
        reader = RowReader(self.layout, self.layout.places(self.headers), self.now)
        seen: dict[str, tuple[int, int, int]] = {}
        for line, cells in self._table:
            self.rows += 1
            if self.rows <= SHOWN_ROWS:
                self.shown.append((line, cells))
            try:
                told = reader.read(self._fitted(cells))
                repeated = _seen_before(told, line, seen)
            except BadField as error:
                self._leave_out(line, error, cells)
                continue
            if repeated:
                self.repeated += 1
            else:
                yield line, told, self._raw(cells)

    def _fitted(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        extra = [cell for cell in cells[len(self.headers) :] if plain(cell)]
        if extra or len(cells) < len(self.headers):
            raise BadField(
                "",
                "有 %(cells)s 列，表头有 %(headers)s 列；多半是逗号、引号错位或行被截断",
                cells=len(cells),
                headers=len(self.headers),
            )
        return cells

    def _leave_out(self, line: int, error: BadField, cells: Sequence[Cell]) -> None:
        place = next(iter(self.layout.places(self.headers).get(error.name, ())), None)
        column = self.headers[place] if place is not None else ""
        value = shorten(cells[place]) if place is not None and place < len(cells) else ""
        self.bad.append(BadRow(line, column, value, error.say, error.values, self._raw(cells)))
        if self.rows == len(self.bad) == HOPELESS_ROWS:
            raise UnusableFile(
                self.path.name,
                "前 %(rows)s 行都读不懂，例如%(example)s",
                rows=f"{HOPELESS_ROWS:,}",
                example=self.bad[0].told,
            )
        if len(self.bad) > BAD_ROWS_MAX:
            raise UnusableFile(
                self.path.name,
                "坏行超过 %(rows)s 行，例如%(example)s",
                rows=f"{BAD_ROWS_MAX:,}",
                example=self.bad[0].told,
            )

    def _raw(self, cells: Sequence[Cell]) -> bytes:
        """The understood columns only: names, telephones and addresses are not kept."""
        if not self._kept:
            places = self.layout.places(self.headers)
            self._kept = [
                (self.headers[at], at) for name in places if name not in PERSONAL for at in places[name]
            ]
        shown = {
            name: cells[at] for name, at in self._kept if at < len(cells) and cells[at] not in ("", None)
        }
        return msgspec.json.encode(shown)[:RAW_CHARS_MAX]


def read(
    path: Path,
    *,
    now: datetime,
    mapping: Path | None = None,
    layout: str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Reading:
    """Recognises a .csv, .xlsx or .xls by its content and header; raises `UnusableFile` (one line).

    An unknown layout leaves an editable `FILE.mapping.yaml` behind, to be given back as `mapping`.
    """
    sniffed = sniff(path)
    if sniffed.kind == "sheet":
        table = sheet_rows(path, sniffed.inflated, progress)
    else:
        table = delimited_rows(path, sniffed.encoding, progress)
    first = list(itertools.islice(table, HEADER_ROWS_MAX))
    if not first:
        raise UnusableFile(path.name, "没有一行数据；请重新导出")
    given = load_mapping(mapping) if mapping else named(layout) if layout else None
    chosen, at = _given(path, given, first) if given else _recognised(path, first)
    headers = [normal(plain(cell)) for cell in first[at][1]]
    while headers and not headers[-1]:
        headers.pop()
    facts = _facts(chosen, headers)
    rest = itertools.chain(first[at + 1 :], table)
    return Reading(path, chosen, now.astimezone(SHANGHAI), facts, headers=headers, _table=rest)


def _given(path: Path, layout: Layout, first: Sequence[tuple[int, list[Cell]]]) -> tuple[Layout, int]:
    missing = [layout.missing([normal(plain(cell)) for cell in cells]) for _, cells in first]
    at = min(range(len(first)), key=lambda index: len(missing[index]))
    if missing[at]:
        raise UnusableFile(
            path.name, "不是「%(layout)s」，缺少列 %(columns)s", layout=layout.title, columns=missing[at]
        )
    return layout, at


def _recognised(path: Path, first: Sequence[tuple[int, list[Cell]]]) -> tuple[Layout, int]:
    best = [matches([normal(plain(cell)) for cell in cells])[0] for _, cells in first]
    for at, match in enumerate(best):
        if not match.missing and match.share >= SHARE_MIN:
            return match.layout, at
    at = max(
        range(len(best)),
        key=lambda index: (best[index].share * (len(first[index][1]) > 1), best[index].likeness),
    )
    match = best[at]
    found = [normal(plain(cell)) for cell in first[at][1]]
    rows = first[at + 1 :]
    if match.share >= SHARE_MIN and len(match.missing) < len(match.layout.required):
        raise UnknownLayout(
            path.name,
            "最接近「%(layout)s」，但缺少列 %(columns)s；请重新导出，勾选这些列",
            layout=match.layout.title,
            columns=[*match.missing],
        ).with_table(found, rows, match.layout.name)
    headers = [str(cell) for cell in first[at][1] if plain(cell)]
    written = propose(path, headers)
    if written is None:
        raise UnusableFile(path.name, "不认识的版式，也无法在旁边写映射文件；请换到可写的文件夹再试")
    raise UnknownLayout(
        path.name,
        "不认识的版式；请核对 %(mapping)s 后，加 --mapping %(path)s 再运行",
        mapping=written.name,
        path=str(written),
    ).with_table(found, rows, match.layout.name)


def _facts(layout: Layout, headers: Sequence[str]) -> frozenset[str]:
    have = layout.places(headers).keys()
    told = {fact for fact, names in _TELLS.items() if have & set(names)}
    constant = {"platform"} if layout.platform else set()
    constant |= {"aftersale_type"} if layout.kind == "compensation" else set()
    others = {
        name
        for name in have
        if name in ("order_state", "paid_at", "ordered_at", "region", "title", "refunded")
    }
    others |= {
        name
        for name in have
        if name in ("courier", "tracking_no", "return_courier", "reason_text", "freight")
    }
    return frozenset(told | constant | others)


def _seen_before(told: Told, line: int, seen: dict[str, tuple[int, int, int]]) -> bool:
    """True for a repeat; equal version with other content cannot be put in order: the row is parked."""
    main = told.application if told.line is None and told.application else told.order
    key = told.line.line_id if told.line else getattr(main, "case_id", main.order_id)
    content = hash((told.order, told.application, told.line))
    version, earlier, first_line = seen.setdefault(key, (main.version, content, line))
    if first_line == line:
        return False
    if earlier == content:
        return True
    if version == main.version or told.line:
        raise BadField("", "与第 %(line)s 行编号相同、内容不同，无法判断哪一行更新", line=first_line)
    return False


def _single(told: Iterator[tuple[int, Told, bytes]]) -> Iterator[Entry]:
    for line, row, raw in told:
        yield Entry(1, line, row.order, (row.application,) if row.application else (), raw)


def _gathered(told: Iterator[tuple[int, Told, bytes]], reading: Reading) -> Iterator[Entry]:
    """Sub-order rows → one entry per order with all its lines; paid is the sum of the lines."""
    orders: dict[str, list[tuple[int, Told, bytes]]] = {}
    for row in told:
        orders.setdefault(row[1].order.order_id, []).append(row)
        if reading.rows > SUBORDER_ROWS_MAX:
            raise UnusableFile(
                reading.path.name,
                "子订单超过 %(rows)s 行；请按日期分成几个文件导出",
                rows=f"{SUBORDER_ROWS_MAX:,}",
            )
    for rows in orders.values():
        lines: tuple[OrderLine, ...] = tuple(row.line for _, row, _ in rows if row.line)
        newest = max((row.order for _, row, _ in rows), key=lambda order: order.version)
        cases = tuple(row.application for _, row, _ in rows if row.application)
        order = replace(
            newest,
            paid_fen=sum(line.paid_fen for line in lines),
            refunded_fen=sum(case.amount_fen or 0 for case in cases if case.state == "refunded"),
            lines=lines,
        )
        yield Entry(len(rows), rows[0][0], order, cases, b"[" + b",".join(raw for _, _, raw in rows) + b"]")


def arrivals_of(entry: Entry, layout: Layout) -> list[Arrival]:
    """The record that stands for the entry's rows first, then the others; keys depend on the content only."""
    order = _arrival(entry.order, "order", entry.order.order_id, entry.raw)
    cases = [_arrival(case, "case", case.case_id, entry.raw) for case in entry.applications]
    return [*cases, order] if layout.kind in ("refund", "compensation") else [order, *cases]


def _arrival(record: Order | Application, kind: str, external_id: str, raw: bytes) -> Arrival:
    digest = hashlib.blake2b(msgspec.json.encode(record), digest_size=12).hexdigest()
    at = datetime.fromtimestamp(record.version // 1_000_000, SHANGHAI)
    return Arrival(record, f"file:{kind}:{external_id}:{digest}", at, raw)
