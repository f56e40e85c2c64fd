"""The clock book: every clock just before, at and just after its moment, its setting and its alert."""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from aftersale.core.clocks.burning import alerts
from aftersale.core.clocks.calendar import Calendar, Shift
from aftersale.core.clocks.clock import Clock, Terms
from aftersale.core.clocks.reading import clocks, faults
from aftersale.core.expression import Value
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books

START = datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=8)))
BESIDE = [timedelta(microseconds=us) for us in (-1, 0, 1)]
ALWAYS = Calendar(week=((Shift(0, 1440),),) * 7)  # type: ignore[arg-type]
UNITS = {"s": 1, "h": 3600}


def rows(name: str) -> list[tuple[str, ...]]:
    text = (
        (Path(__file__).parent / "clocks.txt").read_text("utf-8").split(f"## {name}\n")[1].split("\n## ")[0]
    )
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


def length(text: str) -> timedelta:
    """`24h`, `180s`; `24h+` and `24h-` are a microsecond more and less."""
    tail = {"+": 1, "-": -1}.get(text[-1], 0)
    text = text[:-1] if tail else text
    return timedelta(seconds=int(text[:-1]) * UNITS[text[-1]], microseconds=tail)


def facts(words: str, start: str) -> dict[str, Value | None]:
    """Moments are lengths from START; `start` is the fact that stands at it."""
    found: dict[str, Value | None] = {start: START}
    for word in words.split():
        name, _, text = word.partition("=")
        kind = books.catalogue("deadline").facts[name].type.kind
        match kind:
            case "timestamptz":
                found[name] = START + length(text)
            case "bool":
                found[name] = {"true": True, "false": False}[text]
            case "int" | "fen":
                found[name] = int(text)
            case _:
                found[name] = text
    return found


def read(
    given: Mapping[str, Value | None], now: datetime, settings: Mapping[str, object] | None = None
) -> dict[str, Clock]:
    book = books.book("deadlines")
    found = clocks(book, given, resolve_settings(book, settings or {}), ALWAYS, now)
    return {one.name: one for one in found}


def test_the_book_is_a_clock_book() -> None:
    book = books.book("deadlines")
    assert [str(fault) for fault in faults(book)] == []
    assert {rule.name for rule in book.rules} == {row[0] for row in rows("clocks")}
    assert all(rule.requirement and rule.title and rule.title_en for rule in book.rules)


@pytest.mark.parametrize("row", rows("clocks"), ids="|".join)
def test_before_at_and_after(row: tuple[str, ...]) -> None:
    name, words, start, due, *states = row
    for beside, state in zip(BESIDE, states, strict=True):
        found = read(facts(words, start), START + length(due) + beside).get(name)
        assert (found.state if found else "-") == state
        assert found is None or found.due_at == START + length(due)
        assert found is None or found.left == -beside


@pytest.mark.parametrize("row", rows("settings"), ids="|".join)
def test_the_length_is_the_setting(row: tuple[str, ...]) -> None:
    name, words, start, changes, due = row
    settings = {key: int(value) for key, value in (word.split("=") for word in changes.split())}
    found = read(facts(words, start), START, settings)[name]
    assert found.due_at == START + length(due)


def test_every_setting_of_a_length_is_in_the_table() -> None:
    spoken = {word.split("=")[0] for row in rows("settings") for word in row[3].split()}
    elsewhere = {
        "deadline_lead_hours", "own_target_calendar", "own_target_pauses", "complaint_patrols_per_day",
        "warn_at_s", "refund_first_platforms",
    }  # fmt: skip
    assert set(books.book("deadlines").settings) - spoken == elsewhere


@pytest.mark.parametrize("row", rows("alerts"), ids="|".join)
def test_people_are_told_in_time_and_again_when_it_is_missed(row: tuple[str, ...]) -> None:
    name, words, start, told = row
    given, from_ = facts(words, start), START + length(told)
    due = read(given, START)[name].due_at
    missed = due + BESIDE[2]
    levels = []
    for now in (from_ + BESIDE[0], from_, due + BESIDE[0], missed):
        levels += [one.level for one in alerts(read(given, now).values(), now) if one.clock.name == name]
    assert levels == ["soon", "soon", "breached"]


def test_the_lead_is_a_setting() -> None:
    given = facts("platform=pdd", "evidence_asked_at")
    assert read(given, START, {"deadline_lead_hours": 12})["evidence"].alert_at == START + length("36h")
    given = facts("platform=pdd message_minute=600", "unanswered_since_at")
    assert read(given, START, {"warn_at_s": 150})["reply"].alert_at == START + length("150s")


def test_patrols_a_day_are_a_setting() -> None:
    given = facts("platform=tmall complaint_patrols=3", "patrol_day_at")
    assert read(given, START)["complaint_patrol"].state == "met"
    assert read(given, START, {"complaint_patrols_per_day": 4})["complaint_patrol"].state == "running"


def test_platforms_that_refund_first_are_a_setting() -> None:
    given = facts("platform=pdd interception=requested aftersale_type=shipped_refund_only", "applied_at")
    assert "intercept_no_result" not in read(given, START)
    assert "intercept_no_result" in read(given, START, {"refund_first_platforms": ["pdd"]})


def test_what_the_platform_gives_wins_and_our_own_target_runs_beside_it() -> None:
    given = facts("platform=tmall aftersale_type=unshipped_refund_only due_at=48h target_at=6h", "applied_at")
    found = read(given, START)
    assert {name: one.due_at - START for name, one in found.items()} == {
        "platform_deadline": length("48h"),
        "own_target": length("6h"),
    }


def test_what_is_unknown_starts_no_clock() -> None:
    assert read({"platform": "pdd", "aftersale_type": "return_refund"}, START) == {}


@pytest.mark.parametrize("age", [71, 72, 73])
def test_ages_instead_of_moments(age: int) -> None:
    given: dict[str, Value | None] = {"platform": "pdd", "return_dispute": True, "hours_since_return": age}
    found = read(given, START)["return_dispute_wait"]
    assert (found.state, found.due_at) == (
        "over" if age >= 72 else "running",
        START + timedelta(hours=72 - age),
    )


TINY = """
book: tiny
hit: collect
facts: deadline
settings: []
rules:
"""


def tiny(*rules: str) -> str:
    entries = [
        f"  - {{name: r{no}, title: 一, title_en: One, {rule}, requirement: R-001}}"
        for no, rule in enumerate(rules)
    ]
    return "\n".join([TINY.rstrip("\n"), *entries, ""])


def test_effective_dates_are_those_of_the_start() -> None:
    """A clock that began under the old rule keeps it."""
    book = books.parse(
        tiny(
            "when: true, until: 2026-01-05, then: {slot: a, started_at: applied_at, hours: 28, whose: own}",
            "when: true, from: 2026-01-05, then: {slot: a, started_at: applied_at, hours: 30, whose: own}",
        )
    )
    midnight = datetime(2026, 1, 5, tzinfo=START.tzinfo)
    for applied, hours in ((midnight + BESIDE[0], 28), (midnight, 30), (midnight + BESIDE[2], 30)):
        for now in (midnight - timedelta(days=1), midnight, midnight + timedelta(days=9)):
            (found,) = clocks(book, {"applied_at": applied}, {}, ALWAYS, now)
            assert found.due_at == applied + timedelta(hours=hours)


def test_a_clock_tells_all_that_the_book_says() -> None:
    given = facts("platform=pdd return_dispute=true amount=2950 appealed_at=80h", "returned_at")
    assert read(given, START + length("81h"))["return_dispute_wait"].terms == Terms(
        "return_dispute_wait",
        "退货争议要等够时间才能申诉",
        "Wait before the return may be disputed",
        "R-195",
        slot="return_dispute_wait",
        whose="platform",
        waits=True,
        inclusive=False,
        started_at=START,
        length=length("72h"),
        done_at=START + length("80h"),
        cost="appeal_closed",
        cost_fen=2950,
        severity=2,
        holds_up=("rights_appeal", "rapid_refund_appeal"),
    )
    given = facts("platform=pdd promise=answer", "promised_at")
    assert read(given, START)["answer_buyer"].terms == Terms(
        "answer_buyer",
        "最迟次日上午答复买家",
        "Answer the buyer by the next morning",
        "R-136",
        slot="answer",
        whose="promise",
        started_at=START,
        length=timedelta(days=1),
        counted="day",
        until_minute=720,
        lead=length("4h"),
        cost="promise_broken",
        severity=1,
    )


def test_a_clock_tells_when_it_was_done_and_what_it_waits_for() -> None:
    given = facts("platform=pdd amount=2950 evidence_sent_at=2h", "evidence_asked_at")
    evidence = read(given, START)["evidence"].terms
    assert (evidence.final, evidence.severity, evidence.cost_fen, evidence.done_at) == (True, 3, 2950, None)
    assert read(given, START + length("2h"))["evidence"].terms.done_at == START + length("2h")
    given = facts("aftersale_type=return_refund due_at=9h state=refunded", "applied_at")
    found = read(given, START)
    assert found["platform_deadline"].terms == Terms(
        "platform_deadline",
        "平台给的期限",
        "The platform's own deadline",
        "R-012",
        slot="respond",
        whose="platform",
        given_at=START + length("9h"),
        done=True,
        lead=length("4h"),
        cost="platform_decides",
        severity=2,
    )
    assert found["agree_return"].terms.pauses_on == ("waiting_for_buyer",)


def test_what_a_clock_may_leave_out() -> None:
    book = books.parse(tiny("when: true, then: {started_at: applied_at, minutes: 5, whose: courier}"))
    (found,) = clocks(book, {"applied_at": START}, {}, ALWAYS, START)
    assert found.terms == Terms(
        "r0", "一", "One", "R-001", "r0", "courier", started_at=START, length=length("300s")
    )


def test_a_length_that_is_unknown_starts_no_clock() -> None:
    book = books.parse(
        tiny('when: true, then: {started_at: applied_at, days: "=days(modification_count)", whose: own}')
    )
    given: dict[str, Value | None] = {"applied_at": START, "modification_count": 2}
    assert [one.due_at for one in clocks(book, given, {}, ALWAYS, START)] == [START + length("48h")]
    assert clocks(book, {"applied_at": START}, {}, ALWAYS, START) == ()
    assert clocks(book, {"modification_count": 2}, {}, ALWAYS, START) == ()


START_OR_GIVEN = "写 started_at 或 given_at 其中之一"
ONE_LENGTH = "从某时算起的期限写 seconds、minutes、hours、days 其中之一，给定的不写"
WHOLE_DAYS = "按自然日数的期限写 days，不能暂停"
WHOSE = "whose 是 buyer、courier、own、platform、promise 其中之一"
WRONG = [
    (
        "{started_at: applied_at, hours: 1, whose: own, boundry: exclusive}",
        "boundry",
        "期限没有这一项，最近的是 boundary",
    ),
    ("{started_at: applied_at, whose: own}", "hours", ONE_LENGTH),
    ("{started_at: applied_at, hours: 1, days: 1, whose: own}", "hours", ONE_LENGTH),
    ("{given_at: due_at, hours: 1, whose: own}", "hours", ONE_LENGTH),
    ("{given_at: due_at, started_at: applied_at, seconds: 1, whose: own}", "started_at", START_OR_GIVEN),
    ("{whose: own}", "started_at", START_OR_GIVEN),
    ("{given_at: due_at, whose: nobody}", "whose", WHOSE),
    ("{given_at: due_at}", "whose", WHOSE),
    (
        "{given_at: due_at, whose: own, boundary: sharp}",
        "boundary",
        "boundary 是 inclusive、exclusive 其中之一",
    ),
    ("{started_at: applied_at, hours: 24, calendar: day, whose: own}", "calendar", WHOLE_DAYS),
    ("{started_at: applied_at, days: 1, calendar: day, pauses_on: [x], whose: own}", "calendar", WHOLE_DAYS),
    ("{given_at: due_at, whose: own, holds_up: [r1]}", "holds_up", "没有名为 r1 的期限，最近的是 r0"),
]
RIGHT = [
    "{started_at: applied_at, minutes: 1, whose: buyer, boundary: inclusive, pauses_on: [x]}",
    "{started_at: applied_at, hours: 1, whose: courier, boundary: exclusive, calendar: working, pauses_on: [x]}",
    "{started_at: applied_at, days: 1, whose: promise, calendar: day, until_minute: 5}",
    "{given_at: due_at, whose: platform, holds_up: [r0]}",
]


@pytest.mark.parametrize(("then", "key", "reason"), WRONG)
def test_a_wrong_book_is_named(then: str, key: str, reason: str) -> None:
    (fault,) = list(faults(books.parse(tiny(f"when: true, then: {then}"))))
    assert (fault.book, fault.rule, fault.position, fault.reason) == ("tiny", "r0", f"then.{key}", reason)


@pytest.mark.parametrize("then", RIGHT)
def test_a_right_book_has_no_fault(then: str) -> None:
    assert list(faults(books.parse(tiny(f"when: true, then: {then}")))) == []
