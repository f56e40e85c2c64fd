"""The tracking reader through its door: a text table, the labelled set, order, times, codes and bad input."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersale.core.facts import RulebookError
from aftersale.core.records import BadInput
from aftersale.core.tracking.lexicon import load_lexicon
from aftersale.core.tracking.reading import STATES, Reading
from aftersale.core.tracking.trace import moment
from aftersale.rulebooks import books
from aftersale.rulebooks.tracking import read
from tests.core import tracking_report

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
WAY_BACK = ("refused", "returning", "returned")


def answer(courier: str | None, events: list[dict[str, Any]]) -> str:
    """state[:signed_by][?]"""
    found = read(courier, events)
    assert isinstance(found, Reading)
    assert (found.signed_by is not None) == (found.state == "signed")
    return found.state + (f":{found.signed_by}" if found.signed_by else "") + ("?" if found.doubtful else "")


def hourly(*texts: str) -> list[dict[str, Any]]:
    return [
        {"time": (START + timedelta(hours=no)).isoformat(), "text": text} for no, text in enumerate(texts)
    ]


def table() -> Iterator[tuple[str, str, str]]:
    for line in Path(__file__).with_name("tracking_traces.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            courier, rest = line.split(" | ", 1)
            events, wanted = rest.rsplit(" | ", 1)
            yield courier, events, wanted


@pytest.mark.parametrize(("courier", "events", "wanted"), list(table()))
def test_a_trace_reads_as_a_careful_person_reads_it(courier: str, events: str, wanted: str) -> None:
    assert answer(courier, hourly(*events.split(" / "))) == wanted


def test_the_table_has_every_state() -> None:
    assert {wanted.rstrip("?").split(":")[0] for *_, wanted in table()} == set(STATES)


def phrases() -> Iterator[tuple[list[str], str, str]]:
    """(texts before, latest text, wanted)"""
    before: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("tracking_phrases.txt").read_text("utf-8").splitlines():
        if line.startswith("= "):
            name, _, texts = line.removeprefix("= ").partition(" |")
            before[name] = [text.strip() for text in texts.split(" / ") if text.strip()]
        elif line and not line.startswith("#"):
            name, wanted, texts = line.split(" | ", 2)
            yield from ((before[name], text, wanted) for text in texts.split("; "))


def test_each_phrase_means_what_it_says_after_what_was_before() -> None:
    found = [(text, wanted, answer("zto", hourly(*before, text))) for before, text, wanted in phrases()]
    assert len(found) >= 1600
    assert [one for one in found if one[1] != one[2]] == []


@pytest.mark.parametrize("name", tracking_report.SETS)
def test_the_labelled_sets_are_read_well_enough(name: str) -> None:
    judged = tracking_report.cases(name)
    assert len(judged) >= 300
    assert tracking_report.macro_f1(judged) >= 0.97


@pytest.mark.parametrize("name", tracking_report.SETS)
def test_nothing_on_its_way_back_is_read_as_signed_without_doubt(name: str) -> None:
    wrong = [
        case.line
        for case in tracking_report.cases(name)
        if case.given["state"] in WAY_BACK and case.reading.state == "signed" and not case.reading.doubtful
    ]
    assert wrong == []


def test_the_document_is_true() -> None:
    assert tracking_report.DOCUMENT.read_text("utf-8") == tracking_report.render()


WAY = hourly(
    "【台州一部】已揽收", "离开【台州中转】发往【长春中转】", "【长春一部】派件中", "客户拒收", "快件退回中"
)


@settings(max_examples=60, deadline=None)
@given(st.permutations(WAY), st.lists(st.sampled_from(WAY), max_size=4))
def test_the_order_of_the_list_and_repeats_change_nothing(
    listed: list[dict[str, Any]], again: list[dict[str, Any]]
) -> None:
    assert answer("zto", [*listed, *again]) == "returning"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.fixed_dictionaries({"time": st.text(max_size=20), "text": st.text(max_size=80)}), max_size=6)
)
def test_whatever_the_texts_are_there_is_a_reading(events: list[dict[str, Any]]) -> None:
    found = read("yto", events)
    assert isinstance(found, Reading)
    assert found.state in STATES


def test_the_moment_decides_and_not_the_digits() -> None:
    refused = {"time": "2026-03-01T10:30:00+09:00", "text": "客户拒收"}
    delivered = {"time": "2026-03-01 09:45:00", "text": "派件中"}
    assert answer("ems", [refused, delivered]) == "out_for_delivery"
    assert answer("ems", [{**refused, "time": "2026-03-01T02:00:00Z"}, delivered]) == "refused"


@pytest.mark.parametrize(
    ("given_time", "wanted"),
    [
        ("2026-03-01 10:00:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("2026-03-01T10:00:00+09:00", datetime(2026, 3, 1, 1, tzinfo=UTC)),
        ("2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        ("2026/3/1 10:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("2026年3月1日 10时00分", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        (1772330400, datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("1772330400000", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("2026-02-30 10:00:00", None),
        ("昨天", None),
        (None, None),
        (True, None),
    ],
)
def test_times(given_time: object, wanted: datetime | None) -> None:
    assert moment(given_time) == wanted


@pytest.mark.parametrize("newest_first", [False, True])
def test_without_usable_times_the_list_is_read_in_its_own_direction(newest_first: bool) -> None:
    events = [{"time": "?", "text": text} for text in ("已揽收", "运输中", "派件中", "客户拒收")]
    assert answer(None, events[::-1] if newest_first else events) == "refused"


@pytest.mark.parametrize(
    ("courier", "events", "wanted"),
    [
        ("zto", [{"time": None, "text": "xqz", "code": "6"}], "returning"),
        ("中通", [{"time": None, "text": "", "code": 304}], "signed:station"),
        ("zto", [{"time": None, "text": "正在派件", "code": "3"}], "out_for_delivery"),
        ("zto", [{"time": None, "text": "已签收", "code": "303"}], "signed:other"),
        ("zto", [{"time": None, "text": "xqz", "code": "211"}], "waiting_pickup"),
        ("zto", [{"time": None, "text": "已签收", "code": "14"}], "refused?"),
        ("SF Express", [{"time": None, "text": "xqz", "code": "648"}], "returning"),
        (None, [{"time": None, "text": "xqz", "code": "Exception_010"}], "returning"),
        (None, [{"time": None, "text": "xqz", "code": "what"}], "no_tracking?"),
        (None, [], "no_tracking"),
    ],
)
def test_a_code_speaks_where_the_text_does_not(courier: str | None, events: list[Any], wanted: str) -> None:
    assert answer(courier, events) == wanted


@pytest.mark.parametrize(
    ("courier", "events", "where"),
    [
        ("zto", "已签收", "events"),
        ("zto", None, "events"),
        ("zto", ["已签收"], "events[0]"),
        ("zto", [{"text": 5}], "events[0].text"),
        ("zto", [{"text": "已签收", "code": []}], "events[0].code"),
        (7, [], "courier"),
        ("zto", [{}] * 2001, "events"),
    ],
)
def test_what_is_no_trace_is_refused_with_its_place(courier: Any, events: Any, where: str) -> None:
    found = read(courier, events)
    assert isinstance(found, BadInput)
    assert found.where == where


def test_a_person_is_told_why() -> None:
    found = read("zto", hourly("派件中", "已签收，签收人：本人", "客户反馈未收到快件，正在核实"))
    assert isinstance(found, Reading)
    assert (found.doubtful, found.why) == (True, "签收有争议")
    assert found.evidence is not None
    assert found.evidence.no == 2


def test_the_newest_collection_counts_even_for_a_number_used_before() -> None:
    old = [
        {"time": "2025-01-02 10:00:00", "text": "客户拒收"},
        {"time": "2025-01-03 10:00:00", "text": "快件退回中"},
    ]
    new = [{"time": "2026-03-01 10:00:00", "text": "【台州一部】已揽收"}]
    assert answer("zto", [*new, *old]) == "picked_up"


@pytest.mark.parametrize(
    ("old", "new"),
    [("words:", "wordz:"), ("by_code:\n  - '", "by_code:\n  - '("), ("why: #", "why2: #")],
)
def test_a_broken_lexicon_is_refused(old: str, new: str) -> None:
    with pytest.raises(RulebookError):
        load_lexicon(books.text("tracking.yaml").replace(old, new, 1))
