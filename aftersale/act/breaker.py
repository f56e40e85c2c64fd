"""Automatic payment that goes wrong stops itself: the book `breaker` over what was sent lately (P18).

Opening throws the shop's switch `automatic_money`; people may still pay, and only a person closes it. The budget itself
is held by table money_window (migration 0008), whatever happens here.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases import actions
from aftersale.core.look import Hit, decide
from aftersale.core.money import yuan
from aftersale.core.rulebook import resolve_settings
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

_SQL = queries("aftersale.act", "breaker.sql")
SWITCH = "automatic_money"


def check(conn: Connection[Any], now: datetime) -> int:
    """Open what must be open, over all shops whose automatic money moves; how many opened just now. Commits."""
    with conn.transaction():
        shops = [row[0] for row in _read(conn, None) if _hits(row, None, now)]
    return sum(_open(conn, shop_id, None, now) for shop_id in shops)


def over(conn: Connection[Any], shop_id: int, amount_fen: int, now: datetime) -> bool:
    """An automatic refund of this amount did not fit into the shop's budget: did that open the breaker? Commits.

    No, where it stands open already, where room was made or that refund was sent by another meanwhile; nor while some
    that fit are still being sent, which the switch would hold back.
    """
    with conn.transaction():
        asked = {"shop_id": shop_id, "amount_fen": amount_fen, "now": now}
        waits = conn.execute(_SQL["waits"], asked).fetchone() == (True,)
    return waits and _open(conn, shop_id, amount_fen, now)


def _open(conn: Connection[Any], shop_id: int, next_fen: int | None, now: datetime) -> bool:
    with conn.transaction():
        conn.execute(_SQL["lock"], {"shop_id": shop_id})
        hits = [hit for row in _read(conn, shop_id) for hit in _hits(row, next_fen, now)]
        if not hits:
            return False
        by = f"breaker:{hits[0].outcome['reason']}"
        refused = actions.set_switch(conn, shop_id, SWITCH, True, _why(hits), by, now)
        assert refused is None, refused
    return True


def _read(conn: Connection[Any], shop_id: int | None) -> list[tuple[int, str, Mapping[str, Any]]]:
    """Of each shop that is not stopped: id, own settings, facts."""
    cursor = conn.execute(_SQL["facts"], {"shop_id": shop_id})
    names = [column.name for column in cursor.description or ()][2:]
    return [(row[0], row[1], dict(zip(names, row[2:], strict=True))) for row in cursor]


def _hits(row: tuple[int, str, Mapping[str, Any]], next_fen: int | None, now: datetime) -> Sequence[Hit]:
    _, own, facts = row
    book = books.book("breaker")
    mine = {name: value for name, value in json.loads(own).items() if name in book.settings}
    settings = resolve_settings(book, mine, facts["platform"], now)
    return decide(book, {**facts, "next_fen": next_fen}, settings, now).hits


def _why(hits: Sequence[Hit]) -> str:
    """One sentence for people, with each figure and its limit."""
    titles = {rule.name: rule.title for rule in books.book("breaker").rules}
    return "；".join(f"{titles[hit.rule]}：{_figures(hit.outcome)}" for hit in hits) + "。"


def _figures(outcome: Mapping[str, Any]) -> str:
    if "reached_fen" in outcome:
        return f"已到 ¥{yuan(outcome['reached_fen'])}，上限 ¥{yuan(outcome['limit_fen'])}"
    if "of" in outcome:
        return f"{outcome['of']} 笔里有 {outcome['reached']} 笔，上限 {outcome['limit']}%"
    return f"已到 {outcome['reached']}，上限 {outcome['limit']}"
