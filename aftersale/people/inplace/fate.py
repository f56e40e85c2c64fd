"""What became of what a person decided on the queue, in one sentence."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.utils.translation import gettext as _

from aftersale.cases.access import Shop
from aftersale.cases.people import KINDS
from aftersale.cases.rows import left_s, moment, read
from aftersale.core.money import yuan_text
from aftersale.people import words
from aftersale.people.acts import UNDO_S
from aftersale.pg.sql import queries

SQL = queries("aftersale.people.inplace")
ENDS = {"done": "good", "refused": "bad", "cancelled": "bad", "with_person": "bad"}
NOTICES_MAX = 60


@dataclass(frozen=True, slots=True)
class Fate:
    """Where one intent of a person stands. `perhaps_said`: what the buyer may have read is not taken back."""

    shop_id: int
    case_id: str
    kind: str
    amount_fen: int
    state: str
    outcome: str | None
    due_at: datetime
    held: bool
    perhaps_said: bool = False

    @property
    def tone(self) -> str:
        """`good`, `bad`, or `open` while it has no end."""
        return ENDS.get(self.state, "open")

    @property
    def title(self) -> str:
        return (
            f"{words.intent(self.kind)} {yuan_text(self.amount_fen)}"
            if self.amount_fen
            else words.intent(self.kind)
        )

    @property
    def sentence(self) -> str:
        """How it ended, or what it waits for."""
        told = {"intent": self.title, "why": self._why()}
        if self.state == "done" and self.kind == "agree_refund":
            return _("✓ 已退款 %(amount)s") % {"amount": yuan_text(self.amount_fen)}
        sentences = {
            "planned": _("超过您的额度，已提交复核，同事同意后才会发出。"),
            "approved": _("「%(intent)s」将在 %(seconds)d 秒后发出，在此之前可以撤回。"),
            "done": _("✓ 「%(intent)s」已完成"),
            "refused": _("「%(intent)s」没有办成，平台说：%(why)s"),
            "cancelled": _("「%(intent)s」没有发出：%(why)s"),
            "with_person": _("「%(intent)s」没有办成，要人来处理：%(why)s"),
            "unknown": _("「%(intent)s」结果未知，正在和平台核对。"),
        }
        if self.held and self.perhaps_said:
            return _("「%(intent)s」已经停止，恢复后才会再次发出。") % told
        if self.held:
            return _("「%(intent)s」已经停止，恢复后才会发出，在此之前可以撤回。") % told
        if self.state == "approved" and self.outcome:
            return _("「%(intent)s」暂时发不出去，稍后会自动再试。") % told
        if self.state == "approved":
            left = self.seconds(moment())
            return sentences["approved"] % {**told, "seconds": left} if left else self.leaving
        return sentences.get(self.state, self.leaving) % told

    @property
    def leaving(self) -> str:
        """What is said once it can no longer be taken back; what a switch holds back does not leave."""
        if self.held:
            return self.sentence
        return _("「%(intent)s」正在发出，等平台答复。") % {"intent": self.title}

    @property
    def lasting(self) -> str:
        """What is said when no end was heard of for long."""
        if self.held:
            return self.sentence
        return _("「%(intent)s」还没有结果，请打开这一单看看。") % {"intent": self.title}

    def seconds(self, now: datetime) -> int:
        """How many real seconds it can still be taken back here."""
        waits = self.state == "planned" or (self.state == "approved" and not self.outcome)
        return min(max(ceil(left_s(self.due_at, now)), 0), UNDO_S) if waits else 0

    def _why(self) -> str:
        return (self.outcome or "").removeprefix("refused ").strip() or words.word("intent_state", self.state)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice above the bar. Without a fate it tells what is over already."""

    shop: Shop
    case_id: str
    text: str
    fate: Fate | None = None
    seconds: int = 0


def fates(shop_id: int, case_id: str) -> list[Fate]:
    """Those of one case."""
    return read(Fate, SQL["fates"], {"shop_ids": [shop_id], "case_ids": [case_id]})


def ended(shop_id: int, case_id: str) -> Fate | None:
    """What a person last decided of a case that left the queue."""
    return max(
        fates(shop_id, case_id), key=lambda fate: (fate.state != "cancelled", fate.due_at), default=None
    )


def changed(shown: Iterable[str], shops: Collection[Shop], now: datetime) -> list[Notice]:
    """The open notices that have something new to say; each is shown as `shop:case|kind|state`."""
    by_code = {shop.code: shop for shop in shops}
    known: dict[tuple[int, str, str], str] = {}
    for text in list(shown)[:NOTICES_MAX]:
        key, _bar, rest = text.replace("\x00", "").partition("|")
        kind, _bar, state = rest.partition("|")
        code, _colon, case_id = key.partition(":")
        if code in by_code and kind in KINDS:
            known[by_code[code].id, case_id, kind] = state
    if not known:
        return []
    ids, cases = [key[0] for key in known], [key[1] for key in known]
    by_id = {shop.id: shop for shop in shops}
    return [
        Notice(by_id[fate.shop_id], fate.case_id, fate.sentence, fate, fate.seconds(now))
        for fate in read(Fate, SQL["fates"], {"shop_ids": ids, "case_ids": cases})
        if known.get((fate.shop_id, fate.case_id, fate.kind), fate.state) != fate.state
    ]
