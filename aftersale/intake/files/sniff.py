"""What kind of file it is and how its text is encoded, from its bytes, never from its name."""

import codecs
import zipfile
from dataclasses import dataclass
from pathlib import Path

from aftersale.intake.files.trouble import UnusableFile

BYTES_MAX = 1_500_000_000
CHUNK = 1 << 20
LINE_BYTES_MAX = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_MACROS = "_VBA_PROJECT".encode("utf-16-le")
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
SHEET_BYTES_MAX = 400_000_000  # inflated
RATIO_MAX = 150  # inflated ÷ packed, of a real sheet seldom above 30
MEMBERS_MAX = 2_000


@dataclass(frozen=True, slots=True)
class Sniffed:
    """`kind`: text | sheet; `encoding` of a text; `inflated` bytes of a sheet."""

    kind: str
    encoding: str = ""
    inflated: int = 0


def sniff(path: Path) -> Sniffed:
    """Reads the file once; raises `UnusableFile`."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise UnusableFile(path.name, "打不开（%(why)s）；请检查路径和权限", why=error.strerror) from error
    if not head.strip():
        raise UnusableFile(path.name, "文件是空的；请重新导出")
    if size > BYTES_MAX:
        raise UnusableFile(path.name, "文件超过 %(mb)s MB；请按日期分成几个文件导出", mb=BYTES_MAX // 10**6)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return Sniffed("sheet", inflated=_check_zip(path))
    if head.startswith(_OLE):
        return Sniffed("sheet", inflated=_check_ole(path, size))
    if head.lstrip()[:1] == b"<":
        raise UnusableFile(path.name, "这是网页或 XML，不是表格；请用表格软件打开后另存为 .xlsx 或 .csv")
    return Sniffed("text", encoding=_encoding(path, head))


def _check_zip(path: Path) -> int:
    """Sizes, ratio and macros from the zip directory, before anything is inflated."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise UnusableFile(path.name, "表格文件已损坏；请重新导出") from error
    names = {member.filename.lower() for member in members}
    inflated = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if any(name.endswith("vbaproject.bin") for name in names) or path.suffix.lower() == ".xlsm":
        raise UnusableFile(path.name, "表格里带有宏，不予打开；请另存为不带宏的 .xlsx 或 .csv")
    if "xl/workbook.xml" not in names:
        raise UnusableFile(path.name, "不是 .xlsx 表格；请另存为 .xlsx 或 .csv")
    if len(members) > MEMBERS_MAX or inflated > SHEET_BYTES_MAX or inflated > RATIO_MAX * packed + CHUNK:
        raise UnusableFile(
            path.name,
            "解压后有 %(mb)s MB，大小或压缩比不正常，不予打开；请另存为 .csv",
            mb=inflated // 10**6,
        )
    return inflated


def _check_ole(path: Path, size: int) -> int:
    if size > SHEET_BYTES_MAX // 4:
        raise UnusableFile(path.name, ".xls 文件太大；请另存为 .csv")
    if _OLE_MACROS in path.read_bytes():
        raise UnusableFile(path.name, "表格里带有宏，不予打开；请另存为不带宏的 .xlsx 或 .csv")
    return size


def _encoding(path: Path, head: bytes) -> str:
    """BOM → strict UTF-8 → strict GB18030; a file that mixes them is refused with the line."""
    name = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
    if name != "utf-16" and b"\x00" in head:
        raise UnusableFile(path.name, "不是文本也不是表格；请导出为 .csv 或 .xlsx")
    wrong = _first_wrong_line(path, name)
    if wrong is None:
        return name
    if name != "utf-8":
        raise UnusableFile(
            path.name,
            "第 %(line)s 行不是 %(encoding)s 编码；请用表格软件重新保存为 .csv",
            line=wrong, encoding=name.upper(),
        )  # fmt: skip
    also_wrong = _first_wrong_line(path, "gb18030")
    if also_wrong is not None:
        raise UnusableFile(
            path.name,
            "第 %(line)s 行不是 UTF-8，第 %(other)s 行不是 GB18030，编码混杂；请重新导出",
            line=wrong, other=also_wrong,
        )  # fmt: skip
    odd = _first_utf8_line(path)
    if odd is not None:
        raise UnusableFile(
            path.name,
            "第 %(line)s 行是 UTF-8，第 %(other)s 行是 GB18030，编码混杂；请重新导出",
            line=odd, other=wrong,
        )  # fmt: skip
    return "gb18030"


def _first_wrong_line(path: Path, encoding: str) -> int | None:
    """The first line that strict decoding refuses; None when the whole file decodes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    lines = 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return lines + error.object[: error.start].count(b"\n")
            if "\x00" in text:
                raise UnusableFile(path.name, "不是文本也不是表格；请导出为 .csv 或 .xlsx")
            lines += text.count("\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return lines
    return None


def _first_utf8_line(path: Path) -> int | None:
    """In a file that decodes as GB18030: the first line that is Chinese in UTF-8 as well."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), 1):
            if not line.isascii() and _chinese_in_utf8(line):
                return number
    return None


def _chinese_in_utf8(line: bytes) -> bool:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return sum("\u4e00" <= letter <= "\u9fff" for letter in text) >= 2
