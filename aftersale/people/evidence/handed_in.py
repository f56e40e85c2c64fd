"""What was handed in, by its content: a picture, a video, a PDF, or nothing that may be evidence."""

from aftersale.cases.casework.evidence import File
from aftersale.core.refusal import Refusal
from aftersale.people.evidence.images import picture
from aftersale.people.evidence.paper import paper
from aftersale.people.evidence.video import video

UPLOAD_BYTES_MAX = 60 * 1024 * 1024
PICTURE_BYTES_MAX = 30 * 1024 * 1024
FILES_MAX = 12
EMPTY = Refusal("empty", "文件是空的，请重新选择")
TOO_LARGE = Refusal("too_large", "文件太大：图片和 PDF 最多 30 MB，视频最多 60 MB")
HARMFUL = Refusal("harmful", "这个文件里夹带了图片或视频以外的内容，没有保存，请换一个干净的文件")
UNKNOWN = Refusal("unknown_type", "不认识这种文件：请传 JPG、PNG、WEBP 图片，MP4 视频或 PDF")
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM")
SCRIPTS = (b"<script", b"<?php", b"<html", b"<svg", b"<!doctype html")
ZIP_END, ZIP_END_BYTES = b"PK\x05\x06", 22
EDGE = 65_536 + ZIP_END_BYTES


def evidence_from(content: bytes, image_bytes: int) -> File | Refusal:
    """What is stored of an upload; its name and what the browser says of it do not count."""
    if not content:
        return EMPTY
    kind = _kind(content)
    if kind is None:
        return UNKNOWN
    if len(content) > (UPLOAD_BYTES_MAX if kind == "video" else PICTURE_BYTES_MAX):
        return TOO_LARGE
    if _carries(content, kind):
        return HARMFUL
    match kind:
        case "picture":
            return picture(content, image_bytes)
        case "video":
            return video(content)
    return paper(content)


def _kind(content: bytes) -> str | None:
    if content.startswith(PICTURES) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP"):
        return "picture"
    if content[4:8] == b"ftyp":
        return None if content[8:12] in (b"heic", b"heix", b"mif1", b"avif") else "video"
    return "paper" if content.startswith(b"%PDF-") else None


def _carries(content: bytes, kind: str) -> bool:
    """Is it something else as well: an archive behind it, another document in front of it, a script within?"""
    edges = (content[:EDGE] + content[-EDGE:]).lower()
    if kind != "paper" and any(one in edges for one in SCRIPTS):
        return True
    if kind != "paper" and b"%pdf-" in edges[:1024]:
        return True
    end = content.rfind(ZIP_END, max(len(content) - EDGE, 0))
    if end < 0 or end + ZIP_END_BYTES > len(content):
        return False
    return end + ZIP_END_BYTES + int.from_bytes(content[end + 20 : end + 22], "little") <= len(content)
