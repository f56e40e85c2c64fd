"""A long list as a job. Rights and limit are asked anew: they may have changed since it was started."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.http import QueryDict
from django.utils import translation
from psycopg import Connection

from aftersale.cases.rows import moment
from aftersale.jobs.running import Running, Unfit
from aftersale.people.export.lists import TABLES
from aftersale.people.export.table import Value
from aftersale.people.export.taking import file_name, may, noted, rows_max, written
from aftersale.people.export.writing import MIMES


def run(conn: Connection[Any], running: Running) -> None:
    """Job `export`; asked: list, form, query, language."""
    asked = running.asked
    user = get_user_model().objects.filter(username=running.by, is_active=True).first()
    table = TABLES[asked["list"]]
    if user is None or not may(user, table):
        raise Unfit("您已经没有导出这个列表的权限。")
    with translation.override(asked["language"]):
        now, most = moment(), rows_max(user)
        taken = _Counted(running)
        rows = table.rows(user, QueryDict(asked["query"]), now, most + 1)
        body = written(table, asked["form"], taken.through(islice(rows, most)))
        cut = next(rows, None) is not None
        if taken.stopped:
            return running.finish({"rows": 0}, "已停止，没有生成文件。")
        with conn.transaction():
            noted(conn, user, asked["list"], asked["query"], taken.rows, now)
        name = file_name(table, asked["form"], now, most if cut else None)
        running.attach(name, MIMES[asked["form"]], body)
    running.finish({"rows": taken.rows, "cut": cut}, "")


class _Counted:
    """Rows on their way into the file."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.rows, self.stopped = 0, False

    def through(self, rows: Iterator[Sequence[Value]]) -> Iterator[Sequence[Value]]:
        for row in rows:
            self.rows += 1
            if self.rows % 500 == 0:
                self._running.progress(self.rows, None)
                self.stopped = self._running.stopped()
            if self.stopped:
                return
            yield row
