"""What a database can hold: printable ids of bounded length, texts without NUL, versions of 62 bits."""

from typing import Annotated

import msgspec

from aftersale.core.records import ID_LENGTH_MAX

Version = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


def is_id(text: str) -> bool:
    """May this be kept as an id?"""
    return 0 < len(text) <= ID_LENGTH_MAX and text.isprintable()


def plain(text: str | None) -> str | None:
    """The text without NUL characters; empty is None."""
    return text.replace("\0", "") if text and "\0" in text else text or None
