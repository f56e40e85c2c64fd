"""A looked-at file into the record. Taken in again it changes nothing, so a job that broke off is simply run again."""

from dataclasses import asdict
from typing import Any

from psycopg import Connection

from aftersale.intake.files.taking import take_in
from aftersale.intake.files.trouble import UnknownLayout, UnusableFile
from aftersale.intake.uploads.kept import UNEXPLAINED, kept, leave_bad_rows, moment, opened
from aftersale.jobs.running import Running, Unfit


def run(conn: Connection[Any], running: Running) -> None:
    """Job `file_import`; asked: upload, mapping, rows (as they were counted by the look)."""
    assert running.shop_id is not None
    total = int(running.asked["rows"])

    def told(rows: int) -> bool:
        running.progress(min(rows, total), total)
        return running.stopped()

    with kept(conn, running) as path:
        try:
            now = moment(conn)
            reading, _ = opened(conn, path, now, running)
            rows = take_in(conn, running.shop_id, reading, now, told)
        except UnknownLayout as error:
            raise Unfit(UNEXPLAINED) from error
        except UnusableFile as error:
            raise Unfit(str(error), error.told) from error
    leave_bad_rows(running, reading.bad)
    running.finish(
        {**asdict(rows), "rows": rows.rows}, "停止前已经导入的行仍然有效；再导入同一个文件会接着做完。"
    )
