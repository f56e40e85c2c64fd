"""What a refusal needs before it is one: the platform's reasons, and a picture small enough to be sent with it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image
from psycopg import Connection

from aftersale.cases.casework.evidence import store_file
from aftersale.cases.casework.jpeg import jpeg_within
from aftersale.cases.casework.place import SQL, Place
from aftersale.core.refusal import Refusal

NO_PICTURE = Refusal("no_picture", "没有这张凭证，或者它不是图片、已经撤下")
TOO_LARGE = Refusal("proof_too_large", "这张图片缩小之后还是超过平台的上限，请裁剪后再传")


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the platform's reasons for this application; `tips`: what the platform says of it."""

    id: int
    text: str
    tips: str = ""


@dataclass(frozen=True, slots=True)
class Reasons:
    """What is known of them; `waited_s`: how long they have been asked for, None once there was an answer."""

    reasons: tuple[Reason, ...]
    fault: str
    waited_s: float | None


def reasons(conn: Connection[Any], place: Place, version: int, any_age: bool = False) -> Reasons:
    """The platform's reasons for this version. What is not known, or not fresh, is asked for by a worker.
    `any_age`: they need not be fresh."""
    with conn.transaction():
        conn.execute(SQL["want_reasons"], place.values(version=version, any_age=any_age))
        row = conn.execute(SQL["reasons"], place.values()).fetchone()
    assert row is not None
    told, fault, waited_s = row
    return Reasons(tuple(Reason(*one) for one in json.loads(told)), fault, waited_s)


def told(
    conn: Connection[Any], shop_id: int, case_id: str, version: int, found: Sequence[Reason], fault: str
) -> None:
    """The platform's answer, or why there is none; an answer about another version counts for nothing."""
    values = {"shop_id": shop_id, "case_id": case_id, "version": version, "fault": fault[:500]}
    rows = [(one.id, one.text, one.tips) for one in found]
    with conn.transaction():
        conn.execute(SQL["told_reasons"], {**values, "reasons": json.dumps(rows, ensure_ascii=False)})


def proof(conn: Connection[Any], place: Place, evidence_id: int, bytes_max: int) -> str | Refusal:
    """The file to be sent of a picture of this case, by its hash; made smaller when it has to be."""
    row = conn.execute(SQL["proof"], place.values(id=evidence_id)).fetchone()
    if row is None:
        return NO_PICTURE
    sha256, size, content = row
    if size <= bytes_max:
        return str(sha256)
    with Image.open(BytesIO(content), formats=("JPEG",)) as found:
        small = jpeg_within(found.convert("RGB"), bytes_max)
    return TOO_LARGE if small is None else store_file(conn, place, small)


def taken_off(conn: Connection[Any], place: Place, evidence_id: int) -> Refusal | None:
    """Was the piece taken off since `proof` saw it? Asked once the case is held still, which taking off waits for."""
    return None if conn.execute(SQL["on_case"], place.values(id=evidence_id)).rowcount else NO_PICTURE


def newest(conn: Connection[Any], place: Place, sha256: str) -> int | None:
    """The piece of this case with that content."""
    row = conn.execute(SQL["piece_of"], place.values(sha256=sha256)).fetchone()
    return row[0] if row else None
