"""A backtest asked for on a page: the shop's last decisions, or a file of facts, by a draft beside what decides now."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from psycopg import Connection

from aftersale.cli.backtest.trial import Trial, Wish, tried
from aftersale.core.facts import RulebookError
from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import setting_value
from aftersale.jobs.running import Running, Unfit
from aftersale.plan.history import export
from aftersale.plan.source import UnusableData
from aftersale.rulebooks import books

MOVES_MAX, POINTS = 100, 1000


def run(conn: Connection[Any], running: Running) -> None:
    """`asked`: shop, text, against, values, since, or upload and its name; sweep."""
    asked = running.asked
    with TemporaryDirectory() as folder:
        try:
            book = books.parse(str(asked["text"]))
            path, own = _data(conn, running, book, Path(folder))
            told = {
                name: setting_value(book.settings[name].type.kind, value)
                for name, value in dict(asked["values"]).items()
                if name in book.settings
            }
            wish = Wish(book, (), books.parse(str(asked["against"])), asked.get("sweep") or None, told=told)
            found = tried(wish, path, own, lambda share: running.progress(round(share * POINTS), POINTS))
        except RulebookError as error:
            raise Unfit(" ".join(str(error).split()), error.why) from error
        except UnusableData as error:
            raise Unfit(" ".join(str(error).split()), error.told) from error
    if running.stopped():
        return running.finish({}, "回测已停止，没有结果。")
    running.progress(POINTS, POINTS)
    running.finish(_told(found), f"回测了 {found.result.cases:,} 行。")


def _data(conn: Connection[Any], running: Running, book: Any, folder: Path) -> tuple[Path, dict[str, object]]:
    asked = running.asked
    if asked.get("upload"):
        row = conn.execute(
            "SELECT u.body, s.settings FROM upload u JOIN shop s ON s.id = u.shop_id WHERE u.id = %s AND u.shop_id = %s",
            (asked["upload"], running.shop_id),
        ).fetchone()
        if row is None:
            raise Unfit("上传的文件已经不在了，请重新上传。")
        path = folder / f"history{Path(str(asked['name'])).suffix.lower()}"
        path.write_bytes(row[0])
        return path, dict(row[1])
    path = folder / "history.parquet"
    since = datetime.fromisoformat(str(asked["since"]))
    found = export(conn, str(asked["shop"]), book, path, which="last", since=since)
    if isinstance(found, Refusal):
        raise Unfit(found.why, found.told)
    return path, dict(found.settings)


def _told(found: Trial) -> dict[str, Any]:
    """What the page shows, small enough for a row."""
    result: dict[str, Any] = {
        "cases": found.result.cases, "missing": found.missing, "ignored": found.ignored,
        "swept_setting": found.swept_setting, "swept_kind": found.swept_kind,
        "swept": [{**asdict(one), "rules": None} for one in found.swept],
    }  # fmt: skip
    if found.compared is not None:
        told = asdict(found.compared)
        told["moves"] = [one for one in told["moves"] if one["changed"]][:MOVES_MAX]
        result["compared"] = told
    return result
