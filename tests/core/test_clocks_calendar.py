"""Working time: shifts, nights, holidays with make-up days, a shop's own dates; arithmetic and its inverse."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aftersale.core.clocks.calendar import Calendar, Shift, add_working_time, working_time_between
from aftersale.core.expression import Value
from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import SHANGHAI
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from aftersale.rulebooks.calendar import announced_until, calendar_of, days_off, make_up_days

SPLIT = ["周一-周五 09:00-12:00 13:30-18:00"]
CALENDARS: Mapping[str, Mapping[str, object]] = {
    "split": {"working_shifts": SPLIT},
    "china": {"working_shifts": SPLIT, "keep_public_holidays": True},
    "night": {"working_shifts": ["mon-sun 22:00-06:00"]},
    "friday_night": {"working_shifts": ["fri 22:00-06:00", "sat 05:00-09:00"]},
    "around": {"working_shifts": ["周日-周一 08:00-10:00"]},
    "own": {
        "working_shifts": SPLIT,
        "keep_public_holidays": True,
        "closed_dates": ["2026-01-06", "2026-02-14"],
        "open_dates": ["2026-01-10", "2026-01-01 10:00-11:00", "2026-02-16"],
    },
    "default": {},
    "always": {"working_shifts": ["周一-周日 00:00-24:00"]},
}
ADDED = """
# calendar | start | working time | end
split        | 2026-01-05 09:00 | 180m  | 2026-01-05 12:00
split        | 2026-01-05 09:00 | 181m  | 2026-01-05 13:31
split        | 2026-01-05 11:00 | 120m  | 2026-01-05 14:30
split        | 2026-01-05 12:30 | 1m    | 2026-01-05 13:31
split        | 2026-01-05 08:00 | 60m   | 2026-01-05 10:00
split        | 2026-01-05 17:00 | 60m   | 2026-01-05 18:00
split        | 2026-01-05 17:00 | 61m   | 2026-01-06 09:01
split        | 2026-01-05 12:30 | 0m    | 2026-01-05 12:30
split        | 2026-01-09 17:30 | 60m   | 2026-01-12 09:30
split        | 2026-01-10 11:00 | 60m   | 2026-01-12 10:00
split        | 2026-01-05 09:00 | 450m  | 2026-01-05 18:00
split        | 2026-01-05 09:00 | 2250m | 2026-01-09 18:00
split        | 2026-01-05 09:00 | 2251m | 2026-01-12 09:01
split        | 2026-01-06 10:00 | -60m  | 2026-01-06 09:00
split        | 2026-01-06 10:00 | -240m | 2026-01-05 15:00
split        | 2026-01-06 12:00 | -180m | 2026-01-06 09:00
split        | 2026-01-06 12:00 | -181m | 2026-01-05 17:59
split        | 2026-01-06 12:45 | -60m  | 2026-01-06 11:00
split        | 2026-01-12 09:30 | -60m  | 2026-01-09 17:30
# the first of January 2026 is a Thursday, Sunday the fourth is worked for it
china        | 2025-12-31 17:00 | 61m   | 2026-01-04 09:01
china        | 2026-01-04 17:00 | 61m   | 2026-01-05 09:01
split        | 2025-12-31 17:00 | 61m   | 2026-01-01 09:01
china        | 2026-01-04 09:01 | -62m  | 2025-12-31 16:59
# 15 to 23 February 2026 are free, Saturdays 14 and 28 are worked
china        | 2026-02-13 17:00 | 61m   | 2026-02-14 09:01
china        | 2026-02-14 17:00 | 61m   | 2026-02-24 09:01
china        | 2026-02-27 17:00 | 61m   | 2026-02-28 09:01
# 1 to 8 October 2025 are free, Sunday 28 September and Saturday 11 October are worked
china        | 2025-09-30 17:00 | 61m   | 2025-10-09 09:01
china        | 2025-09-27 09:00 | 1m    | 2025-09-28 09:01
china        | 2025-10-10 18:00 | 1m    | 2025-10-11 09:01
night        | 2026-01-05 22:00 | 180m  | 2026-01-06 01:00
night        | 2026-01-05 22:00 | 480m  | 2026-01-06 06:00
night        | 2026-01-05 22:00 | 481m  | 2026-01-06 22:01
night        | 2026-01-06 05:00 | 120m  | 2026-01-06 23:00
night        | 2026-01-06 12:00 | 60m   | 2026-01-06 23:00
night        | 2026-01-06 01:00 | -180m | 2026-01-05 22:00
night        | 2026-01-06 01:00 | -181m | 2026-01-05 05:59
# overlapping shifts count once: from Friday 22:00 to Saturday 09:00
friday_night | 2026-01-09 22:00 | 660m  | 2026-01-10 09:00
friday_night | 2026-01-09 22:00 | 661m  | 2026-01-16 22:01
friday_night | 2026-01-10 08:00 | -601m | 2026-01-03 08:59
friday_night | 2026-01-08 10:00 | 60m   | 2026-01-09 23:00
around       | 2026-01-10 10:00 | 121m  | 2026-01-12 08:01
around       | 2026-01-12 09:00 | 61m   | 2026-01-18 08:01
own          | 2026-01-05 17:00 | 61m   | 2026-01-07 09:01
own          | 2026-01-09 17:00 | 61m   | 2026-01-10 09:01
own          | 2025-12-31 18:00 | 60m   | 2026-01-01 11:00
own          | 2025-12-31 18:00 | 61m   | 2026-01-04 09:01
own          | 2026-02-13 17:00 | 61m   | 2026-02-16 09:01
default      | 2026-01-03 17:00 | 120m  | 2026-01-04 10:00
always       | 2026-01-03 17:00 | 1440m | 2026-01-04 17:00
always       | 2026-01-03 17:00 | -1440m | 2026-01-02 17:00
"""


def calendar(name: str, **changes: object) -> Calendar:
    return calendar_of(_settings({**CALENDARS[name], **changes}))


def _settings(values: Mapping[str, object]) -> dict[str, Value]:
    return resolve_settings(books.book("calendar"), values)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def rows() -> list[tuple[str, ...]]:
    lines = [line for line in ADDED.splitlines() if line and not line.startswith("#")]
    return [tuple(cell.strip() for cell in line.split("|")) for line in lines]


@pytest.mark.parametrize("row", rows(), ids="|".join)
def test_working_time(row: tuple[str, ...]) -> None:
    name, start, minutes, end = row
    found, length = calendar(name), timedelta(minutes=int(minutes[:-1]))
    assert add_working_time(at(start), length, found) == at(end)
    assert working_time_between(at(start), at(end), found) == length
    assert working_time_between(at(end), at(start), found) == -length


def test_a_microsecond_more_begins_the_next_shift() -> None:
    split, tick = calendar("split"), timedelta(microseconds=1)
    noon = at("2026-01-05 12:00")
    assert add_working_time(at("2026-01-05 09:00"), timedelta(hours=3), split) == noon
    assert (
        add_working_time(at("2026-01-05 09:00"), timedelta(hours=3) + tick, split)
        == at("2026-01-05 13:30") + tick
    )
    assert working_time_between(noon, at("2026-01-05 13:30"), split) == timedelta(0)


def test_public_holidays_of_three_years() -> None:
    def of(year: int, days: tuple[date, ...]) -> str:
        return " ".join(f"{day.month}-{day.day}" for day in days if day.year == year)

    assert of(2025, make_up_days()) == "1-26 2-8 4-27 9-28 10-11"
    assert of(2026, make_up_days()) == "1-4 2-14 2-28 5-9 9-20 10-10"
    assert of(2026, days_off()) == (
        "1-1 1-2 1-3 2-15 2-16 2-17 2-18 2-19 2-20 2-21 2-22 2-23 4-4 4-5 4-6 5-1 5-2 5-3 5-4 5-5 6-19 6-20 6-21"
        " 9-25 9-26 9-27 10-1 10-2 10-3 10-4 10-5 10-6 10-7"
    )
    assert of(2017, make_up_days()) == "1-22 2-4 4-1 5-27 9-30"
    assert not set(days_off()) & set(make_up_days())


def test_holidays_that_are_not_announced_are_not_sure() -> None:
    last = announced_until()
    assert (last.month, last.day) == (12, 31)
    assert last.year >= 2026
    keeping, plain = calendar("china"), calendar("split")
    assert keeping.is_sure(datetime(last.year, 12, 31, 23, 59, 59, tzinfo=SHANGHAI))
    assert not keeping.is_sure(datetime(last.year + 1, 1, 1, tzinfo=SHANGHAI))
    assert plain.is_sure(datetime(last.year + 1, 1, 1, tzinfo=SHANGHAI))


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"working_shifts": ["周八 09:00-12:00"]}, "working_shifts"),
        ({"working_shifts": ["周一"]}, "working_shifts"),
        ({"working_shifts": [""]}, "working_shifts"),
        ({"working_shifts": ["周一-周九 09:00-12:00"]}, "working_shifts"),
        ({"working_shifts": ["周一 9-12"]}, "working_shifts"),
        ({"working_shifts": ["周一 24:00-25:00"]}, "working_shifts"),
        ({"working_shifts": ["周一 09:60-12:00"]}, "working_shifts"),
        ({"working_shifts": ["周一 09:00-24:01"]}, "working_shifts"),
        ({"working_shifts": ["周一 09:00-09:00"]}, "working_shifts"),
        ({"closed_dates": ["2026-02-30"]}, "closed_dates"),
        ({"open_dates": ["明天"]}, "open_dates"),
        ({"open_dates": ["2026-01-01 9"]}, "open_dates"),
        ({"working_shifts": [], "work_start_minute": 600, "work_end_minute": 600}, "work_end_minute"),
    ],
)
def test_a_wrong_calendar_is_named(changes: dict[str, object], setting: str) -> None:
    with pytest.raises(RulebookError) as error:
        calendar_of(_settings({"working_shifts": SPLIT, **changes}))
    assert error.value.position == f"settings.{setting}"


def test_a_shop_that_never_works_is_a_mistake_of_the_caller() -> None:
    never = Calendar(week=((),) * 7)  # type: ignore[arg-type]
    for length in (timedelta(hours=1), timedelta(hours=-1)):
        with pytest.raises(AssertionError, match="no working time in 400 days"):
            add_working_time(at("2026-01-05 09:00"), length, never)


@pytest.mark.parametrize("way", [1, -1])
def test_how_long_a_shop_may_be_closed(way: int) -> None:
    def away(days: int) -> date:
        return date(2026, 1, 5) + timedelta(days=way * days)

    def found(length: int, *open_days: int) -> datetime:
        days = {away(one): (Shift(0, 60),) for one in open_days}
        never = Calendar(week=((),) * 7, days=days)  # type: ignore[arg-type]
        return add_working_time(at("2026-01-05 12:00"), way * timedelta(minutes=length), never)

    first, last = ("00:01", "01:00") if way > 0 else ("00:59", "00:00")
    assert found(1, 400) == at(f"{away(400)} {first}")
    assert found(60, 400) == at(f"{away(400)} {last}")
    assert found(61, 300, 701) == at(f"{away(701)} {first}")
    for lacking in ((401,), (300,), (300, 702)):
        with pytest.raises(AssertionError, match="no working time in 400 days"):
            found(61, *lacking)


def test_weekends_do_not_add_up_to_a_shop_that_is_closed() -> None:
    split, weeks = calendar("split"), timedelta(hours=7.5 * 5 * 220)
    monday, friday = at("2026-01-05 09:00"), at("2030-03-22 18:00")
    assert add_working_time(monday, weeks, split) == friday
    assert add_working_time(friday, -weeks, split) == monday


@pytest.mark.parametrize(("start", "end"), [(-1, 5), (1440, 1500), (60, 60), (60, 59), (60, 1501)])
def test_a_shift_lies_within_a_day(start: int, end: int) -> None:
    with pytest.raises(AssertionError):
        Shift(start, end)
    assert Shift(60, 1500).end_minute == 1500


def test_another_zone_works_in_its_own_days() -> None:
    """Of a day on which clocks go forward, 09:00 to 18:00 stay nine hours, midnight to noon are eleven."""
    berlin = ZoneInfo("Europe/Berlin")
    found = Calendar(week=((Shift(0, 720),),) * 7, zone=berlin)  # type: ignore[arg-type]
    start = datetime(2026, 3, 29, tzinfo=berlin)
    assert working_time_between(start, start + timedelta(days=1), found) == timedelta(hours=11)
    assert add_working_time(start, timedelta(hours=11), found) == datetime(2026, 3, 29, 12, tzinfo=berlin)


SHIFTS = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda one: Shift(one[0], one[0] + one[1]))
DAYS = st.lists(SHIFTS, max_size=3).map(tuple)
DATES = st.dates(date(2025, 9, 1), date(2026, 3, 31))
CALENDAR = st.builds(
    Calendar,
    week=st.tuples(*[DAYS] * 6, st.lists(SHIFTS, min_size=1, max_size=2).map(tuple)),
    days=st.dictionaries(DATES, DAYS, max_size=5),
    zone=st.sampled_from([SHANGHAI, UTC]),
)
MOMENTS = st.datetimes(datetime(2025, 9, 1), datetime(2026, 3, 31), timezones=st.just(UTC))  # noqa: DTZ001
LENGTHS = st.timedeltas(timedelta(0), timedelta(hours=60))
VIEWERS = st.sampled_from(
    [ZoneInfo(name) for name in ("America/New_York", "Asia/Shanghai", "Australia/Lord_Howe")]
)


@settings(max_examples=300, deadline=None)
@given(CALENDAR, MOMENTS, LENGTHS)
def test_between_is_the_inverse_of_adding(found: Calendar, start: datetime, length: timedelta) -> None:
    later, earlier = add_working_time(start, length, found), add_working_time(start, -length, found)
    assert later >= start >= earlier
    assert working_time_between(start, later, found) == length
    assert working_time_between(earlier, start, found) == length
    tick = timedelta(microseconds=1)
    if length:
        assert working_time_between(start, later - tick, found) < length
        assert working_time_between(earlier + tick, start, found) < length


@settings(max_examples=300, deadline=None)
@given(CALENDAR, MOMENTS, LENGTHS, LENGTHS)
def test_adding_goes_in_steps_and_never_back(
    found: Calendar, start: datetime, first: timedelta, second: timedelta
) -> None:
    middle = add_working_time(start, first, found)
    end = add_working_time(start, first + second, found)
    assert middle <= end
    assert add_working_time(middle, second, found) == end or second == timedelta(0)
    assert (
        working_time_between(start, middle, found) + working_time_between(middle, end, found)
        == first + second
    )
    assert add_working_time(start + second, first, found) >= middle


@settings(max_examples=200, deadline=None)
@given(CALENDAR, MOMENTS, LENGTHS, VIEWERS)
def test_no_viewers_zone_changes_anything(
    found: Calendar, start: datetime, length: timedelta, viewer: ZoneInfo
) -> None:
    end = add_working_time(start, length, found)
    seen = add_working_time(start.astimezone(viewer), length, found)
    assert (seen, seen.utcoffset()) == (end, timedelta(0))
    assert working_time_between(start.astimezone(viewer), end.astimezone(viewer), found) == length
