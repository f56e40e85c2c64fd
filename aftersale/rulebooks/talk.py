"""The shipped scripts and detection sets at work: what the desk asks before it sends and after it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache

from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import nearest
from aftersale.core.metrics.promotion import goals_met
from aftersale.core.money import Fen, yuan
from aftersale.core.talk import banned, escalation, parts, promise, script
from aftersale.core.talk.assist import Advice, advise
from aftersale.core.talk.lexicon import Lexicon, parse_lexicon
from aftersale.core.talk.reply import ReplyCheck, checked
from aftersale.rulebooks import books
from aftersale.rulebooks.definitions import directions
from aftersale.rulebooks.permission import Act, may

ADMINISTRATORS = {"admin", "shop_admin", "owner", "main"}
LEADS = {"lead", "supervisor", "manager", "cs_admin"}


@cache
def lexicon() -> Lexicon:
    """Raises RulebookError when the file is wrong."""
    return parse_lexicon(books.text("reply_checks.yaml"))


@dataclass(frozen=True, slots=True)
class Promises:
    """`needs_time`: something was promised without a moment, so that nobody can be reminded of it."""

    obligations: tuple[promise.Obligation, ...]
    needs_time: bool


@dataclass(frozen=True, slots=True)
class Categories:
    """`contains`: the reference scripts that every shop starts with; `categories`: all scripts."""

    contains: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """`templates`: how many scripts each group starts with."""

    groups: tuple[str, ...]
    no_templates_in: tuple[str, ...]
    templates: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Guide:
    """`text` is None while the amount is missing."""

    text: str | None
    must_contain: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TeamRights:
    can_view: bool
    can_edit: bool


@dataclass(frozen=True, slots=True)
class ProviderResult:
    """`breaches`: agreed figures that were missed; `unknown`: agreed, but not measured. Pay by effect uses
    `actual`."""

    breaches: tuple[str, ...]
    met: bool | None
    unknown: tuple[str, ...]
    sessions: int | None


def check_reply(
    *,
    message: str | None,
    banned_words: tuple[str, ...] = (),
    recommended_words_imported: bool = False,
    recommended_banned_words: tuple[str, ...] = (),
) -> ReplyCheck:
    """What is wrong with a reply: rude, perfunctory, blaming, conditional on confirming receipt, over-promising,
    leading off the platform, asking for a review to be changed, or holding a banned word (R-091, R-134, R-292)."""
    words = banned_words + (recommended_banned_words if recommended_words_imported else ())
    return checked(message, lexicon(), words)


def banned_check(
    *,
    message: str | None,
    banned_list: tuple[str, ...] | None = None,
    banned_words: tuple[str, ...] = (),
    recommended_words_imported: bool = False,
    recommended_banned_words: tuple[str, ...] = (),
) -> banned.BannedCheck:
    """Whether a message may be sent: by the list given, else by the shop's own and recommended words (R-277)."""
    own = banned_words + (recommended_banned_words if recommended_words_imported else ())
    return banned.banned_words_check(message=message, banned=own if banned_list is None else banned_list)


def banned_scan(
    *,
    phrases: tuple[str, ...],
    banned_list: tuple[str, ...] | None = None,
    banned_words: tuple[str, ...] = (),
    recommended_words_imported: bool = False,
    recommended_banned_words: tuple[str, ...] = (),
) -> banned.BannedScan:
    """Quick replies, team scripts and past messages that hold a banned word (R-278)."""
    own = banned_words + (recommended_banned_words if recommended_words_imported else ())
    return banned.banned_words_scan(phrases=phrases, banned=own if banned_list is None else banned_list)


def reply_parts(*, message: str | None, plan: str | None = None) -> parts.Parts:
    """What a reply lacks: apology, explanation and a concrete plan, and what the script of `plan` holds (R-230)."""
    return parts.parts_of(message or "", lexicon(), books.scripts().scripts.get(plan or ""))


def buyer_mood(*, message: str | None) -> escalation.Mood:
    """Words of a buyer that announce a complaint elsewhere, and words of anger (R-217, R-229)."""
    return escalation.mood(message, lexicon())


def promises_made(*, message: str | None, now: datetime, resend_promise_hours: int) -> Promises:
    """What a reply sent `now` promises, with the moment it is due: rows of the promise ledger (R-105, R-304)."""
    found = promise.obligations(message or "", lexicon(), now, resend_promise_hours)
    return Promises(found, any(one.needs_time for one in found))


def script_categories() -> Categories:
    """The codes of the library (R-293)."""
    return Categories(books.scripts().seeds, tuple(books.scripts().scripts))


def quick_groups() -> Groups:
    """The six default groups of quick replies; one starts empty, the others with templates (R-272)."""
    own = books.scripts()
    return Groups(
        tuple(one.title for one in own.groups),
        tuple(one.title for one in own.groups if not own.in_group(one.code)),
        {one.title: len(own.in_group(one.code)) for one in own.groups},
    )


def guide_text(*, kind: str, amount: Fen | None = None, guide_path: str) -> Guide:
    """The quick phrase that leads a buyer through changing an application on the phone (R-294)."""
    guides = books.scripts().guides
    if kind not in guides:
        raise RulebookError("scripts", kind, "guides", f"没有这个申请类型{nearest(kind, guides)}")
    money = None if amount is None else yuan(amount).rstrip("0").rstrip(".")
    values = {"click_path": guide_path, "application": guides[kind], "amount": money}
    filled = script.fill(books.scripts().scripts["guide_freight_refund"], values)
    wanted = (guide_path.partition("-")[0], guides[kind], *(() if money is None else (money,)))
    return Guide(filled.text, wanted, filled.missing)


def assistant(*, question: str | None, phase: str | None = None) -> Advice:
    """The script and the plan for what a buyer asks, before and after the sale (R-270)."""
    told = (phase or "").replace("-", "_").lower()
    known = "pre_sales" if told.startswith("pre") else "after_sales" if told.startswith("after") else None
    return advise(question, known, books.scripts())


def team_script_rights(*, role: str | None, now: datetime) -> TeamRights:
    """What a role may do with team scripts, as the book `permissions` says (R-275, R-348)."""
    own = "owner" if role in ADMINISTRATORS else "lead" if role in LEADS else "agent" if role else None
    return TeamRights(*(may(Act(own, action), {}, now).allowed for action in ("view_script", "edit_script")))


def provider_result(
    *,
    sla: Mapping[str, Fraction | None],
    actual: Mapping[str, Fraction | None],
    sessions: int | None = None,
) -> ProviderResult:
    """A provider's agents against the contract: worse than agreed is a breach, equal is not (R-289, R-290)."""
    strange = [name for name in sla if name not in directions()]
    if strange:
        raise RulebookError(
            "metric_definitions",
            None,
            None,
            f"没有名为 {strange[0]} 的指标{nearest(strange[0], directions())}",
        )
    found = goals_met(sla, actual, directions())
    return ProviderResult(found.missed, found.achieved, found.open, sessions)
