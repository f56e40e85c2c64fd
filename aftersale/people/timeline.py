"""Everything that happened to a case, told in one line an event, newest first."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from aftersale.cases.rows import read
from aftersale.core.money import yuan_text
from aftersale.people import words
from aftersale.people.playbook import told
from aftersale.people.work_orders.telling import ordered
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people")
GROUPS = {
    "decision": "decision",
    "message": "message",
    "person": "people",
    "refusing": "people",
    "note": "people",
    "fact": "people",
    "assign": "people",
    "approval": "people",
    "difference": "people",
    "step": "guide",
    "evidence": "guide",
    "contact": "contact",
    "override": "contact",
    "promise": "contact",
    "handover": "people",
    "work_order": "people",
    "money": "intent",
}


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    kind: str
    actor: str
    what: str


@dataclass(frozen=True, slots=True)
class Scan:
    at: datetime
    tracking_no: str
    text: str


@dataclass(frozen=True, slots=True)
class Intent:
    """One outward effect and where it stands. `perhaps_said`: what the buyer may have read is not taken back."""

    kind: str
    platform_version: int
    amount_fen: int
    state: str
    due_at: datetime
    planned_by: str
    outcome: str | None
    sends: int
    created_at: datetime
    changed_at: datetime
    held: bool
    perhaps_said: bool

    @property
    def by_person(self) -> bool:
        return not self.planned_by.startswith("rule:")


@dataclass(frozen=True, slots=True)
class Event:
    """`group`: what the filter of the page calls it. `state` colours an intent."""

    at: datetime
    group: str
    icon: str
    who: str
    text: str
    state: str = ""


def groups() -> dict[str, str]:
    """The filter's choices; empty = everything."""
    return {
        "": _("全部"),
        "application": _("申请"),
        "tracking": _("物流"),
        "message": _("消息"),
        "decision": _("判断"),
        "intent": _("动作"),
        "contact": _("联系与承诺"),
        "guide": _("步骤与凭证"),
        "people": _("同事"),
    }


def intents_of(shop_id: int, case_id: str) -> list[Intent]:
    return read(Intent, SQL["intents"], {"shop_id": shop_id, "case_id": case_id})


def events(shop_id: int, case_id: str, numbers: Collection[str], intents: Collection[Intent]) -> list[Event]:
    """All events of a case; `numbers` are its waybills."""
    entries = read(Entry, SQL["timeline"], {"shop_id": shop_id, "case_id": case_id})
    scans = read(Scan, SQL["tracking"], {"shop_id": shop_id, "numbers": list(numbers)}) if numbers else []
    told = [_entry(entry) for entry in entries]
    told += [Event(scan.at, "tracking", "truck", scan.tracking_no, scan.text) for scan in scans]
    told += [_intent(intent) for intent in intents]
    return sorted(told, key=lambda event: event.at, reverse=True)


def _intent(intent: Intent) -> Event:
    money = f" {yuan_text(intent.amount_fen)}" if intent.amount_fen else ""
    state = words.word("intent_state", intent.state)
    outcome = f" · {intent.outcome}" if intent.outcome else ""
    text = f"{words.intent(intent.kind)}{money} · {state}{outcome}"
    return Event(intent.changed_at, "intent", "send", who(intent.planned_by), text, intent.state)


def _entry(entry: Entry) -> Event:
    group = GROUPS.get(entry.kind, "application")
    icons = {
        "decision": "scale",
        "message": "message",
        "people": "user",
        "contact": "message",
        "guide": "check",
        "intent": "send",
    }
    text = sentence(entry.kind, entry.what)
    return Event(entry.at, group, icons.get(group, "receipt"), who(entry.actor), text)


def sentence(kind: str, what: str) -> str:
    """An entry of the timeline in words."""
    tell = {
        "application": _applied,
        "decision": _decided,
        "person": _done,
        "work_order": ordered,
        "fact": _found,
        "assign": _given,
        "approval": _judged,
        "difference": _differed,
        "deadline": _missed,
        "money": _moved,
        **told.OF,
    }.get(kind, str)
    return tell(what)


def who(actor: str) -> str:
    """Who did it: a rule by its title, a side of the conversation, a colleague by name."""
    if actor.startswith("rule:"):
        return _("规则「%(rule)s」") % {"rule": words.rule(actor.removeprefix("rule:"))}
    return words.word("speaker", actor)


def _differed(what: str) -> str:
    """`amount 2957 2950` was found, `resolved …` is what a person said of it."""
    kind, _space, rest = what.partition(" ")
    if kind == "resolved":
        return _("处理了和平台的差异：%(note)s") % {"note": rest}
    ours, _space, theirs = rest.partition(" ")
    amounts = {"ours": yuan_text(int(ours)), "theirs": yuan_text(int(theirs))}
    return _("和平台对账不一致：我们 %(ours)s，平台 %(theirs)s") % amounts


def _missed(what: str) -> str:
    """`platform person`: which deadline passed, and what kept us."""
    kind, _space, cause = what.partition(" ")
    parts = {"which": words.word("deadline", kind), "cause": words.word("missed", cause)}
    return _("%(which)s：%(cause)s") % parts


def _moved(what: str) -> str:
    fen = int(what)
    amount = {"amount": yuan_text(abs(fen))}
    return (
        _("退款 %(amount)s，不是从这里办的") % amount if fen > 0 else _("退款 %(amount)s 已经收回") % amount
    )


def _applied(what: str) -> str:
    amount, _space, reason = what.partition(" ")
    if not amount.isdigit():
        return _("提交申请")
    return _("申请退 %(amount)s：%(reason)s") % {"amount": yuan_text(int(amount)), "reason": reason or "-"}


def _decided(what: str) -> str:
    return _("判断为「%(action)s」") % {"action": words.word("action", what)}


def _done(what: str) -> str:
    if what.startswith("undo "):
        return _("撤回了「%(intent)s」") % {"intent": words.intent(what.removeprefix("undo "))}
    return _("决定「%(intent)s」") % {"intent": words.intent(what)}


def _judged(what: str) -> str:
    code, _space, why = what.partition(" ")
    told = {
        "requested": _("超过额度，提交复核"),
        "approved": _("复核同意"),
        "refused": _("复核退回：%(why)s") % {"why": why},
        "expired": _("没有人在期限内复核，已经取消"),
        "again": _("办理后再试一次"),
        "done_there": _("说已在平台办好，正在核对"),
        "cancel": _("取消了等人办理的动作"),
    }
    return told.get(code, what)


def _found(what: str) -> str:
    facts = books.catalogue(words.CATALOGUE).facts
    said = []
    for part in what.split(", "):
        name, _sign, value = part.partition(" = ")
        title = words.fact(name) if name in facts else name
        said.append(f"{title}：{words.answer(name, value)}")
    return _("查明：%(facts)s") % {"facts": "，".join(said)}


def _given(what: str) -> str:
    owner, _space, queue = what.removeprefix("→ ").partition(" ")
    place = f" · {words.word('queue', queue)}" if queue else ""
    return _("交给 %(owner)s") % {"owner": f"{owner}{place}"}
