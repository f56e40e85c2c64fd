"""A text becomes the one that decides a shop's cases, or an earlier one does again.

There is no other way to a release: the text is read, its lint is kept, and the tables refuse what did not pass or
moves money with one person's word.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from aftersale.cases import audit
from aftersale.cases.settings import decide_again, set_settings
from aftersale.core.language.saying import Saying, saying, verbatim
from aftersale.core.lint import Code, Finding
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import Book
from aftersale.pg.sql import queries
from aftersale.publishing import trial
from aftersale.publishing.edits import STALE, approved, digest, edit_of, known_values, moves_money
from aftersale.publishing.live import BOOK, live_release, own_values
from aftersale.rulebooks import books
from aftersale.rulebooks.editing.fit import PROVED, reading, suspicions

SQL = queries("aftersale.publishing", "publishing.sql")


@dataclass(frozen=True, slots=True)
class Release:
    """`shipped`: the book that came with the software. `settings`: the shop's own values afterwards, as JSON."""

    id: int
    shop_id: int
    book: str
    version: str
    text: str
    sha256: str
    settings: str
    shipped: bool
    money: bool
    authors: list[str]
    approved_by: str | None
    back_to: int | None
    published_by: str
    published_at: datetime
    why: str

    @property
    def values(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.settings)
        return found

    @property
    def told(self) -> Saying:
        """Why it was published; of what nobody wrote, to be said in any language."""
        if self.back_to is not None:
            return saying("退回到版本 %(id)s", id=self.back_to)
        return saying("随软件安装的规则书") if self.shipped else verbatim(self.why)


def checked(conn: Connection[Any], book: Book, now: datetime) -> tuple[bool, tuple[Finding, ...]]:
    """Whether the version may be published, and what the lint found; looked up when it was checked before. Commits."""
    known = known_check(conn, book)
    if known is None:
        found = suspicions(book)
        passes = not any(one.code in PROVED for one in found)
        told = json.dumps([asdict(one) for one in found], ensure_ascii=False)
        with conn.transaction():
            values = {"version": book.version, "passes": passes, "findings": told, "now": now}
            conn.execute(SQL["check"], values)
        return passes, found
    return not any(one.code in PROVED for one in known), known


def known_check(conn: Connection[Any], book: Book) -> tuple[Finding, ...] | None:
    """What the lint found, None when it was not asked yet."""
    with conn.transaction():
        row = conn.execute(SQL["checked"], {"version": book.version}).fetchone()
    return None if row is None else tuple(_finding(**one) for one in json.loads(row[0]))


def _finding(code: Code, rule: str | None, told: Saying | None = None, text: str = "") -> Finding:
    """`text`: as findings were kept before they could be said in other languages."""
    return Finding(code, rule, told or verbatim(text))


def publish(
    conn: Connection[Any], shop: str, shop_id: int, by: str, why: str, sha256: str, now: datetime
) -> int | Refusal:
    """The shop's open edit decides from the next batch on; the number of its release. Commits."""
    edit = edit_of(conn, shop_id)
    if edit is None:
        return Refusal("no_edit", "没有在改的草稿，没有可以发布的内容。")
    if not why.strip():
        return Refusal("no_why", "请写明为什么改，以后回看版本时要用。")
    book = reading(edit.text, known_values(edit)).book
    if book is None:
        return Refusal("unreadable", "草稿还有错误，改好后才能发布。")
    if not checked(conn, book, now)[0]:
        return Refusal("lint", "完整检查发现了不能发布的问题，改好后才能发布。")
    with conn.transaction():
        locked = edit_of(conn, shop_id, lock=True)
        if locked is None or locked.sha256 != edit.sha256 or sha256 != edit.sha256:
            return STALE
        money = moves_money(conn, locked, book)
        yes = approved(conn, locked)
        if money and yes is None:
            return Refusal("four_eyes", "这次改动会影响自动付款，要由另一位同事先复核这份内容。")
        _first(conn, shop_id, now)
        trial.stop(conn, shop, by, now)
        set_settings(conn, shop, edit.values, by, now)
        told = {
            "text": edit.text, "sha256": edit.sha256, "money": money, "authors": locked.authors, "why": why.strip()[:500],
            "approval": yes.id if yes else None, "approved_by": yes.approved_by if yes else None,
        }  # fmt: skip
        made = _release(conn, shop_id, book, by, now, told)
        conn.execute(SQL["point"], {"shop": shop_id, "book": BOOK, "release": made})
        conn.execute(SQL["end"], {"edit": edit.id, "how": "published"})
        decide_again(conn, shop_id, now)
        more = {"version": book.version, "approved_by": yes.approved_by if yes else None}
        audit.note(
            conn, by, "rule_publish", f"{BOOK} {made}", now, shop_id=shop_id, why=why.strip(), more=more
        )
    return made


def roll_back(
    conn: Connection[Any], shop: str, shop_id: int, release_id: int, by: str, now: datetime
) -> int | Refusal:
    """An earlier release decides again, with the values of settings that it had; what was approved then is so now. Commits."""
    old = release_of(conn, shop_id, release_id)
    if old is None:
        return Refusal("no_release", "没有这个版本。")
    if not old.shipped:
        book = reading(old.text, old.values).book
        if book is None or not checked(conn, book, now)[0]:
            return Refusal("unreadable", "这个版本在升级后已经读不懂了，不能退回到它。")
    else:
        book = books.book(BOOK)
    with conn.transaction():
        if live_release(conn, shop_id) == release_id:
            return Refusal("live", "现在用的就是这个版本。")
        trial.stop(conn, shop, by, now)
        now_own = own_values(conn, shop_id, book)
        set_settings(conn, shop, {**dict.fromkeys(now_own), **old.values}, by, now)
        if old.shipped:
            _ship(conn, book, now)
        told = {
            "text": old.text, "sha256": old.sha256, "money": old.money, "authors": [by], "approval": None,
            "approved_by": None, "back_to": release_id, "shipped": old.shipped, "why": f"退回到版本 {release_id}",
        }  # fmt: skip
        made = _release(conn, shop_id, book, by, now, told)
        where = {"shop": shop_id, "book": BOOK, "release": made}
        conn.execute(SQL["unpoint"] if old.shipped else SQL["point"], where)
        decide_again(conn, shop_id, now)
        audit.note(
            conn, by, "rule_back", f"{BOOK} {made}", now, shop_id=shop_id, more={"back_to": release_id}
        )
    return made


def _first(conn: Connection[Any], shop_id: int, now: datetime) -> None:
    """Before a shop's first release, what it was decided by until then, so that one can go back to it."""
    if releases(conn, shop_id):
        return
    book = books.book(BOOK)
    _ship(conn, book, now)
    text = books.text(f"{BOOK}.yaml")
    told = {
        "text": text, "sha256": digest(BOOK, text, {}), "money": False, "authors": ["aftersale"], "approval": None,
        "approved_by": None, "shipped": True, "why": "随软件安装的规则书",
    }  # fmt: skip
    _release(conn, shop_id, book, "aftersale", now, told)


def _ship(conn: Connection[Any], book: Book, now: datetime) -> None:
    """The book of the software was checked by its own tests."""
    conn.execute(SQL["check"], {"version": book.version, "passes": True, "findings": "[]", "now": now})


def _release(
    conn: Connection[Any], shop_id: int, book: Book, by: str, now: datetime, told: Mapping[str, Any]
) -> int:
    text = told["text"]
    version = {"version": book.version, "book": book.name, "text": text, "reads": list(book.reads)}
    conn.execute(SQL["keep_version"], version)
    own = json.dumps(own_values(conn, shop_id, book), ensure_ascii=False)
    values = {
        "shop": shop_id, "book": BOOK, "version": book.version, "settings": own, "by": by, "now": now, "shipped": False,
        "back_to": None, **told,
    }  # fmt: skip
    row = conn.execute(SQL["release"], values).fetchone()
    assert row is not None
    return int(row[0])


def release_of(conn: Connection[Any], shop_id: int, release_id: int) -> Release | None:
    with conn.transaction(), conn.cursor(row_factory=class_row(Release)) as cursor:
        told = {"shop": shop_id, "book": BOOK, "release": release_id}
        return cursor.execute(SQL["one_release"], told).fetchone()


def releases(conn: Connection[Any], shop_id: int) -> list[Release]:
    """Newest first."""
    with conn.transaction(), conn.cursor(row_factory=class_row(Release)) as cursor:
        return cursor.execute(SQL["releases"], {"shop": shop_id, "book": BOOK}).fetchall()
