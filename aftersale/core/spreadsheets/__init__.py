"""What a spreadsheet would do with a cell's text."""

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def guarded(value: object) -> str:
    """Text that a spreadsheet takes as text: a leading formula sign gets an apostrophe before it."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
