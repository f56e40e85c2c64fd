"""The sheet on which the warehouse says how each piece came: what it shows, and how it is read back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.http import QueryDict
from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.returns.find import Expecting, Match, Wanted
from aftersale.cases.returns.record import Found, Marks
from aftersale.core.look import decide
from aftersale.core.refusal import Refusal
from aftersale.core.returns.receipt import CONDITIONS, spoken
from aftersale.people import words
from aftersale.rulebooks import books


@dataclass(frozen=True, slots=True)
class Row:
    """One piece with its key on the form and what was said of it so far."""

    no: int
    name: str
    wanted: Wanted
    said: str


@dataclass(frozen=True, slots=True)
class Group:
    """The pieces of one case, or of an order that nobody applied for."""

    case: Expecting | None
    order_id: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`advice`: what the book says about a parcel that arrives so; `seen`: which pieces the person was shown."""

    shop: Shop
    match: Match
    groups: Sequence[Group]
    seen: str
    advice: str

    @property
    def pieces(self) -> int:
        return len(self.match.pieces)


def sheet(shop: Shop, match: Match, now: datetime, form: Mapping[str, str] | None = None) -> Sheet:
    """The sheet for what should be in the parcel, with what the form already says."""
    given = form or {}
    rows = [
        Row(no, f"unit-{no}", wanted, given.get(f"unit-{no}", ""))
        for no, wanted in enumerate(match.pieces, 1)
    ]
    cases = {case.case_id: case for case in match.cases}
    groups = [
        Group(cases.get(case_id or ""), order_id, list(some))
        for (case_id, order_id), some in groupby(rows, lambda row: (row.wanted.case_id, row.wanted.order_id))
    ]
    return Sheet(shop, match, groups, seen(match), advice(match, now))


def seen(match: Match) -> str:
    """A mark of the pieces shown: another one means that the goods changed meanwhile."""
    told = "\n".join(f"{one.case_id} {one.order_id} {one.piece.line_id}" for one in match.pieces)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def advice(match: Match | None, now: datetime) -> str:
    """What the book of arrivals says: expected, to be applied for, or nameless."""
    case_id = match.cases[0].case_id if match and match.cases else None
    order_id = match.pieces[0].order_id if match and match.pieces else None
    book = books.book("arrivals")
    said = decide(book, {"open_case": case_id, "inbound_order": order_id}, {}, now)
    rule = next((one for one in book.rules if one.name == said.rule), None)
    return "" if rule is None else rule.title if words.language() == "zh" else rule.title_en


def read_sheet(form: QueryDict, match: Match) -> list[Found] | Refusal:
    """The pieces as the form tells them: by one word for all, by one digit a piece, or piece by piece."""
    if form.get("seen") != seen(match):
        return Refusal("changed", _("应有的货刚刚变了，请再看一遍再确认。"))
    told = _told(form, match)
    if isinstance(told, Refusal):
        return told
    found = [
        Found(one.case_id, one.order_id, one.piece.line_id, one.piece.title, one.piece.sku, condition)
        for one, condition in zip(match.pieces, told, strict=True)
    ]
    extra = form.get("extra", "").strip()[:100]
    if extra:
        first = match.pieces[0]
        found.append(Found(first.case_id, first.order_id, None, extra, None, "wrong_item"))
    return found


def _told(form: QueryDict, match: Match) -> tuple[str, ...] | Refusal:
    text = form.get("said", "").strip()
    if text:
        said = spoken(text, len(match.pieces))
        if said is not None:
            return said
        return Refusal(
            "not_said", _("「%(text)s」不是验货结果。这个包裹还没有验完，没有记录。") % {"text": text[:40]}
        )
    told = tuple(form.get(f"unit-{no}", "") for no in range(1, len(match.pieces) + 1))
    if all(one in CONDITIONS for one in told):
        return told
    return Refusal("not_all", _("还有没验的件，没有记录。"))


def read_marks(form: QueryDict) -> Marks | Refusal:
    """What was seen on a parcel without a name."""
    tail, weight = form.get("phone_tail", "").strip(), form.get("weight_g", "").strip()
    if tail and not (len(tail) == 4 and tail.isascii() and tail.isdigit()):
        return Refusal("tail", _("手机尾号是四位数字，没有记录。"))
    if weight and not (weight.isascii() and weight.isdigit() and 0 < int(weight[:9]) <= 1_000_000):
        return Refusal("weight", _("重量写整数克，没有记录。"))
    return Marks(
        tail or None,
        int(weight) if weight else None,
        form.get("goods", "").strip()[:100] or None,
        form.get("remark", "").strip()[:500] or None,
    )
