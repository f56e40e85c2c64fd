"""Why a case was decided so: the decision replayed from what it read, in the version that decided."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from aftersale.cases.rows import first
from aftersale.core.explain import Conjunct, Flip, RuleTrace, Trace, explain
from aftersale.core.expression import Lit
from aftersale.core.facts import RulebookError
from aftersale.core.record_text import facts_of
from aftersale.core.rulebook import Book, Rule, resolve_settings
from aftersale.people import words
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.people")
NEAR_MAX = 8
FLIPS_MAX = 4
LACKS_MAX = 2


@dataclass(frozen=True, slots=True)
class Decision:
    """The newest decision of a case, with the book that made it."""

    id: int
    decided_at: datetime
    application_version: int
    book_version: str
    rule: str
    action: str
    queue: str | None
    amount_fen: int | None
    facts: str
    settings: str
    book_text: str | None
    book: str | None
    reads: list[str] | None


@dataclass(frozen=True, slots=True)
class Why:
    """`won`: the rule that fired, if any. `near`: rules that came closest. `flips`: smallest changes.
    `automatic`: the closest rule that would have acted by itself, with what it lacked; None when none was close."""

    won: RuleTrace | None
    near: tuple[RuleTrace, ...]
    flips: tuple[Flip, ...]
    automatic: RuleTrace | None


def decision_of(shop_id: int, case_id: str) -> Decision | None:
    return first(Decision, SQL["decision"], {"shop_id": shop_id, "case_id": case_id})


def why(decision: Decision) -> Why | None:
    """None when the version that decided cannot be read any more."""
    if decision.book_text is None or decision.reads is None:
        return None
    read = Read(
        decision.book_version,
        decision.book_text,
        decision.settings,
        decision.facts,
        tuple(decision.reads),
        decision.decided_at,
    )
    return _why(read, words.language())


@dataclass(frozen=True, slots=True)
class Read:
    """All that a decision was made from; what it says never changes."""

    version: str
    text: str
    settings: str
    facts: str
    reads: tuple[str, ...]
    at: datetime


@lru_cache(maxsize=256)
def _why(read: Read, language: books.Language) -> Why | None:
    try:
        book = _book(read.version, read.text)
        own = {name: value for name, value in json.loads(read.settings).items() if name in book.settings}
        settings = resolve_settings(book, own)
    except RulebookError:
        return None
    facts = facts_of(read.facts, list(read.reads), book.catalogue.facts)
    trace = explain(book, facts, settings, read.at, language)
    return Why(_won(trace), _near(trace), _telling(trace, book)[:FLIPS_MAX], _automatic(trace, book))


@lru_cache(maxsize=32)
def _book(version: str, text: str) -> Book:
    del version
    return books.parse(text)


def _won(trace: Trace) -> RuleTrace | None:
    number = trace.verdict.rule_no
    return trace.rules[number - 1] if number else None


def _telling(trace: Trace, book: Book) -> tuple[Flip, ...]:
    """The changes that tell most first: amounts, times and what people find out before what the platform states."""

    def stated(flip: Flip) -> bool:
        facts = [book.catalogue.facts[change.fact] for change in flip.changes]
        return all(fact.source == "application" and fact.type.kind in ("enum", "bool") for fact in facts)

    return tuple(sorted(trace.flips, key=stated))


def _lacks(rule: RuleTrace) -> tuple[Conjunct, ...]:
    return tuple(part for part in rule.conjuncts if part.truth is not True)


def _near(trace: Trace) -> tuple[RuleTrace, ...]:
    """Rules that did not fire, those with the fewest open conditions first."""
    others = [rule for rule in trace.rules if rule.truth is not True]

    def open_conditions(rule: RuleTrace) -> tuple[Any, ...]:
        return (len(_lacks(rule)), -len(rule.conjuncts), rule.rule_no)

    return tuple(sorted(others, key=open_conditions)[:NEAR_MAX])


def _automatic(trace: Trace, book: Book) -> RuleTrace | None:
    """With its open conditions alone, when few are open."""
    acting = {rule.name for rule in book.rules if _acts(rule)}
    others = [rule for rule in trace.rules if rule.rule in acting and rule.truth is not True]
    nearest = min(others, key=lambda rule: (len(_lacks(rule)), -len(rule.conjuncts)), default=None)
    if nearest is None or len(_lacks(nearest)) > LACKS_MAX:
        return None
    return replace(nearest, conjuncts=_lacks(nearest))


def _acts(rule: Rule) -> bool:
    """Whether the rule sends something with nobody asked."""
    action, queue = rule.then.get("action"), rule.then.get("queue")
    known = books.actions().get(str(action.value)) if isinstance(action, Lit) else None
    return known is not None and bool(known.intents) and isinstance(queue, Lit) and queue.value is None
