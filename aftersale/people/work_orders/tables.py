"""Parcels on their way back and claims against couriers as tables that can be taken away."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.people import words
from aftersale.people.export.table import Column, Known, Rows, Table, Terms, exported, shop_term
from aftersale.people.rights import shops_with
from aftersale.people.rights.masking import masked_words
from aftersale.people.work_orders import claims, parcels


def _parcel_columns() -> Sequence[Column]:
    return (
        Column(_("运单号")), Column(_("店铺")), Column(_("快递")), Column(_("怎么退回")), Column(_("售后单")),
        Column(_("最近物流")), Column(_("最近物流时间"), "time"), Column(_("下一步")), Column(_("期限"), "time"),
        Column(_("货值"), "fen"), Column(_("可索赔"), "fen"), Column(_("跟进时间"), "time"), Column(_("跟进")),
    )  # fmt: skip


def _parcels(user: Known, query: QueryDict, now: datetime, most: int) -> Rows:
    asked = parcels.asked_of({**query.dict(), "page": "1"}, shops_with(user, "work_order"))
    for row in parcels.rows(exported(user, "work_order"), asked, now, most):
        one = row.parcel
        step = _("向快递索赔") if row.lost else words.word("next_step", row.step)
        told = _("：").join((one.followed_by or "", one.note)) if one.note else None
        yield (
            one.tracking_no, row.shop.name, words.word("courier", one.courier), words.word("way_back", one.way),
            one.case_id, masked_words(one.told), one.last_tracking_at, step, one.due_at, one.item_value_fen, row.claim_fen,
            one.followed_at, told,
        )  # fmt: skip


def _parcel_terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    yield from shop_term(query, shop_names)
    if (way := query.get("way", "")) in parcels.WAYS:
        yield _("怎么退回"), words.word("way_back", way)
    if shown := {"silent": _("物流停滞"), "unfollowed": _("今天还没跟进")}.get(query.get("show", "")):
        yield "", shown


def _claim_columns() -> Sequence[Column]:
    return (
        Column(_("运单号")), Column(_("店铺")), Column(_("快递")), Column(_("丢件还是破损")), Column(_("售后单")),
        Column(_("状态")), Column(_("索赔"), "fen"), Column(_("快递同意"), "fen"), Column(_("到账"), "fen"),
        Column(_("期限"), "time"), Column(_("到账时间"), "time"), Column(_("谁提出的")), Column(_("提出时间"), "time"),
        Column(_("说明")),
    )  # fmt: skip


def _claims(user: Known, query: QueryDict, _now: datetime, most: int) -> Rows:
    shops = {shop.id: shop for shop in exported(user, "work_order")}
    for one in claims.claims_of(list(shops), claims.asked_of(query.dict()), 0, most):
        yield (
            one.tracking_no, shops[one.shop_id].name, words.word("courier", one.courier),
            words.word("lost_or_damaged", one.kind), one.case_id, words.word("claim_state", one.state),
            one.asked_fen, one.accepted_fen, one.paid_fen, one.due_at, one.paid_at, one.filed_by, one.filed_at, one.note,
        )  # fmt: skip


def _claim_terms(query: QueryDict, shop_names: Mapping[str, str]) -> Terms:
    asked = claims.asked_of(query.dict())
    if asked["state"]:
        yield _("状态"), words.word("claim_state", asked["state"])
    if asked["courier"]:
        yield _("快递"), words.word("courier", asked["courier"])
    if asked["month"]:
        yield _("月份"), f"{asked['month']:%Y-%m}"


PARCELS = Table(lambda: _("退回途中的包裹"), "work_order", _parcel_columns, _parcels, _parcel_terms)
CLAIMS = Table(lambda: _("快递索赔"), "work_order", _claim_columns, _claims, _claim_terms)
