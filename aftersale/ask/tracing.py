"""Why a book answered so, in its own words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aftersale.core.explain import explain
from aftersale.core.expression import Value
from aftersale.core.rulebook import Book


def traced(
    book: Book, facts: Mapping[str, Value | None], settings: Mapping[str, Value], now: datetime
) -> dict[str, Any]:
    """`because`: the conditions of the rule that speaks; `not`: what each earlier one lacked; `flips`: the
    smallest changes that would lead elsewhere."""
    trace = explain(book, facts, settings, now)
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
