"""Questions to the rulebooks: `{"id", "given": {"ask": "family:slug", …}}` → outcome, rule, trace."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aftersale.core.explain import Trace, explain
from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import SHANGHAI, nearest
from aftersale.core.look import decide
from aftersale.core.money import yuan
from aftersale.core.rulebook import Book, resolve_settings
from aftersale.rulebooks import books
from aftersale.rulebooks.questions import Grounded, Unclear, ground, words

Answer = dict[str, Any]


def answer(question: object, now: datetime, *, strict: bool = False, trace: bool = True) -> Answer:
    """One answer: id, outcome, rule, assumed, unread, trace – or id and `error`, one line for people."""
    if not isinstance(question, dict) or not isinstance(question.get("given"), dict):
        return {
            "id": question.get("id") if isinstance(question, dict) else None,
            "error": "问题需要 id 和 given",
        }
    try:
        return {"id": question.get("id"), **_answer(question["given"], now, strict, trace)}
    except (Unclear, RulebookError) as error:
        return {"id": question.get("id"), "error": str(error)}


def _answer(given: Mapping[str, Any], now: datetime, strict: bool, trace: bool) -> Answer:
    book = _book(given.get("ask"))
    if given.get("query") is not None:
        return {"outcome": _listing(str(given["query"]), given.get("platform")), "rule": None}
    asked = ground(book, given, now, strict=strict)
    settings = resolve_settings(book, asked.settings)
    verdict = decide(book, asked.facts, settings, asked.now)
    found: Answer = {
        "outcome": _outcome(verdict.outcome, given, asked),
        "rule": verdict.rule or "otherwise",
        "assumed": {name: _shown(book, name, asked.facts[name]) for name in asked.assumed},
    }
    if asked.unread:
        found["unread"] = list(asked.unread)
    if trace:
        found["trace"] = traced(explain(book, asked.facts, settings, asked.now))
    return found


def _book(ask: object) -> Book:
    """The book that answers. Raises Unclear naming the nearest known family or question."""
    family, _, slug = str(ask or "").partition(":")
    families, questions = words()["families"], words()["questions"]
    if family not in families:
        raise Unclear(f"没有名为 {family} 的问题类别{nearest(family, families)}")
    if families[family] is None:
        raise Unclear(f"{family} 类问题还没有规则书,暂时不能回答")
    if slug not in questions[family]:
        raise Unclear(
            f"{family} 没有名为 {slug} 的问题,或还没有规则书能回答{nearest(slug, questions[family])}"
        )
    return books.book(families[family])


def _listing(query: str, platform: object) -> Answer:
    """What a shop may choose from (R-015, R-016)."""
    if query == "list_scenarios":
        return {"scenarios": list(books.scenarios()), "count": len(books.scenarios())}
    if query != "list_templates":
        raise Unclear(f"没有名为 {query} 的清单{nearest(query, ('list_scenarios', 'list_templates'))}")
    found = [one.title for one in books.strategies() if platform is None or platform in one.platforms]
    return {"templates": found, "count": len(found)}


def _outcome(raw: Mapping[str, Any], given: Mapping[str, Any], asked: Grounded) -> Answer:
    """The rule's outcome under the names of the field, with what follows from action, queue and target."""
    action = books.actions()[raw["action"]]
    alone = raw.get("queue") is None
    found: Answer = {
        "strategy": None,
        "queue": None,
        "staff_needed": not alone,
        "refunded": action.money and alone,
    }
    for key, value in raw.items():
        found[words()["outcomes"].get(key, key)] = _plain(key, value)
    found["auto_fired"] = found["strategy"] is not None
    if action.money and raw.get("amount") is not None:
        found["refund_amount"] = found["amount"]
    names = found.pop("message_names", None)
    if names:
        found["message_must_include"] = [_spoken(given.get(name)) for name in names]
    wanted = words()["attempts"].get(given.get("attempt"))
    if wanted in found:
        found["allowed"] = found[wanted]
    return {**found, **_target(raw, asked)}


def _target(raw: Mapping[str, Any], asked: Grounded) -> Answer:
    """Our own target runs from the application; at the target itself one is still in time (R-033)."""
    applied, hours = asked.facts.get("applied_at"), raw.get("due_hours")
    if not isinstance(applied, datetime) or hours is None:
        return {}
    due = applied + timedelta(hours=hours)
    return {"deadline_at": _plain("", due), "status": "in_time" if asked.now <= due else "breached"}


def _plain(key: str, value: Any) -> Any:
    """For JSON: money in yuan, moments as Shanghai time without offset."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).replace(tzinfo=None).isoformat()
    if value is not None and (key == "amount" or key.endswith("_fen")):
        return _yuan(value)
    return value


def _yuan(amount_fen: int) -> int | float:
    return amount_fen // 100 if amount_fen % 100 == 0 else float(yuan(amount_fen))


def _shown(book: Book, name: str, value: Any) -> Any:
    return (
        _yuan(value)
        if book.catalogue.facts[name].type.kind == "fen" and value is not None
        else _plain("", value)
    )


def _spoken(value: object) -> object:
    """A moment as a buyer reads it."""
    text = str(value)
    return text.replace("T", " ")[:16] if text[4:5] == "-" and "T" in text else value


def traced(trace: Trace) -> Answer:
    """The rule that speaks, its conditions, what the earlier ones lacked, and the nearest changes."""
    chosen = trace.verdict.rule_no or len(trace.rules) + 1
    earlier = [
        {
            "rule": one.rule,
            "title": one.title,
            "lacks": [part.text for part in one.conjuncts if part.truth is not True],
        }
        for one in trace.rules[: chosen - 1]
    ]
    spoken = next((one for one in trace.rules if one.rule_no == chosen), None)
    return {
        "because": [part.text for part in spoken.conjuncts] if spoken else [],
        "not": earlier,
        "flips": [flip.text for flip in trace.flips],
    }
