"""What somebody may do up to which amount: the book `permissions`, asked as the database that holds the money has it."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aftersale.cases.rows import read
from aftersale.core.expression import Ref
from aftersale.core.look import Env, evaluate
from aftersale.core.refusal import Refusal
from aftersale.people.rights import RIGHTS
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people.accounts", "rights.sql")
BOOK = "permissions"
ABOVE_ALL_FEN = 10**14
REFUNDS = frozenset({"refund", "batch_refund"})
"""What rights for a while may raise."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a member is in a shop. `account`: which platform account they refund with, None: as the book says."""

    role: str
    refund_right: bool = True
    max_amount_fen: int | None = None
    helper_job: str | None = None
    access_ends_at: datetime | None = None
    account: str | None = None
    department: str | None = None
    skills: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, Any]:
        return {**asdict(self), "skills": list(self.skills)}


@dataclass(frozen=True, slots=True)
class Right:
    """`up_to_fen`: allowed at once; `asked_fen`: with a second person; None: not at all. `why` not, from there on."""

    action: str
    money: bool
    up_to_fen: int | None
    asked_fen: int | None
    why: str | None

    @property
    def no_limit(self) -> bool:
        return self.up_to_fen == ABOVE_ALL_FEN

    @property
    def asks(self) -> bool:
        return self.asked_fen is not None and self.asked_fen > (self.up_to_fen or 0)


@dataclass(frozen=True, slots=True)
class Action:
    action: str


def rights_of(shop_id: int, user_id: int, name: str) -> list[Right]:
    """Of this person now, with what they have for a while."""
    return read(
        Right, SQL["person_rights"], {**_asked(), "shop_id": shop_id, "user_id": user_id, "name": name}
    )


def rights_with(shop_id: int, grant: Grant) -> list[Right]:
    """Of anybody with these rights."""
    return read(Right, SQL["grant_rights"], {**_asked(), **grant.params, "shop_id": shop_id})


def beyond(
    shop_id: int, giver_id: int, giver_role: str, grant: Grant, only: Collection[str] = ()
) -> Refusal | None:
    """Why this person may not give, take or change these rights: they do not have them all themselves.

    `only`: the actions that it is about; empty = all.
    """
    pages = {name for name, roles in RIGHTS.items() if grant.role in roles and giver_role not in roles}
    values = {**_asked(), **grant.params, "shop_id": shop_id, "giver_id": giver_id}
    more = [one for one in read(Action, SQL["beyond"], values) if not only or one.action in only]
    if pages or more:
        return Refusal("beyond", "这些权限超出了您自己的权限，不能由您授予、改动或收回")
    return None


def _asked() -> dict[str, Any]:
    actions = _actions()
    return {
        "actions": list(actions),
        "moves_money": list(actions.values()),
        "thresholds": list(_thresholds()),
        "above_all": ABOVE_ALL_FEN,
    }


@cache
def _actions() -> Mapping[str, bool]:
    """Every action of the book → whether it moves money, in the order of its words."""
    facts = books.catalogue("permission").facts
    known = facts["action"].type.values
    titled = [one for one in books.titles()["action"] if one in known]
    order = [*titled, *sorted(set(known) - set(titled))]
    money = Ref("moves_money")
    at = datetime.fromtimestamp(0, UTC)
    return {one: bool(evaluate(money, Env(facts, {"action": one}, {}, at))) for one in order}


@cache
def _thresholds() -> tuple[str, ...]:
    settings = books.book(BOOK).settings.values()
    return tuple(one.name for one in settings if one.type.kind == "fen")
