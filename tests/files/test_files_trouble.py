"""Bad input ends in one clear line or a parked row with its reason: nothing lost, within limits."""

import os
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aftersale.intake.files.trouble import UnusableFile
from tests.files.made_up import (
    REPORT,
    REPORT_ROWS,
    aftersale,
    raw_sheet,
    read_all,
    shared_strings,
    sheet,
    written,
)

MIB = 1 << 20
ROW = "5,10,5,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,1\n"
SECONDS_MAX = 10
PEAK_KB_MAX = 256 * 1024


def _cells(*refs: str) -> Iterator[bytes]:
    for ref in refs:
        row = ref.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        yield f'<row r="{row}"><c r="{ref}"><v>1</v></c></row>'.encode()


def _amplified() -> Iterator[bytes]:
    for row in range(1, 40_001):
        cells = "".join(f'<c r="{column}{row}" t="s"><v>0</v></c>' for column in "AB")
        yield f'<row r="{row}">{cells}</row>'.encode()


def _lying(path: Path) -> Path:
    """The zip directory claims 1,000 bytes where 200 MiB come."""
    data = bytearray(raw_sheet(path, (b"0" * MIB for _ in range(200))).read_bytes())
    entry = data.index(b"xl/worksheets/sheet1.xml", data.index(b"PK\x01\x02")) - 46
    data[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    path.write_bytes(data)
    return path


def _mixed(path: Path, first: str, then: str) -> Path:
    head, last = f"{REPORT}\n{ROW}".encode(first), ROW.replace("5,", "6,", 1).encode(then)
    path.write_bytes(head + last)
    return path


def _bytes(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


HOSTILE: dict[str, tuple[str, Callable[[Path], Path], str]] = {
    "nothing": ("x.csv", _bytes(b""), "文件是空的"),
    "blanks": ("x.csv", _bytes(b"\n \n\n"), "文件是空的"),
    "binary": ("x.csv", _bytes(b"\x00" * MIB), "不是文本也不是表格"),
    "late binary": ("x.csv", _bytes(f"{REPORT}\n".encode() + b"\x00" * 9000), "不是文本也不是表格"),
    "utf-8, then gb18030": ("x.csv", lambda p: _mixed(p, "utf-8", "gb18030"), "第 3 行不是 UTF-8"),
    "gb18030, then utf-8": ("x.csv", lambda p: _mixed(p, "gb18030", "utf-8"), "第 3 行是 UTF-8"),
    "a million columns": ("x.csv", _bytes(b"," * 10**6), "最多 512 列"),
    "an endless line": ("x.csv", _bytes(b"0" * 30 * MIB), "超过 100 万字"),
    "an open quote": ("x.csv", _bytes(f'{REPORT}\n"{ROW * 9000}'.encode()), "引号不成对"),
    "a web page": ("x.xls", _bytes(b"<html><table></table></html>"), "这是网页"),
    "noise": ("x.xlsx", _bytes(os.urandom(9000)), "不是文本也不是表格"),
    "half a zip": ("x.xlsx", _bytes(b"PK\x03\x04" + bytes(500)), "已损坏"),
    "half an xls": ("x.xls", _bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9000)), "已损坏"),
    "1 GB of zeros": (
        "x.xlsx",
        lambda p: raw_sheet(p, (b"0" * MIB for _ in range(1024))),
        "解压后有 1073 MB",
    ),
    "a lying directory": ("x.xlsx", _lying, "已损坏"),
    "a far cell": ("x.xlsx", lambda p: raw_sheet(p, _cells("A1", "T1048576")), "超出内存限制"),
    "a wide sheet": ("x.xlsx", lambda p: raw_sheet(p, _cells("A1", "XFD1")), "超过 512 列"),
    "one text 80,000 times": (
        "x.xlsx",
        lambda p: raw_sheet(p, _amplified(), **{"xl__sharedStrings.xml": shared_strings("x" * 30_000)}),
        "超出内存限制",
    ),
    "macros": ("x.xlsx", lambda p: raw_sheet(p, (), **{"xl__vbaProject.bin": b"x"}), "带有宏"),
    "macros by name": ("x.xlsm", lambda p: raw_sheet(p, ()), "带有宏"),
    "an empty sheet": ("x.xlsx", lambda p: raw_sheet(p, ()), "没有数据"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_ends_in_one_line(name: str, tmp_path: Path) -> None:
    file, make, line = HOSTILE[name]
    path = make(tmp_path / file)
    began = time.monotonic()
    run = aftersale("decide", path)
    assert line in run.err
    assert run.err.count("\n") == 1
    assert (run.code, run.out) == (2, "")
    assert time.monotonic() - began < SECONDS_MAX
    assert run.peak_kb < PEAK_KB_MAX


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere.csv"):
        with pytest.raises(UnusableFile, match=f"{path.name}：打不开"):
            read_all(path)


# cells of a row of the report | column | reason; every one is left out, its neighbours stay
BAD = """
2,10,-1,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,0        | 买家实际支付金额 | 金额是负数
2,10,NaN,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,0       | 买家实际支付金额 | 金额不是一个数
2,10,1,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,1e9       | 退款金额         | 不是金额
2,10,5,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,8         | 总金额           | 总金额小于实付 ¥13.00
2,10,5,上海,2027-11-01 10:00:00,2026-11-01 10:05:00,1         | 订单创建时间     | 时间在未来
2,10,5,上海,2026-02-30 10:00:00,2026-11-01 10:05:00,1         | 订单创建时间     | 没有这一天
2,10,5,上海,2026-11-01 10:00:00,,1                            | 订单付款时间     | 没有付款时间
2.13E+17,10,5,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,1  | 订单编号         | 科学计数
,10,5,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,1          | 订单编号         | 不能为空
2,10,5,上海                                                   |                  | 有 4 列，表头有 7 列
2,10,5,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,1,8,9     |                  | 有 9 列，表头有 7 列
5,10,5,北京,2026-11-01 10:00:00,2026-11-01 10:05:00,1         |                  | 与第 2 行编号相同
"""


@pytest.mark.parametrize("line", BAD.strip().splitlines())
def test_a_bad_row_is_left_out_with_line_column_and_reason(line: str, tmp_path: Path) -> None:
    cells, column, why = (part.strip() for part in line.split("|"))
    text = f"{REPORT}\n{ROW}{cells}\n{REPORT_ROWS}"
    reading, entries = read_all(written(tmp_path / "x.csv", text))
    assert [entry.order.order_id for entry in entries] == ["5", "1001", "1002", "1003", "1004"]
    assert [(bad.line, bad.column) for bad in reading.bad] == [(3, column)]
    assert why in reading.bad[0].why
    assert reading.rows == 6


def test_an_unknown_state_word_parks_the_row(tmp_path: Path) -> None:
    text = "退款编号,订单编号,买家退款金额,退款状态\n1,2,3,退款成功\n4,5,6,正在天上飞\n"
    reading, entries = read_all(written(tmp_path / "x.csv", text))
    assert len(entries) == 1
    assert str(reading.bad[0]) == (
        "第 3 行「退款状态」：不认识的说法；可以在映射文件的 words 里写明它的意思（原值：正在天上飞）"
    )


def test_more_refunded_than_paid_parks_the_row(tmp_path: Path) -> None:
    text = "退款编号,订单编号,买家实际支付金额,买家退款金额,退款状态\n1,2,3.00,3.01,退款成功\n"
    reading, entries = read_all(written(tmp_path / "x.csv", text))
    assert entries == []
    assert reading.bad[0].why == "退款 ¥3.01 大于实付 ¥3.00"


def test_a_repeated_row_counts_once(tmp_path: Path) -> None:
    reading, entries = read_all(written(tmp_path / "x.csv", f"{REPORT}\n{ROW}{REPORT_ROWS}{ROW}{ROW}"))
    assert (reading.rows, len(entries), reading.repeated, reading.bad) == (7, 5, 2, [])


def test_a_file_of_bad_rows_only_is_given_up_early(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", f"{REPORT}\n" + "a b,1,1,x,,,\n" * 5_000)
    with pytest.raises(UnusableFile, match="前 1,000 行都读不懂，例如第 2 行「订单编号」"):
        read_all(path)


def test_a_numeric_id_column_of_a_sheet_is_refused_row_by_row(tmp_path: Path) -> None:
    rows = [REPORT.split(","), *(line.split(",") for line in REPORT_ROWS.splitlines())]
    rows[1] = [2130000000000000001, *rows[1][1:]]  # type: ignore[list-item]
    reading, entries = read_all(sheet(tmp_path / "x.xlsx", rows))
    assert [entry.order.order_id for entry in entries] == ["1002", "1003", "1004"]
    assert [(bad.line, bad.column) for bad in reading.bad] == [(2, "订单编号")]
    assert "设为文本" in reading.bad[0].why
