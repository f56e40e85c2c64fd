"""A text that people of a shop work on, and the second person's yes to it. Any later edit voids that yes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from aftersale.cases import audit
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import Book
from aftersale.pg.sql import queries
from aftersale.publishing.live import live_text, own_values
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.difference import may_move_money
from aftersale.rulebooks.editing.fit import reading

SQL = queries("aftersale.publishing", "publishing.sql")
BOOK = "refund"
TEXT_MAX = 400_000
STALE = Refusal("stale", "别人刚刚改过这份草稿，您的改动没有保存；请对照最新内容再改一次。")


@dataclass(frozen=True, slots=True)
class Edit:
    """`settings`: values of the shop that change with it, as JSON; null: back to the default."""

    id: int
    shop_id: int
    book: str
    text: str
    settings: str
    sha256: str
    revision: int
    authors: list[str]
    changed_by: str
    changed_at: datetime

    @property
    def values(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.settings)
        return found


@dataclass(frozen=True, slots=True)
class Approval:
    """Asked for one text; `voided_at`: the text was changed afterwards."""

    id: int
    sha256: str
    asked_by: str
    asked_at: datetime
    why: str
    approved_by: str | None
    refused_by: str | None
    answered_at: datetime | None
    answer: str
    voided_at: datetime | None

    @property
    def waits(self) -> bool:
        return self.answered_at is None and self.voided_at is None


def digest(book: str, text: str, values: Mapping[str, Any]) -> str:
    """What an approval is bound to."""
    said = json.dumps(values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(f"{book}\n{said}\n{text}".encode()).hexdigest()


def edit_of(conn: Connection[Any], shop_id: int, *, lock: bool = False) -> Edit | None:
    """What is being worked on in this shop."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Edit)) as cursor:
        name = SQL["open_locked"] if lock else SQL["open"]
        return cursor.execute(name, {"shop": shop_id, "book": BOOK}).fetchone()


def begin(conn: Connection[Any], shop_id: int, by: str, now: datetime) -> Edit:
    """The shop's open edit; a new one starts from what decides now. Commits."""
    with conn.transaction():
        text = live_text(conn, shop_id)
        told = {"shop": shop_id, "book": BOOK, "text": text, "settings": "{}", "by": by, "now": now}
        if conn.execute(SQL["begin"], {**told, "sha256": digest(BOOK, text, {})}).fetchone():
            audit.note(conn, by, "rule_edit", BOOK, now, shop_id=shop_id)
        found = edit_of(conn, shop_id)
    assert found is not None
    return found


def save(
    conn: Connection[Any],
    edit: Edit,
    text: str,
    values: Mapping[str, Any],
    by: str,
    now: datetime,
    revision: int,
) -> Refusal | None:
    """Keep text and values, readable or not; what was approved before is void. Commits."""
    if len(text) > TEXT_MAX:
        return Refusal("too_long", "规则书太长，没有保存。")
    clean = text.replace("\r\n", "\n").replace("\x00", "")
    hashed = digest(edit.book, clean, values)
    if hashed == edit.sha256 and revision == edit.revision:
        return None
    with conn.transaction():
        told = {"edit": edit.id, "revision": revision, "text": clean, "sha256": hashed, "by": by, "now": now}
        settings = json.dumps(values, ensure_ascii=False, default=str)
        if conn.execute(SQL["save"], {**told, "settings": settings}).fetchone() is None:
            return STALE
        conn.execute(SQL["void"], {"edit": edit.id, "sha256": hashed, "now": now})
    return None


def drop(conn: Connection[Any], edit: Edit, by: str, now: datetime) -> None:
    """Throw the edit away; its text stays in the record. Commits."""
    with conn.transaction():
        conn.execute(SQL["end"], {"edit": edit.id, "how": "dropped"})
        conn.execute(SQL["void"], {"edit": edit.id, "sha256": "", "now": now})
        audit.note(conn, by, "rule_drop", edit.book, now, shop_id=edit.shop_id)


def ask(conn: Connection[Any], edit: Edit, by: str, why: str, sha256: str, now: datetime) -> Refusal | None:
    """Ask a colleague for a yes to exactly this text. Commits."""
    if not why.strip():
        return Refusal("no_why", "请写明为什么改，复核的同事要看到。")
    if sha256 != edit.sha256:
        return STALE
    if reading(edit.text, known_values(edit)).book is None:
        return Refusal("unreadable", "草稿还有错误，改好后才能请人复核。")
    told = {"edit": edit.id, "sha256": sha256, "by": by, "now": now, "why": why.strip()[:500]}
    with conn.transaction():
        if conn.execute(SQL["ask"], told).fetchone() is None:
            return Refusal("asked", "已经在等同事复核了。")
        audit.note(
            conn, by, "rule_ask", f"{edit.book} {sha256[:12]}", now, shop_id=edit.shop_id, why=why.strip()
        )
    return None


def answer(
    conn: Connection[Any], edit: Edit, by: str, sha256: str, yes: bool, said: str, now: datetime
) -> Refusal | None:
    """A second person's yes or no to the text that they saw. Commits."""
    waiting = next((one for one in approvals(conn, edit) if one.waits), None)
    if waiting is None or sha256 not in (waiting.sha256, edit.sha256) or waiting.sha256 != edit.sha256:
        return Refusal("stale", "这份草稿后来又改过，请看最新的内容再决定。")
    if by in (waiting.asked_by, *edit.authors):
        return Refusal("own", "自己写的规则要由另一位同事复核。")
    if not yes and not said.strip():
        return Refusal("no_why", "退回请写明原因。")
    told = {"approval": waiting.id, "sha256": sha256, "by": by, "yes": yes, "answer": said[:500], "now": now}
    with conn.transaction():
        if conn.execute(SQL["answer"], told).fetchone() is None:
            return Refusal("stale", "这份草稿后来又改过，请看最新的内容再决定。")
        what = "rule_approve" if yes else "rule_refuse"
        audit.note(conn, by, what, f"{edit.book} {sha256[:12]}", now, shop_id=edit.shop_id, why=said.strip())
    return None


def approvals(conn: Connection[Any], edit: Edit) -> list[Approval]:
    """Newest first."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Approval)) as cursor:
        return cursor.execute(SQL["approvals"], {"edit": edit.id}).fetchall()


def approved(conn: Connection[Any], edit: Edit) -> Approval | None:
    """The yes to exactly what the edit says now."""
    said = approvals(conn, edit)
    return next(
        (one for one in said if one.approved_by and one.sha256 == edit.sha256 and not one.voided_at), None
    )


def known_values(edit: Edit) -> dict[str, Any]:
    """Without those that go back to their default."""
    return {name: value for name, value in edit.values.items() if value is not None}


def moves_money(conn: Connection[Any], edit: Edit, book: Book) -> bool:
    """Whether the edit could pay a case otherwise than what decides the shop now."""
    own = own_values(conn, edit.shop_id, book)
    after = {name: value for name, value in {**own, **edit.values}.items() if value is not None}
    return may_move_money(books.parse(live_text(conn, edit.shop_id)), book, (own, after))
