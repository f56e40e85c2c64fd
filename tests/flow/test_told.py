"""What is told reaches the record as it was told, whatever signs its texts are made of (P6)."""

from dataclasses import fields, replace
from datetime import datetime

import pytest

from aftersale.core.records import Application
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application

TEXTS = ["龙井 礼盒", "a\tb", "a\nb", "a\rb", "\\.", "\\N", "\\", "\x02x", "None", "NULL", "'", '"', "{v}", "%s", "\u2028", "👩‍👧", "t", ""]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_in_whole(database: Database, text: str) -> None:
    desk = Desk(database)
    desk.tell(replace(application("1", amount_fen=1), title=text, reason_text=text))
    assert desk.one("SELECT title, reason_text FROM cases") == (text, text)


def test_every_field_of_an_application_comes_in(database: Database) -> None:
    desk = Desk(database)
    told = replace(
        application("1", amount_fen=0),
        applied_at=datetime.fromisoformat("2026-11-11T11:59:59.000001+08:00"), received=False, intervened=True,
        zero_second_covered=False, due_at=NOON, applied_minute=0, modification_count=2**31 - 1, refusal_count=-1,
        freight_insurance=None, return_courier="t", return_tracking_no="f", operation_limit="none",
    )  # fmt: skip
    desk.tell(told)
    names = ["application_version" if f.name == "version" else f.name for f in fields(Application)]
    found = desk.one(f"SELECT {', '.join(names)} FROM cases")
    assert dict(zip(names, found, strict=True)) == {
        name: getattr(told, "version" if name == "application_version" else name) for name in names
    }
