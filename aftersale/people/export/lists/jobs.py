"""A person's own jobs."""

from collections.abc import Sequence
from datetime import datetime
from itertools import islice

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.people.export.table import Column, Known, Rows, Table
from aftersale.people.jobs.found import PAGE_ROWS, mine


def _columns() -> Sequence[Column]:
    return (
        Column(_("编号"), "number"),
        Column(_("任务")),
        Column(_("店铺")),
        Column(_("开始时间"), "time"),
        Column(_("状态")),
        Column(_("已完成"), "number"),
        Column(_("总数"), "number"),
        Column(_("结果")),
    )


def _rows(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    return islice(_all(user), most)


def _all(user: Known) -> Rows:
    before: int | None = None
    while page := mine(user.get_username(), before):
        for job in page[:PAGE_ROWS]:
            yield (
                job.id,
                job.title,
                job.shop_name,
                job.created_at,
                job.state_word,
                job.done,
                job.total,
                job.sentence,
            )
        if len(page) <= PAGE_ROWS:
            return
        before = page[PAGE_ROWS - 1].id


TABLE = Table(lambda: _("任务"), "job", _columns, _rows)
