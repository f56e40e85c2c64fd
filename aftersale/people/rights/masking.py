"""What of a person is shown before somebody asks for it: 张*, 138****0000."""

import re

NAME = re.compile(r"[\u4e00-\u9fff·]{2,4}")
MOBILE = re.compile(r"(?<!\d)([1１][3-9３-９]\d)[ \t-]?\d{4}[ \t-]?(\d{4})(?!\d)")
LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[ -]\d{3,4}(\d{4})(?!\d)")
IDENTITY = re.compile(
    r"(?<![\dA-Za-z])(\d{3})\d{3}(?:19|20)\d\d(?:0[1-9]|1[0-2])\d\d(\d{3}[\dXx])(?![\dA-Za-z])"
)
MAIL = re.compile(r"([A-Za-z0-9])[A-Za-z0-9._%+-]*(@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")


def masked(text: str | None) -> str:
    """What identifies somebody: a phone number, a name, an id of the platform."""
    if not text:
        return "—"
    if NAME.fullmatch(text):
        return f"{text[0]}{'*' * (len(text) - 1)}"
    hidden = masked_words(text)
    return hidden if hidden != text else f"{text[:2]}****"


def masked_words(text: str | None) -> str:
    """What somebody wrote, without the numbers and addresses by which one could reach them."""
    hidden = MOBILE.sub(r"\1****\2", text or "")
    hidden = LANDLINE.sub(r"\1-****\2", hidden)
    return MAIL.sub(r"\1***\2", IDENTITY.sub(r"\1***********\2", hidden))
