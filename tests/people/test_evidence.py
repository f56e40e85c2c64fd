"""Evidence: what lacks, handing it in safely, taking it off and back, binding it for the platform."""

import re
import struct
from collections.abc import Callable
from io import BytesIO
from random import Random
from zlib import crc32

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from aftersale.core.refusal import Refusal
from aftersale.people.evidence.handed_in import evidence_from
from tests.conftest import Database
from tests.people.shops import case_id

SignIn = Callable[[str], Client]
DAMAGED = case_id(1, 6)
LIMIT = 1_048_576


def asked(shops: Database, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(shops.owner) as conn:
        return conn.execute(query).fetchall()


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.decode()))


def photo(side: int = 600, *, gps: bool = False, kind: str = "JPEG", seed: int = 1) -> bytes:
    noise = Image.frombytes("RGB", (side, side), Random(seed).randbytes(side * side * 3))
    exif = Image.Exif()
    if gps:
        exif.get_ifd(0x8825).update({1: "N", 2: (30.0, 15.0, 0.0)})
        exif.get_ifd(0x8769)[0x9003] = "2026:11:10 18:30:00"
        exif[0x010F] = "SECRETPHONE"
    made = BytesIO()
    noise.save(made, kind, exif=exif)
    return made.getvalue()


def box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + name + body


def clip(seconds: int = 12, place: bytes = b"+30.25+120.15/") -> bytes:
    head = struct.pack(">IIIII", 0, 3_870_000_000, 0, 1000, seconds * 1000) + bytes(80)
    track = bytes(76) + struct.pack(">HHHH", 1280, 0, 720, 0)
    told = box(b"udta", box(b"\xa9xyz", place))
    moov = box(b"moov", box(b"mvhd", head), box(b"trak", box(b"tkhd", track)), told)
    return box(b"ftyp", b"isom", bytes(4)) + moov + box(b"mdat", b"pictures")


def paper(*, script: bool = False) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if script:
        act = DictionaryObject(
            {NameObject("/S"): NameObject("/JavaScript"), NameObject("/JS"): TextStringObject("app.alert(1)")}
        )
        writer.root_object[NameObject("/OpenAction")] = act
        writer.pages[0][NameObject("/AA")] = DictionaryObject({NameObject("/O"): act})
        writer.add_attachment("virus.exe", b"MZ")
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def hand_in(client: Client, case: str, kind: str, *files: tuple[str, bytes]) -> str:
    uploads = [SimpleUploadedFile(name, content, content_type="image/jpeg") for name, content in files]
    answer = client.post(f"/case/tea/{case}/evidence", {"kind": kind, "file": uploads}, follow=True)
    assert answer.status_code == 200
    return text(answer.content)


def test_a_picture_is_made_anew_without_its_place_and_fits() -> None:
    before = photo(1500, gps=True)
    found = evidence_from(before, 400_000)
    assert not isinstance(found, Refusal)
    assert len(before) > 400_000 >= len(found.content)
    assert b"SECRETPHONE" in before
    assert b"SECRETPHONE" not in found.content
    with Image.open(BytesIO(found.content)) as made:
        assert (made.format, dict(made.getexif())) == ("JPEG", {})
    assert found.taken_at is not None
    assert found.taken_at.isoformat() == "2026-11-10T18:30:00+08:00"


def test_the_same_content_under_any_name_is_known_by_itself() -> None:
    found = evidence_from(photo(300, kind="PNG"), LIMIT)
    assert not isinstance(found, Refusal)
    assert (found.mime, found.width, found.height) == ("image/jpeg", 300, 300)


def test_a_video_loses_its_place_and_nothing_else() -> None:
    before = clip()
    found = evidence_from(before, LIMIT)
    assert not isinstance(found, Refusal)
    assert (found.mime, found.duration_ms, found.width, found.height) == ("video/mp4", 12_000, 1280, 720)
    assert b"+30.25+120.15" in before
    assert b"+30.25+120.15" not in found.content
    assert len(found.content) == len(before)
    assert b"pictures" in found.content


def test_a_pdf_keeps_its_pages_alone() -> None:
    before = paper(script=True)
    assert b"/JavaScript" in before
    assert b"EmbeddedFile" in before
    found = evidence_from(before, LIMIT)
    assert not isinstance(found, Refusal)
    assert (found.mime, found.pages) == ("application/pdf", 1)
    for telling in (b"/JavaScript", b"app.alert", b"virus.exe", b"EmbeddedFile"):
        assert telling not in found.content


def bomb() -> bytes:
    """A PNG whose head promises 40,000 × 40,000 points."""
    plain = BytesIO()
    Image.new("1", (8, 8)).save(plain, "PNG")
    content = bytearray(plain.getvalue())
    content[16:24] = struct.pack(">II", 40_000, 40_000)
    content[29:33] = struct.pack(">I", crc32(bytes(content[12:29])))
    return bytes(content)


ARCHIVE = b"PK\x05\x06" + bytes(18)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"MZ\x90\x00" + bytes(500), "unknown_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "unknown_type"),
        (b"<html><script>alert(1)</script>", "unknown_type"),
        (b"PK\x03\x04" + bytes(500), "unknown_type"),
        (photo(60) + ARCHIVE, "harmful"),
        (photo(60) + b"<?php system($_GET[0]); ?>", "harmful"),
        (b"GIF89a/*<script>alert(1)</script>*/", "harmful"),
        (b"\xff\xd8\xff" + bytes(200), "unreadable"),
        (bomb(), "too_many_pixels"),
        (clip()[:90], "unreadable"),
        (
            box(b"ftyp", b"isom", bytes(4)) + box(b"moov", box(b"mvhd", bytes(100))) + box(b"mdat", b"x"),
            "unreadable",
        ),
        (b"%PDF-1.7\nnothing", "unreadable"),
        (b"\xff\xd8\xff" + bytes(31 * 1024 * 1024), "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_evidence_is_refused(content: bytes, code: str) -> None:
    found = evidence_from(content, LIMIT)
    assert isinstance(found, Refusal)
    assert found.code == code


def test_the_checklist_says_what_lacks_and_the_playbook_follows(sign_in: SignIn, shops: Database) -> None:
    client = sign_in("客服小明")
    page = text(client.get(f"/case/tea/{DAMAGED}").content)
    assert "下一步 请买家拍外包装整体" in page
    assert "凭证 还没齐" in page
    assert "这一步要先上传对应的凭证" in text(
        client.post(
            f"/case/tea/{DAMAGED}/guide/step",
            {"step": "ask_outer_pack_photo", "outcome": "done"},
            follow=True,
        ).content
    )
    page = hand_in(client, DAMAGED, "outer_pack_full_with_recipient", ("../../a\x00b.jpg", photo(100)))
    assert "已保存 1 份「外包装整体照（含收件信息）」" in page
    assert "下一步 请买家拍破损处" in page
    page = hand_in(
        client, DAMAGED, "damage_close", ("b.jpg", photo(100, seed=2)), ("evil.jpg", photo(60) + ARCHIVE)
    )
    assert "已保存 1 份「破损处近照」" in page
    assert "evil.jpg 没有保存：这个文件里夹带了图片或视频以外的内容" in page
    page = hand_in(client, DAMAGED, "inner_damage", ("c.jpg", photo(100, seed=3)))
    assert "凭证 齐了" in page
    assert "下一步 向快递索赔" in page
    assert asked(shops, "SELECT name, by_whom FROM evidence ORDER BY id") == [
        ("ab.jpg", "客服小明"), ("b.jpg", "客服小明"), ("c.jpg", "客服小明"),
    ]  # fmt: skip
    assert "这份凭证已经传过了" in hand_in(client, DAMAGED, "inner_damage", ("c.jpg", photo(100, seed=3)))


def test_a_piece_is_served_as_a_file_to_its_shop_alone(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 22)
    hand_in(client, mine, "photo", ("<b>照片.jpg", photo(50, seed=4)))
    ((number,),) = asked(shops, f"SELECT id FROM evidence WHERE case_id = '{mine}'")
    answer = client.get(f"/case/tea/{mine}/evidence/{number}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    stranger = sign_in("外人老吴")
    nothing = stranger.get("/case/wu/999999")
    for address in (f"/case/tea/{mine}/evidence/{number}", f"/case/wu/{case_id(3, 0)}/evidence/{number}"):
        theirs = stranger.get(address)
        assert (theirs.status_code, theirs.content) == (404, nothing.content)
    other = client.get(f"/case/tea/{DAMAGED}/evidence/{number}")
    assert other.status_code == 404


def test_a_piece_is_taken_off_and_put_back_until_it_was_used(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 38)
    for seed in (5, 6):
        hand_in(client, mine, "photo", (f"{seed}.jpg", photo(80, seed=seed)))
    first, second = (
        row[0] for row in asked(shops, f"SELECT id FROM evidence WHERE case_id = '{mine}' ORDER BY id")
    )

    def change(number: object, how: str) -> str:
        return text(client.post(f"/case/tea/{mine}/evidence/{number}/{how}", follow=True).content)

    assert "已撤下" in change(first, "remove")
    assert "已恢复" in change(first, "restore")
    assert client.post(f"/case/tea/{mine}/evidence/{first}/nonsense").status_code == 404
    answer = client.post(f"/case/tea/{mine}/evidence/pdf", {"piece": [str(first), str(second)]})
    assert answer["Content-Type"] == "application/pdf"
    assert len(PdfReader(BytesIO(answer.content)).pages) == 2
    assert "已经用于举证的凭证不能撤下" in change(first, "remove")
    state = f"SELECT count(*) FILTER (WHERE removed_at IS NULL), count(used_at) FROM evidence WHERE case_id = '{mine}'"
    assert asked(shops, state) == [(2, 2)]
    with (
        psycopg.connect(shops.owner) as conn,
        pytest.raises(psycopg.errors.RaiseException, match="never deleted"),
    ):
        conn.execute("DELETE FROM evidence")


def test_too_many_and_unknown_kinds_are_refused(sign_in: SignIn, shops: Database) -> None:
    client, mine = sign_in("客服小明"), case_id(1, 39)
    none = client.post(f"/case/tea/{mine}/evidence", {"kind": "photo"}, follow=True)
    assert "请选择 1 到 12 个文件" in text(none.content)
    many = [("a.jpg", b"x")] * 13
    assert "请选择 1 到 12 个文件" in hand_in(client, mine, "photo", *many)
    strange = client.post(
        f"/case/tea/{mine}/evidence", {"kind": "nonsense", "file": SimpleUploadedFile("a.jpg", photo(40))}
    )
    assert strange.status_code == 404
    assert asked(shops, f"SELECT count(*) FROM evidence WHERE case_id = '{mine}'") == [(0,)]
