"""Evidence of a case: files by their content, taken off a case but never deleted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases.casework.place import NO_CASE, SQL, Place, forbidden, lock, tell
from aftersale.core.evidence.kit import content_hash
from aftersale.core.refusal import Refusal

PIECES_MAX = 60
USED = Refusal("used", "已经用于举证的凭证不能撤下")
CARRIED = Refusal("carried", "这张图片要随一次还没有结果的拒绝发给买家，现在不能撤下")
NOT_OFF = Refusal("not_off", "这份凭证没有被撤下，或者已经重新传过")


@dataclass(frozen=True, slots=True)
class File:
    """What is stored: made anew by us, so that it is what its type says."""

    mime: str
    content: bytes
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    pages: int | None = None
    taken_at: datetime | None = None


def add_evidence(conn: Connection[Any], place: Place, kind: str, name: str, file: File) -> Refusal | None:
    """Stored once a shop and content, and noted with who and when."""
    with conn.transaction():
        if lock(conn, place) is None:
            return NO_CASE
        if refused := forbidden(conn, place, "upload_evidence"):
            return refused
        count = conn.execute(SQL["evidence_count"], place.values()).fetchone()
        if count is not None and count[0] >= PIECES_MAX:
            return Refusal("too_many", "这张售后单的凭证已经太多，请先撤下不需要的")
        sha256 = store_file(conn, place, file)
        values = place.values(sha256=sha256, evidence_kind=kind, name=name, taken_at=file.taken_at)
        if not conn.execute(SQL["evidence"], values).rowcount:
            return Refusal("already", "这份凭证已经传过了")
        tell(conn, place, "evidence", {"added": kind, "name": name})
    return None


def store_file(conn: Connection[Any], place: Place, file: File) -> str:
    """Its hash; the same content is stored once a shop."""
    sha256 = content_hash(file.content)
    values = place.values(
        sha256=sha256,
        mime=file.mime,
        bytes=len(file.content),
        width=file.width,
        height=file.height,
        duration_ms=file.duration_ms,
        pages=file.pages,
        content=file.content,
    )
    conn.execute(SQL["file"], values)
    return sha256


def remove_evidence(conn: Connection[Any], place: Place, evidence_id: int) -> Refusal | None:
    """Off the case; it can be put back, and what was used, or goes to the buyer with a refusal, stays."""
    with conn.transaction():
        lock(conn, place)
        if conn.execute(SQL["carried"], place.values(id=evidence_id)).rowcount:
            return forbidden(conn, place, "upload_evidence") or CARRIED
        return _changed(conn, place, "remove_evidence", evidence_id, "removed", USED)


def restore_evidence(conn: Connection[Any], place: Place, evidence_id: int) -> Refusal | None:
    return _changed(conn, place, "restore_evidence", evidence_id, "restored", NOT_OFF)


def _changed(
    conn: Connection[Any], place: Place, block: str, evidence_id: int, told: str, fault: Refusal
) -> Refusal | None:
    with conn.transaction():
        if refused := forbidden(conn, place, "upload_evidence"):
            return refused
        row = conn.execute(SQL[block], place.values(id=evidence_id)).fetchone()
        if row is None:
            return fault
        tell(conn, place, "evidence", {told: row[0]})
    return None


def use_evidence(conn: Connection[Any], place: Place, ids: Collection[int]) -> Refusal | None:
    """Handed in: from now on these pieces stay on the case."""
    with conn.transaction():
        if refused := forbidden(conn, place, "upload_evidence"):
            return refused
        used = conn.execute(SQL["use_evidence"], place.values(ids=list(ids))).rowcount
        if used:
            tell(conn, place, "evidence", {"used": used})
    return None
