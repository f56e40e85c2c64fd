"""Questions to the product's knowledge: `{"id", "given": {"ask": "family:slug", …}}` → outcome, rule, trace."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aftersale.ask import formulas
from aftersale.ask.convert import in_yuan, shown
from aftersale.ask.ground import OWN, Grounded, asked_at, ground
from aftersale.ask.questions import Question, Stage, Unclear, question
from aftersale.ask.tracing import traced
from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import nearest
from aftersale.core.look import Verdict, decide
from aftersale.core.rulebook import Book, resolve_settings
from aftersale.rulebooks import books

Answer = dict[str, Any]

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_REFUSALS = (
    "refuse", "refuse_refund", "refuse_return", "refuse_return_refund", "reject", "reject_refund", "reject_application",
)  # fmt: skip
ATTEMPTS = {"refund": "refund_allowed", **dict.fromkeys(_REFUSALS, "refuse_allowed")}
"""What `attempt` asks leave for, and the outcome that gives it."""


def answer(
    asked: object,
    now: datetime,
    *,
    strict: bool = False,
    trace: bool = True,
    settings: Mapping[str, object] | None = None,
) -> Answer:
    """One answer: id, outcome, rule, assumed, trace – or id and `error`, one line for people.

    `strict`: what is left out is unknown. `settings`: a shop's own values, as stored; without a shop a question
    knows only the automatic strategy that it names."""
    if not isinstance(asked, Mapping) or not isinstance(asked.get("given"), Mapping):
        return {
            "id": shown(asked.get("id")) if isinstance(asked, Mapping) else None,
            "error": "问题需要 id 和 given",
        }
    try:
        one = _Asked(question(asked["given"].get("ask")), asked["given"], now, strict, trace, settings)
        return {"id": shown(asked.get("id")), **one.answer()}
    except (Unclear, RulebookError) as error:
        return {"id": shown(asked.get("id")), "error": str(error)}


@dataclass
class _Asked:
    """One question on its way through its stages; what a stage says stands, later ones add to it."""

    question: Question
    given: Mapping[str, Any]
    now: datetime
    strict: bool
    tracing: bool
    shop: Mapping[str, object] | None
    outcome: Answer = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    assumed: Answer = field(default_factory=dict)
    traces: Answer = field(default_factory=dict)
    known: set[str] = field(default_factory=lambda: {*OWN, "platform", "attempt"})

    @property
    def settings(self) -> Mapping[str, object]:
        return self.shop or {}

    def answer(self) -> Answer:
        self.now = asked_at(self.given, self.now)
        for stage in self.question.stages:
            if any(one not in self.given for one in stage.needs) or any(
                one in self.given for one in stage.lacks
            ):
                continue
            self._stage(stage)
            if stage.ends:
                break
        self._refuse_strange()
        for key, value in self.question.always.items():
            self.outcome.setdefault(key, value)
        return self._whole()

    def _stage(self, stage: Stage) -> None:
        """What was said before can be read by the stages behind it, like what was given."""
        formula = formulas.formulas().get(stage.name)
        fields = {**{key: one for key, one in self.outcome.items() if one is not None}, **self.given}
        if formula is None:
            self._book(books.book(stage.name), fields)
        else:
            self._formula(stage.name, formula, fields)

    def _formula(self, name: str, formula: formulas.Formula, fields: Mapping[str, Any]) -> None:
        flat = self._flat(fields, formula)
        platform = flat.get("platform") if isinstance(flat.get("platform"), str) else None
        found, read = formulas.call(formula, flat, self.settings, platform, self.now)
        self._say(name, shown(found))
        if self.tracing:
            self.traces[name] = {"says": formula.says, "read": read}

    def _flat(self, fields: Mapping[str, Any], formula: formulas.Formula) -> Answer:
        """The fields under the names of the formula's parameters."""
        found = dict(fields)
        for name, value in fields.items():
            entry = self.question.fields.get(name, {})
            if "to" in entry:
                found.setdefault(entry["to"], value)
            if "parts" in entry and isinstance(value, Mapping):
                for part, one in value.items():
                    found.setdefault(entry["parts"].get(part, part), one)
        taken = {formulas.field(name, found) for name in formula.parameters}
        for name in fields:
            entry = self.question.fields.get(name, {})
            inner = (
                {entry["parts"].get(p, p) for p in fields[name]}
                if "parts" in entry and isinstance(fields[name], Mapping)
                else set()
            )
            if taken & {name, entry.get("to"), *inner}:
                self.known.add(name)
        return found

    def _book(self, book: Book, fields: Mapping[str, Any]) -> None:
        grounded = ground(book, self.question, fields, self.now, self.strict, self.shop is None)
        own = {name: value for name, value in self.settings.items() if name in book.settings}
        platform = grounded.facts.get("platform")
        values = resolve_settings(
            book, {**own, **grounded.settings}, platform if isinstance(platform, str) else None, self.now
        )
        verdict = decide(book, grounded.facts, values, self.now)
        self.known |= grounded.known
        self.assumed |= {name: _money(book, name, grounded.facts[name]) for name in grounded.assumed}
        spoken = (
            _collected(verdict)
            if book.hit == "collect"
            else _first(book, verdict, fields, grounded, self.now)
        )
        self._say(", ".join(hit.rule for hit in verdict.hits) or "otherwise", spoken)
        if self.tracing:
            self.traces[book.name] = traced(book, grounded.facts, values, self.now)

    def _say(self, rule: str, spoken: object) -> None:
        self.rules.append(rule)
        named = spoken if isinstance(spoken, Mapping) else {"value": spoken}
        for key, value in named.items():
            name = self.question.outcomes.get(key, key)
            if self.outcome.get(name) is None:
                self.outcome[name] = value

    def _refuse_strange(self) -> None:
        """A field that nothing understands is a mistake of the asker, never silently left out."""
        known = self.known | self.question.ignored
        strange = [name for name in self.given if name not in known]
        if strange:
            raise Unclear(f"没有名为 {strange[0]} 的字段{nearest(strange[0], self._names())}")

    def _names(self) -> set[str]:
        """Every field that some stage of the question can read."""
        names = {*self.question.fields, *self.question.ignored} | self.known
        for stage in self.question.stages:
            formula = formulas.formulas().get(stage.name)
            if formula is not None:
                names |= set(formula.parameters)
            else:
                book = books.book(stage.name)
                names |= {*book.catalogue.facts, *book.settings}
        return names

    def _whole(self) -> Answer:
        found: Answer = {
            "outcome": self.outcome,
            "rule": " + ".join(self.rules) or None,
            "assumed": self.assumed,
        }
        unread = [name for name in self.given if name in self.question.ignored]
        if unread:
            found["unread"] = unread
        if self.tracing:
            found["trace"] = self.traces
        return found


def _collected(verdict: Verdict) -> Answer:
    """Every rule that is TRUE adds to the list of each key, in order, nothing twice."""
    found: dict[str, list[Any]] = {}
    for hit in verdict.hits:
        for key, value in hit.outcome.items():
            kept = found.setdefault(key, [])
            for one in value if isinstance(value, (list, tuple)) else [_plain(key, value)]:
                if one not in kept:
                    kept.append(one)
    return dict(found)


def _first(book: Book, verdict: Verdict, given: Mapping[str, Any], asked: Grounded, now: datetime) -> Answer:
    """The rule's outcome under the names of the field, with what follows from action, queue and target."""
    raw = verdict.outcome
    found: Answer = {key: _plain(key, value) for key, value in raw.items()}
    if "queue" in book.outputs:
        found |= _automatic(raw, found)
    names = found.pop("message_names", None)
    if names:
        found["message_must_include"] = [shown(_spoken(given.get(name))) for name in names]
    wanted = ATTEMPTS.get(str(given.get("attempt")))
    if wanted in found:
        found["allowed"] = found[wanted]
    elif wanted == "refund_allowed" and (action := books.actions().get(str(raw.get("action")))):
        found["allowed"] = action.money
    if isinstance(given.get("strategy"), Mapping) and found.get("staff_needed"):
        found |= _left_to_people(found)
    return {**found, **_target(raw, asked, now)}


def _left_to_people(found: Mapping[str, Any]) -> Answer:
    """Where the strategy asked about does not act the case waits for a person (R-014)."""
    action = found["action"]
    by_hand = action.startswith("manual_")
    return {} if by_hand else {"action": "manual_review", "suggest": found.get("suggest") or action}


def _automatic(raw: Mapping[str, Any], found: Mapping[str, Any]) -> Answer:
    """What a rule of a case's handling means for people and money."""
    action, alone = books.actions()[raw["action"]], raw.get("queue") is None
    said = {
        "strategy": found.get("strategy"),
        "queue": raw.get("queue"),
        "staff_needed": not alone,
        "refunded": action.money and alone,
        "auto_fired": found.get("strategy") is not None,
    }
    return (
        {**said, "refund_amount": found["amount"]} if action.money and raw.get("amount") is not None else said
    )


def _target(raw: Mapping[str, Any], asked: Grounded, now: datetime) -> Answer:
    """Our own target runs from the application; at the target itself one is still in time (R-033)."""
    applied, hours = asked.facts.get("applied_at"), raw.get("due_hours")
    if not isinstance(applied, datetime) or hours is None:
        return {}
    due = applied + timedelta(hours=hours)
    return {"deadline_at": shown(due), "status": "in_time" if now <= due else "breached"}


def _plain(key: str, value: Any) -> Any:
    money = value is not None and (key == "amount" or key.endswith("_fen"))
    return in_yuan(value) if money else shown(value)


def _money(book: Book, name: str, value: Any) -> Any:
    kind = book.catalogue.facts[name].type.kind
    return in_yuan(value) if kind == "fen" and value is not None else shown(value)


def _spoken(value: object) -> object:
    """A moment as a buyer reads it, to the minute."""
    text = str(value)
    return text.replace("T", " ")[:16] if _MOMENT.match(text) else value
