"""An upload as a file on this worker's disk, read with the mapping that counts for it."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from psycopg import Connection

from aftersale.core.language.saying import saying
from aftersale.intake.files.reading import Reading, read
from aftersale.intake.files.trouble import BadRow, UnknownLayout, WrongMapping
from aftersale.jobs import table
from aftersale.jobs.running import Running, Unfit
from aftersale.pg.sql import queries

SQL = queries("aftersale.intake.uploads", "uploads.sql")
MAPPING_NAME = "各列的对应"
BAD_FILE = "坏行.csv"
UNEXPLAINED = "先核对各列，再导入。"


def moment(conn: Connection[Any]) -> datetime:
    """The shops' time."""
    row = conn.execute(SQL["moment"]).fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


@contextmanager
def kept(conn: Connection[Any], running: Running) -> Iterator[Path]:
    """The upload that the job is about, under its own name, in a folder that is gone afterwards."""
    given = {"id": running.asked["upload"], "shop_id": running.shop_id, "by": running.by}
    row = conn.execute(SQL["file"], given).fetchone()
    if row is None:
        raise Unfit("文件已经过了 7 天的保留期；请重新上传。")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(str(row[1])).name
        path.write_bytes(bytes(row[2]))
        yield path


Show = Callable[[float], None]


def reading_of(
    path: Path, mapping: Mapping[str, Any] | None, now: datetime, show: Show | None = None
) -> Reading:
    """The file being read, as `mapping` explains it (None: by its own header); raises `UnusableFile`."""
    if mapping is None:
        return read(path, now=now, progress=show)
    written = path.with_name(MAPPING_NAME)
    written.write_text(yaml.safe_dump(dict(mapping), allow_unicode=True, sort_keys=False), "utf-8")
    return read(path, now=now, mapping=written, progress=show)


def remembered(conn: Connection[Any], shop_id: int | None, headers: Sequence[str]) -> dict[str, Any] | None:
    """The mapping that a person of this shop gave for exactly these columns."""
    row = conn.execute(SQL["remembered"], {"shop_id": shop_id, "header": header_key(headers)}).fetchone()
    return dict(row[0]) if row else None


def header_key(headers: Sequence[str]) -> str:
    """What a header is remembered by."""
    return hashlib.blake2b("\n".join(headers).encode(), digest_size=16).hexdigest()


def opened(
    conn: Connection[Any], path: Path, now: datetime, running: Running, show: Show | None = None
) -> tuple[Reading, Mapping[str, Any] | None]:
    """The reading by the mapping that was asked for, else by the remembered one where it fits, else by the file's own
    header."""
    asked: Mapping[str, Any] | None = running.asked.get("mapping")
    if asked is not None:
        return reading_of(path, asked, now, show), asked
    try:
        own: Reading | UnknownLayout = reading_of(path, None, now, show)
    except UnknownLayout as unknown:
        own = unknown
    if mapping := remembered(conn, running.shop_id, own.headers):
        with suppress(WrongMapping):
            return reading_of(path, mapping, now, show), mapping
    if isinstance(own, UnknownLayout):
        raise own
    return own, None


def leave_bad_rows(running: Running, bad: Sequence[BadRow]) -> None:
    """Line, column, value and reason of each bad row, as a file of the job."""
    if bad:
        rows = [(row.line, row.column, row.value, saying(row.say, **row.values)) for row in bad]
        running.attach(BAD_FILE, table.MIME, table.packed(("行", "列", "原值", "原因"), rows))
