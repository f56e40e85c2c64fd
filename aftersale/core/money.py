"""Money is integer fen; this is the only place where it meets text."""

import re
from typing import NewType

Fen = NewType("Fen", int)
"""Marks amounts of money in signatures that the question door reads; it is given in yuan there."""

FEN_MAX = 10_000_000_000  # ¥100,000,000: above it an amount is a mistake
_YUAN = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,2})0*)?", re.ASCII)


def fen_from_yuan(text: str) -> int | None:
    """'12.3' → 1230 fen; None when the text is no plain amount of at most two decimals within ±FEN_MAX."""
    match = _YUAN.fullmatch(text.strip())
    if match is None:
        return None
    sign, whole, part = match.groups()
    fen = int(whole) * 100 + int((part or "0").ljust(2, "0"))
    return (-fen if sign else fen) if fen <= FEN_MAX else None


def yuan(amount_fen: int) -> str:
    """1230 → '12.30', as the platforms' text amounts are written."""
    whole, part = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}{whole}.{part:02d}"


def yuan_text(amount_fen: int) -> str:
    """123456 → '¥1,234.56', for people."""
    whole, part = divmod(abs(amount_fen), 100)
    return f"{'-' if amount_fen < 0 else ''}¥{whole:,}.{part:02d}"
