"""Photographs of a parcel, which are evidence of its cases as well."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from aftersale.cases.casework.evidence import File
from aftersale.cases.returns.record import NO_PARCEL, SQL
from aftersale.core.evidence.kit import content_hash
from aftersale.core.refusal import Refusal

PHOTOS_MAX = 12


def add_photo(
    conn: Connection[Any], shop_id: int, scan_id: int, file: File, by: str, now: datetime
) -> Refusal | None:
    """Kept once by its content; the same picture twice is one."""
    place = {"shop_id": shop_id, "id": scan_id, "by": by, "now": now}
    with conn.transaction():
        if conn.execute(SQL["lock_scan"], place).fetchone() is None:
            return NO_PARCEL
        many = conn.execute(SQL["photos"], place).fetchone()
        if many and many[0] >= PHOTOS_MAX:
            return Refusal("too_many", "一个包裹最多 12 张照片。")
        values = {**place, "sha256": content_hash(file.content), "content": file.content}
        values |= {"mime": file.mime, "bytes": len(file.content), "width": file.width, "height": file.height}
        conn.execute(SQL["keep_file"], values)
        conn.execute(SQL["add_photo"], values)
        conn.execute(SQL["as_evidence"], place)
    return None
