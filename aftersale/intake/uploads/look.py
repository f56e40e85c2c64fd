"""What a file is: its layout, which column is which field, the first rows, the bad rows. Changes nothing."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import Connection

from aftersale.intake.files.cells import plain
from aftersale.intake.files.layouts import Layout, named
from aftersale.intake.files.mapping import IGNORE, guess
from aftersale.intake.files.reading import PERSONAL, Reading
from aftersale.intake.files.trouble import UnknownLayout, UnusableFile
from aftersale.intake.uploads.kept import header_key, kept, leave_bad_rows, moment, opened
from aftersale.jobs.running import Running, Unfit

BAD_SHOWN = 50
SHOWN_CHARS_MAX = 40
PLAIN = re.compile(r"-?[¥￥]?\d{1,6}(\.\d{1,2})?|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T][\d:.+]*)?")


def run(conn: Connection[Any], running: Running) -> None:
    """Job `file_look`; asked: upload, mapping (None: find out)."""

    def show(share: float) -> None:
        running.progress(round(share * 100), 100)

    with kept(conn, running) as path:
        try:
            reading, mapping = opened(conn, path, moment(conn), running, show)
            for _ in reading.entries():
                if running.stopped():
                    return running.finish({}, "已停止，没有生成文件。")
        except UnknownLayout as unknown:
            return running.finish(_unknown(unknown), "")
        except UnusableFile as error:
            raise Unfit(str(error), error.told) from error
    leave_bad_rows(running, reading.bad)
    running.finish(_known(reading, mapping), "")


def _known(reading: Reading, mapping: Mapping[str, Any] | None) -> dict[str, Any]:
    layout = reading.layout
    fields = _fields(reading.headers, layout)
    like = str(mapping.get("like") or "") if mapping else layout.name
    return {
        "known": True,
        "layout": layout.title if mapping is None else "",
        "layout_en": layout.title_en if mapping is None else "",
        "mapping": mapping,
        **_mapping(layout.kind, like, layout.platform, reading.headers, fields),
        "shown": [[line, *_cells(reading.headers, fields, cells)] for line, cells in reading.shown],
        "rows": reading.rows,
        "repeated": reading.repeated,
        "bad": len(reading.bad),
        "bad_rows": [
            [row.line, row.column, row.value, row.say, row.values] for row in reading.bad[:BAD_SHOWN]
        ],
        "missing": list(reading.missing_facts),
    }


def _unknown(unknown: UnknownLayout) -> dict[str, Any]:
    nearest = named(unknown.nearest)
    fields = guess([header for header in unknown.headers if header], nearest)
    headers = unknown.headers
    return {
        "known": False,
        **_mapping(nearest.kind, nearest.name, nearest.platform, headers, fields),
        "shown": [[line, *_cells(headers, fields, cells)] for line, cells in unknown.rows],
    }


def _mapping(
    kind: str, like: str, platform: str | None, headers: Sequence[str], fields: Mapping[str, str]
) -> dict[str, Any]:
    columns = [[header, fields.get(header, IGNORE)] for header in headers]
    key = header_key(headers)
    return {"kind": kind, "like": like, "platform": platform, "columns": columns, "header": key}


def _fields(headers: Sequence[str], layout: Layout) -> dict[str, str]:
    """Header → field; of several columns for a field the one that counts first."""
    return {headers[places[0]]: name for name, places in layout.places(headers).items()}


def _cells(headers: Sequence[str], fields: Mapping[str, str], cells: Sequence[object]) -> list[str]:
    """As the preview shows them: what is no field, or where somebody lives, is masked."""
    texts = [plain(cell) for cell in cells[: len(headers)]]  # type: ignore[arg-type]
    shown = [str(text)[:SHOWN_CHARS_MAX] for text in texts]
    return [
        text if fields.get(header, IGNORE) not in (IGNORE, *PERSONAL) else _masked(text)
        for header, text in zip(headers, shown, strict=False)
    ]


def _masked(text: str) -> str:
    """Amounts, counts and dates can be seen: they tell what a column is, and nobody's name or number."""
    if not text or PLAIN.fullmatch(text):
        return text
    return f"{text[0]}{'*' * min(len(text) - 1, 6)}"
