"""One cell → one value: what merchants' exports really contain, and what is refused."""

import math
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftersale.core.money import yuan
from aftersale.intake.files.cells import PARSERS, SHANGHAI
from aftersale.intake.files.trouble import BadCell

UNDERSTOOD = """
id     | ="2130000000000000001"    | 2130000000000000001
id     | '3005550001112223334      | 3005550001112223334
id     | =3005550001112223334      | 3005550001112223334
id     | ２０２６１１１１－００１  | 20261111-001
id     | --                        | None
id     | null                      | None
fen    | 12.3                      | 1230
fen    | 1,234.56元                | 123456
fen    | ￥５．００                | 500
fen    | ="0.10"                   | 10
fen    | 58.800000000000004        | 5880
fen    | 58.799999999999997        | 5880
fen    | 12.3400                   | 1234
fen    | --                        | None
fen    | 0                         | 0
time   | 2026-11-11 20:05:09       | 2026-11-11T20:05:09+08:00
time   | 2026/1/2 3:04             | 2026-01-02T03:04:00+08:00
time   | 2026年1月2日 3:04:05      | 2026-01-02T03:04:05+08:00
time   | 2026-11-11T12:05:09+00:00 | 2026-11-11T12:05:09+00:00
time   | 20261111                  | 2026-11-11T00:00:00+08:00
time   | 43881.5                   | 2020-02-20T12:00:00+08:00
time   | 0000-00-00 00:00:00       | None
count  | 3件                       | 3
flag   | 否                        | False
text   | 打 13912345678 找我       | 打 139******** 找我
text   | ="保温杯"                 | 保温杯
"""

REFUSED = """
id    | 2.13E+17                | 科学计数
id    | 12 34                   | 不是编号
fen   | -1                      | 负数
fen   | (5.00)                  | 负数
fen   | NaN                     | 不是一个数
fen   | inf                     | 不是一个数
fen   | 1.005                   | 不是金额
fen   | 1e3                     | 不是金额
fen   | 999999999999.00         | 不是金额
fen   | 十元                    | 不是金额
time  | 2026-02-30 10:00:00     | 没有这一天
time  | 明天                    | 不是时间
time  | 1999-01-01              | 太早
time  | 12                      | 不是时间
count | 1.5                     | 不是件数
flag  | 也许                    | 是
"""


def table(text: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in line.split("|")) for line in text.strip().splitlines()]


@pytest.mark.parametrize(("kind", "cell", "value"), table(UNDERSTOOD))
def test_what_is_understood(kind: str, cell: str, value: str) -> None:
    found = PARSERS[kind](cell)
    assert (found.isoformat() if isinstance(found, datetime) else str(found)) == value


@pytest.mark.parametrize(("kind", "cell", "why"), table(REFUSED))
def test_what_is_refused_with_its_reason(kind: str, cell: str, why: str) -> None:
    with pytest.raises(BadCell, match=why):
        PARSERS[kind](cell)


@pytest.mark.parametrize(
    ("number", "text"),
    [(123456789012345, "123456789012345"), (42.0, "42"), (1234567890123456, "1234567890123456")],
)
def test_a_number_is_an_id_while_every_digit_is_kept(number: float, text: str) -> None:
    assert PARSERS["id"](number) == text


@pytest.mark.parametrize(
    "number", [3005550001112223334, 2.13e17, 1234567890123450, 1.5, -1, math.nan, math.inf]
)
def test_a_number_that_may_have_lost_digits_is_no_id(number: float) -> None:
    with pytest.raises(BadCell):
        PARSERS["id"](number)


@given(st.integers(0, 10_000_000_000))
def test_every_amount_survives_all_ways_of_writing_it(fen: int) -> None:
    written = yuan(fen)
    assert [PARSERS["fen"](form) for form in (written, f'="{written}"', f"¥{written}", f"{written}元")] == [
        fen
    ] * 4
    if fen < 10**9:
        assert PARSERS["fen"](float(written)) == fen


@given(st.integers(0, 2_500_000_000))
def test_every_second_survives_text_and_serial(seconds: int) -> None:
    at = datetime(2004, 1, 1, tzinfo=SHANGHAI) + timedelta(seconds=seconds)
    serial = (at - datetime(1899, 12, 30, tzinfo=SHANGHAI)).total_seconds() / 86_400
    assert [PARSERS["time"](f"{at:%Y/%m/%d %H:%M:%S}"), PARSERS["time"](serial)] == [at, at]


@given(st.text(max_size=60), st.sampled_from(sorted(PARSERS)))
def test_no_text_breaks_a_cell(text: str, kind: str) -> None:
    read: object
    try:
        read = PARSERS[kind](text)
    except BadCell as bad:
        read = str(bad) or b"a refusal without a reason"
    assert read is None or isinstance(read, str | int | float | bool | datetime)
