"""Members of a shop: changing their rights, giving more for a while, letting them go. Refusals are values."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from aftersale.cases import audit
from aftersale.cases.access import Shop
from aftersale.cases.leave.back import Back, hand_back
from aftersale.cases.rows import first, read, record_connection
from aftersale.core.refusal import Refusal
from aftersale.people.accounts.rights import REFUNDS, Grant, beyond
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.accounts", "members.sql")
MORE_DAYS_MAX = 31


@dataclass(frozen=True, slots=True)
class Held:
    """A member as their row has it; under lock where something is to change."""

    user_id: int
    name: str
    role: str
    refund_right: bool
    max_amount_fen: int | None
    helper_job: str | None
    access_ends_at: datetime | None
    account: str | None
    department: str | None
    skills: list[str]

    @property
    def grant(self) -> Grant:
        return Grant(
            self.role, self.refund_right, self.max_amount_fen, self.helper_job, self.access_ends_at, self.account,
            self.department, tuple(self.skills),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member(Held):
    """One person of one shop, as pages show them. `more_until`: when rights given for a while end."""

    shop_id: int
    active: bool
    last_login: datetime | None
    second_step: bool
    more_until: datetime | None


@dataclass(frozen=True, slots=True)
class More:
    """Rights for a while."""

    id: int
    max_amount_fen: int | None
    refund_right: bool
    starts_at: datetime
    ends_at: datetime
    why: str
    by_whom: str
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class Number:
    n: int


SELF = Refusal("self", "自己的权限要由别人来改")
NOBODY = Refusal("nobody", "这家店铺没有这个人")
LAST = Refusal("last_owner", "一家店铺至少要有一位能登录的店主：先让别人成为店主")


def members_of(shop_ids: list[int], now: datetime, user_id: int | None = None) -> list[Member]:
    """By shop, the owners first."""
    return read(Member, SQL["members"], {"shop_ids": shop_ids, "user_id": user_id, "now": now})


def more_of(shop_id: int, user_id: int) -> list[More]:
    return read(More, SQL["more"], {"shop_id": shop_id, "user_id": user_id})


def add(shop: Shop, user_id: int, grant: Grant) -> bool:
    """False when the person is a member already; in the caller's transaction, which has asked whether this may be."""
    return bool(_run("add", shop, user_id, grant.params))


def change(shop: Shop, user_id: int, grant: Grant, by: User, now: datetime) -> Refusal | None:
    """Give a member exactly these rights."""
    refused = unfit(grant, now)
    if refused:
        return refused

    def put(held: Held) -> None:
        _run("change", shop, user_id, grant.params)
        told(shop.id, "rights", held.name, by, now, {"before": held.grant.params, "after": grant.params})

    return _with_member(shop, user_id, by, grant, put)


def give_more(
    shop: Shop,
    user_id: int,
    fen: int | None,
    refunds: bool,
    until: datetime,
    why: str,
    by: User,
    now: datetime,
) -> Refusal | None:
    """A higher limit, or the right to refund, until a moment at which it ends by itself."""
    if not now < until <= now + timedelta(days=MORE_DAYS_MAX):
        return Refusal("until", "结束时间要在现在之后、31 天之内")
    if not 0 < len(why.strip()) <= 500:
        return Refusal("no_reason", "请写明原因")
    if (fen is None and not refunds) or (fen is not None and fen <= 0):
        return Refusal("nothing", "请写出临时的上限，或勾选临时退款权")

    def give(held: Held) -> None:
        values = {"max_amount_fen": fen, "refund_right": refunds, "starts_at": now, "ends_at": until}
        _run("give_more", shop, user_id, {**values, "why": why.strip(), "by": by.username, "now": now})
        told(shop.id, "temporary_right", held.name, by, now, values, why.strip())

    held = first(Held, SQL["hold"].replace(" FOR UPDATE OF m", ""), {"shop_id": shop.id, "user_id": user_id})
    if held is None:
        return NOBODY
    own = held.grant
    wanted = replace(
        own,
        refund_right=own.refund_right or refunds,
        max_amount_fen=own.max_amount_fen if fen is None else fen,
    )
    return _with_member(shop, user_id, by, wanted, give, REFUNDS)


def end_more(shop: Shop, user_id: int, number: int, by: User, now: datetime) -> Refusal | None:
    values = {"id": number, "by": by.username, "now": now}

    def end(held: Held) -> None:
        if _run("end_more", shop, user_id, values):
            told(shop.id, "temporary_right", held.name, by, now, {"ended": number})

    return _with_member(shop, user_id, by, None, end)


def leave(shop: Shop, user_id: int, by: User, now: datetime) -> Back | Refusal:
    """The person leaves the shop: what they had to do and had not sent goes back, their sessions end."""
    back = Back(0, 0, 0, 0)

    def go(held: Held) -> None:
        nonlocal back
        _run("remove", shop, user_id, {})
        back = hand_back(record_connection(), shop.id, held.name, held.role, by.username, now)
        told(shop.id, "leave", held.name, by, now, {**asdict(back), "before": held.grant.params})
        if not number_of("others", shop_id=shop.id, user_id=user_id):
            User.objects.filter(pk=user_id).update(is_active=False)
        end_sessions(user_id)

    refused = _with_member(shop, user_id, by, None, go)
    return refused or back


def end_sessions(user_id: int) -> None:
    """Signs a person out everywhere."""
    for session in UserSession.objects.filter(user_id=user_id):
        session.end()


def unfit(grant: Grant, now: datetime) -> Refusal | None:
    """Why these rights make no sense together."""
    helps = grant.role == "helper"
    if helps and (grant.helper_job is None or grant.access_ends_at is None):
        return Refusal("helper", "支援人员要写明支援的工作和结束时间")
    if not helps and grant.helper_job is not None:
        return Refusal("helper", "只有支援人员才写支援的工作")
    if grant.access_ends_at is not None and grant.access_ends_at <= now:
        return Refusal("until", "结束时间要在现在之后")
    if grant.role == "owner" and (grant.access_ends_at is not None or grant.max_amount_fen is not None):
        return Refusal("owner", "店主没有上限，也没有结束时间")
    return None


def told(
    shop_id: int, what: str, target: str, by: User, now: datetime, more: dict[str, Any], why: str = ""
) -> None:
    """A row of the audit log, in the caller's transaction."""
    plain = json.loads(json.dumps(more, default=str, ensure_ascii=False))
    audit.note(record_connection(), by.username, what, target, now, shop_id=shop_id, why=why, more=plain)


def number_of(name: str, **values: object) -> int:
    found = first(Number, SQL[name], values)
    assert found is not None
    return found.n


def _with_member(
    shop: Shop, user_id: int, by: User, wanted: Grant | None, act: Any, only: frozenset[str] = frozenset()
) -> Refusal | None:
    """Runs `act` on the member under lock, where the giver has both what they had and what they get."""
    if user_id == by.pk:
        return SELF
    try:
        with transaction.atomic():
            held = first(Held, SQL["hold"], {"shop_id": shop.id, "user_id": user_id})
            if held is None:
                return NOBODY
            for grant, which in ((held.grant, frozenset[str]()), (wanted, only)):
                refused = beyond(shop.id, by.pk, shop.role, grant, which) if grant else None
                if refused:
                    return refused
            act(held)
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS last_owner IMMEDIATE")
    except IntegrityError as error:
        if "would have no owner" not in str(error):
            raise
        return LAST
    return None


def _run(name: str, shop: Shop, user_id: int, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(SQL[name], {**values, "shop_id": shop.id, "user_id": user_id})
        return int(cursor.rowcount)
