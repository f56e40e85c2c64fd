"""When something said in a chat is due: 24小时内, 今晚8点前, 明天上午, 3天内, 周五, 9月14日."""

import re
from collections.abc import Callable
from datetime import datetime, time, timedelta

from aftersale.core.language.grammar import SHANGHAI

_NUMBERS = {
    "半": 0.5,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}
_COUNT = r"(\d+(?:\.\d+)?|[半一二两三四五六七八九十])"
_LENGTH = re.compile(rf"(?:{_COUNT}\s*[-~到至]\s*)?{_COUNT}\s*(?:个)?(分钟|小时|h\b|工作日|天|日(?=之?内))")
_DAY = re.compile(
    r"今天|今日|当天|今晚|今儿|明天|明日|明早|明晚|明儿|后天|次日|周[一二三四五六日天]|星期[一二三四五六日天]"
)
_DATE = re.compile(r"(?:(\d{1,2})月)?(\d{1,2})[日号]")
_CLOCK = re.compile(r"(上午|早上|中午|下午|晚上|晚|早|凌晨)?\s*(\d{1,2})(?:[点:](\d{1,2})?分?|时(?!间))(半)?")
_PART = {
    "上午": time(12),
    "早上": time(12),
    "早": time(12),
    "中午": time(14),
    "下午": time(18),
    "晚上": time(23, 59),
    "晚": time(23, 59),
}
_AFTERNOON = {"下午", "晚上", "晚"}
_AT_ONCE = re.compile(r"马上|立即|立刻|第一时间|现在就|这就")
DAY_END = time(23, 59, 59)
_UNITS: dict[str, Callable[[float], timedelta]] = {
    "分钟": lambda n: timedelta(minutes=n), "小时": lambda n: timedelta(hours=n), "h": lambda n: timedelta(hours=n),
    "天": lambda n: timedelta(days=n), "日": lambda n: timedelta(days=n), "工作日": lambda n: timedelta(days=n),
}  # fmt: skip


def due_moment(folded: str, said_at: datetime) -> datetime | None:
    """The latest moment that the words allow; None when they name none. A day without an hour ends at its end."""
    if length := _LENGTH.search(folded):
        return said_at + _UNITS[length[3]](_number(length[2]))
    local = said_at.astimezone(SHANGHAI)
    day = _day(folded, local)
    clock = _clock(folded)
    if day is None and clock is None:
        return said_at if _AT_ONCE.search(folded) else None
    found = datetime.combine((day or local).date(), clock or _part(folded), SHANGHAI)
    return found + timedelta(days=1) if day is None and found < local else found


def _number(text: str) -> float:
    return _NUMBERS[text] if text in _NUMBERS else float(text)


def _day(text: str, local: datetime) -> datetime | None:
    if date := _DATE.search(text):
        return _dated(local, int(date[1]) if date[1] else None, int(date[2]))
    match = _DAY.search(text)
    if match is None:
        return None
    if match[0].startswith(("周", "星期")):
        wanted = "一二三四五六日".index(match[0][-1].replace("天", "日"))
        return local + timedelta(days=(wanted - local.weekday()) % 7)
    return local + timedelta(days={"今": 0, "当": 0, "明": 1, "次": 1, "后": 2}[match[0][0]])


def _dated(local: datetime, month: int | None, day: int) -> datetime | None:
    """The next such date that exists; None for a 31st of February."""
    for ahead in range(13):
        first = (local.replace(day=1) + timedelta(days=32 * ahead)).replace(day=1)
        if month not in (None, first.month):
            continue
        try:
            found = first.replace(day=day)
        except ValueError:
            continue
        if found.date() >= local.date():
            return found
    return None


def _clock(text: str) -> time | None:
    match = _CLOCK.search(text)
    if match is None:
        return None
    late = match[1] in _AFTERNOON or re.search(r"下午|晚", text[: match.start()]) is not None
    hour, minute = int(match[2]), 30 if match[4] else int(match[3] or 0)
    hour += 12 if late and hour < 12 else 0
    return None if hour > 24 or minute > 59 else DAY_END if hour == 24 else time(hour, minute)


def _part(text: str) -> time:
    return next((at for word, at in _PART.items() if word in text), DAY_END)
