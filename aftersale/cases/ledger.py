"""The ledger's chain, and what became of comparing it with the platform's refunds (P3, P15; F51)."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries

_SQL = queries("aftersale.cases", "ledger.sql")
START = bytes(32)
"""What the first row of a shop is sealed over."""
RESOLVERS = ("finance", "lead", "owner")
ROWS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Head:
    """The newest seal of a shop. Kept outside the database it proves that nothing before it was cut off or changed."""

    seq: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: `kind` changed, missing, unsealed, gap, link, cut or rewritten."""

    shop_id: int
    seq: int | None
    case_id: str | None
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Window:
    """From `since` (included) until `until`."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Theirs:
    """What the platform says of one application: `amount_fen` paid back, 0 = nothing; last changed `at`."""

    case_id: str
    amount_fen: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One case on which the two do not agree: `kind` only_ours, only_theirs or amount; 0 fen = no refund there."""

    case_id: str
    kind: str
    ours_fen: int
    theirs_fen: int
    new: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of one shop: refunds and fen on both sides, of the same cases; `waiting` were not yet compared."""

    id: int
    shop_id: int
    window: Window
    ours: int
    ours_fen: int
    theirs: int
    theirs_fen: int
    waiting: int
    agreed_again: int
    differences: tuple[Difference, ...]


def head(conn: Connection[Any], shop_id: int) -> Head | None:
    """The newest seal, None while the ledger is empty."""
    row = conn.execute(_SQL["head"], {"shop_id": shop_id}).fetchone()
    return Head(row[0], bytes(row[1])) if row else None


def verify(conn: Connection[Any], shop_id: int, known: Sequence[Head] = (), *, last: int = 0) -> list[Break]:
    """Recompute a shop's chain and hold it against every head that was seen before: `known`, and the reconciliations'.

    `last` > 0 looks at so many newest rows only. Streams; the heads are read first, so rows that come meanwhile do no harm.
    """
    with conn.transaction():
        anchors = conn.execute(_SQL["anchors"], {"shop_id": shop_id}).fetchall()
        newest = head(conn, shop_id)
        after = max(0, newest.seq - last) if newest and last else 0
        chain = _Chain(shop_id, after, _sealed(conn, shop_id, after))
        with conn.cursor("ledger_chain") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for row in cursor.execute(_SQL["chain"], {"shop_id": shop_id, "after": after}):
                chain.take(row)
        seen = [*known, *(Head(seq, bytes(digest)) for seq, digest in anchors)]
        chain.hold(seen, {one.seq: _sealed(conn, shop_id, one.seq) for one in seen})
    return chain.breaks


def _sealed(conn: Connection[Any], shop_id: int, seq: int) -> bytes | None:
    if seq == 0:
        return START
    row = conn.execute(_SQL["sealed_at"], {"shop_id": shop_id, "seq": seq}).fetchone()
    return bytes(row[0]) if row else None


class _Chain:
    """Takes the rows of query `chain` one after the other."""

    def __init__(self, shop_id: int, seq: int, before: bytes | None) -> None:
        self.shop_id, self.seq, self.before = shop_id, seq, before
        self.breaks: list[Break] = []

    def take(self, row: Sequence[Any]) -> None:
        seq, case_id, entry, prev_hash, sealed, order_id, *rest = row
        if seq is None:
            self._break(None, case_id, "unsealed", "这一笔没有封存，是绕过账本写进来的")
            return
        if seq != self.seq + 1:
            self._break(self.seq + 1, None, "gap", f"第 {self.seq + 1} 到 {seq - 1} 号封存不见了")
        elif bytes(prev_hash) != self.before:
            self._break(seq, case_id, "link", "封存和上一笔接不上")
        if order_id is None:
            self._break(seq, case_id, "missing", "封存还在，账上这一笔不见了")
        elif _digest(bytes(prev_hash), [self.shop_id, seq, case_id, entry, order_id, *rest]) != bytes(sealed):
            self._break(seq, case_id, "changed", "这一笔和封存时不一样，被改过")
        self.seq, self.before = seq, bytes(sealed)

    def hold(self, heads: Iterable[Head], sealed: Mapping[int, bytes | None]) -> None:
        """The chain must still contain every head that was seen."""
        for one in dict.fromkeys(heads):
            if one.seq > self.seq:
                self._break(
                    one.seq, None, "cut", f"曾经有 {one.seq} 笔，现在只剩 {self.seq} 笔，尾部被截掉了"
                )
            elif sealed[one.seq] not in (None, one.hash):
                self._break(one.seq, None, "rewritten", "和以前记下的封存不一样，历史被重写过")

    def _break(self, seq: int | None, case_id: str | None, kind: str, why: str) -> None:
        self.breaks.append(Break(self.shop_id, seq, case_id, kind, why))


def _digest(before: bytes, row: Sequence[int | str]) -> bytes:
    """As the function ledger_text writes a row (migration 0009)."""
    return hashlib.sha256(before + json.dumps(row, ensure_ascii=False).encode()).digest()


def compare(
    conn: Connection[Any],
    shop_id: int,
    window: Window,
    theirs: Sequence[Theirs],
    began: datetime,
    by: str,
    now: datetime,
) -> Compared:
    """Compare what the platform said with the ledger and keep the result; `began` (real time): before it was asked.

    Cases whose money is under way, or whose news is, wait. What we do not have as the platform has it is fetched again.
    """
    told = {
        "case_ids": [one.case_id for one in theirs],
        "fens": [one.amount_fen for one in theirs],
        "ats": [one.at for one in theirs],
    }
    where = {"shop_id": shop_id, "now": now}
    with conn.transaction():
        rows = conn.execute(_SQL["compare"], {**where, **told, "began": began}).fetchall()
        met = [row for row in rows if not row[3]]
        sums = {
            "ours": sum(row[1] > 0 for row in met),
            "ours_fen": sum(row[1] for row in met),
            "theirs": sum(row[2] > 0 for row in met),
            "theirs_fen": sum(row[2] for row in met),
            "waiting": len(rows) - len(met),
        }
        differ = [row for row in met if row[1] != row[2]]
        values = {**where, **sums, "since": window.since, "until": window.until, "by": by}
        made = conn.execute(_SQL["reconciled"], {**values, "differences": len(differ)}).fetchone()
        assert made is not None
        settled = {row[0] for row in rows if row[3] or row[1] != row[2]}
        agreed = [one.case_id for one in theirs if one.case_id not in settled]
        again = conn.execute(_SQL["agreed"], {**where, "case_ids": agreed}).rowcount
        found = _keep(conn, where, made[0], differ)
    return Compared(made[0], shop_id, window, **sums, agreed_again=again, differences=found)


def _keep(
    conn: Connection[Any], where: Mapping[str, Any], reconciliation_id: int, differ: Sequence[Sequence[Any]]
) -> tuple[Difference, ...]:
    case_ids, ours, theirs = ([row[n] for row in differ] for n in range(3))
    values = {
        **where, "case_ids": case_ids, "ours_fens": ours, "theirs_fens": theirs, "reconciliation_id": reconciliation_id,
    }  # fmt: skip
    found = tuple(Difference(*row) for row in conn.execute(_SQL["differ"], values).fetchall())
    stale = [one.case_id for one in found if one.kind != "only_ours"]
    conn.execute(_SQL["fetch"], {**where, "case_ids": stale})
    new = [one for one in found if one.new]
    whats = [f"{one.kind} {one.ours_fen} {one.theirs_fen}" for one in new]
    told = {**where, "by": "reconciliation", "case_ids": [one.case_id for one in new], "whats": whats}
    conn.execute(_SQL["tell"], told)
    return found


def resolve(
    conn: Connection[Any], shop_id: int, case_id: str, note: str, by: str, now: datetime
) -> Refusal | None:
    """A person who answers for the money explains a difference; it is not raised again unless amounts change. Commits."""
    said = note.strip()
    if not 0 < len(said) <= 500:
        return Refusal("no_note", "请用 1 到 500 个字写明查到了什么、怎么处理的")
    where = {"shop_id": shop_id, "case_id": case_id, "by": by, "now": now}
    with conn.transaction():
        if not conn.execute(_SQL["may_resolve"], {**where, "roles": list(RESOLVERS)}).rowcount:
            return Refusal("not_permitted", "只有这家店的财务、主管或店主能处理差异")
        if not conn.execute(_SQL["resolve"], {**where, "note": said}).rowcount:
            return Refusal("no_difference", "这张售后单没有待处理的差异，可能别人刚刚处理了")
        conn.execute(_SQL["tell"], {**where, "case_ids": [case_id], "whats": [f"resolved {said}"]})
    return None
