"""A shop's calendar from the settings of calendar.yaml and China's public holidays (package `holidays`)."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import cast

import holidays

from aftersale.core.clocks.calendar import Calendar, Shift, Shifts
from aftersale.core.expression import Value
from aftersale.core.facts import RulebookError

WEEKDAYS = {
    name: day
    for names in (["mon", "tue", "wed", "thu", "fri", "sat", "sun"], [f"周{one}" for one in "一二三四五六日"])
    for day, name in enumerate(names)
}
YEARS = range(2001, 2041)
"""Holidays are known for these; notices of the years before 2001 were never checked."""
DAY = timedelta(days=1)
MONDAY, SATURDAY = 0, 5
_SHIFT = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


def calendar_of(settings: Mapping[str, Value]) -> Calendar:
    """The calendar of a shop. `settings`: of the book `calendar`, resolved. Raises RulebookError.

    A make-up day is worked like a Monday; what the shop says of a date comes before public holidays.
    """
    week = _week(cast("tuple[str, ...]", settings["working_shifts"]), settings)
    keeps = settings["keep_public_holidays"] is True
    days: dict[date, Shifts] = {}
    if keeps:
        days = {**dict.fromkeys(days_off(), ()), **dict.fromkeys(make_up_days(), week[MONDAY])}
    for text in cast("tuple[str, ...]", settings["closed_dates"]):
        days[_date("closed_dates", text)] = ()
    for text in cast("tuple[str, ...]", settings["open_dates"]):
        first, *shifts = text.split() or [""]
        day = _date("open_dates", first)
        days[day] = _shifts("open_dates", shifts) if shifts else week[day.weekday()] or week[MONDAY]
    return Calendar(week, days, sure_until=announced_until() if keeps else None)


@cache
def days_off() -> tuple[date, ...]:
    """Public holidays, their substitutes, and the weekends that touch them unless they are worked, in order."""
    listed = set(_china())
    return tuple(sorted(listed | {day for one in listed for day in _weekend_beside(one)}))


@cache
def make_up_days() -> tuple[date, ...]:
    """Days of weekends that are worked in exchange for a holiday, in order."""
    return tuple(sorted(day for day in _china().weekend_workdays if day.year in YEARS))


@cache
def announced_until() -> date:
    """The last day whose holidays are announced. Every notice names make-up days, so a year without is estimated."""
    last = max(day.year for day in make_up_days())
    return date(last, 12, 31)


@cache
def _china() -> holidays.HolidayBase:
    return holidays.country_holidays("CN", years=YEARS)


def _weekend_beside(holiday: date) -> Iterator[date]:
    """The days of a weekend that begins right after the holiday or ends right before it."""
    for step in (DAY, -DAY):
        day = holiday + step
        while day.weekday() >= SATURDAY and day not in make_up_days():
            yield day
            day += step


def _week(
    lines: tuple[str, ...], settings: Mapping[str, Value]
) -> tuple[Shifts, Shifts, Shifts, Shifts, Shifts, Shifts, Shifts]:
    """Monday to Sunday. Without lines of its own the shop works the same hours every day."""
    if not lines:
        start, end = cast("int", settings["work_start_minute"]), cast("int", settings["work_end_minute"])
        if not start < end:
            raise RulebookError("calendar", None, "settings.work_end_minute", "下班时刻要晚于上班时刻")
        return (daily := (Shift(start, end),)), daily, daily, daily, daily, daily, daily
    week: list[Shifts] = [()] * 7
    for line in lines:
        named, *shifts = line.split() or [""]
        for day in _days(named):
            week[day] += _shifts("working_shifts", shifts)
    return cast("tuple[Shifts, Shifts, Shifts, Shifts, Shifts, Shifts, Shifts]", tuple(week))


def _days(named: str) -> Iterator[int]:
    """`周一-周五`, `mon,wed`, `sat`: days of the week; a range may go past Sunday."""
    for part in named.lower().split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
            say = "%(value)s 不是星期，请写成 周一-周五 09:00-12:00 13:30-18:00"
            raise RulebookError("calendar", None, "settings.working_shifts", say, value=repr(named))
        start, end = WEEKDAYS[first], WEEKDAYS[last or first]
        yield from ((start + n) % 7 for n in range((end - start) % 7 + 1))


def _shifts(setting: str, texts: list[str]) -> Shifts:
    """`22:00-06:00` ends on the next day."""
    found = tuple(_shift(setting, text) for text in texts)
    if not found:
        raise RulebookError(
            "calendar", None, f"settings.{setting}", "缺少班次，请写成 周一-周五 09:00-12:00 13:30-18:00"
        )
    return found


def _shift(setting: str, text: str) -> Shift:
    match = _SHIFT.fullmatch(text)
    numbers = [int(part) for part in match.groups()] if match else []
    if not numbers or numbers[0] > 23 or numbers[1] > 59 or numbers[2] > 24 or numbers[3] > 59:
        raise _no_shift(setting, text)
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if end > 1440 or start == end:
        raise _no_shift(setting, text)
    return Shift(start, end if end > start else end + 1440)


def _no_shift(setting: str, text: str) -> RulebookError:
    say = "%(value)s 不是班次，请写成 周一-周五 09:00-12:00 13:30-18:00"
    return RulebookError("calendar", None, f"settings.{setting}", say, value=repr(text))


def _date(setting: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        say = "%(value)s 不是日期，请写成 2026-10-01"
        raise RulebookError("calendar", None, f"settings.{setting}", say, value=repr(text)) from None
