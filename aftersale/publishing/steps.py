"""From an edit to live cases in steps: it watches, then decides a share within a budget, then is published."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases import audit
from aftersale.cases.settings import decide_again
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import Book
from aftersale.publishing import trial
from aftersale.publishing.edits import BOOK, STALE, Edit, approved, edit_of, known_values, moves_money
from aftersale.publishing.release import checked
from aftersale.rulebooks.editing.fit import reading

BUDGET_FEN_MAX = 100_000_000


def step(
    conn: Connection[Any],
    shop: str,
    shop_id: int,
    share_percent: int,
    budget_fen: int,
    by: str,
    sha256: str,
    now: datetime,
) -> int | Refusal:
    """The open edit watches (share 0) or decides a share of the shop's cases from now on, in place of what was tried
    before; the draft's number. What may pay otherwise needs the second person's yes before it decides. Commits."""
    edit = edit_of(conn, shop_id)
    if edit is None or edit.sha256 != sha256:
        return STALE
    book = reading(edit.text, known_values(edit)).book
    if book is None:
        return Refusal("unreadable", "草稿还有错误，改好后才能试行。")
    if not 0 <= share_percent <= 100:
        return Refusal("share", "试行的比例要在 0 到 100 之间。")
    if share_percent and not 0 < budget_fen <= BUDGET_FEN_MAX:
        return Refusal("budget", "灰度要写明最多自动付多少钱，以元计，大于 0。")
    if not checked(conn, book, now)[0]:
        return Refusal("lint", "完整检查发现了不能发布的问题，改好后才能试行。")
    if share_percent and moves_money(conn, edit, book) and approved(conn, edit) is None:
        return Refusal("four_eyes", "这次改动会影响自动付款，要由另一位同事先复核这份内容。")
    with conn.transaction():
        trial.stop(conn, shop, by, now)
        found = trial.start(
            conn, shop, edit.text, tried_values(edit, book), by, now,
            share_percent=share_percent, budget_fen=budget_fen if share_percent else 0, edit_id=edit.id,
        )  # fmt: skip
        if isinstance(found, int):
            decide_again(conn, shop_id, now)
            more = {"share": share_percent, "budget_fen": budget_fen, "version": book.version}
            audit.note(conn, by, "rule_try", f"{edit.book} {found}", now, shop_id=shop_id, more=more)
    return found


def tried_values(edit: Edit, book: Book) -> dict[str, Any]:
    """A value that goes back to its default is tried as that default."""
    usual = {name: setting.default for name, setting in book.settings.items()}
    return {name: usual.get(name) if value is None else value for name, value in edit.values.items()}


def stop(conn: Connection[Any], shop: str, shop_id: int, by: str, now: datetime) -> bool:
    """Whether a draft was being tried. Commits."""
    with conn.transaction():
        stopped = trial.stop(conn, shop, by, now)
        if stopped:
            decide_again(conn, shop_id, now)
            audit.note(conn, by, "rule_try_stop", BOOK, now, shop_id=shop_id)
    return stopped
