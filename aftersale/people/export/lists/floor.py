"""Work between departments, and what the warehouse scanned."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.returns import find
from aftersale.cases.rows import read
from aftersale.core.returns.receipt import CONDITIONS
from aftersale.people import words
from aftersale.people.export.table import Column, Known, Rows, Table, Terms, exported, shop_term
from aftersale.people.returns.day import FOUND, day_of
from aftersale.people.timeline import who
from aftersale.people.work_orders.board import about, titled
from aftersale.people.work_orders.found import sees
from aftersale.pg.sql import queries
from aftersale.rulebooks.workorders.templates import departments, templates

SQL = queries("aftersale.people.export", "export.sql")
DONE_OF = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Step:
    """One department's part of a work order."""

    shop_id: int
    id: int
    template: str
    code: str
    department: str
    state: str
    owner: str | None
    started_at: datetime | None
    due_at: datetime | None
    done_at: datetime | None
    worked_s: int | None
    subject: str
    created_by: str
    created_at: datetime


def _step_columns() -> Sequence[Column]:
    return (
        Column(_("工单号"), "number"),
        Column(_("店铺")),
        Column(_("工单")),
        Column(_("事由")),
        Column(_("步骤")),
        Column(_("部门")),
        Column(_("状态")),
        Column(_("负责人")),
        Column(_("开始时间"), "time"),
        Column(_("期限"), "time"),
        Column(_("完成时间"), "time"),
        Column(_("用时（分钟）"), "number"),
        Column(_("谁开的")),
        Column(_("开单时间"), "time"),
    )


def _steps(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    """The board that the page shows, else every board of the person: what is open, and done in the last 30 days."""
    shops = _shops(user, "work_order", query)
    boards = sees(list(shops.values()))
    chosen = [query["dept"]] if query.get("dept") in boards else list(boards)
    late, owner = query.get("late") == "1", user.get_username() if query.get("owner") else None
    given = {
        "shop_ids": list(shops),
        "departments": chosen,
        "late": late,
        "owner": owner,
        "since": now - DONE_OF,
        "now": now,
    }
    states = {"waiting": _("未开始"), "open": _("待接手"), "taken": _("处理中"), "done": _("完成")}
    for one in read(Step, SQL["work_orders"], {**given, "rows": most}):
        known = templates().get(one.template)
        step = known.steps.get(one.code) if known else None
        department = departments().get(one.department)
        yield (
            one.id,
            shops[one.shop_id].name,
            titled(known) if known else one.template,
            about(one.template, one.subject),
            titled(step) if step else one.code,
            titled(department) if department else one.department,
            states[one.state],
            one.owner,
            one.started_at,
            one.due_at,
            one.done_at,
            None if one.worked_s is None else one.worked_s // 60,
            who(one.created_by),
            one.created_at,
        )


def _step_terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    if department := departments().get(query.get("dept", "")):
        yield _("部门"), titled(department)
    yield from shop_term(query, shop_names)
    yield _("负责人"), query.get("owner", "")
    if query.get("late") == "1":
        yield "", _("已超时")


def _scan_columns() -> Sequence[Column]:
    return (
        Column(_("时间"), "time"),
        Column(_("店铺")),
        Column(_("运单号")),
        Column(_("认出的方式")),
        Column(_("售后单号")),
        Column(_("商品名称")),
        Column(_("货物情况")),
        Column(_("重量（克）"), "number"),
        Column(_("备注")),
        Column(_("谁扫的")),
        Column(_("撤回时间"), "time"),
    )


def _scans(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    """The day that the page shows, under its filter."""
    return islice(_all_scans(user, query, now), most)


def _all_scans(user: Known, query: QueryDict, now: datetime) -> Rows:
    shops = _shops(user, "return_scan", query)
    day = day_of(query.get("day", ""), now)
    narrow = {"since": day.since, "until": day.until, "found": _one_of(query, "found", FOUND)}
    narrow["condition"] = _one_of(query, "condition", CONDITIONS)
    page = 1
    while rows := find.parcels(list(shops), page=page, rows=find.PAGE_ROWS, **narrow):
        for one in rows:
            cases, conditions = (
                _("、").join(one.case_ids),
                [words.word("inbound_condition", c) for c in one.conditions],
            )
            yield (
                one.at,
                shops[one.shop_id].name,
                one.waybill,
                _how().get(one.found, one.found),
                cases,
                one.titles,
                _("、").join(conditions),
                one.weight_g,
                one.remark,
                one.by_whom,
                one.undone_at,
            )
        page += 1


def _one_of(query: QueryDict, name: str, known: Collection[str]) -> str | None:
    given = query.get(name, "")
    return given if given in known else None


def _how() -> dict[str, str]:
    return {
        "case": _("售后单"),
        "order": _("订单"),
        "linked": _("人工认领"),
        "anonymous": _("匿名件"),
    }


def _scan_terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    yield from shop_term(query, shop_names)
    yield _("日期"), query.get("day", "")
    if found := _one_of(query, "found", FOUND):
        yield _("认出的方式"), _how()[found]
    if condition := _one_of(query, "condition", CONDITIONS):
        yield _("货物情况"), words.word("inbound_condition", condition)


def _shops(user: Known, right: str, query: QueryDict) -> dict[int, Shop]:
    code = query.get("shop", "")
    return {shop.id: shop for shop in exported(user, right) if code in ("", shop.code)}


WORK_ORDERS = Table(lambda: _("工单"), "work_order", _step_columns, _steps, _step_terms)
SCANS = Table(lambda: _("扫描清单"), "return_scan", _scan_columns, _scans, _scan_terms)
