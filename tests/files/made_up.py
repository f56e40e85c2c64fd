"""Made-up exports for these tests, and how they are written and run."""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import xlsxwriter

from aftersale.intake.files.cells import SHANGHAI
from aftersale.intake.files.reading import Entry, Reading, read

NOW = datetime(2026, 11, 11, 20, 0, tzinfo=SHANGHAI)

REPORT = "订单编号,总金额,买家实际支付金额,收货地址,订单创建时间,订单付款时间,退款金额"
REPORT_ROWS = """\
1001,100.00,100.00,上海,2026-11-01 10:00:00,2026-11-01 10:05:00,0.00
1002,64.80,0.00,江苏省,2026-11-01 11:00:00,2026-11-01 11:00:09,64.80
1003,327.70,148.90,浙江省,2026-11-01 12:00:00,2026-11-01 12:00:30,178.80
1004,21.00,0.00,安徽省,2026-11-01 13:00:00,,0.00
"""

REFUNDS = (
    "退款编号,订单编号,订单付款时间,买家实际支付金额,宝贝标题,买家退款金额,售后类型,退款的申请时间,超时时间,退款状态,"
    "货物状态,发货物流信息,客服介入状态,买家退款原因,售中或售后"
)
_BOUGHT = "2026-11-10 20:00:00"
_ASKED = "2026-11-11 09:00:00"
REFUND_ROWS = "\n".join(
    (
        f"9001,2001,{_BOUGHT},29.50,保温杯,29.50,仅退款,{_ASKED},2026-11-11 21:00:00,等待卖家同意,未发货,,"
        "客服未介入,不想要了,售中",
        f"9002,2002,{_BOUGHT},88.00,=1+1,30.00,退货退款,{_ASKED},2026-11-12 09:00:00,等待卖家同意,"
        "买家已收到货,顺丰,客服未介入,质量问题,售后",
        f"9003,2003,{_BOUGHT},50.00,袜子,50.00,退货退款,{_ASKED},,退款成功,买家已退货,顺丰,客服未介入,"
        "七天无理由退换货,售后\n",
    )
)


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """The text as a file."""
    path.write_bytes(text.encode(encoding))
    return path


def sheet(path: Path, rows: Iterable[Sequence[object]]) -> Path:
    """The rows as an .xlsx: text as text, numbers as numbers."""
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        for at, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    page.write_string(at, place, cell)
                else:
                    page.write_number(at, place, cell)  # type: ignore[arg-type]
    return path


_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = {
    "_rels/.rels": f"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/></Relationships>""",
    "[Content_Types].xml": """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml"
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>""",
    "xl/workbook.xml": """<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>
<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>""",
    "xl/_rels/workbook.xml.rels": """<Relationships
xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
Target="worksheets/sheet1.xml"/><Relationship Id="rId2"
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
Target="sharedStrings.xml"/></Relationships>""",
}
_SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def raw_sheet(path: Path, data: Iterable[bytes], **more: bytes) -> Path:
    """An .xlsx whose sheet data is written as given; `more`: further members by name (`/` as `__`)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, f'<?xml version="1.0"?>{text}')
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as member:
            member.write(f'<?xml version="1.0"?><worksheet xmlns="{_SPACE}"><sheetData>'.encode())
            for chunk in data:
                member.write(chunk)
            member.write(b"</sheetData></worksheet>")
        for name, content in more.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def shared_strings(text: str) -> bytes:
    """xl/sharedStrings.xml with one text."""
    head = f'<?xml version="1.0"?><sst xmlns="{_SPACE}" count="1" uniqueCount="1">'
    return f"{head}<si><t>{text}</t></si></sst>".encode()


def read_all(path: Path, **options: object) -> tuple[Reading, list[Entry]]:
    """The whole file."""
    reading = read(path, now=NOW, **options)  # type: ignore[arg-type]
    return reading, list(reading.entries())


@dataclass(frozen=True)
class Run:
    """One call of the command. `peak_kb`: the most memory it and its children ever held."""

    code: int
    out: str
    err: str
    peak_kb: int


# A process begins with the peak of the one it was forked from, so a small one stands between ours and the measured.
MEASURED = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
open(sys.argv[1], "w").write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss))
sys.exit(code)
"""


def aftersale(*arguments: object, environment: dict[str, str] | None = None) -> Run:
    """Runs `aftersale …` in a process of its own."""
    line = [sys.executable, "-c", "from aftersale.cli import main; main()", *map(str, arguments)]
    with tempfile.NamedTemporaryFile() as peak:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, peak.name, *line],
            capture_output=True,
            text=True,
            env=environment or dict(os.environ),
            check=False,
        )
        return Run(done.returncode, done.stdout, done.stderr, int(peak.read()))
