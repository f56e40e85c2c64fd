"""One cell → one value. The quirks of merchants' exports end here; no id passes through a float."""

import math
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from aftersale.connectors.phone import phone_tail
from aftersale.core.money import FEN_MAX, fen_from_yuan
from aftersale.core.records import ID_LENGTH_MAX
from aftersale.intake.files.trouble import BadCell

Cell = str | int | float | bool | None
Value = str | int | bool | datetime | None

SHANGHAI = timezone(timedelta(hours=8), "Asia/Shanghai")
TEXT_LENGTH_MAX = 500
EXACT_MAX = 2**53  # above it a sheet's numbers lose digits
EXCEL_DIGITS = 15  # Excel itself keeps no more
EXCEL_DAY_0 = datetime(1899, 12, 30, tzinfo=SHANGHAI)
EARLIEST = datetime(2003, 5, 10, tzinfo=SHANGHAI)  # Taobao's first day

_NOTHING = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "—",
        "——",
        "null",
        "none",
        "n/a",
        "#n/a",
        "\\n",
        "0000-00-00",
        "0000-00-00 00:00:00",
    }
)
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.\-]*")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
_LONG_DECIMAL = re.compile(r"\d{1,12}\.\d{3,20}")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?")
_CLOCK = re.compile(r"(\d{1,2})[:时]?(\d{2})(?:[:分]?(\d{2})秒?)?(?:\.\d{1,6})?")
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{8}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff]+")


def plain(cell: Cell) -> str:
    """The cell's text without `="…"`, a leading `'` or `=`, full-width forms made narrow; '' = nothing."""
    text = str(cell) if cell is not None else ""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.strip(" \t\r\n\u3000\ufeff")
    if text[:1] in ("=", "'"):
        text = text.lstrip("='").strip()
        if text[:1] == '"' and text[-1:] == '"':
            text = text[1:-1].strip()
    return "" if text.lower() in _NOTHING else text


def identifier(cell: Cell) -> str | None:
    """An id as text; a number only where the sheet kept every digit."""
    if isinstance(cell, bool):
        raise BadCell("编号不能是真假值")
    if isinstance(cell, int | float):
        return _identifier_of_number(cell)
    text = plain(cell)
    if not text:
        return None
    if _SCIENTIFIC.fullmatch(text):
        raise BadCell("编号已被表格软件改成科学计数，末尾数字丢失；请重新导出，并把这一列存为文本")
    if len(text) > ID_LENGTH_MAX or not _ID.fullmatch(text):
        raise BadCell("不是编号；编号只含数字、字母、-、_，最长 %(most)s 位", most=ID_LENGTH_MAX)
    return text


def _identifier_of_number(number: float) -> str:
    if not (math.isfinite(number) and number >= 0 and number == int(number)):
        raise BadCell("编号必须是整数或文本")
    text = str(int(number))
    if number >= EXACT_MAX or (len(text) > EXCEL_DIGITS and text.endswith("0")):
        raise BadCell("编号存成了数字，15 位以后可能已丢失；请在表格里把这一列设为文本后重新导出")
    return text


def amount(cell: Cell) -> int | None:
    """Yuan → fen: at most two decimals, no sign, within the limit of `core.money`."""
    text = plain(cell)
    if not text:
        return None
    bare = text.strip("¥￥元").replace(",", "").strip()
    if bare.lower() in ("nan", "inf", "-inf", "infinity"):
        raise BadCell("金额不是一个数")
    if bare.startswith(("-", "(")):
        raise BadCell("金额是负数")
    fen = fen_from_yuan(bare)
    if fen is None and _LONG_DECIMAL.fullmatch(bare):
        fen = _fen_of_noise(bare)
    if fen is None:
        raise BadCell("不是金额；应为最多两位小数的元，不超过 %(most)s 元", most=f"{FEN_MAX // 100:,}")
    return fen


def _fen_of_noise(text: str) -> int | None:
    """'58.800000000000004' → 5880: what binary arithmetic leaves behind, never a real third decimal."""
    whole, decimals = text.split(".")
    thousandths = int(decimals[:8].ljust(8, "0"))
    cents, rest = divmod(thousandths + 1, 1_000_000)
    return int(whole) * 100 + cents if rest <= 2 and int(whole) * 100 < FEN_MAX else None


def count(cell: Cell) -> int | None:
    """A small whole number."""
    text = plain(cell)
    if not text:
        return None
    whole = text.removesuffix(".0").removesuffix("件")
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 6):
        raise BadCell("不是件数；应为整数")
    return int(whole)


def text(cell: Cell) -> str | None:
    """Free text, trimmed and shortened; mobile numbers in it are masked."""
    bare = _CONTROL.sub(" ", str(cell) if cell is not None else "").strip()
    if bare.startswith('="') and bare.endswith('"'):
        bare = bare[2:-1]
    bare = bare.removeprefix("'").strip()
    if bare.lower() in _NOTHING:
        return None
    return _PHONE.sub(r"\1********", bare)[:TEXT_LENGTH_MAX]


def moment(cell: Cell) -> datetime | None:
    """A time in Asia/Shanghai, in the usual written forms or as a spreadsheet's serial day."""
    if isinstance(cell, bool):
        raise BadCell("不是时间")
    if isinstance(cell, int | float):
        return _moment_of_serial(float(cell))
    text = plain(cell)
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return _moment_of_form(text)
    return _in_range(found if found.tzinfo else found.replace(tzinfo=SHANGHAI))


def _moment_of_form(text: str) -> datetime:
    if _SERIAL.fullmatch(text):
        return _moment_of_serial(float(text))
    day = _DAY.match(text)
    if day is None:
        raise BadCell("不是时间；应写成 2026-11-11 20:05:00")
    rest = text[day.end() :].strip(" T")
    clock = _CLOCK.fullmatch(rest) if rest else None
    if rest and clock is None:
        raise BadCell("不是时间；应写成 2026-11-11 20:05:00")
    parts = [int(part) for part in day.groups()]
    parts += [int(part or 0) for part in clock.groups()] if clock else []
    try:
        return _in_range(datetime(*parts, tzinfo=SHANGHAI))  # type: ignore[arg-type,misc]
    except ValueError as error:
        raise BadCell("没有这一天或这一刻") from error


def _moment_of_serial(days: float) -> datetime:
    if not 30_000 <= days <= 80_000:
        raise BadCell("不是时间；应写成 2026-11-11 20:05:00")
    return _in_range(EXCEL_DAY_0 + timedelta(seconds=round(days * 86_400)))


def _in_range(found: datetime) -> datetime:
    if found < EARLIEST:
        raise BadCell("时间太早，早于 2003 年")
    return found


def flag(cell: Cell) -> bool | None:
    """是 / 否."""
    text = plain(cell).lower()
    if text in ("是", "yes", "y", "true", "1"):
        return True
    if text in ("否", "no", "n", "false", "0"):
        return False
    if text:
        raise BadCell("应为「是」或「否」")
    return None


def tail(cell: Cell) -> str | None:
    """The last four digits of a telephone number; a number that is encrypted or none at all tells nothing."""
    whole = isinstance(cell, float) and math.isfinite(cell) and cell == int(cell)
    return phone_tail(plain(int(cell) if whole and isinstance(cell, float) else cell))


PARSERS: dict[str, Callable[[Cell], Value]] = {
    "id": identifier,
    "fen": amount,
    "time": moment,
    "past": moment,
    "count": count,
    "text": text,
    "tail": tail,
    "flag": flag,
    "word": plain,
}
