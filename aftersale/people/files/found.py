"""A person's uploads, and what the jobs about them found."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.types.json import Jsonb

from aftersale.cases.access import Shop
from aftersale.cases.rows import first, read
from aftersale.people.jobs.found import Job, job_for
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.files", "files.sql")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came."""

    id: int
    shop_id: int
    name: str
    bytes: int
    at: datetime


@dataclass(frozen=True, slots=True)
class About:
    """The newest job of a kind about an upload."""

    id: int
    kind: str


def uploads(by: str, shops: Collection[Shop]) -> list[Upload]:
    """The person's last uploads for these shops."""
    return read(Upload, SQL["mine"], {"by": by, "shop_ids": [shop.id for shop in shops], "id": None})


def upload_for(by: str, shop: Shop, upload: int) -> Upload | None:
    """The upload, or None when it does not exist or is another's."""
    return first(Upload, SQL["mine"], {"by": by, "shop_ids": [shop.id], "id": upload})


def jobs_about(by: str, upload: Upload) -> Mapping[str, Job]:
    """Kind → its newest job."""
    found = read(About, SQL["jobs"], {"by": by, "shop_id": upload.shop_id, "upload": str(upload.id)})
    jobs = {one.kind: job_for(by, one.id) for one in found}
    return {kind: job for kind, job in jobs.items() if job is not None}


def looked(by: str, upload: Upload) -> Job | None:
    """The newest reading that went well."""
    about = first(About, SQL["looked"], {"by": by, "shop_id": upload.shop_id, "upload": str(upload.id)})
    return job_for(by, about.id) if about else None


def keep(conn: Connection[Any], shop: Shop, by: str, name: str, body: bytes) -> int:
    """A new upload; its number. Old ones go."""
    conn.execute(SQL["forget"])
    row = conn.execute(SQL["add"], {"shop_id": shop.id, "by": by, "name": name, "body": body}).fetchone()
    assert row is not None
    return int(row[0])


def remember(
    conn: Connection[Any], shop: Shop, by: str, header: str, mapping: Mapping[str, Any], now: datetime
) -> None:
    """The next file with exactly this header is read in the same way."""
    given = {"shop_id": shop.id, "header": header, "mapping": Jsonb(dict(mapping)), "by": by, "now": now}
    conn.execute(SQL["remember"], given)
