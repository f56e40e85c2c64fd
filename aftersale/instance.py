"""What this installation is: after a restore, a copy or a long silence it asks before it sends (P28, F52, F53).

`instance` in the database remembers a fingerprint of where it lives; a stamp beside the database (AFTERSALE_HOME)
remembers how far it had come. While `reconcile_since` is set, nothing is sent that was not asked about since.
"""

import json
import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg import Connection

from aftersale.cases import actions
from aftersale.pg.home import Home

log = logging.getLogger(__name__)
SILENT_S = 300.0
STAMP = "instance.json"
COPIED = "copied"
BEHIND = "behind"
SILENT = "silent"
BY = "breaker:instance"
WHYS = {
    COPIED: "数据库不是原来那一个（恢复、克隆或迁移而来）：核对之后由人执行 aftersale instance accept 才会再发送",
    BEHIND: "数据库比上次见到的旧（从文件恢复）：先向平台核对，再发送",
    SILENT: "停了很久：先向平台核对，再发送",
}

ACCEPTED = "这个副本已被认可：先向平台核对，再发送"

# The name of a WAL file begins with the timeline; the control file learns of a new one only later.
_LIVES = """
SELECT (SELECT system_identifier FROM pg_control_system()) || ':' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || ':'
  || (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_FAR = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
_FIRST = "INSERT INTO instance (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING"
_KNOWN = """
SELECT fingerprint, greatest((SELECT max(seen_at) FROM worker), changed_at) < clock_timestamp() - make_interval(secs => %s)
FROM instance
"""
_RECONCILE = """
UPDATE instance SET reconcile_since = clock_timestamp(), reconcile_moment = moment(), reconcile_why = %(why)s,
  accepted = accepted AND NOT %(copied)s, changed_at = clock_timestamp()
WHERE reconcile_since IS NULL OR accepted AND %(copied)s OR %(behind)s
"""
# Every platform was asked what changed up to our start, and every piece of money that was under way then was asked about,
# as was money of a case that is older, or that a late message made old again, with news of which we have not fetched.
# What waits for a person's word waits for that news as well: it may have been given, and acted on, after the backup.
_SETTLE = """
WITH door AS (SELECT id FROM shop WHERE platform IN ('taobao', 'tmall')
  AND num_nulls(base_url, app_key, app_secret, session_key) = 0)
UPDATE instance SET reconcile_since = NULL, reconcile_moment = NULL, reconcile_why = NULL, changed_at = clock_timestamp()
WHERE reconcile_since IS NOT NULL AND accepted
  AND NOT EXISTS (SELECT FROM pull_cursor p JOIN door d ON d.id = p.shop_id WHERE (p.since > reconcile_moment) IS NOT TRUE)
  AND NOT EXISTS (SELECT FROM arrival_todo t JOIN arrival a ON a.id = t.arrival_id WHERE a.received_at < reconcile_since)
  AND NOT EXISTS (SELECT FROM intent i JOIN door d ON d.id = i.shop_id
    WHERE i.money AND i.state IN ('approved', 'sending', 'unknown') AND (i.asked_at > reconcile_since) IS NOT TRUE
      AND (i.created_at <= reconcile_moment OR EXISTS (SELECT FROM to_fetch f JOIN cases c USING (shop_id)
        WHERE f.shop_id = i.shop_id AND f.kind = 'application' AND f.external_id = i.case_id AND c.case_id = i.case_id
          AND (c.first_seen_at <= reconcile_moment OR f.version BETWEEN i.platform_version + 1 AND 9223372036854775806))))
  AND NOT EXISTS (SELECT FROM intent i JOIN door d ON d.id = i.shop_id JOIN to_fetch f ON f.shop_id = i.shop_id
      AND f.kind = 'application' AND f.external_id = i.case_id
    WHERE i.money AND i.state IN ('planned', 'with_person') AND i.created_at <= reconcile_moment)
RETURNING true
"""
# What was asked while the other one may still have been sending counts no more.
_ACCEPT = """
UPDATE instance SET fingerprint = %(lives)s, accepted = true, reconcile_since = clock_timestamp(), reconcile_moment = moment(),
  reconcile_why = %(why)s, changed_at = clock_timestamp() WHERE NOT accepted RETURNING true
"""
_STOPPED_BY_US = "SELECT stopped AND by_whom = %s FROM switch WHERE shop_id = 0 AND action = ''"
_STOPPED = "SELECT stopped FROM switch WHERE shop_id = 0 AND action = ''"
_STATE = """
SELECT reconcile_since, reconcile_why, accepted FROM instance
"""


@dataclass(frozen=True, slots=True)
class State:
    """`since`: only asking since then; None: sending as usual. `accepted`: no person's word is waited for."""

    since: datetime | None
    why: str | None
    accepted: bool


def state(conn: Connection[Any]) -> State:
    with conn.transaction():
        row = conn.execute(_STATE).fetchone()
    return State(*row) if row else State(None, None, True)


def is_copy(conn: Connection[Any], home: Path) -> bool:
    """Does it wait for a person's word, or will it as soon as a worker starts?"""
    with conn.transaction():
        row = conn.execute("SELECT fingerprint, accepted FROM instance").fetchone()
    return row is not None and (not row[1] or row[0] != fingerprint(conn, home))


def fingerprint(conn: Connection[Any], home: Path) -> str:
    """Where this database lives: server, its timeline, the database; and for the embedded server its folder.

    The folder's inode tells a copy on another machine, at the same path, from the first one.
    """
    with conn.transaction():
        row = conn.execute(_LIVES).fetchone()
    assert row is not None
    return f"{row[0]}:{home}:{Home(home).data.stat().st_ino}" if _embedded(conn, home) else str(row[0])


def wake(conn: Connection[Any], home: Path, silent_s: float = SILENT_S) -> str | None:
    """Called once when a worker starts: must it ask before it sends, and why (a key of WHYS)?

    A copy (another fingerprint) also stops all sending, until a person accepts it.
    """
    lives = fingerprint(conn, home)
    with conn.transaction():
        conn.execute(_FIRST, (lives,))
        row = conn.execute(_KNOWN, (silent_s,)).fetchone()
        assert row is not None
        known, silent = row
        why = (
            COPIED if known != lives else BEHIND if _behind(conn, home, lives) else SILENT if silent else None
        )
        if why is None:
            return None
        values = {"why": WHYS[why], "copied": why == COPIED, "behind": why == BEHIND}
        conn.execute(_RECONCILE, values)
        if why == COPIED:
            _stop(conn)
    log.warning("asking before sending: %s", why)
    return why


def settle_reconcile(conn: Connection[Any], now: datetime) -> bool:
    """Sends as usual again when all was asked; whether that happened now. `now`: the shops' moment, for the log."""
    with conn.transaction():
        settled = conn.execute(_SETTLE).fetchone() is not None
    if settled:
        log.warning("everything was asked at the platforms by %s: sending again", now.isoformat())
    return settled


def accept(conn: Connection[Any], home: Path, by: str, now: datetime) -> bool:
    """A person says: this copy is the one that works from now on. It still asks before it sends. False: nothing waited."""
    wake(conn, home)
    lives = fingerprint(conn, home)
    with conn.transaction():
        if conn.execute(_ACCEPT, {"lives": lives, "why": ACCEPTED}).fetchone() is None:
            return False
        if conn.execute(_STOPPED_BY_US, (BY,)).fetchone() == (True,):
            actions.set_switch(conn, 0, "", False, "这个副本已被认可", by, now)
    stamp(conn, home)
    return True


def stamp(conn: Connection[Any], home: Path) -> None:
    """Note beside the database how far it has come."""
    lives = fingerprint(conn, home)
    text = json.dumps({"fingerprint": lives, "position": _position(conn)})
    home.mkdir(parents=True, exist_ok=True)
    part = home / f"{STAMP}.{os.getpid()}.part"
    part.write_text(text, "utf-8")
    part.replace(home / STAMP)


def _behind(conn: Connection[Any], home: Path, lives: str) -> bool:
    """Has this very database been further once than it is now?"""
    try:
        told = json.loads((home / STAMP).read_text("utf-8"))
        return bool(told["fingerprint"] == lives and told["position"] > _position(conn))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _position(conn: Connection[Any]) -> int:
    with conn.transaction():
        row = conn.execute(_FAR).fetchone()
    assert row is not None
    return int(row[0])


def _stop(conn: Connection[Any]) -> None:
    row = conn.execute(_STOPPED).fetchone()
    if row != (True,):
        now = conn.execute("SELECT moment()").fetchone()
        assert now is not None
        actions.set_switch(conn, 0, "", True, WHYS[COPIED], BY, now[0])


def _embedded(conn: Connection[Any], home: Path) -> bool:
    """Is it the server of this home? A process started by `up` has its address from DATABASE_URL."""
    known = Home(home).load()
    return known is not None and conn.info.host == "127.0.0.1" and conn.info.port == known.port
