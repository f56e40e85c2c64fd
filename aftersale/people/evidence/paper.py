"""PDF files as evidence: their pages alone, copied into a new file without scripts, attachments or links."""

from io import BytesIO

from pypdf import PdfReader, PdfWriter
from pypdf.errors import PyPdfError

from aftersale.cases.casework.evidence import File
from aftersale.core.refusal import Refusal

PAGES_MAX = 50
UNREADABLE = Refusal("unreadable", "这份 PDF 打不开，请重新导出或拍成图片再传")
LOCKED = Refusal("locked", "这份 PDF 加了密码，请去掉密码再传")
TOO_LONG = Refusal("too_long", "PDF 最多 50 页，请只留下要举证的页")
ACTIVE = ("/AA", "/A", "/Annots", "/JavaScript", "/JS", "/OpenAction", "/Metadata", "/PieceInfo")


def paper(content: bytes) -> File | Refusal:
    """The same pages in a file of our own."""
    try:
        reader = PdfReader(BytesIO(content), strict=False)
        if reader.is_encrypted:
            return LOCKED
        if len(reader.pages) > PAGES_MAX:
            return TOO_LONG
        writer = PdfWriter()
        for page in reader.pages:
            for key in ACTIVE:
                page.pop(key, None)
            writer.add_page(page)
        writer.metadata = None
        made = BytesIO()
        writer.write(made)
    except (PyPdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError, OSError, IndexError):
        return UNREADABLE
    if not writer.pages:
        return UNREADABLE
    return File("application/pdf", made.getvalue(), pages=len(writer.pages))
