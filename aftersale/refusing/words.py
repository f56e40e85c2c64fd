"""Whether words may reach a buyer."""

import json
import re
from datetime import datetime

from aftersale.core.refusal import Refusal
from aftersale.core.rulebook import resolve_settings
from aftersale.core.talk.reply import ReplyCheck
from aftersale.rulebooks import books
from aftersale.rulebooks.talk import check_reply

GAP = re.compile(r"\{[a-z_]+\}|【")
GAPS = Refusal("gaps", "还有没填的空，请把【】里的内容补上")


def checked(text: str, platform: str, own: str, now: datetime) -> ReplyCheck:
    """What the reply check finds, with the shop's own words (`own`: its settings as JSON)."""
    desk = books.book("desk")
    mine = {name: value for name, value in json.loads(own).items() if name in desk.settings}
    terms = resolve_settings(desk, mine, platform, now)
    banned, recommended = terms["banned_words"], terms["recommended_banned_words"]
    assert isinstance(banned, tuple)
    assert isinstance(recommended, tuple)
    return check_reply(
        message=text,
        banned_words=tuple(map(str, banned)),
        recommended_words_imported=terms.get("recommended_words_imported") is True,
        recommended_banned_words=tuple(map(str, recommended)),
    )


def unfit(text: str, platform: str, own: str, now: datetime) -> Refusal | None:
    """Gaps that nobody filled, and what must not be said."""
    if GAP.search(text):
        return GAPS
    found = checked(text, platform, own, now)
    if found.send_allowed:
        return None
    kinds = "、".join(books.title("reply_fault", kind) for kind in found.kinds)
    return Refusal("unfit", f"这句话不能发给买家（{kinds}）：{'、'.join(found.passages)}")
