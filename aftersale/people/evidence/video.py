"""Videos as evidence: the container's header is read, what tells of the place is blanked, the pictures stay as they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aftersale.cases.casework.evidence import File
from aftersale.core.refusal import Refusal

BOXES_MAX = 5000
DEPTH_MAX = 6
NESTED = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts")
TELLING = (b"udta", b"meta", b"uuid", b"xml ", b"bxml")
EPOCH = datetime(1904, 1, 1, tzinfo=UTC)
UNREADABLE = Refusal("unreadable", "这段视频的文件头读不出来，请用手机或电脑另存为 MP4 再传")
NO_PICTURE = Refusal("no_picture", "这个文件里没有视频画面")


class BrokenError(Exception):
    """The container does not hold together."""


@dataclass(frozen=True, slots=True)
class Box:
    """One part of the container: its four letters and where its body lies."""

    name: bytes
    head: int
    body: int
    end: int


def video(content: bytes) -> File | Refusal:
    """The same video with its length and size, without notes of place, author or device."""
    made = bytearray(content)
    try:
        boxes = list(_boxes(content, 0, len(content), 0))
        if not any(box.name == b"moov" for box in boxes) or not any(box.name == b"mdat" for box in boxes):
            return UNREADABLE
        duration_ms, taken_at = _length(content, boxes)
        width, height = _size(content, boxes)
    except (BrokenError, IndexError):
        return UNREADABLE
    if not width or not duration_ms:
        return NO_PICTURE
    for box in boxes:
        if box.name in TELLING:
            made[box.head + 4 : box.head + 8] = b"free"
            made[box.body : box.end] = bytes(box.end - box.body)
    return File("video/mp4", bytes(made), width, height, duration_ms, taken_at=taken_at)


def _boxes(content: bytes, start: int, end: int, depth: int) -> Iterator[Box]:
    """Every box from the outside in, as they lie in the file."""
    at, seen = start, 0
    while at < end:
        seen += 1
        box = _box(content, at, end)
        if seen > BOXES_MAX or depth > DEPTH_MAX:
            raise BrokenError
        yield box
        if box.name in NESTED:
            yield from _boxes(content, box.body, box.end, depth + 1)
        at = box.end


def _box(content: bytes, at: int, end: int) -> Box:
    if at + 8 > end:
        raise BrokenError
    size, body = _number(content, at, 4), at + 8
    if size == 1:
        size, body = _number(content, at + 8, 8), at + 16
    elif size == 0:
        size = end - at
    if size < body - at or at + size > end:
        raise BrokenError
    return Box(content[at + 4 : at + 8], at, body, at + size)


def _number(content: bytes, at: int, length: int) -> int:
    if at + length > len(content):
        raise BrokenError
    return int.from_bytes(content[at : at + length], "big")


def _length(content: bytes, boxes: list[Box]) -> tuple[int, datetime | None]:
    """Milliseconds, and when it was recorded as the camera says."""
    head = next((box for box in boxes if box.name == b"mvhd"), None)
    if head is None:
        raise BrokenError
    wide = content[head.body] == 1
    made, scale, length = (4, 20, 24) if wide else (4, 12, 16)
    long = 8 if wide else 4
    ticks, duration = _number(content, head.body + scale, 4), _number(content, head.body + length, long)
    recorded = _number(content, head.body + made, long)
    if not ticks:
        raise BrokenError
    try:
        at = EPOCH + timedelta(seconds=recorded) if recorded else None
    except OverflowError:
        at = None
    return min(duration * 1000 // ticks, 2**31 - 1), at if at and at.year >= 2000 else None


def _size(content: bytes, boxes: list[Box]) -> tuple[int, int]:
    """Of the largest track; a track of sound has none."""
    sizes = [(0, 0)]
    for box in boxes:
        if box.name == b"tkhd":
            sizes.append((_number(content, box.end - 8, 2), _number(content, box.end - 4, 2)))
    return max(sizes)
