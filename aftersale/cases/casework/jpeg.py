"""Pictures within what a platform takes."""

from io import BytesIO

from PIL import Image

from aftersale.cases.casework.evidence import File

SIDES = (4096, 3072, 2400, 1920, 1440, 1080, 800, 640)
QUALITIES = (88, 80, 70, 60)


def jpeg_within(plain: Image.Image, bytes_max: int) -> File | None:
    """The largest and best JPEG of at most so many bytes, if there is one."""
    for side in SIDES:
        if side < SIDES[0] and max(plain.size) <= side:
            continue
        small = plain.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            made = BytesIO()
            small.save(made, "JPEG", quality=quality, optimize=True)
            if made.tell() <= bytes_max:
                return File("image/jpeg", made.getvalue(), small.width, small.height)
    return None
