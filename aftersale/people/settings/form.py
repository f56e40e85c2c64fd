"""Rights as a form gives them, checked."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import QueryDict

from aftersale.core.money import fen_from_yuan
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.accounts.rights import Grant
from aftersale.rulebooks import books

ROLES = ("owner", "lead", "finance", "agent", "warehouse", "helper")
HELPS = ("reception", "complaints", "refunds")
ACCOUNTS = ("sub", "main")
SHANGHAI = ZoneInfo("Asia/Shanghai")
FEN_MAX = 10**11
BAD_AMOUNT = Refusal("amount", "金额请写成 50 或 50.00，大于零，最多两位小数")
BAD_MOMENT = Refusal("moment", "时间请写成 2026-11-12 08:00")
BAD_CHOICE = Refusal("choice", "请从列出的选项里选")


def choices() -> Mapping[str, Any]:
    """What the form offers, as code → title."""
    tabs = {tab.code: tab.title if words.language() == "zh" else tab.title_en for tab in books.tabs()}
    departments = {code: words.word("department", code) for code in books.titles()["department"]}
    return {"roles": ROLES, "helps": HELPS, "accounts": ACCOUNTS, "departments": departments, "skills": tabs}


def grant_from(form: QueryDict, now: datetime) -> Grant | Refusal:
    """The rights that the form describes."""
    del now
    fen, ends = amount(form.get("max_amount", "")), when(form.get("access_ends_at", ""))
    if isinstance(fen, Refusal):
        return fen
    if isinstance(ends, Refusal):
        return ends
    offered = choices()
    one = {
        name: _chosen(form.get(name, ""), offered[known])
        for name, known in (("helper_job", "helps"), ("account", "accounts"), ("department", "departments"))
    }
    skills = tuple(dict.fromkeys(form.getlist("skills")))
    role = form.get("role", "")
    bad = [value for value in one.values() if isinstance(value, Refusal)]
    if bad or role not in ROLES or not set(skills) <= set(offered["skills"]):
        return BAD_CHOICE
    return Grant(role, form.get("refund_right") == "1", fen, access_ends_at=ends, skills=skills, **one)  # type: ignore[arg-type]


def amount(text: str) -> int | Refusal | None:
    """Fen of an amount in yuan; None for nothing written."""
    if not text.strip():
        return None
    fen = fen_from_yuan(text.strip())
    return fen if fen is not None and 0 < fen <= FEN_MAX else BAD_AMOUNT


def when(text: str) -> datetime | Refusal | None:
    """A moment of the shops' zone; None for nothing written."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return BAD_MOMENT
    return found.replace(tzinfo=SHANGHAI) if found.tzinfo is None else found


def _chosen(value: str, known: Any) -> str | Refusal | None:
    return None if not value else value if value in known else BAD_CHOICE
