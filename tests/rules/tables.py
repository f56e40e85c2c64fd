"""Text tables for the refund book: `base | fact=value … | rule`.

Money in fen; ages like 72h, 72h+ (a microsecond more), 72h-; `null` is unknown.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aftersale.core.expression import Value
from aftersale.core.look import Verdict, decide
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
Facts = dict[str, Value | None]

ORDINARY: Facts = {
    "state": "applied",
    "intervened": False,
    "amount": 5000,
    "paid": 5000,
    "applied_at": NOW,
    "applied_minute": 720,
}
_PDD: Facts = {**ORDINARY, "platform": "pdd"}
_TB: Facts = {**ORDINARY, "platform": "tmall"}
_UNSHIPPED: Facts = {"aftersale_type": "unshipped_refund_only", "shipped": False}
_SHIPPED: Facts = {
    "aftersale_type": "shipped_refund_only",
    "shipped": True,
    "tracking_state": "in_transit",
    "tracking_events": 3,
    "last_tracking_at": NOW,
}
_RETURN: Facts = {
    "aftersale_type": "return_refund",
    "shipped": True,
    "tracking_state": "signed",
    "signed_by": "self",
}
BASES: Mapping[str, Facts] = {
    "pdd_unshipped": {**_PDD, **_UNSHIPPED},
    "tb_unshipped": {**_TB, **_UNSHIPPED},
    "pdd_shipped": {**_PDD, **_SHIPPED},
    "tb_shipped": {**_TB, **_SHIPPED},
    "pdd_return": {**_PDD, **_RETURN},
    "tb_return": {**_TB, **_RETURN},
    "pdd": _PDD,
    "tb": _TB,
}


def table(file: str, name: str) -> list[tuple[str, ...]]:
    """The rows below `## name` of a text file beside this one: cells of each line that is no comment."""
    text = (Path(__file__).parent / f"{file}.txt").read_text(encoding="utf-8")
    part = text.split(f"## {name}\n")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


def case(base: str, words: str) -> Facts:
    """The base's facts with the words' on top."""
    return {**BASES[base], **dict(_facts(words))}


def _facts(words: str) -> Iterator[tuple[str, Value | None]]:
    for word in words.split():
        name, _, text = word.partition("=")
        fact = books.catalogue().facts[name]
        if fact.moment:
            yield fact.moment, None if text == "null" else NOW - _age(text)
        else:
            yield name, _value(text, fact.type.kind)


def _age(text: str) -> timedelta:
    tail = {"+": 1, "-": -1}.get(text[-1], 0)
    return timedelta(hours=float(text.rstrip("+-").removesuffix("h")), microseconds=tail)


def _value(text: str, kind: str) -> Value | None:
    if text == "null":
        return None
    match kind:
        case "bool":
            return {"true": True, "false": False}[text]
        case "int" | "fen":
            return int(text)
        case "timestamptz":
            return datetime.fromisoformat(text)
    return text


def verdict(facts: Facts, settings: Mapping[str, object] | None = None, now: datetime = NOW) -> Verdict:
    """What the refund book says."""
    book = books.book()
    return decide(book, facts, resolve_settings(book, settings or {}), now)


def pays(found: Verdict) -> bool:
    """Whether money would move without a person."""
    return found.outcome.get("queue") is None and books.actions()[str(found.outcome["action"])].money
