"""What may be said: a script filled from the record, checked before it leaves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from aftersale.core.facts import read_yaml
from aftersale.core.money import yuan
from aftersale.core.refusal import Refusal
from aftersale.people import words
from aftersale.people.playbook.found import settings_of
from aftersale.refusing.words import checked
from aftersale.rulebooks import books

PLACE = re.compile(r"\{([a-z_]+)\}")
# What a platform lets a shop write beside an application; a shop without such a way copies the text.
MESSAGE_BYTES = {"taobao": 400, "tmall": 400}
LENGTH_MAX = 2000


@dataclass(frozen=True, slots=True)
class Gap:
    """A placeholder for which the record has no value."""

    name: str
    title: str
    example: str


@dataclass(frozen=True, slots=True)
class Draft:
    """`text`: ready but for its gaps, which stand as 【…】."""

    code: str
    title: str
    when: str
    text: str
    gloss: str
    gaps: tuple[Gap, ...]
    variant: int
    variants: int


def draft(code: str, values: Mapping[str, str | None], variant: int = 0) -> Draft | None:
    """None: the library has no such script."""
    script = books.scripts().scripts.get(code)
    if script is None:
        return None
    chinese = words.language() == "zh"
    no = variant % len(script.variants)
    wording = script.variants[no]
    gaps = tuple(_gap(name) for name in wording.placeholders if not values.get(name))
    return Draft(
        code,
        script.title if chinese else script.title_en,
        script.when if chinese else script.when_en,
        _filled(wording.text, values),
        _filled(wording.gloss, values),
        gaps,
        no,
        len(script.variants),
    )


def _filled(said: str, values: Mapping[str, str | None]) -> str:
    return PLACE.sub(lambda found: values.get(found[1]) or f"【{_gap(found[1]).title}】", said)


def _gap(name: str) -> Gap:
    place = books.scripts().placeholders[name]
    title = place.title if words.language() == "zh" else place.title_en
    return Gap(name, title, "" if "{" in place.example else place.example)


def values_of(
    head: Any,
    lines: list[Any],
    facts: Mapping[str, Any],
    promise_at: datetime | None,
    own: str,
    platform: str,
    now: datetime,
) -> dict[str, str | None]:
    """What the record has for placeholders; the rest is for people to write."""
    goods = "、".join(f"{line.title} {line.quantity} 件" for line, _shares in lines)
    return {
        "order_id": head.order_id,
        "amount": yuan(head.amount_fen).rstrip("0").rstrip(".") if head.amount_fen else None,
        "tracking_no": head.tracking_no,
        "courier": _courier(head.courier),
        "items": goods or head.title,
        "product": head.title,
        "application": books.title("aftersale_type", head.aftersale_type) if head.aftersale_type else None,
        "signed_at": _spoken(facts.get("signed_at")),
        "signer": books.title("signed_by", str(facts["signed_by"])) if facts.get("signed_by") else None,
        "answer_at": _spoken(promise_at),
        "click_path": str(settings_of("desk", own, platform, now)["guide_path"]),
        "address": f"{head.region}***" if head.region else None,
        "correct_number": facts.get("correct_number"),
        "restock_date": _spoken(facts.get("restock_at")),
    }


@cache
def _couriers() -> Mapping[str, str]:
    """Every name of a courier → its Chinese name."""
    known = read_yaml(books.text("tracking.yaml"), "tracking")["couriers"]
    return {
        name: next((one for one in names if not one.isascii()), names[0])
        for names in known.values()
        for name in names
    }


def _courier(named: str | None) -> str | None:
    return _couriers().get(named.lower(), named) if named else None


def _spoken(at: datetime | None) -> str | None:
    """'9月13日18点20分', as people say it."""
    if at is None:
        return None
    local = timezone.localtime(at)
    return f"{local.month}月{local.day}日{local.hour}点" + (f"{local.minute:02d}分" if local.minute else "")


def library() -> list[tuple[str, list[tuple[str, str]]]]:
    """Group → its scripts by code and title, as the library has them."""
    own, chinese = books.scripts(), words.language() == "zh"
    return [
        (
            group.title if chinese else group.title_en,
            [(one.code, one.title if chinese else one.title_en) for one in own.in_group(group.code)],
        )
        for group in own.groups
        if own.in_group(group.code)
    ]


def titles() -> dict[str, str]:
    """Code → title of every script."""
    return {code: title for _group, listed in library() for code, title in listed}


def unfit(text: str, platform: str, own: str, now: datetime) -> Refusal | None:
    """Why a text may not be sent: gaps, banned or forbidden words, too long, no way to send it."""
    if not 0 < len(text) <= LENGTH_MAX:
        return Refusal("length", _("请写下要对买家说的话，最多 2000 个字"))
    if PLACE.search(text) or "【" in text:
        return Refusal("gaps", _("还有没填的空，请把【】里的内容补上"))
    if platform not in MESSAGE_BYTES:
        return Refusal("no_way", _("这个平台不能从这里发消息，请复制后在平台上发送"))
    if len(text.encode()) > MESSAGE_BYTES[platform]:
        return Refusal(
            "too_long", _("平台的留言最多 400 个字节（约 130 个汉字），请缩短或复制后在聊天里发送")
        )
    return faults(text, platform, own, now)


def faults(text: str, platform: str, own: str, now: datetime) -> Refusal | None:
    """What the reply check finds, in the words of its kinds."""
    found = checked(text, platform, own, now)
    if found.send_allowed:
        return None
    said = {
        "kinds": _("、").join(words.word("reply_fault", kind) for kind in found.kinds),
        "passage": _("、").join(found.passages),
    }
    return Refusal("unfit", _("这句话不能发给买家（%(kinds)s）：%(passage)s") % said)
