"""Whatever a program puts into a field, the door answers or says in one line why not; nothing breaks a batch."""

import json
from decimal import Decimal
from typing import Any

import pytest

from aftersale.ask.answer import answer
from tests.rules.asking import NOW, rows

TABLES = (
    "remedies_questions", "freight_questions", "intake_questions", "playbook_questions", "evidence_questions",
    "contact_questions", "appeal_questions", "alert_questions", "talk_questions",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    3, -1, Decimal("1.5"), "", "x", True, [], [1, {"a": 2}], {}, {"a": [1]}, None, "2026-01-01T00:00:00", 10**12, 10**9, 999_999,
)  # fmt: skip
FIRST = {ask: given for ask, given, _ in reversed(rows(*TABLES))}


@pytest.mark.parametrize("ask", sorted(FIRST))
def test_an_odd_value_is_answered_or_refused(ask: str) -> None:
    for field in FIRST[ask]:
        for odd in ODD:
            given = {key: str(one) if hasattr(one, "isoformat") else one for key, one in FIRST[ask].items()}
            asked = {"id": Decimal("1.5"), "given": {**given, field: odd, "ask": ask}}
            found = json.loads(json.dumps(answer(asked, NOW, trace=False)))
            assert found["id"] == 1.5
            assert ("error" in found) != ("outcome" in found), (field, odd)
            assert "\n" not in found.get("error", "")
