"""What a reply promises, as obligations of the promise ledger (R-103, R-105, R-304)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from aftersale.core.money import Fen, fen_from_yuan
from aftersale.core.talk.folding import fold, sentences
from aftersale.core.talk.lexicon import Lexicon
from aftersale.core.talk.times import due_moment

_AMOUNT = re.compile(r"(?:¥|¥)?\s*(\d+(?:\.\d{1,2})?)\s*(?:元|块|rmb|¥)|(?:¥)\s*(\d+(?:\.\d{1,2})?)")
_NO = r"(?:不能|无法|没法|没办法|不会|不给|不可以|不用|不需要|不再|没有|暂不|不支持|不|没|未)[^,。!?]{0,4}$"
_CONDITION = re.compile(
    r"如果|要是|假如|的话|若|等[^,。]{0,8}(?:后|到)|(?:收到|寄回|退回|拦回|拒收|核实|确认|签收|到货|入库|揽收)[^,。]{0,8}(?:后|就|再|之后|马上|立即|立刻)|您申请|只要"
)
_ASKS = re.compile(r"\?$|(?:吗|呢|么|可以不|行不行|好不好|要不要|还是)[。!?]*$")
_DONE = re.compile(r"(?:已经|已|刚刚|刚)(?:给|帮|为)?(?:您|你)?[^,。!?]{0,4}$")
MONEY = {"refund", "compensation", "gift", "freight"}


@dataclass(frozen=True, slots=True)
class Obligation:
    """One thing promised. `due_at` None: no time was named, somebody has to set one; `conditional`: it is owed once
    what the sentence names has happened; `needs_time` lasts until then."""

    kind: str
    text: str
    due_at: datetime | None
    amount: Fen | None = None
    conditional: bool = False

    @property
    def needs_time(self) -> bool:
        return self.due_at is None


def obligations(
    message: str, lexicon: Lexicon, said_at: datetime, resend_promise_hours: int
) -> tuple[Obligation, ...]:
    """Every promise of a message, in order. Questions, refusals and what is done already promise nothing.

    A resend without a time of its own is due after the shop's `resend_promise_hours` (R-103)."""
    found: dict[str, Obligation] = {}
    for sentence in sentences(fold(message)):
        if _ASKS.search(sentence):
            continue
        for kind, signs in lexicon.promises.items():
            passage = signs.found(sentence)
            before = sentence[: sentence.find(passage)] if passage else ""
            if passage is None or re.search(_NO, before) or _DONE.search(before):
                continue
            found.setdefault(kind, _obligation(kind, sentence, said_at, resend_promise_hours))
    return tuple(found.values())


def _obligation(kind: str, sentence: str, said_at: datetime, resend_promise_hours: int) -> Obligation:
    conditional = _CONDITION.search(sentence) is not None
    due = due_moment(sentence, said_at)
    if due is None and kind == "resend":
        due = said_at + timedelta(hours=resend_promise_hours)
    amount = _AMOUNT.search(sentence) if kind in MONEY else None
    fen = None if amount is None else Fen(fen_from_yuan(amount[1] or amount[2]) or 0)
    return Obligation(kind, sentence, None if conditional and _relative(sentence) else due, fen, conditional)


def _relative(sentence: str) -> bool:
    """A length of time after something that has not happened yet."""
    return re.search(r"小时|天内|日内|马上|立即|立刻|第一时间|尽快", sentence) is not None
