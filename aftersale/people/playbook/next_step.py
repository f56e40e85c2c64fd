"""What to do now, as the playbook of the case's problem says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aftersale.core.playbooks.wording import promised_reply
from aftersale.people import words
from aftersale.people.playbook.found import Known, ruling, settings_of
from aftersale.people.playbook.guide import Ask, Step, ask_of, step_of, step_title
from aftersale.rulebooks import books

PASSIVE = frozenset({"manual_review", "wait_return"})


@dataclass(frozen=True, slots=True)
class Next:
    """`rule`: why this step; `after`: what follows; `options`: ways out to choose from; `promise_at`: until when the
    buyer gets an answer; `told`: the step was done before and the book still names it."""

    code: str
    title: str
    rule: str
    step: Step
    asks: tuple[Ask, ...]
    options: tuple[tuple[str, str], ...]
    after: tuple[str, ...]
    script: str | None
    promise_at: datetime | None
    told: bool


def next_step(known: Known, own: str, platform: str, now: datetime) -> Next | None:
    """None: the book names nothing to do; the decision stands alone."""
    said = ruling(known.playbook, known.facts, own, platform, now)
    code = _code(said.outcome)
    if said.rule is None or code is None:
        return None
    step = step_of(code, known.issue)
    rules = {rule.name: rule for rule in books.book(known.playbook).rules}
    rule = rules[said.rule]
    asks = (ask_of(name, known.playbook) for name in step.asks)
    return Next(
        code,
        step_title(code),
        rule.title if words.language() == "zh" else rule.title_en,
        step,
        tuple(one for one in asks if one is not None),
        tuple((one, step_title(one)) for one in _list(said.outcome, "options")),
        tuple(step_title(one) for one in _list(said.outcome, "next")),
        _script(said.outcome, step),
        _promise_at(said.outcome, own, platform, now),
        not step.repeats and any(one.step == code for one in known.taken),
    )


def _code(outcome: Mapping[str, Any]) -> str | None:
    """The step that an outcome names: what comes first, else the step, else the action, else what may be chosen."""
    action = outcome.get("action")
    done = [None if action in PASSIVE else action, *_list(outcome, "options")[:1]]
    codes = [*_list(outcome, "first"), outcome.get("next_step"), *done]
    return next((str(code) for code in codes if code), None)


def _list(outcome: Mapping[str, Any], key: str) -> list[str]:
    return [str(one) for one in outcome.get(key) or ()]


def _script(outcome: Mapping[str, Any], step: Step) -> str | None:
    """The book's script, else the step's own; a code that the library does not have is none."""
    named = str(outcome.get("script") or "") or step.script
    return named if named in books.scripts().scripts else None


def _promise_at(outcome: Mapping[str, Any], own: str, platform: str, now: datetime) -> datetime | None:
    terms = settings_of("deadlines", own, platform, now)
    days, minute = terms["answer_days"], terms["answer_until_minute"]
    assert isinstance(days, int)
    assert isinstance(minute, int)
    promise = str(outcome.get("promise_reply") or "") or None
    return promised_reply(
        promise_reply=promise, now=now, answer_days=days, answer_until_minute=minute
    ).promise_reply_at
