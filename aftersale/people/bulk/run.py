"""The job: each case in a transaction of its own, bound to what the preview showed."""

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from psycopg import Connection

from aftersale.cases import people as record
from aftersale.cases.again import again
from aftersale.cases.approvals import stay
from aftersale.core.money import yuan
from aftersale.core.refusal import Refusal
from aftersale.jobs.running import Running
from aftersale.people.bulk.acts import ROLES, impossible, why, written
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.bulk")
SKIPS = frozenset({"changed", "already", "not_waiting", "no_case", "role"})


@dataclass(frozen=True, slots=True)
class Item:
    """One case as the preview showed it."""

    no: int
    shop_id: int
    case_id: str
    version: int
    person_version: int
    queue: str | None
    owner: str | None
    amount_fen: int


def run(conn: Connection[Any], running: Running) -> None:
    """Does what is still to be done of `asked["bulk"]`; a second run goes on where the first ended."""
    row = conn.execute(SQL["open_bulk"], {"id": running.asked["bulk"], "by": running.by}).fetchone()
    assert row is not None, "a job without its bulk"
    bulk_id, act, value = row
    items = [Item(*found) for found in conn.execute(SQL["pending"], {"id": bulk_id})]
    for at, item in enumerate(items):
        running.progress(at, len(items))
        if running.stopped():
            break
        again(partial(_one, conn, bulk_id, item, act, value, running.by))
    left = {"id": bulk_id, "now": _now(conn)}
    for found in conn.execute(SQL["pending"], {"id": bulk_id}).fetchall():
        conn.execute(
            SQL["settle"], {**left, "no": found[0], "fate": "skipped", "code": "stopped", "said": ""}
        )
    running.progress(len(items), len(items))
    _tell(conn, running, bulk_id)


def _one(conn: Connection[Any], bulk_id: int, item: Item, act: str, value: str, by: str) -> None:
    """The act and its note stand or fall together, so nothing is done twice and nothing is forgotten."""
    now = _now(conn)
    with conn.transaction():
        refused = _changed(conn, item, by) or _act(conn, item, act, value, by, now)
        skips = refused is not None and refused.code in SKIPS | impossible()
        fate = "done" if refused is None else "skipped" if skips else "failed"
        code = written(refused) if refused else ""
        told = {"id": bulk_id, "no": item.no, "fate": fate, "code": code, "now": now}
        conn.execute(SQL["settle"], {**told, "said": refused.who if refused else ""})


def _changed(conn: Connection[Any], item: Item, by: str) -> Refusal | None:
    where = {"shop_id": item.shop_id, "case_id": item.case_id, "by": by}
    stay(conn, where)
    row = conn.execute(SQL["seen_now"], where).fetchone()
    if row == (item.version, item.person_version, item.queue, item.owner):
        may = conn.execute(SQL["may_there"], {**where, "roles": ROLES}).fetchone()
        return None if may == (True,) else Refusal("role", "")
    since = conn.execute("SELECT moment() - interval '1 day'").fetchone()
    last = conn.execute(SQL["last_person"], {**where, "since": since and since[0]}).fetchone()
    return Refusal("changed", "", who=last[0] if last else "")


def _act(conn: Connection[Any], item: Item, act: str, value: str, by: str, now: datetime) -> Refusal | None:
    where = (conn, item.shop_id, item.case_id)
    if act in record.KINDS:
        return record.person_intent(*where, act, item.amount_fen, item.version, by, now, channel="bulk")
    if act == "note":
        return record.note(*where, by, value, now)
    if act == "give":
        return record.assign(*where, value, by, now)
    return record.assign(*where, item.owner, by, now, queue=value)


def _now(conn: Connection[Any]) -> datetime:
    row = conn.execute("SELECT moment()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def _tell(conn: Connection[Any], running: Running, bulk_id: int) -> None:
    rows = conn.execute(SQL["file"], {"id": bulk_id}).fetchall()
    text = io.StringIO()
    sheet = csv.writer(text)
    fates = {"done": "完成", "failed": "失败"}
    sheet.writerow(("序号", "店铺", "售后单", "金额（元）", "结果", "原因", "同事"))
    for no, shop, case_id, amount_fen, _reason, fate, code, said in rows:
        told = why(code) if code else ""
        line = (
            no,
            shop,
            case_id,
            yuan(amount_fen) if amount_fen else "",
            fates.get(fate, "跳过"),
            told,
            said,
        )
        sheet.writerow([_harmless(str(cell)) for cell in line])
    running.attach("bulk.csv", "text/csv; charset=utf-8", text.getvalue().encode("utf-8-sig"))
    counts = {fate: sum(row[5] in kinds for row in rows) for fate, kinds in
              (("done", ("done",)), ("skipped", ("skip", "skipped")), ("failed", ("failed",)))}  # fmt: skip
    running.finish(counts, "")


def _harmless(cell: str) -> str:
    """What a spreadsheet would take for a formula is text."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
