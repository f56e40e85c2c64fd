"""Pictures as evidence: read, made anew without what they tell of place and device, squeezed, bound into one PDF."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image, ImageOps

from aftersale.cases.casework.evidence import File
from aftersale.cases.casework.jpeg import SIDES, jpeg_within
from aftersale.core.refusal import Refusal

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
PIXELS_MAX = 60_000_000
SIDE_MAX = 20_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
UNREADABLE = Refusal("unreadable", "这张图片打不开，请重新拍摄或另存为 JPG 再传")
TOO_LARGE = Refusal("too_many_pixels", "图片的尺寸太大，请缩小到六千万像素以内再传")


def picture(content: bytes, bytes_max: int) -> File | Refusal:
    """A JPEG of at most `bytes_max`, made from the pixels alone."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(BytesIO(content), formats=FORMATS) as found:
                if found.width * found.height > PIXELS_MAX or max(found.size) > SIDE_MAX:
                    return TOO_LARGE
                taken_at = _taken_at(found)
                found.draft("RGB", (SIDES[0], SIDES[0]))
                plain = _plain(found)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return TOO_LARGE
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        KeyError,
        TypeError,
        OverflowError,
        MemoryError,
    ):
        return UNREADABLE
    return _squeezed(plain, bytes_max, taken_at)


def _plain(found: Image.Image) -> Image.Image:
    """Upright, on white where it was clear, and nothing but pixels."""
    upright = ImageOps.exif_transpose(found)
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        clear = upright.convert("RGBA")
        white = Image.new("RGB", clear.size, "white")
        white.paste(clear, mask=clear.getchannel("A"))
        return white
    plain = Image.new("RGB", upright.size)
    plain.paste(upright.convert("RGB"))
    return plain


def _squeezed(plain: Image.Image, bytes_max: int, taken_at: datetime | None) -> File | Refusal:
    made = jpeg_within(plain, bytes_max)
    if made is None:
        return Refusal("too_large", "图片压缩之后还是超过平台的上限，请裁剪后再传")
    return replace(made, taken_at=taken_at)


def _taken_at(found: Image.Image) -> datetime | None:
    """When the camera says it was taken; its clock is ours unless it names another zone."""
    told = found.getexif().get_ifd(ExifTags.IFD.Exif)
    try:
        day, _space, clock = str(told[ExifTags.Base.DateTimeOriginal]).partition(" ")
        zone = told.get(ExifTags.Base.OffsetTimeOriginal) or ""
        at = datetime.fromisoformat(f"{day.replace(':', '-')}T{clock}{zone}")
        return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
    except (KeyError, ValueError):
        return None


def one_pdf(pictures: Sequence[bytes]) -> bytes:
    """All pictures, one a page, in the order given."""
    pages = [Image.open(BytesIO(one), formats=("JPEG",)) for one in pictures]
    made = BytesIO()
    pages[0].save(made, "PDF", save_all=True, append_images=pages[1:], resolution=150, title="evidence")
    return made.getvalue()
