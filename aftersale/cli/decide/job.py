"""What the shop's rules would say to an upload: `aftersale decide` as a job. Nothing of the record changes."""

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from psycopg import Connection

from aftersale.cli.decide.judging import judge
from aftersale.cli.decide.summary import Summary
from aftersale.cli.decide.verdicts import Options
from aftersale.core.rulebook import resolve_settings
from aftersale.intake.files.trouble import UnknownLayout, UnusableFile
from aftersale.intake.uploads.kept import UNEXPLAINED, kept, moment, opened
from aftersale.jobs.running import Running, Unfit
from aftersale.rulebooks import books

SHOP = "SELECT platform, settings FROM shop WHERE id = %s"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def run(conn: Connection[Any], running: Running) -> None:
    """Job `file_judge`; asked: upload, mapping."""
    row = conn.execute(SHOP, (running.shop_id,)).fetchone()
    assert row is not None
    platform, own = row
    book, now = books.book("refund"), moment(conn)
    values = resolve_settings(book, {name: own[name] for name in book.settings if name in own}, platform, now)

    def show(share: float) -> None:
        running.progress(round(share * 100), 100)

    with kept(conn, running) as path, TemporaryDirectory() as folder:
        out = Path(folder) / "decisions.xlsx"
        try:
            reading, _ = opened(conn, path, now, running, show)
            found = judge(reading, book, values, Options(platform, now, True), Path(folder), out)
        except UnknownLayout as error:
            raise Unfit(UNEXPLAINED) from error
        except UnusableFile as error:
            raise Unfit(str(error), error.told) from error
        if not running.stopped():
            running.attach(f"试算 {path.stem}.xlsx", SHEET, out.read_bytes())
    running.finish(_told(found), "已停止，没有生成文件。")


def _told(found: Summary) -> dict[str, Any]:
    """Counts and money, as the page shows them."""
    return {
        **{name: asdict(getattr(found, name)) for name in ("cases", "auto", "person", "done", "undecided")},
        "by_queue": [asdict(one) for one in found.by_queue],
        "by_rule": [asdict(one) for one in found.by_rule],
        "deadlines": asdict(found.deadlines),
        "lacking": list(found.lacking),
        "rows": found.rows,
        "bad": found.bad,
        "finished": found.finished,
    }
