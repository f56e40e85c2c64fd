"""What a person or a tool may do (requirements group T): the book `permissions` asked for one act or a batch."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import cast

from aftersale.core.expression import Value
from aftersale.core.look import decide
from aftersale.core.money import Fen
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books

BOOK = "permissions"
_ENDED = ("refunded", "closed", "cancelled", "seller_refused")


@dataclass(frozen=True, slots=True)
class Act:
    """What is asked for; the fields are the facts of facts/permission.yaml, None = unknown, which permits nothing."""

    role: str | None
    action: str | None
    amount: int | None = None
    max_amount: int | None = None
    presale_deposit: bool | None = None
    executor: str | None = None
    account: str | None = None
    reviewed: bool | None = None
    refund_right: bool | None = None
    during_promo: bool | None = None
    helper_job: str | None = None
    access_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """`why`: code of why not; `needs_approval`: one with a higher limit may allow it; `rule`: who said so."""

    allowed: bool
    rule: str | None
    why: str | None = None
    needs_approval: bool = False
    account_required: str | None = None
    password_needed: bool | None = None
    approval_hours: int | None = None


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One refund of a batch; `state` and `valid`: as found when it was looked at again before execution."""

    id: int | str
    amount: Fen | None = None
    reviewed: bool | None = None
    presale_deposit: bool | None = None
    state: str | None = None
    valid: bool = True


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Ids by what happens to them, in the order given; every item is in exactly one list."""

    executed: tuple[int | str, ...]
    held: tuple[int | str, ...]
    to_main_account: tuple[int | str, ...]
    skipped: tuple[int | str, ...]


def may(act: Act, settings: Mapping[str, object], now: datetime) -> Leave:
    """`settings`: the shop's own values of the book. R-340 … R-348."""
    book = books.book(BOOK)
    facts = {one.name: cast("Value | None", getattr(act, one.name)) for one in fields(Act)}
    found = decide(book, facts, resolve_settings(book, settings, at=now), now)
    said = {key: value for key, value in found.outcome.items() if value is not None}
    return Leave(rule=found.rule, **said)  # type: ignore[arg-type]


def plan_batch(*, batch: tuple[BatchItem, ...], sub_limit: Fen, now: datetime) -> BatchPlan:
    """What the batch tool does with each refund: main-account cases are never part of it, what nobody reviewed is
    held, what no longer holds is skipped, a repeated id is done once (R-030, R-043, R-345, R-346)."""
    parts: dict[str, list[int | str]] = {"executed": [], "held": [], "to_main_account": [], "skipped": []}
    seen: set[int | str] = set()
    for item in batch:
        if item.id not in seen:
            parts[_part(item, sub_limit, now)].append(item.id)
        seen.add(item.id)
    return BatchPlan(**{name: tuple(ids) for name, ids in parts.items()})


def _part(item: BatchItem, sub_limit: int, now: datetime) -> str:
    act = Act(
        "owner", "refund", item.amount, presale_deposit=item.presale_deposit, executor="batch_tool",
        reviewed=item.reviewed,
    )  # fmt: skip
    leave = may(act, {"sub_limit": sub_limit}, now)
    if leave.account_required == "main":
        return "to_main_account"
    if not item.valid or item.state in _ENDED:
        return "skipped"
    return "executed" if leave.allowed else "held"
