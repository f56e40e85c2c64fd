"""What is said and shown about freight: the notice in a return address, answers on the cover (R-111, R-116, R-124)."""

import re
from dataclasses import dataclass

_CLAUSE = re.compile("[,\uff0c\u3002;\uff1b!\uff01?\uff1f\\s]+")
AS_PAGE_SHOWS = ("cover_as_page_shows", "以商品页面显示为准")
CONDITION_NOT_MET = ("cover_condition_not_met", "暂时未达到相应条件")


@dataclass(frozen=True, slots=True)
class Notice:
    warn: bool
    missing: tuple[str, ...]


def address_notice(
    *,
    return_address_text: str | None,
    notice_refuse_collect: tuple[str, ...],
    notice_tags_intact: tuple[str, ...],
    notice_resale_unaffected: tuple[str, ...],
    notice_non_quality_freight: tuple[str, ...],
) -> Notice:
    """Which of the four notices a return address lacks; it must be complete before the buyer ships (R-116)."""
    wanted = {
        "refuse_collect": notice_refuse_collect,
        "tags_intact": notice_tags_intact,
        "resale_unaffected": notice_resale_unaffected,
        "non_quality_buyer_freight": notice_non_quality_freight,
    }
    clauses = _CLAUSE.split(return_address_text or "")
    missing = tuple(item for item, patterns in wanted.items() if not _said(clauses, patterns))
    return Notice(bool(missing), missing)


def _said(clauses: list[str], patterns: tuple[str, ...]) -> bool:
    """Whether some clause holds all words of some pattern, in order."""
    found = [re.compile(".*".join(map(re.escape, pattern.split()))) for pattern in patterns]
    return any(pattern.search(clause) for pattern in found for clause in clauses)


@dataclass(frozen=True, slots=True)
class CoverReply:
    """`forbid_promise`: the answer may promise nothing, whatever the shop bought."""

    script: str
    must_contain: str
    forbid_promise: bool = True


def cover_reply(
    *, question: str, shop_bought_cover: bool | None = None, cover_other_words: tuple[str, ...]
) -> CoverReply:
    """The script for a question on return freight cover; the label depends on the buyer, so nothing is promised,
    also where the shop bought the cover (R-111)."""
    compared = any(word in question for word in cover_other_words)
    return CoverReply(*(CONDITION_NOT_MET if compared else AS_PAGE_SHOWS))


@dataclass(frozen=True, slots=True)
class CoverShown:
    display: tuple[str, ...]


def cover_display(
    *,
    cover_state: str | None = None,
    cover_void_reason: str | None = None,
    cover_cancelled_reason: str | None = None,
) -> CoverShown:
    """The state of the freight cover with the reason it ended for, as pages show it (R-124)."""
    why = {"void": cover_void_reason, "cancelled": cover_cancelled_reason}.get(cover_state or "")
    return CoverShown(tuple(one for one in (cover_state, why) if one is not None))
